"""What a workbook takes and gives: inputs, outputs, their labels, types, formats and rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sheetrun.compiler.script import Writer
from sheetrun.service.interface import RUN, Interface, Ports, make_ports, unit_of
from sheetrun.service.models import calculate_schema
from sheetrun.service.recalculated import as_output, recalculated
from sheetrun.workbook.model import Workbook

from .files import File


def document(workbook: Workbook) -> dict[str, Any]:
    writer = Writer(workbook)
    writer.script()
    ports = Ports.from_bytes(make_ports(workbook, writer.units, writer.scope).to_bytes())
    return Interface(workbook, ports).document()


def references(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["reference"] for entry in entries]


def test_constants_that_formulas_read_and_formulas_that_none_reads(tmp_path: Path) -> None:
    file = File(tmp_path / "a.xlsx")
    percent = file.book.add_format({"num_format": "0.0%"})
    euro = file.book.add_format({"num_format": '#,##0.00 "EUR"'})
    sheet = file.sheet("Model", {"A1": "Rate", "A2": "Price", "A3": "unused", "B3": 9, "A4": "Total", "B4": "=B5*2"})
    sheet.write("B1", 0.07, percent)
    sheet.write("B2", 100, euro)
    sheet.write_formula("B5", "=B1*B2", None, 7)
    found = document(file.model().workbook)
    assert found["inputs"] == [
        {
            "reference": "Model!B1",
            "name": None,
            "label": "Rate",
            "type": "number",
            "value": 0.07,
            "format": "0.0%",
            "unit": "%",
        },
        {
            "reference": "Model!B2",
            "name": None,
            "label": "Price",
            "type": "number",
            "value": 100,
            "format": '#,##0.00 "EUR"',
            "unit": "EUR",
        },
    ]
    assert references(found["outputs"]) == ["Model!B4"]
    assert found["outputs"][0]["label"] == "Total"
    assert found["counts"] == {"inputs": 2, "outputs": 1}


def test_names_prefixes_and_sheets_are_honoured(tmp_path: Path) -> None:
    file = File(tmp_path / "a.xlsx")
    file.sheet("Work", {"A1": 1, "A2": 2, "A3": "=A1+A2", "A4": "=A3+1", "A5": "=A4", "B1": 3, "B2": "note"})
    file.sheet("Inputs", {"A1": "Growth", "B1": 5, "A2": "not read", "B2": 6, "C1": "=Work!A2"})
    file.sheet("Outputs", {"A1": "=Inputs!B1+Inputs!C1", "A2": "=A1*2"})
    file.book.define_name("input_note", "=Work!$B$2")
    file.book.define_name("output_sum", "=Work!$A$3")
    file.book.define_name("Base", "=Work!$A$1")
    file.book.define_name("Middle", "=Work!$A$4")
    file.book.define_name("Unread", "=Work!$B$1")
    found = document(file.model().workbook)
    assert references(found["inputs"]) == ["Work!B2", "Inputs!B1", "Inputs!B2", "Work!A1", "Work!A2"]
    assert [entry["name"] for entry in found["inputs"]] == ["input_note", None, None, "Base", None]
    assert references(found["outputs"])[:3] == ["Work!A3", "Outputs!A1", "Outputs!A2"]
    assert references(found["outputs"])[3:] == ["Work!A4", "Work!A5"]


def test_a_column_of_data_is_one_entry_and_its_totals_are_outputs(tmp_path: Path) -> None:
    file = File(tmp_path / "a.xlsx")
    rows = RUN + 5
    cells: dict[str, Any] = {"A1": "Amount", "B1": "Tax"}
    for row in range(2, rows + 2):
        cells |= {f"A{row}": row, f"B{row}": f"=A{row}*2"}
    sheet = file.sheet("Data", cells)
    sheet.add_table(
        0, 3, 3, 4, {"columns": [{"header": "x"}, {"header": "y", "total_function": "sum"}], "total_row": 1}
    )
    sheet.write("E2", 1)
    found = document(file.model().workbook)
    assert references(found["inputs"]) == [f"Data!A2:A{rows + 1}", "Data!E2"]
    assert found["inputs"][0]["shape"] == [rows, 1]
    assert found["inputs"][0]["value"][0] == [2]
    assert found["inputs"][0]["label"] == "Amount"
    assert references(found["outputs"]) == ["Data!E4", f"Data!B2:B{rows + 1}"]


def test_keys_of_a_table_are_no_inputs_but_a_text_that_is_looked_up_is(tmp_path: Path) -> None:
    file = File(tmp_path / "a.xlsx")
    cells = {"A1": "north", "A2": "south", "B1": 1, "B2": 2, "D1": "south", "E1": "=VLOOKUP(D1,A1:B2,2,FALSE)"}
    file.sheet("S", cells)
    found = document(file.model().workbook)
    assert references(found["inputs"]) == ["S!B1", "S!D1", "S!B2"]
    assert {entry["reference"]: entry["type"] for entry in found["inputs"]}["S!D1"] == "text"


def test_rules_become_schema(tmp_path: Path) -> None:
    file = File(tmp_path / "a.xlsx")
    date = file.book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = file.sheet("S", {"A1": "low", "A2": 3, "A3": 0.5, "A4": True, "C1": "low", "C2": "high"})
    sheet.write("A5", 45000, date)
    for row in range(1, 6):
        sheet.write_formula(f"B{row}", f"=A{row}", None, 0)
    sheet.data_validation("A1", {"validate": "list", "source": "=$C$1:$C$2"})
    sheet.data_validation("A2", {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": 5})
    sheet.data_validation("A3", {"validate": "decimal", "criteria": "<", "value": 1})
    found = document(file.model().workbook)
    rules = {entry["reference"]: entry.get("validation") for entry in found["inputs"]}
    assert rules["S!A1"] == {"kind": "list", "choices": ["low", "high"]}
    assert rules["S!A2"] == {"kind": "whole", "minimum": 1, "maximum": 5}
    assert rules["S!A3"] == {"kind": "decimal", "below": 1}
    types = {entry["reference"]: entry["type"] for entry in found["inputs"]}
    assert (types["S!A4"], types["S!A5"]) == ("boolean", "date")
    schema = calculate_schema("a.xlsx", found)
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema).is_valid
    assert check({"inputs": {"S!A1": "high", "S!A2": 4, "S!A3": 0.9, "S!A4": False, "S!A5": 45001}})
    assert check({"inputs": {"S!A1": None, "S!A2": {"error": "#N/A"}, "S!Z9": [[1]]}, "outputs": ["S!B1"]})
    for wrong in ({"S!A1": "middle"}, {"S!A2": 6}, {"S!A2": 1.5}, {"S!A3": 1}, {"S!A4": 1}, {"S!A5": "2024"}):
        assert not check({"inputs": wrong}), wrong
    assert not check({"input": {}})


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("0.0%", "%"),
        ('"100%" 0', None),
        ("[$€-407] #,##0.00", "€"),
        ('"$"#,##0', "$"),
        ("£0", "£"),
        ('0.0 "kg"', "kg"),
        ("General", None),
        ("yyyy-mm-dd", None),
        ("\\%0", None),
    ],
)
def test_units_of_formats(code: str, unit: str | None) -> None:
    assert unit_of(code) == unit


def test_a_recalculated_workbook_holds_the_values_of_the_run(tmp_path: Path) -> None:
    file = File(tmp_path / "a.xlsx")
    file.sheet("S", {"A1": "a", "B1": 2, "C1": '=A1&"b"', "C2": "=B1*2", "C3": "=1/0", "C4": "=A1"})
    model = file.model()
    output = model.run(sandboxed=False)._output
    found = recalculated(model.workbook, output)
    assert found.strings[: len(model.workbook.strings)] == model.workbook.strings
    assert len(set(found.strings)) == len(found.strings)
    again = recalculated(found, as_output(found))
    assert again.strings == found.strings
    values = {entry["reference"]: entry["value"] for entry in document(found)["outputs"]}
    assert values == {"S!C1": "ab", "S!C2": 4, "S!C3": {"error": "#DIV/0!"}, "S!C4": "a"}
