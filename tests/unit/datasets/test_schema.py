"""Formats, encodings, delimiters and types, found from the file itself."""

from __future__ import annotations

import csv
import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.schema import Column, Schema, Type, find_column, unique_names
from sheetrun.datasets.sniff import csv_schema, find_encoding, find_format, jsonl_schema


@pytest.mark.parametrize(
    ("values", "kind", "form"),
    [
        (["1", "-2", "+30"], "integer", ""),
        (["1", "", "NA", "2"], "integer", ""),
        (["1.5", "2", "-3e4"], "number", ""),
        (["1,5", "2", "1.234,5"], "number", ","),
        (["1,234", "5,678.9", "7"], "number", "1,000"),
        (["007", "012", "100"], "category", ""),
        (["yes", "No"], "logical", ""),
        (["TRUE", "false", ""], "logical", ""),
        (["2026-01-31", "2025-12-01"], "date", "%Y-%m-%d"),
        (["2026-01-31 10:00:00", "2025-12-01 23:59:59"], "date", "%Y-%m-%d %H:%M:%S"),
        (["31.01.2026", "01.02.2026"], "date", "%d.%m.%Y"),
        (["01/31/2026", "02/01/2026"], "date", "%m/%d/%Y"),
        (["a", "b", "a"], "category", ""),
        ([f"text {n}" for n in range(80)], "text", ""),
        (["", "NA", " "], "empty", ""),
        (["2026-99-99", "x"], "category", ""),
    ],
)
def test_types_are_found_from_texts(values: list[str], kind: str, form: str) -> None:
    assert find_column("x", values) == Column("x", Type(kind), form)


def test_a_few_wrong_values_do_not_change_the_type() -> None:
    assert find_column("x", [str(n) for n in range(100)] + ["oops"]).type is Type.INTEGER
    assert find_column("x", [str(n) for n in range(100)] + ["oops"] * 10).type is Type.TEXT


@pytest.mark.parametrize(
    ("data", "filename", "found"),
    [
        (b"a,b\n1,2\n", "x.csv", "csv"),
        (b'\xef\xbb\xbf{"a": 1}\n', "x.txt", "jsonl"),
        (b"PAR1....PAR1", "x", "parquet"),
        (b"PK\x03\x04", "x", "xlsx"),
        ("a,b\n1,2\n".encode("utf-16"), "x.csv", "csv"),
    ],
)
def test_formats_are_found_from_content(data: bytes, filename: str, found: str) -> None:
    assert find_format(data, filename) == found


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"", "x.csv", "empty_file"),
        (b" \r\n\x00", "x.csv", "empty_file"),
        (b"PAR1....", "x.parquet", "bad_parquet"),
        (b'[{"a": 1}]', "x.json", "json_array"),
        (b"\x7fELF\x00\x00", "x.csv", "binary_file"),
    ],
)
def test_what_is_no_dataset_is_refused_with_a_code(data: bytes, filename: str, code: str) -> None:
    with pytest.raises(DatasetError) as caught:
        find_format(data, filename)
    assert caught.value.code == code
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("text", "delimiter", "header", "names"),
    [
        ("name;age\nx;1\ny;2\n", ";", True, ["name", "age"]),
        ("a\tb\n1\t2\n", "\t", True, ["a", "b"]),
        ("1,2,3\n4,5,6\n", ",", False, ["column 1", "column 2", "column 3"]),
        ("only\n1\n2\n", ",", True, ["only"]),
        ('a,"b, c"\n1,"x, y"\n', ",", True, ["a", "b, c"]),
        ("a,a,\n1,2,3\n", ",", True, ["a", "a (2)", "column 3"]),
        ("x;y\n1,5;2\n2,5;3\n3,5;4\n", ";", True, ["x", "y"]),
    ],
)
def test_csv_is_understood(text: str, delimiter: str, header: bool, names: list[str]) -> None:
    schema = csv_schema(text.encode(), "x.csv")
    assert (schema.delimiter, schema.header) == (delimiter, header)
    assert [column.name for column in schema.columns] == names
    assert Schema.from_json(schema.as_json()) == schema


@pytest.mark.parametrize(
    ("data", "encoding"),
    [("ä".encode(), "utf-8"), ("ä".encode("cp1252"), "cp1252"), ("ä".encode("utf-8-sig"), "utf-8-sig")],
)
def test_encodings(data: bytes, encoding: str) -> None:
    assert find_encoding(data) == encoding


def test_a_head_without_a_body_is_refused() -> None:
    with pytest.raises(DatasetError, match="nothing below"):
        csv_schema(b"name,age\n\n", "x.csv")


def test_json_lines_join_their_keys_and_name_the_bad_line() -> None:
    schema = jsonl_schema(b'{"a": 1, "b": {"c": [1]}}\n\n{"a": 2.5, "d": null}\n', "x.jsonl")
    assert [(one.name, one.type) for one in schema.columns] == [("a", "number"), ("b", "category"), ("d", "empty")]
    for line in (b"nope", b"[1]", b"{" * 5000):
        with pytest.raises(DatasetError, match="line 2"):
            jsonl_schema(b'{"a": 1}\n' + line, "x.jsonl")


@given(st.lists(st.text(max_size=6), min_size=1, max_size=20))
def test_names_are_unique_and_never_empty(names: list[str]) -> None:
    found = unique_names(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(found)


@given(
    st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=4), min_size=2, max_size=8), st.sampled_from(",;\t|")
)
def test_no_table_of_texts_crashes(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    try:
        schema = csv_schema(text.getvalue().encode("utf-8", "replace"), "x.csv")
    except DatasetError:
        return
    assert schema.columns


@given(st.binary(max_size=200))
def test_no_bytes_crash(data: bytes) -> None:
    try:
        form = find_format(data, "x.csv")
        if form == "csv":
            csv_schema(data, "x.csv")
        elif form == "jsonl":
            jsonl_schema(data, "x.jsonl")
    except DatasetError:
        return
