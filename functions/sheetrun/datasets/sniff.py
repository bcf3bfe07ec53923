"""A file's format, encoding, delimiter and columns, from its first bytes and a sample of its rows."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.schema import MISSING, MOST_COLUMNS, Column, Schema, find_column, unique_names

SAMPLE_ROWS: Final = 5000
_SAMPLE_BYTES: Final = 4 << 20
_DELIMITERS: Final = (",", ";", "\t", "|")
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_FIELD: Final = 1 << 20  # characters in one field


def find_format(data: bytes, filename: str) -> str:
    """csv, jsonl, parquet or xlsx. Raises DatasetError for what is none of them, and says what to do."""
    if not data.strip(b"\x00\r\n\t "):
        raise DatasetError("empty_file", "The file is empty.")
    if data[:4] == b"PAR1":
        if data[-4:] != b"PAR1":
            raise DatasetError("bad_parquet", "The end of the Parquet file is missing. Upload the file again.")
        return "parquet"
    if data[:2] == b"PK" or data[:8] == _OLE:
        return "xlsx"  # an old or a locked one is told apart by the reader of workbooks
    text = data[:4096].lstrip(b"\xef\xbb\xbf\r\n\t ")
    suffix = PurePath(filename).suffix.lower()
    if text[:1] == b"[" and suffix in (".json", ".jsonl", ".ndjson"):
        raise DatasetError("json_array", "This is one JSON array. Write one JSON object per line (JSON lines).")
    if text[:1] == b"{":
        return "jsonl"
    if b"\x00" in data[:4096] and data[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise DatasetError("binary_file", "This is a binary file. Send CSV, Excel (.xlsx), Parquet or JSON lines.")
    return "csv"


def find_encoding(data: bytes) -> str:
    """By its mark, else UTF-8 if it is that, else Windows-1252, in which every byte means something."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), 1 << 20):
            decoder.decode(data[start : start + (1 << 20)])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def csv_schema(data: bytes, filename: str) -> Schema:
    """Raises DatasetError."""
    encoding = find_encoding(data)
    sample = data[:_SAMPLE_BYTES].decode(encoding, "replace")
    if len(data) > _SAMPLE_BYTES:
        sample = sample[: sample.rfind("\n") + 1] or sample
    delimiter = find_delimiter(sample)
    rows = list(islice(csv_rows(sample, delimiter), SAMPLE_ROWS + 1))
    if not rows:
        raise DatasetError("empty_file", "The file holds no rows.")
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    header = has_header(rows)
    names = unique_names(rows[0] if header else [""] * width)
    body = rows[1:] if header else rows
    if not body:
        raise DatasetError("no_rows", "There is a line of column names and nothing below it.")
    usual = [row for row in body if len(row) <= len(names)] or body  # a longer row is broken: it says nothing of types
    return Schema(filename, "csv", columns_of(names, usual), delimiter, encoding, header)


def csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows that are not blank. Raises DatasetError."""
    csv.field_size_limit(_FIELD)
    try:
        yield from (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row))
    except csv.Error as error:
        raise DatasetError("bad_csv", f"The file cannot be read as CSV: {error}.") from None


def find_delimiter(sample: str) -> str:
    """The one that gives most rows the same number of fields; a comma where there is only one column."""
    best, most = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in islice(csv_rows(sample, delimiter), 200))
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        score = (count / sum(widths.values()), width)
        if width > 1 and score > most:
            best, most = delimiter, score
    return best


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """The first row holds names: texts that are no numbers, dates or logicals."""
    first = [value.strip() for value in rows[0]]
    return any(first) and not any(_looks_like_data(value) for value in first if value)


def _looks_like_data(value: str) -> bool:
    kinds = ("integer", "number", "date")
    return value in MISSING[1:] or value.lower() in ("true", "false") or find_column("", [value]).type in kinds


def columns_of(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[Column, ...]:
    """Raises DatasetError for more columns than anybody can look at."""
    if not names:
        raise DatasetError("no_columns", "The file has no columns.")
    if len(names) > MOST_COLUMNS:
        raise _too_many(len(names))
    return tuple(
        find_column(name, [row[index] for row in rows if index < len(row)]) for index, name in enumerate(names)
    )


def _too_many(columns: int) -> DatasetError:
    return DatasetError("too_many_columns", f"The file has {columns:,} columns; the limit is {MOST_COLUMNS:,}.")


def jsonl_schema(data: bytes, filename: str) -> Schema:
    """Raises DatasetError, with the line that is no JSON object."""
    encoding = find_encoding(data)
    names: dict[str, None] = {}
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(io.BytesIO(data), 1):
        if len(rows) >= SAMPLE_ROWS:
            break
        if line.strip():
            rows.append(json_line(line.decode(encoding, "replace"), number))
            names.update(dict.fromkeys(rows[-1]))
            if len(names) > MOST_COLUMNS:
                raise _too_many(len(names))
    texts = [[json_text(row.get(name)) for name in names] for row in rows]
    return Schema(filename, "jsonl", columns_of(list(names), texts), encoding=encoding)


def json_line(text: str, number: int) -> dict[str, Any]:
    """One row. Raises DatasetError."""
    try:
        row = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise DatasetError("bad_json", "This line is not JSON.", part=f"line {number}") from None
    if not isinstance(row, dict):
        raise DatasetError("bad_json", "This line is not a JSON object.", part=f"line {number}")
    return {str(name): value for name, value in row.items()}


def json_text(value: Any) -> str:
    """A value as the text of a cell; lists and objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
