"""Tables of scenarios: uploaded ones read (in the sandbox), computed ones written piece by piece and joined.

A column is a float64 array (missing: NaN) or a list of texts, logicals, numbers, errors and None.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np

from sheetrun.datasets.errors import DatasetError
from sheetrun.records import dataclass
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits

Column: TypeAlias = Any
Progress = Callable[[int, int, str], None]

MOST_COLUMNS: Final = 100
_ENTRY: Final = "sheetrun.datasets.tables:read_payload"
_PRELOAD: Final = ("numpy", "pyarrow", "pyarrow.parquet", "pyarrow.compute", "sheetrun.datasets.tables")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_PERCENT: Final = re.compile(rf"({_NUMBER.pattern})\s*%")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?")
_ERROR: Final = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)")
_DAY0: Final = np.datetime64("1899-12-30", "us")
_DAY: Final = np.timedelta64(86_400_000_000, "us")


# -- reading ---------------------------------------------------------------------------------------------------------


def read_columns(
    data: bytes,
    *,
    run: Callable[..., Result],
    seconds: float,
    date1904: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Column]:
    """The columns of a CSV or Parquet file, in its order; dates as Excel's serial numbers. Raises
    DatasetError (bad_csv, bad_parquet, bad_columns, no_rows, no_columns, too_many_columns), SandboxError.

    Read in the sandbox: the readers are large C++ programs, and the file foreign.
    """
    job = Job("", bytes([date1904]) + data, entry=_ENTRY, preload=_PRELOAD)
    limits = Limits(wall_seconds=seconds, cpu_seconds=seconds, memory_bytes=2 * 2**30, output_bytes=2**30)
    answer = run(job, limits, cancelled=cancelled, on_progress=None).payload
    return _unpacked(answer)


def read_payload(_namespace: Mapping[str, Any], payload: bytes, _progress: Progress) -> bytes:
    """Inside the sandbox: a JSON header with what is not numbers, then the arrays of numbers one after another."""
    try:
        columns = _read(payload[1:], _DAY0 + 1462 * _DAY if payload[0] else _DAY0)
    except DatasetError as error:
        return _packed({"error": {"code": error.code, "detail": error.detail}}, [])
    arrays = [values for values in columns.values() if isinstance(values, np.ndarray)]
    texts = [[name, None if isinstance(values, np.ndarray) else values] for name, values in columns.items()]
    return _packed({"columns": texts, "rows": len(next(iter(columns.values())))}, arrays)


def _packed(header: Mapping[str, Any], arrays: Iterable[Any]) -> bytes:
    text = json.dumps(header).encode("ascii")
    return struct.pack("<I", len(text)) + text + b"".join(np.ascontiguousarray(a, "<f8").tobytes() for a in arrays)


def _unpacked(answer: bytes | bytearray) -> dict[str, Column]:
    """A sandbox may have been made to say anything: what does not fit is refused."""
    try:
        (length,) = struct.unpack_from("<I", answer)
        header = json.loads(answer[4 : 4 + length])
        if "error" in header:
            raise DatasetError(str(header["error"]["code"]), str(header["error"]["detail"]))
        at, rows, found = 4 + length, int(header["rows"]), dict[str, Column]()
        for name, texts in header["columns"]:
            if texts is None:
                found[str(name)] = np.frombuffer(answer, "<f8", rows, at)
                at += 8 * rows
            elif len(texts) == rows:
                found[str(name)] = list(texts)
            else:
                raise ValueError("columns of different lengths")
    except (struct.error, KeyError, TypeError, ValueError) as error:
        raise DatasetError("bad_csv", f"The table cannot be read: {error}") from None
    return found


def _read(data: bytes, day0: Any) -> dict[str, Column]:
    columns = _parquet(data, day0) if data[:4] == b"PAR1" else _csv(data, day0)
    names = [name for name, _ in columns]
    if not names or not all(names):
        raise DatasetError("no_columns", "Every column must have the reference of an input as its name.")
    if len(names) > MOST_COLUMNS:
        raise DatasetError("too_many_columns", f"{len(names):,} columns; at most {MOST_COLUMNS} inputs can vary.")
    if len({name.casefold() for name in names}) < len(names):
        raise DatasetError("bad_columns", "Two columns have the same name.")
    if len(columns[0][1]) == 0:
        raise DatasetError("no_rows", "The table has no rows.")
    return dict(columns)


def _csv(data: bytes, day0: Any) -> list[tuple[str, Column]]:
    """By Python's own reader: it tells lines, and needs no pipes, which the sandbox forbids."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError("bad_csv", f"The CSV file is not UTF-8: byte {error.start:,}.") from None
    head = text.partition("\n")[0]
    mark = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        rows = []
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
            elif row:
                told = f"Line {reader.line_num:,} has {len(row)} fields, the first line {len(names)}."
                raise DatasetError("bad_csv", told)
    except csv.Error as error:
        raise DatasetError("bad_csv", f"Line {reader.line_num:,} of the CSV file cannot be read: {error}.") from None
    columns = zip(*rows, strict=True) if rows else iter([()] * len(names))
    return [(name, _typed_column(values, day0)) for name, values in zip(names, columns, strict=True)]


