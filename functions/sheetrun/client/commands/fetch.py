"""``sheetrun fetch``: a job's results as files.

Without NAME all of them: values, workbook, script, bundle, report, graph; of a dataset results, script, report, plots; of
scenarios csv, parquet, summary, report.
Files are named after the workbook, and their paths are printed. One NAME with -o FILE goes to that file, with -o - to
stdout.
"""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath

from sheetrun.client.console import Usage, write
from sheetrun.client.errors import JobFailed, SheetrunError
from sheetrun.client.service_options import add_service, connect

_ENDINGS = {
    "values": ".values.json",
    "results": ".results.json",
    "script": ".py",
    "bundle": ".bundle.zip",
    "report": ".report.html",
    "graph": ".graph.svg",
    "csv": ".csv",
    "parquet": ".parquet",
    "summary": ".summary.json",
}


class NothingToFetch(SheetrunError):
    """The job has no results yet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the job")
    parser.add_argument("names", metavar="NAME", nargs="*", help="results (default: all)")
    parser.add_argument("-o", "--output", metavar="OUT", help="directory, or file for one NAME (default: here)")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.output == "-" and len(arguments.names) != 1:
        raise Usage("-o - takes one NAME")
    with connect(arguments) as client:
        job = client.job(arguments.id)
        if job.ended and not job.succeeded and not job.results:
            raise JobFailed(job)
        if not job.ended:
            error = NothingToFetch(f"{job.id} is still {job.state}")
            error.hint = f"`sheetrun status {job.id} --wait` waits for it."
            raise error
        names = arguments.names or sorted(job.results)
        if arguments.output == "-":
            write("-", client.fetch(job, names[0]))
            return 0
        to_file = len(arguments.names) == 1 and arguments.output and not Path(arguments.output).is_dir()
        folder = Path(arguments.output or ".")
        if not to_file:
            folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            target = folder if to_file else folder / file_name(job.filename or job.id, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.fetch(job, name, target)
            print(target, flush=True)
    return 0


def file_name(source: str, result: str) -> Path:
    """A path inside the target folder, whatever the service calls its things."""
    name = PurePosixPath(source.replace("\\", "/")).name or "job"
    stem, dot, suffix = name.rpartition(".")
    stem, suffix = (stem, suffix) if dot and stem else (name, "xlsx")
    if result == "workbook":
        return Path(f"{stem}.recalculated.{suffix}")
    if result in _ENDINGS:
        return Path(f"{stem}{_ENDINGS[result]}")
    parts = [part for part in PurePosixPath(result.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return Path(f"{stem}.files", *parts)
