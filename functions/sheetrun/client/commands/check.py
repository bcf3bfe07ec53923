"""``sheetrun check``: recalculates workbooks and compares every formula with the value that Excel stored.

A line per file, what differs (causes before what follows from them), then the totals. A directory stands for all
workbooks below it. Exit code 1 when a cell differs or a file could not be used.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sheetrun.client.console import Usage, count, json_bytes, say, seconds, write
from sheetrun.client.literals import show_value
from sheetrun.client.progress import ProgressLine

_SUFFIXES = (".xlsx", ".xlsm")
_STATUS = {"ok": "ok", "mismatch": "DIFFERS", "refused": "REFUSED", "crashed": "CRASHED", "timed_out": "TIMEOUT"}
_COUNTS = (
    "formulas", "compared", "matched", "mismatched", "stale", "locale", "rounding", "volatile", "unsupported", "uncached"
)  # fmt: skip
#: Counts that are shown only where they are not 0.
_RARE = {
    "stale": "stale",
    "locale": "with the day first",
    "rounding": "from rounding",
    "uncached": "without a stored value",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE.xlsx", nargs="+", help="workbooks, or directories of them")
    parser.add_argument("--json", metavar="OUT", help="write all results as JSON (- for stdout)")
    parser.add_argument("--jobs", metavar="N", type=int, help="files at once (default: one per processor)")
    parser.add_argument("--timeout", metavar="S", type=float, default=120.0, help="seconds per file (default: 120)")
    parser.add_argument(
        "--details", metavar="N", type=int, default=10, help="differing cells shown per file (default: 10)"
    )


def run(arguments: argparse.Namespace) -> int:
    jobs = arguments.jobs if arguments.jobs is not None else (os.cpu_count() or 1)
    if jobs < 1 or arguments.timeout <= 0:
        raise Usage("--jobs and --timeout must be more than 0")
    files = find_workbooks(arguments.files)
    from sheetrun.client.workers import each

    quiet = arguments.json == "-"
    results = []
    with ProgressLine() as progress:
        outcomes = each("sheetrun.client.checking:check_file", [str(path) for path in files], jobs, arguments.timeout)
        for done, result in enumerate(outcomes, 1):
            results.append(result)
            if quiet:
                continue
            progress.clear()
            for line in file_lines(result, arguments.details):
                print(line, flush=True)
            if done < len(files):
                bar_only(progress, done, len(files))
    results.sort(key=lambda result: str(result["file"]))
    totals = total(results)
    if arguments.json is not None:
        write(arguments.json, json_bytes({"files": results, "totals": totals}))
    if not quiet:
        for line in total_lines(totals):
            print(line)
    return 0 if totals["ok"] == len(results) else 1


def bar_only(progress: ProgressLine, done: int, of: int) -> None:
    """A bar between the lines, on a terminal only: the lines themselves are the news in a pipe."""
    if progress.terminal:
        progress.show(f"{done} of {of} files", 100 * done / of, "")


def find_workbooks(arguments: Sequence[str]) -> list[Path]:
    """The files named, and those in the directories named; lock files (~$) and hidden ones left out. Raises Usage."""
    found: dict[Path, None] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = sorted(
                one
                for one in path.rglob("*")
                if one.suffix.lower() in _SUFFIXES
                and not one.name.startswith(("~$", "."))
                and not any(part.startswith(".") for part in one.relative_to(path).parts)
                and one.is_file()
            )
            if not inside:
                say(f"sheetrun: no workbooks (.xlsx, .xlsm) in {path}")
            found.update(dict.fromkeys(inside))
        else:
            found[path] = None
    if not found:
        raise Usage("nothing to check")
    return list(found)


def file_lines(result: Mapping[str, Any], details: int) -> list[str]:
    """The line of a file, and its differing cells."""
    status, report = result["status"], result.get("report")
    head = f"{_STATUS[status]:<8}"
    if report is None:
        return [f"{head} {result['file']}: {result['detail']} [{result['code']}]"]
    lines = [
        f"{head} {result['file']}: {count(report.get('formulas', 0), 'formula')}, {report.get('matched', 0):,} of "
        f"{report.get('compared', 0):,} match, {_set_apart(report)}{seconds(result['seconds'])}"
    ]
    lines += [f"         note: {note}" for note in _notes(report)]
    mismatches = sorted(report.get("mismatches") or [], key=lambda one: not one.get("root", False))
    for one in mismatches[:details]:
        cause = "" if one.get("root", True) else "  (follows from another)"
        lines.append(f"         {one.get('cell')}  ={str(one.get('formula', '')).removeprefix('=')}{cause}")
        lines.append(f"           ours {_shown(one.get('ours'))}   Excel {_shown(one.get('excel'))}")
    left = report.get("mismatched", 0) - min(len(mismatches), details)
    if left > 0 and mismatches and details:
        lines.append(f"         and {left:,} more")
    return lines


def _set_apart(counts: Mapping[str, Any]) -> str:
    """What was not compared, as ``14 volatile, 0 unsupported, ``; rarer things only where there are some."""
    rare = [f"{counts[name]:,} {word}, " for name, word in _RARE.items() if counts.get(name)]
    return f"{counts.get('volatile', 0):,} volatile, {counts.get('unsupported', 0):,} unsupported, {''.join(rare)}"


def _notes(report: Mapping[str, Any]) -> list[str]:
    if not report.get("precision_as_displayed"):
        return []
    return ["the workbook calculates with precision as displayed: each result is rounded to what its cell shows"]


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else show_value(value)
    return text if text else "(empty)"


def total(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Sums over files; ``ok`` counts the files in which nothing differs."""
    totals = {"files": len(results)} | dict.fromkeys(_STATUS, 0) | dict.fromkeys(_COUNTS, 0)
    for result in results:
        totals[result["status"]] += 1
        for name in _COUNTS:
            totals[name] += int((result.get("report") or {}).get(name, 0))
    return totals


def total_lines(totals: Mapping[str, int]) -> list[str]:
    """The totals, in words."""
    compared = totals["compared"]
    share = f" ({100 * totals['matched'] / compared:.4f} %)" if compared else ""
    bad = [f"{totals[status]} {_STATUS[status].lower()}" for status in _STATUS if status != "ok" and totals[status]]
    return [
        "",
        f"{count(totals['files'], 'file')}: {totals['ok']} ok{''.join(', ' + one for one in bad)}",
        f"{count(totals['formulas'], 'formula')}: {totals['matched']:,} of {compared:,} compared match Excel{share}, "
        f"{totals['mismatched']:,} differ, {_set_apart(totals).removesuffix(', ')}",
    ]
