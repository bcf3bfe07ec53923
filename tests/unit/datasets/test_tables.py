"""Tables of scenarios: read as people write them, written in pieces that fit together."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.tables import Field, Joined, read_columns, write_piece
from sheetrun.sandbox.process import run as sandboxed
from tests.support import run_here


def read(data: bytes, **options: Any) -> dict[str, list[Any]]:
    columns = read_columns(data, run=run_here, seconds=9.0, **options)
    return {
        name: [None if v != v else v for v in values.tolist()] if isinstance(values, np.ndarray) else values
        for name, values in columns.items()
    }


def parquet_of(**columns: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(arrow.table(columns), out)
    return out.getvalue()


def test_a_csv_as_people_write_them() -> None:
    text = "\ufeffInputs!B2, Name ,Day,On,Rate\r\n1,x,2026-01-31,TRUE,7%\r\n,,,,#N/A\r\n"
    text += '-2.5e1,"a,\nb",2026-01-31,false,.5\r\n'
    assert read(text.encode()) == {
        "Inputs!B2": [1, None, -25],
        "Name": ["x", None, "a,\nb"],
        "Day": [46053, None, 46053],
        "On": [True, None, False],
        "Rate": [0.07, {"error": "#N/A"}, 0.5],
    }
    assert read(b"a;b\n1;2,5\n") == {"a": [1], "b": ["2,5"]}
    assert read(b"a\n2026-01-31\n", date1904=True) == {"a": [44591]}
    assert read(b"a\ninf\nnan\n") == {"a": ["inf", "nan"]}  # which are no numbers of Excel's


def test_a_parquet_file() -> None:
    days = arrow.array([None, 1], arrow.date32())
    data = parquet_of(a=[1, None], b=arrow.array(["x", None]).dictionary_encode(), c=[True, False], d=days)
    assert read(data) == {"a": [1, None], "b": ["x", None], "c": [True, False], "d": [None, 25570]}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no_columns"),
        (b"a,\n1,2\n", "no_columns"),
        (b"a,b\n", "no_rows"),
        (b"a,A\n1,2\n", "bad_columns"),
        (b"a,b\n1\n", "bad_csv"),
        (b"a\n\xff\n", "bad_csv"),
        (b'a\n"x\n', "bad_csv"),
        (b"PAR1" + bytes(40), "bad_parquet"),
        (parquet_of(a=[[1], [2]]), "bad_columns"),
        (",".join(f"c{n}" for n in range(101)).encode(), "too_many_columns"),
    ],
)
def test_what_is_no_table(data: bytes, code: str) -> None:
    with pytest.raises(DatasetError) as refused:
        read(data)
    assert refused.value.code == code


def test_in_a_real_sandbox() -> None:
    assert read_columns(b"a,b\n1,x\n", run=sandboxed, seconds=30.0)["b"] == ["x"]
    assert read_columns(parquet_of(a=[1.5]), run=sandboxed, seconds=30.0)["a"].tolist() == [1.5]


@pytest.mark.parametrize(
    "answer", [b"", b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{}", b'\x1e\x00\x00\x00{"columns":[["a",null]],"rows":9']
)
def test_what_a_sandbox_may_be_made_to_say(answer: bytes) -> None:
    class Said:
        payload = answer

    with pytest.raises(DatasetError):
        read_columns(b"a\n1\n", run=lambda *_, **__: Said(), seconds=9.0)  # type: ignore[arg-type, return-value]


def test_pieces_fit_together_whatever_is_in_them() -> None:
    fields = [Field("scenario", "integer"), Field('N"x', "number"), Field("T", "text"), Field("L", "logical")]
    first = write_piece(fields, [np.arange(1, 3), np.array([0.1, np.nan]), ["a", None], [True, None]])
    second = write_piece(fields, [np.arange(3, 5), [None, 2], [1.5, {"error": "#N/A"}], [None, "x"]])
    whole, text = io.BytesIO(), io.BytesIO()
    joined = Joined(fields, whole, text)
    columns = joined.add(*first)
    joined.add(*second)
    joined.close()
    assert columns["T"] == ["a", None]
    np.testing.assert_array_equal(columns['N"x'], [0.1, np.nan])
    table = parquet.read_table(io.BytesIO(whole.getvalue())).to_pydict()
    assert table == {
        "scenario": [1, 2, 3, 4],
        'N"x': [0.1, None, None, 2],
        "T": ["a", None, "1.5", "#N/A"],
        "L": [True, None, None, None],
    }
    assert text.getvalue().decode().splitlines() == [
        '"scenario","N""x","T","L"', '1,0.1,"a","TRUE"', "2,,,", '3,,"1.5",', '4,2,"#N/A",',
    ]  # fmt: skip
