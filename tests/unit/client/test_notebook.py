"""``sheetrun.load``: calculate, scenarios of a DataFrame, and what a notebook shows."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pandas
import pytest

import sheetrun
from sheetrun.client.notebook import Workbook, shown
from sheetrun.runtime.inputs import InputError
from tests.unit.service.files import File

TAG = "<script>alert(1)</script>"


@pytest.fixture
def model(tmp_path: Path) -> Workbook:
    file = File(tmp_path / "book.xlsx")
    cells = {"A1": TAG, "B1": 2, "A2": "Day", "B2": 45000, "A3": "Who", "B3": "x"}
    results = {"A4": "Answer", "B4": "=10/B1", "A5": "Next day", "B5": "=B2+1", "A6": "Greeting", "B6": '="hello "&B3'}
    file.sheet("Model", {**cells, **results}, {"B4": 5, "B5": 45001, "B6": "hello x"})
    file.book.close()
    return sheetrun.load(file.path)


def test_calculate(model: Workbook) -> None:
    assert model.calculate() == {"Model!B4": 5, "Model!B5": 45001, "Model!B6": "hello x"}
    assert model.calculate({"Model!B1": 0}, ["Model!B4", "B6"]) == {"Model!B4": {"error": "#DIV/0!"}, "B6": "hello x"}
    assert model.report["matched"] == 3
    with pytest.raises(InputError):
        model.calculate({"Nope!A1": 1})


def test_scenarios_keep_the_index_and_the_inputs(model: Workbook) -> None:
    frame = pandas.DataFrame(
        {"Model!B1": [1, 2, 0], "Model!B3": ["a", None, "c"]}, index=pandas.Index(["x", "y", "z"], name="case")
    )
    got = model.scenarios(frame, ["Model!B4", "Model!B6"])
    assert list(got.columns) == ["Model!B1", "Model!B3", "Model!B4", "Model!B6"]
    assert got.index.equals(frame.index)
    assert got["Model!B4"].dtype == "float64"
    assert got["Model!B4"].tolist()[:2] == [10, 5]
    assert got["Model!B6"].tolist() == ["hello a", "hello x", "hello c"]  # what is missing is the workbook's own
    assert got["Model!B4"].isna().tolist() == [False, False, True]
    assert got.attrs["failures"] == [(2, "Model!B4", "#DIV/0!")]
    assert "Model!B4" not in frame


def test_dates_and_every_output_by_default(model: Workbook) -> None:
    frame = pandas.DataFrame({"Model!B2": pandas.to_datetime([datetime(2024, 1, 1), datetime(2024, 2, 29, 12)])})
    got = model.scenarios(frame)
    assert got["Model!B5"].tolist() == [45293, 45352 - 0.5 + 1]
    assert list(got.columns) == ["Model!B2", "Model!B4", "Model!B5", "Model!B6"]


def test_what_is_no_table(model: Workbook) -> None:
    with pytest.raises(TypeError, match="DataFrame"):
        model.scenarios({"Model!B1": [1]})  # type: ignore[arg-type]


def test_tables_of_inputs_and_outputs(model: Workbook) -> None:
    assert model.inputs.set_index("reference")["value"].to_dict() == {"Model!B1": 2, "Model!B2": 45000, "Model!B3": "x"}
    assert model.outputs["label"].tolist() == ["Answer", "Next day", "Greeting"]


def test_what_a_person_sees(model: Workbook) -> None:
    text = repr(model)
    assert "book.xlsx: 1 sheet, 3 formulas" in text
    assert "Model!B4" in text
    assert "Answer" in text
    values = repr(model.calculate({"Model!B1": 4}, ["Model!B4"]))
    assert values.split() == ["Model!B4", "2.5", "Answer"]


def test_what_a_notebook_shows_has_nothing_of_the_workbook_as_markup(model: Workbook) -> None:
    page = model._repr_html_()
    assert TAG not in page
    assert "&lt;script&gt;" in page
    assert model.calculate()._repr_html_().count("<tr>") == 4


def test_pandas_is_imported_only_when_it_is_used(model: Workbook) -> None:
    program = (
        "import sys, sheetrun; model = sheetrun.load(sys.argv[1]); print(repr(model.calculate()), model._repr_html_());"
        "assert 'pandas' not in sys.modules; model.inputs; assert 'pandas' in sys.modules"
    )
    path = str(model._model.path)
    subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, timeout=100)


def test_values_in_little_room() -> None:
    values = [None, True, {"error": "#N/A"}, [[1, 2]], 12345.678, 1e-9, "a\nb", "x" * 99]
    assert [shown(value) for value in values] == [
        "", "TRUE", "#N/A", "1 × 2 cells", "12,345.678", "1e-09", "a b", "x" * 59 + "…",
    ]  # fmt: skip