def _typed_column(texts: Sequence[str], day0: Any) -> Column:
    try:
        numbers = np.array([text or "nan" for text in texts], np.float64)
    except ValueError:
        pass
    else:
        if int(np.isfinite(numbers).sum()) == sum(map(bool, texts)):  # "inf" is no number of Excel's
            return numbers
    known: dict[str, Any] = {"": None}
    for text in texts:
        if text not in known:
            known[text] = typed(text, day0)
    values = [known[text] for text in texts]
    if all(value is None or (isinstance(value, float)) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return values


def _parquet(data: bytes, day0: Any) -> list[tuple[str, Column]]:
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(arrow.BufferReader(data), pre_buffer=False).read(use_threads=False)
        return [
            (str(name).strip(), _column(values, day0))
            for name, values in zip(table.column_names, table.columns, strict=True)
        ]
    except (arrow.ArrowException, ValueError, OSError) as error:
        told = str(error).split("\n", 1)[0][:300]
        raise DatasetError("bad_parquet", f"The Parquet file cannot be read: {told}") from None


def _column(values: Any, day0: Any) -> Column:
    import pyarrow as arrow
    from pyarrow import compute

    kind = values.type
    if arrow.types.is_dictionary(kind):
        return _column(values.cast(kind.value_type), day0)
    if arrow.types.is_integer(kind) or arrow.types.is_floating(kind) or arrow.types.is_decimal(kind):
        return compute.cast(values, arrow.float64(), safe=False).to_numpy().astype(np.float64)
    if arrow.types.is_date(kind) or arrow.types.is_timestamp(kind):
        if arrow.types.is_timestamp(kind) and kind.tz is not None:
            values = compute.local_timestamp(values)
        moments = compute.cast(values, arrow.timestamp("us"), safe=False).to_numpy()
        return np.where(np.isnat(moments), np.nan, (moments - day0) / _DAY)
    if arrow.types.is_null(kind):
        return np.full(len(values), np.nan)
    if arrow.types.is_boolean(kind):
        return values.to_pylist()
    if arrow.types.is_string(kind) or arrow.types.is_large_string(kind):
        return values.to_pylist()
    raise DatasetError("bad_columns", f"A column holds {kind}: it must be numbers, texts, logicals or dates.")


def typed(text: str, day0: Any = _DAY0) -> Any:
    """A text of a CSV file as a value: 7% is a number, TRUE a logical, #N/A an error, 2026-01-31 a date."""
    word = text.strip()
    if match := _PERCENT.fullmatch(word):
        return float(match[1]) / 100
    if word.upper() in ("TRUE", "FALSE"):
        return word.upper() == "TRUE"
    if _ERROR.fullmatch(word.upper()):
        return {"error": word.upper()}
    if _DATE.fullmatch(word):
        with contextlib.suppress(ValueError):
            return float((np.datetime64(datetime.fromisoformat(word), "us") - day0) / _DAY)
    return float(word) if _NUMBER.fullmatch(word) else text


# -- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """A column of results: its name and number, text or logical. A value of another type is left out."""

    name: str
    kind: str


def write_piece(fields: Sequence[Field], columns: Sequence[Column]) -> tuple[bytes, bytes]:
    """(Parquet, CSV without a header line) of some rows."""
    import pyarrow as arrow
    from pyarrow import csv as texts
    from pyarrow import parquet

    table = arrow.table(
        [_array(field.kind, values) for field, values in zip(fields, columns, strict=True)], _schema(fields)
    )
    whole, text = arrow.BufferOutputStream(), arrow.BufferOutputStream()
    parquet.write_table(table, whole, compression="zstd")
    texts.write_csv(_words(table), text, texts.WriteOptions(include_header=False, quoting_style="needed"))
    return whole.getvalue().to_pybytes(), text.getvalue().to_pybytes()


def _schema(fields: Sequence[Field]) -> Any:
    import pyarrow as arrow

    kinds = {
        "number": arrow.float64(),
        "integer": arrow.int64(),
        "text": arrow.string(),
        "logical": arrow.bool_(),
    }
    return arrow.schema([(field.name, kinds[field.kind]) for field in fields])


def _array(kind: str, values: Column) -> Any:
    import pyarrow as arrow

    if isinstance(values, np.ndarray):
        mask = np.isnan(values) if kind == "number" else None
        return arrow.array(values, mask=mask)
    if kind == "number":
        plain = [v if isinstance(v, int | float) and not isinstance(v, bool) else None for v in values]
        return arrow.array(plain, arrow.float64())
    if kind == "logical":
        return arrow.array([v if isinstance(v, bool) else None for v in values], arrow.bool_())
    return arrow.array([None if v is None else _text(v) for v in values], arrow.string())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Mapping):
        return str(value["error"])
    shown = f"{value:.15g}" if isinstance(value, int | float) else str(value)
    return shown.encode("utf-8", "replace").decode()


