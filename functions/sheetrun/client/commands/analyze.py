"""``sheetrun analyze``: what a dataset holds, what is wrong with it, how it is distributed, what goes together.

FILE is CSV, Excel, Parquet or JSON lines. OUT ends in .html (the report), .json (the results) or .py (the script);
- prints the results as JSON; without -o the report goes to FILE.report.html. Needs the extra "datasets".
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sheetrun.client.console import Usage, about, count, say, seconds, write
from sheetrun.client.progress import ProgressLine

_TASKS = ("profile", "statistical_summary", "data_quality", "correlations", "distributions", "outliers")
_RESULTS = {".html": "report", ".htm": "report", ".json": "results", ".py": "script"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the dataset")
    parser.add_argument("--task", choices=_TASKS, default="profile", metavar="TASK", help=f"one of {', '.join(_TASKS)}")
    parser.add_argument("-o", "--output", metavar="OUT", help="OUT.html, OUT.json or OUT.py; - for JSON on stdout")
    parser.add_argument("--timeout", metavar="S", type=float, default=600.0, help="seconds (default: 600)")


def run(arguments: argparse.Namespace) -> int:
    path = Path(arguments.file)
    target = arguments.output or f"{path.name}.report.html"
    wanted = "results" if target == "-" else _RESULTS.get(Path(target).suffix.lower())
    if wanted is None:
        raise Usage(f"{target} must end in .html, .json or .py")
    source = path.read_bytes()
    from sheetrun.datasets import steps

    with about(arguments.file), ProgressLine() as progress:
        parsed = steps.parse(source, path.name)
        generated = steps.generate(parsed.artefact, task=arguments.task)
        done = steps.execute(
            parsed.artefact,
            generated,
            source,
            timeout=arguments.timeout,
            memory=8 * 2**30,
            progress=lambda at, of, told: progress.show(path.name, 100 * at / max(of, 1), told),
        )
    write(target, done.results[wanted][1])
    if target != "-":
        report = done.report
        took = seconds(report["duration_ms"]["execute"] / 1000)
        found = f", {count(report['issues'], 'thing')} to look at" if "data_quality" in report["tasks"] else ""
        print(f"{arguments.file}: {count(report['rows'], 'row')}, {count(report['columns'], 'column')}{found}, {took}")
        say(f"  wrote {target}")
    return 0
