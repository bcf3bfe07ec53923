"""Hostile datasets by name: how to make each, under which file name, and the codes with which it may end."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.security.evil.books import CASES as BOOKS

MIB = 2**20


@dataclass(frozen=True)
class Case:
    """``codes``: of the refusal; "" means that it was analyzed."""

    make: Callable[[], bytes]
    suffix: str
    codes: frozenset[str]


def _small_parquet() -> bytes:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    out = io.BytesIO()
    parquet.write_table(arrow.table({"x": list(range(1000)), "t": ["a", "b"] * 500}), out)
    return out.getvalue()


def _changed_parquet(at: float, change: bytes) -> Callable[[], bytes]:
    def make() -> bytes:
        data = bytearray(_small_parquet())
        start = int(len(data) * at)
        data[start : start + len(change)] = change
        return bytes(data)

    return make


def _very_many_rows() -> bytes:
    """One value, a hundred and fifty million times: a few hundred bytes per million."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    out = io.BytesIO()
    table = arrow.table({"x": arrow.repeat(arrow.scalar(7, arrow.int64()), 1_000_000)})
    with parquet.ParquetWriter(out, table.schema) as writer:
        for _ in range(150):
            writer.write_table(table)
    return out.getvalue()


def _many_columns() -> bytes:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    out = io.BytesIO()
    parquet.write_table(arrow.table({f"c{n}": [1] for n in range(5000)}), out)
    return out.getvalue()


def _lines(*rows: object) -> Callable[[], bytes]:
    return lambda: b"".join(json.dumps(row).encode() + b"\n" for row in rows)


BAD_CSV, COLUMNS, JSON = (
    frozenset({"bad_csv", "no_rows"}),
    frozenset({"too_many_columns", "bad_csv"}),
    frozenset({"bad_json"}),
)
PARQUET = frozenset({"bad_parquet", "killed", "crashed", "out_of_memory", ""})

CASES: dict[str, Case] = {
    "a field of forty megabytes": Case(lambda: b"a,b\n1," + b"x" * 40 * MIB + b"\n", "csv", BAD_CSV),
    "a quote that does not close": Case(lambda: b'a,b\n1,"' + b"x,1\n" * 10 * MIB, "csv", BAD_CSV),
    "a million columns": Case(lambda: b",".join(b"c%d" % n for n in range(10**6)) + b"\n1\n", "csv", COLUMNS),
    "a row of a million": Case(
        lambda: b"a,b\n" + b"1,2\n" * 100 + b",".join([b"1"] * 10**6) + b"\n", "csv", frozenset({"", "bad_csv"})
    ),
    "a line that never ends": Case(lambda: b"x" * 60 * MIB, "csv", BAD_CSV),
    "nothing but line ends": Case(lambda: b"\n" * 60 * MIB, "csv", frozenset({"empty_file"})),
    "names that are formulas": Case(lambda: b"=cmd|' /C calc'!A0,__import__('os')\n1,2\n3,4\n", "csv", frozenset({""})),
    "deep JSON": Case(lambda: b'{"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}\n", "jsonl", JSON),
    "a long number": Case(lambda: b'{"a":' + b"9" * 10**6 + b"}\n", "jsonl", JSON),
    "a large exponent": Case(lambda: b'{"a":1e999999999}\n{"a":1}\n', "jsonl", frozenset({"", "bad_json"})),
    "new names in each line": Case(
        lambda: b"".join(json.dumps({f"k{row}_{n}": 1 for n in range(200)}).encode() + b"\n" for row in range(5000)),
        "jsonl",
        COLUMNS,
    ),
    "a hundred and fifty million rows": Case(_very_many_rows, "parquet", frozenset({"too_many_cells"})),
    "five thousand columns": Case(_many_columns, "parquet", COLUMNS),
    "a page of nothing": Case(_changed_parquet(0.1, b"\xff" * 8), "parquet", PARQUET),
    "a footer of four gigabytes": Case(
        lambda: _small_parquet()[:-8] + b"\xff\xff\xff\xff" + b"PAR1", "parquet", frozenset({"bad_parquet"})
    ),
    "a damaged footer": Case(_changed_parquet(0.9, b"\xff\xff\xff\xff\x7f"), "parquet", PARQUET),
    "an archive that is a bomb": Case(
        BOOKS["a sheet of nothing but blanks"].make, "xlsx", frozenset({"compression_ratio"})
    ),
    "a workbook of laughs": Case(BOOKS["billion laughs in xl/workbook.xml"].make, "xlsx", frozenset({"xml_entities"})),
}