def _words(table: Any) -> Any:
    """With logicals as Excel writes them."""
    import pyarrow as arrow
    from pyarrow import compute

    for place, column in enumerate(table.schema):
        if arrow.types.is_boolean(column.type):
            words = compute.if_else(table.column(place), "TRUE", "FALSE")
            table = table.set_column(place, column.name, words)
    return table


class Joined:
    """One Parquet and one CSV file made of pieces, in their order; only one piece is in memory."""

    def __init__(self, fields: Sequence[Field], whole: BinaryIO, text: BinaryIO) -> None:
        from pyarrow import parquet

        self._fields = tuple(fields)
        self._text = text
        self._open = ExitStack()
        self._whole = self._open.enter_context(parquet.ParquetWriter(whole, _schema(fields), compression="zstd"))
        header = ",".join(_quoted(field.name) for field in fields)
        text.write(f"{header}\n".encode())

    def add(self, whole: bytes, text: bytes) -> dict[str, Column]:
        """Appends a piece; its columns."""
        import pyarrow as arrow
        from pyarrow import parquet

        table = parquet.read_table(arrow.BufferReader(whole))
        self._whole.write_table(table)
        self._text.write(text)
        return {field.name: _values(field.kind, table.column(place)) for place, field in enumerate(self._fields)}

    def close(self) -> None:
        self._open.close()


def _values(kind: str, column: Any) -> Column:
    if kind in ("number", "integer"):
        return column.to_numpy().astype(np.float64)
    return column.to_pylist()


def _quoted(name: str) -> str:
    return f'"{name.replace(chr(34), chr(34) * 2)}"'
