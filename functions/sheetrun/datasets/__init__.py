"""Datasets: a file → its schema → a readable pandas script → results, a report and plots.

``steps`` has parse, generate and execute as the pipeline calls them; ``analyses`` is what scripts are made of.
"""
