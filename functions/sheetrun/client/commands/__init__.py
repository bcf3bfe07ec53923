"""The commands of ``sheetrun``: one module each, imported only when it is the one that was asked for.

A module has ``add_arguments(parser)`` and ``run(arguments) -> int`` (0 done, 1 the work failed, 2 wrong usage).
"""

from __future__ import annotations

from typing import Final

#: name -> what it does, in the order of ``sheetrun --help``.
COMMANDS: Final = {
    "run": "compile a workbook and run it here, with other inputs if you like",
    "compile": "write the Python script of a workbook",
    "check": "recalculate workbooks and compare them with Excel's own values",
    "scenarios": "calculate a workbook for many inputs, here or on a service",
    "report": "show a workbook as a page: match with Excel, maps of its sheets, how blocks depend on each other",
    "bundle": "write a workbook as a Python module that runs with NumPy alone",
    "analyze": "analyze a dataset here: CSV, Excel, Parquet or JSON lines",
    "up": "start a whole service on this machine",
    "deploy": "deploy the service to an AWS-compatible endpoint",
    "submit": "send files to a service",
    "status": "tell how far a job is",
    "batch": "tell how far a batch is, stop it, retry what failed, list its results",
    "events": "tell a job's story as it happens",
    "cancel": "stop jobs",
    "fetch": "download a job's results",
    "models": "tell what a workbook on the service takes and gives, its versions, what changed between them",
    "calculate": "call a workbook on the service: other inputs, outputs at once; seek a goal",
    "limits": "tell what you may do, and set what a client may",
    "keys": "make, list, rotate and revoke clients' keys",
    "webhooks": "say who is told how jobs end, and see what was sent",
    "dead-letters": "see what the service gave up, and send it once more",
    "doctor": "tell what this machine and the service give",
}
