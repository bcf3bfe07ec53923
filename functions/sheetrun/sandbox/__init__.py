"""Runs generated scripts where they can do no harm. Knows no workbook.

``process.run`` and ``warm.WarmRunner`` run a ``job.Job``; ``allowlist.Policy`` is the vocabulary of a script;
``probe.probe`` says which layers hold on this machine.
"""
