"""``sheetrun scenarios``: a workbook calculated for many inputs, here or as a model of a service.

The scenarios are a CSV (--scenarios) or a plan (--plan). The first line of the CSV names the inputs (Inputs!B2, a defined
name …); every other line is one scenario, its values written as for --set; an empty field leaves the workbook's own
value. A plan is JSON: {"grid": {"Inputs!B2": [0.05, 0.06]}} for every combination, {"sample": {"Inputs!B2": {"normal":
[0.07, 0.01]}}, "count": 10000, "seed": 7} (also lognormal, uniform, triangular, discrete; "correlations"), or a list.

Here, OUT is .csv, .jsonl or .parquet (needs the extra "datasets"): the scenario's number, its inputs, the cells of --get.
With a model's id in the place of FILE.xlsx the service does it: OUT is .csv, .parquet, .json (the summary) or .html.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sheetrun.client.console import Usage, about, count, names_model, say, write
from sheetrun.client.literals import parse_value, show_value
from sheetrun.client.progress import ProgressLine
from sheetrun.client.service_options import add_service, connect, job_line, show_job

_FORMATS = (".csv", ".jsonl", ".parquet")
_SERVED = {".csv": "csv", ".parquet": "parquet", ".json": "summary", ".html": "report"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook, or the id of a model")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--scenarios", metavar="S.csv", help="the inputs, a row a scenario")
    given.add_argument("--plan", metavar="PLAN.json", help="a grid, a sample or a list")
    parser.add_argument("--get", metavar="REF", action="append", help="an output cell or name")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="where to write the results; - for CSV")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    if names_model(arguments.file):
        return _served(arguments)
    if not arguments.get:
        raise Usage("name the outputs: --get REF")
    suffix = ".csv" if arguments.output == "-" else Path(arguments.output).suffix.lower()
    if suffix not in _FORMATS:
        raise Usage(f"{arguments.output} must end in one of {', '.join(_FORMATS)}")
    if suffix == ".parquet":
        import pyarrow  # noqa: F401  # before an hour of work, not after
    from sheetrun.service import local
    from sheetrun.service.scenarios import OWN

    rows = read_scenarios(arguments.scenarios) if arguments.scenarios else None
    with about(arguments.file):
        model = local.open_model(arguments.file)
    inputs = _planned(arguments.plan) if rows is None else _typed(*rows, model.workbook.settings.date1904)
    number = len(next(iter(inputs.values())))
    with ProgressLine() as progress:

        def show(done: int, total: int, _message: str) -> None:
            progress.show(arguments.file, 100 * done / total, f"{done:,} of {total:,} scenarios")

        found = model.scenarios(inputs, arguments.get, on_progress=show)
    if found.in_turn is not None:
        say(f"sheetrun: computed one after another, which takes longer: {found.in_turn}")
    columns = ["scenario", *inputs, *arguments.get]
    given = [[None if value is OWN else value for value in values] for values in inputs.values()]
    results = [found.column(k) for k in range(len(arguments.get))]
    table = [list(row) for row in zip(range(1, number + 1), *given, *results, strict=True)]
    write(arguments.output, encode(columns, table, suffix))
    if arguments.output != "-":
        say(f"{count(len(table), 'scenario')} in {arguments.output}")
    return 0


def _served(arguments: argparse.Namespace) -> int:
    """By the service, which has the model."""
    name = "csv" if arguments.output == "-" else _SERVED.get(Path(arguments.output).suffix.lower())
    if name is None:
        raise Usage(f"{arguments.output} must end in one of {', '.join(_SERVED)}")
    ways: dict[str, Any] = {"file": arguments.scenarios} if arguments.scenarios else read_plan(arguments.plan)
    with connect(arguments) as client, ProgressLine() as progress:
        job = client.scenarios(arguments.file, **ways, outputs=arguments.get)
        done = client.wait(job, on_progress=lambda news: show_job(progress, news))
        if arguments.output == "-":
            progress.clear()
            write("-", client.fetch(done, name))
        else:
            client.fetch(done, name, arguments.output)
    if arguments.output != "-":
        say(f"{job_line(done)}: {arguments.output}")
    return 0


def read_plan(path: str) -> dict[str, Any]:
    """A plan as the service takes it; a bare list is one too. Raises Usage."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise Usage(f"{path} is not JSON: {error}") from None
    if isinstance(found, list):
        found = {"scenarios": found}
    known = {"scenarios", "grid", "sample", "count", "seed", "skip", "correlations"}
    if not isinstance(found, dict) or not set(found) <= known:
        raise Usage(f"{path} must be a list, or an object with scenarios, grid, or sample and count")
    return found


def _planned(path: str) -> dict[str, list[Any]]:
    from sheetrun.service.draws import draws_of
    from sheetrun.service.scenario_requests import plan_of

    with about(path):
        draws = draws_of(plan_of(read_plan(path)))
    part = draws.part(0, draws.count)
    return {name: values if isinstance(values, list) else values.tolist() for name, values in part.items()}


def _typed(references: Sequence[str], rows: Sequence[Sequence[str]], date1904: bool) -> dict[str, list[Any]]:
    from sheetrun.service.scenarios import OWN

    inputs: dict[str, list[Any]] = {reference: [] for reference in references}
    for row in rows:
        for reference, text in zip(references, row, strict=True):
            inputs[reference].append(parse_value(text, date1904=date1904) if text.strip() else OWN)
    return inputs


def read_scenarios(path: str) -> tuple[list[str], list[list[str]]]:
    """(references, rows). Raises Usage for a table that is not one."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        try:
            lines = [line for line in csv.reader(file) if line]
        except (csv.Error, UnicodeDecodeError) as error:
            raise Usage(f"{path} is not a CSV file in UTF-8: {error}") from None
    if len(lines) < 2:
        raise Usage(f"{path} needs a line of references and at least one scenario")
    references, rows = [name.strip() for name in lines[0]], lines[1:]
    if not all(references) or len({name.lower() for name in references}) < len(references):
        raise Usage(f"{path}: every column of the first line must name one input, each once")
    for number, row in enumerate(rows, 2):
        if len(row) != len(references):
            raise Usage(f"{path}: line {number} has {len(row)} fields, the first line {len(references)}")
    return references, rows


def encode(columns: Sequence[str], table: Sequence[Sequence[Any]], suffix: str) -> bytes:
    """The table in one of the formats; in Parquet a column of mixed types is text."""
    if suffix == ".jsonl":
        lines = [json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in table]
        return ("\n".join(lines) + "\n").encode()
    if suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[show_value(value) for value in row] for row in table])
        return text.getvalue().encode()
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    arrays = []
    for values in zip(*table, strict=True):
        kinds = {type(value) for value in values if value is not None}
        plain = kinds <= {int, float} or kinds in ({bool}, {str})
        numbers = kinds == {int, float}
        column = [float(v) if numbers and v is not None else v for v in values] if plain else map(_text, values)
        arrays.append(arrow.array(list(column)))
    sink = io.BytesIO()
    parquet.write_table(arrow.table(arrays, names=list(columns)), sink)
    return sink.getvalue()


def _text(value: Any) -> str | None:
    return None if value is None else show_value(value)
