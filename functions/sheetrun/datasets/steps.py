"""The computing of a dataset job as three pure steps, shaped as ``service.compute`` has them for workbooks.

``parse`` finds the schema, ``generate`` writes the script, ``execute`` runs it in the sandbox and draws the report.
Artefacts are bytes: each step can run in another process on another machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.excel import sheet_as_csv
from sheetrun.datasets.schema import MOST_COLUMNS, Column, Schema, Type, find_column, unique_names
from sheetrun.datasets.script import POLICY, PROFILE, write_script
from sheetrun.datasets.sniff import csv_schema, find_format, jsonl_schema
from sheetrun.records import dataclass
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits

Progress = Callable[[int, int, str], None]
Runner = Callable[..., Result]

#: What a sandbox imports before it is sealed: to run analyses, and to look at the columns of a Parquet file.
PRELOAD: Final[tuple[str, ...]] = (
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.parquet",
    "pyarrow.compute",
    "sheetrun.datasets.host",
    "sheetrun.datasets.api",
    "sheetrun.datasets.frames",
    "sheetrun.datasets.parquet",
    "sheetrun.datasets.tables",
)
_DESCRIBE_PRELOAD: Final = (
    "pyarrow",
    "pyarrow.parquet",
    "sheetrun.datasets.host",
    "sheetrun.datasets.api",
    "sheetrun.datasets.parquet",
)
_ENTRY: Final = "sheetrun.datasets.host:run_payload"
_DESCRIBE: Final = "sheetrun.datasets.host:describe_parquet"


@dataclass(frozen=True, slots=True)
class Parsed:
    """``artefact`` holds the schema; a dataset has no formulas, and its blocks are its columns."""

    artefact: bytes
    sheets: int
    cells: int
    formulas: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Generated:
    """The script. ``line_map`` is empty and nothing is unsupported: both are there to be shaped as a workbook's."""

    script: str
    line_map: bytes = b""
    unsupported: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Executed:
    """``results``: name -> (content type, bytes) for results, script, report and ``plots/…``."""

    results: Mapping[str, tuple[str, bytes]]
    report: Mapping[str, Any]
    errors: tuple[dict[str, str], ...] = field(default=())


def parse(source: bytes, filename: str, *, progress: Progress | None = None, run: Runner | None = None) -> Parsed:
    """Raises DatasetError (and WorkbookError for an Excel file) when the file cannot be used, SandboxError."""
    form = find_format(source, filename)
    if progress is not None:
        progress(0, 1, f"looking at {form}")
    if form == "parquet":
        schema = _parquet_schema(source, filename, run)
    elif form == "jsonl":
        schema = jsonl_schema(source, filename)
    elif form == "xlsx":
        table, sheet = sheet_as_csv(source, filename)
        found = csv_schema(table, filename)
        schema = Schema(filename, "xlsx", found.columns, header=found.header, sheet=sheet)
    else:
        schema = csv_schema(source, filename)
    if progress is not None:
        progress(1, 1, f"{len(schema.columns):,} columns")
    artefact = json.dumps(schema.as_json()).encode()
    return Parsed(artefact, sheets=1, cells=0, formulas=0, blocks=len(schema.columns))


def generate(artefact: bytes, *, task: str = PROFILE, progress: Progress | None = None) -> Generated:
    """The script for one of the tasks, or all of them (profile). Raises DatasetError for an unknown one."""
    script = write_script(Schema.from_json(json.loads(artefact)), task)
    if progress is not None:
        progress(1, 1, "written")
    return Generated(script)


def execute(
    artefact: bytes,
    generated: Generated,
    source: bytes,
    *,
    inputs: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    timeout: float = 60.0,
    memory: int = 1024 * 2**20,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    run: Runner | None = None,
) -> Executed:
    """Runs the script, shut in. ``inputs`` and ``outputs`` are a workbook's. Raises DatasetError, SandboxError."""
    begun = time.perf_counter()
    schema = Schema.from_json(json.loads(artefact))
    table = sheet_as_csv(source, schema.filename)[0] if schema.format == "xlsx" else source
    job = Job(generated.script, table, entry=_ENTRY, policy=POLICY, preload=PRELOAD)
    limits = Limits(wall_seconds=timeout, cpu_seconds=timeout, memory_bytes=memory)
    found = _ask(job, limits, run, cancelled=cancelled, on_progress=progress)
    results: dict[str, Any] = found["results"]
    document = {
        "dataset": {
            "filename": schema.filename,
            "format": schema.format,
            "sheet": schema.sheet,
            "encoding": schema.encoding,
            "delimiter": schema.delimiter if schema.format == "csv" else "",
            "rows": found["rows"],
            "columns": {column.name: column.type.value for column in schema.columns},
        },
        **results,
    }
    from sheetrun.datasets.plots import draw_plots
    from sheetrun.report.dataset import render_dataset

    plots = draw_plots(results)
    report = {
        "rows": found["rows"],
        "columns": found["columns"],
        "tasks": list(results),
        "issues": len(results.get("data_quality", {}).get("issues", ())),
        "duration_ms": {"execute": round((time.perf_counter() - begun) * 1000, 1)},
    }
    page = render_dataset(document, [(plot.title, plot.png) for plot in plots], found["seconds"])
    return Executed(
        {
            "results": ("application/json", json.dumps(document, ensure_ascii=False, indent=1).encode()),
            "script": ("text/x-python; charset=utf-8", generated.script.encode()),
            "report": ("text/html; charset=utf-8", page.encode()),
            **{f"plots/{plot.name}.png": ("image/png", plot.png) for plot in plots},
        },
        report,
    )


def _ask(job: Job, limits: Limits, run: Runner | None, **more: Any) -> dict[str, Any]:
    if run is None:
        from sheetrun.sandbox.process import run as fresh

        run = fresh
    answer: dict[str, Any] = json.loads(run(job, limits, **more).payload)
    if "error" in answer:
        error = answer["error"]
        raise DatasetError(str(error["code"]), str(error["detail"]), part=error.get("part"))
    return answer


def _parquet_schema(source: bytes, filename: str, run: Runner | None) -> Schema:
    """Its own schema, read in the sandbox: the reader of the format is a large C++ program, and the file foreign."""
    job = Job("", source, entry=_DESCRIBE, policy=POLICY, preload=_DESCRIBE_PRELOAD)
    fields = _ask(job, Limits(wall_seconds=60, cpu_seconds=60, memory_bytes=2 * 2**30), run)["columns"]
    if len(fields) > MOST_COLUMNS:
        raise DatasetError("too_many_columns", f"The file has {len(fields):,} columns; the limit is {MOST_COLUMNS:,}.")
    names = unique_names([name for name, _, _ in fields])
    columns = tuple(_parquet_column(name, kind, sample) for name, (_, kind, sample) in zip(names, fields, strict=True))
    return Schema(filename, "parquet", columns)


def _parquet_column(name: str, kind: str, sample: Sequence[str]) -> Column:
    if kind.startswith(("int", "uint")):
        return Column(name, Type.INTEGER)
    if kind.startswith(("float", "double", "halffloat", "decimal")):
        return Column(name, Type.NUMBER)
    if kind.startswith(("timestamp", "date")):
        return Column(name, Type.DATE)
    if kind == "bool":
        return Column(name, Type.LOGICAL)
    if kind == "null":
        return Column(name, Type.EMPTY)
    guess = find_column(name, sample).type
    return Column(name, Type.CATEGORY if guess is not Type.TEXT and guess is not Type.EMPTY else Type.TEXT)
