"""A dataset as a pandas frame, typed as its schema says. What does not fit its type becomes missing, and is counted."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.schema import MISSING, Column, Schema, Type
from sheetrun.datasets.sniff import json_line, json_text

_TRUE = frozenset({"true", "yes", "y", "t"})
_FALSE = frozenset({"false", "no", "n", "f"})


def schema_of(columns: Mapping[str, str], read: Mapping[str, Any]) -> Schema:
    """The schema that a script holds as ``COLUMNS`` and ``READ``."""
    formats = read.get("formats", {})
    return Schema(
        str(read["filename"]),
        str(read["format"]),
        tuple(Column(name, Type(kind), formats.get(name, "")) for name, kind in columns.items()),
        str(read.get("delimiter", ",")),
        str(read.get("encoding", "utf-8")),
        bool(read.get("header", True)),
        str(read.get("sheet", "")),
    )


def table_of(data: bytes, schema: Schema) -> bytes:
    """The bytes that ``read_frame`` wants: a worksheet as CSV, everything else as it is."""
    if schema.format != "xlsx":
        return data
    from sheetrun.datasets.excel import sheet_as_csv

    return sheet_as_csv(data, schema.filename)[0]


def read_frame(data: bytes, schema: Schema) -> pd.DataFrame:
    """Rows in the file's order; ``attrs`` has unparsed and padded by column, and ragged. Raises DatasetError."""
    if schema.format == "parquet":
        return _parquet(data, schema)
    raw, ragged = _jsonl(data, schema) if schema.format == "jsonl" else _csv(data, schema)
    unparsed: dict[str, int] = {}
    padded: dict[str, int] = {}
    typed: dict[str, Any] = {}
    for column in schema.columns:
        texts = raw[column.name].fillna("")
        stripped = texts.str.strip()
        spaces = int((stripped != texts).sum())
        if spaces:
            padded[column.name] = spaces
        present = ~stripped.isin(MISSING)
        values = _typed(stripped.where(present), column)
        lost = int((present & values.isna()).sum())
        if lost:
            unparsed[column.name] = lost
        typed[column.name] = values
    frame = pd.DataFrame(typed)
    frame.attrs = {"unparsed": unparsed, "padded": padded, "ragged": ragged}
    return frame


def _csv(data: bytes, schema: Schema) -> tuple[pd.DataFrame, int]:
    excel = schema.format == "xlsx"  # made by ``excel``: always the same
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            raw = pd.read_csv(
                io.BytesIO(data),
                sep="," if excel else schema.delimiter,
                encoding="utf-8" if excel else schema.encoding,
                encoding_errors="replace",
                header=0 if schema.header else None,
                names=[column.name for column in schema.columns],
                index_col=False,
                dtype=str,
                keep_default_na=False,
                on_bad_lines="warn",
                skip_blank_lines=True,
                low_memory=False,
            )
    except (pd.errors.ParserError, ValueError, UnicodeError) as error:
        raise DatasetError("bad_csv", f"The file cannot be read as CSV: {str(error).strip()}") from None
    return raw, sum(str(one.message).count("Skipping line") for one in told)


def _jsonl(data: bytes, schema: Schema) -> tuple[pd.DataFrame, int]:
    names = [column.name for column in schema.columns]
    cells: dict[str, list[str]] = {name: [] for name in names}
    for count, line in enumerate(io.BytesIO(data), 1):
        if line.strip():
            row = json_line(line.decode(schema.encoding, "replace"), count)
            for name in names:
                cells[name].append(json_text(row.get(name)))
    return pd.DataFrame(cells, dtype=str), 0


def _typed(texts: Any, column: Column) -> Any:
    """A column of texts (missing ones as NaN) as its type."""
    if column.type in (Type.INTEGER, Type.NUMBER):
        if column.format == ",":
            texts = texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        elif column.format == "1,000":
            texts = texts.str.replace(",", "", regex=False)
        return pd.to_numeric(texts, errors="coerce").astype(float)
    if column.type is Type.DATE:
        return pd.to_datetime(texts, format=column.format, errors="coerce").dt.tz_localize(None)
    if column.type is Type.LOGICAL:
        lowered = texts.str.lower()
        known = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
        return lowered.map(known).astype("boolean")
    if column.type is Type.CATEGORY:
        return texts.astype("category")
    return texts


def _parquet(data: bytes, schema: Schema) -> pd.DataFrame:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    names = [column.name for column in schema.columns]
    try:
        table = parquet.ParquetFile(arrow.BufferReader(data), pre_buffer=False).read(use_threads=False)
        frame = table.rename_columns(names).to_pandas(use_threads=False, date_as_object=False, ignore_metadata=True)
    except (arrow.ArrowException, ValueError, OSError) as error:
        raise DatasetError("bad_parquet", f"The Parquet file cannot be read: {error}") from None
    typed = {column.name: _native(frame[column.name], column) for column in schema.columns}
    made = pd.DataFrame(typed)
    made.attrs = {"unparsed": {}, "padded": {}, "ragged": 0}
    return made


def _native(values: Any, column: Column) -> Any:
    if column.type in (Type.INTEGER, Type.NUMBER):
        return pd.to_numeric(values, errors="coerce").astype(float)
    if column.type is Type.DATE:
        return pd.to_datetime(values, errors="coerce", utc=True).dt.tz_localize(None)
    if column.type is Type.LOGICAL:
        return values.astype("boolean")
    texts = values.where(values.notna()).map(json_text, na_action="ignore")
    return texts.astype("category") if column.type is Type.CATEGORY else texts
