"""``sheetrun scenarios``: a workbook calculated here for every row of a table of inputs, many rows at once.

The first line of the CSV names the inputs (Inputs!B2, a defined name …); every other line is one scenario, its values
written as for --set; an empty field leaves the workbook's own value. The output has the scenario's number, its inputs
and the cells of --get: .csv, .jsonl, or .parquet (needs the extra "datasets").
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sheetrun.client.console import Usage, about, count, say, write
from sheetrun.client.literals import parse_value, show_value
from sheetrun.client.progress import ProgressLine

_FORMATS = (".csv", ".jsonl", ".parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("--scenarios", metavar="S.csv", required=True, help="the inputs, a row a scenario")
    parser.add_argument("--get", metavar="REF", action="append", required=True, help="an output cell or name")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="OUT.csv, .jsonl or .parquet; - for CSV")


def run(arguments: argparse.Namespace) -> int:
    suffix = ".csv" if arguments.output == "-" else Path(arguments.output).suffix.lower()
    if suffix not in _FORMATS:
        raise Usage(f"{arguments.output} must end in one of {', '.join(_FORMATS)}")
    if suffix == ".parquet":
        import pyarrow  # noqa: F401  # before an hour of work, not after
    references, rows = read_scenarios(arguments.scenarios)
    from sheetrun.service import local
    from sheetrun.service.scenarios import OWN

    with about(arguments.file):
        model = local.open_model(arguments.file)
    date1904 = model.workbook.settings.date1904
    inputs: dict[str, list[Any]] = {reference: [] for reference in references}
    for row in rows:
        for reference, text in zip(references, row, strict=True):
            inputs[reference].append(parse_value(text, date1904=date1904) if text.strip() else OWN)
    with ProgressLine() as progress:

        def show(done: int, total: int, _message: str) -> None:
            progress.show(arguments.file, 100 * done / total, f"{done:,} of {total:,} scenarios")

        found = model.scenarios(inputs, arguments.get, on_progress=show)
    if found.in_turn is not None:
        say(f"sheetrun: computed one after another, which takes longer: {found.in_turn}")
    columns = ["scenario", *references, *arguments.get]
    given = [[None if value is OWN else value for value in values] for values in inputs.values()]
    results = [found.column(k) for k in range(len(arguments.get))]
    table = [list(row) for row in zip(range(1, len(rows) + 1), *given, *results, strict=True)]
    write(arguments.output, encode(columns, table, suffix))
    if arguments.output != "-":
        say(f"{count(len(table), 'scenario')} in {arguments.output}")
    return 0


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
