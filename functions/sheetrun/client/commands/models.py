"""``sheetrun models``: what a workbook on the service takes and gives, its versions, and what changed between them.

ID is that of the job which made the model; it stays when a new version replaces it (`sheetrun submit --replaces ID`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sheetrun.client.console import Usage, count
from sheetrun.client.literals import show_value
from sheetrun.client.service_options import add_service, connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the model")
    parser.add_argument("--pin", metavar="N", type=int, help="of this version (default: the newest)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--versions", action="store_true", help="list its versions")
    what.add_argument("--diff", metavar="FROM..TO", help="what changed between two versions (.. for the last two)")
    what.add_argument("--schema", action="store_true", help="print the JSON Schema of calculate")
    what.add_argument("--openapi", action="store_true", help="print the OpenAPI document of the model")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    before, after = _range(arguments.diff) if arguments.diff is not None else (None, None)
    with connect(arguments) as client:
        if arguments.versions:
            versions = client.versions(arguments.id)
            lines: Iterator[str] = (_version_line(each) for each in versions)
            document: Any = list(versions)
        elif arguments.diff is not None:
            document = client.diff(arguments.id, before, after)
            lines = diff_lines(document)
        elif arguments.openapi:
            document, lines = client.model_openapi(arguments.id, version=arguments.pin), iter(())
        else:
            document = client.model(arguments.id, version=arguments.pin)
            lines = model_lines(document)
    if arguments.schema:
        document = document["schema"]
    if arguments.json or arguments.schema or arguments.openapi:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        for line in lines:
            print(line)
    return 0


def _range(text: str) -> tuple[int | None, int | None]:
    first, dots, last = text.partition("..")
    try:
        if not dots:
            raise ValueError
        return (int(first) if first else None), (int(last) if last else None)
    except ValueError:
        raise Usage(f"--diff {text!r} is not FROM..TO, as in --diff 1..2") from None


def model_lines(model: Mapping[str, Any]) -> Iterator[str]:
    """The model for a person: a line for each input and output."""
    yield f"{model['filename']}  version {model['version']}  {model['id']}"
    for name in ("inputs", "outputs"):
        total = model["counts"][name]
        yield f"{name}:{'' if total else ' none'}"
        rows = [(_name(entry), _value(entry), _about(entry)) for entry in model[name]]
        widths = [max((len(row[k]) for row in rows), default=0) for k in (0, 1)]
        for reference, value, about in rows:
            yield f"  {reference:<{widths[0]}}  {value:>{widths[1]}}  {about}".rstrip()
        if total > len(rows):
            yield f"  … and {total - len(rows):,} more"


def _name(entry: Mapping[str, Any]) -> str:
    return f"{entry['reference']} ({entry['name']})" if entry["name"] else str(entry["reference"])


def _value(entry: Mapping[str, Any]) -> str:
    if "shape" in entry:
        return f"{entry['shape'][0]}x{entry['shape'][1]}"
    shown = show_value(entry["value"])
    return shown if len(shown) <= 24 else f"{shown[:23]}…"


def _about(entry: Mapping[str, Any]) -> str:
    parts = [entry["label"] or ""]
    rule = entry.get("validation") or {}
    if rule.get("choices"):
        parts.append(f"one of {', '.join(str(choice) for choice in rule['choices'][:8])}")
    for name, word in (("minimum", "at least"), ("maximum", "at most"), ("above", "above"), ("below", "below")):
        if name in rule:
            parts.append(f"{word} {rule[name]}")
    return ", ".join(part for part in parts if part)


def _version_line(version: Mapping[str, Any]) -> str:
    return (
        f"{version['version']:>3}  {version['created_at']}  {version['state']}  {version['filename']}  {version['job']}"
    )


def diff_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """What changed, for a person."""
    counts = found["counts"]
    told = ", ".join(count(counts[name], name.removesuffix("s")) for name in ("formulas", "inputs", "outputs"))
    yield f"version {found['from']} to {found['to']}: {told}"
    for change in found["formulas"]:
        yield f"  {change['cells']}  {change['from'] or 'nothing'} -> {change['to'] or 'nothing'}"
    for change in found["inputs"]:
        yield f"  {change['cell']}  {show_value(change['from'])} -> {show_value(change['to'])}"
    for change in found["outputs"]:
        causes = f"  because of {', '.join(change['causes'])}" if change["causes"] else ""
        shown = [_short(change[side]) for side in ("from", "to")]
        yield f"  {change['reference']}  {shown[0]} -> {shown[1]}{causes}"


def _short(value: Any) -> str:
    return "a range" if isinstance(value, list) else show_value(value)
