"""A script as a function: references as people write them, values of every type, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.service.files import model_of

from sheetrun.runtime.calling import Program
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.standalone import read_value
from sheetrun.service.local import Model


def program_of(model: Model, folder: Path) -> Program:
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(model.script(), "model.py", "exec"), namespace)
    data = folder / "model.data"
    data.write_bytes(model.data())
    return Program(namespace["STEPS"], data)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    cells = {"A1": 2, "A2": "x", "B1": "=A1*10", "B2": '=A2&"!"', "B3": "=A1>1", "B4": "=1/(A1-3)", "C1": "=SUM(A1:A1)"}
    return program_of(model_of(tmp_path, cells), tmp_path)


def test_values_of_every_type(program: Program) -> None:
    got = program.calculate({"A1": 3, "sheet1!$a$2": "y"}, ["B1", "'Sheet1'!B2", "B3", "B4", "Sheet1!B1:C1", "A9"])
    assert got == {
        "B1": 30.0,
        "'Sheet1'!B2": "y!",
        "B3": True,
        "B4": {"error": "#DIV/0!"},
        "Sheet1!B1:C1": [[30.0, 3.0]],
        "A9": None,
    }
    assert program.calculate(None, ["B1"]) == {"B1": 20.0}  # nothing of the call before is left
    assert program.calculate({"A1": {"error": "#N/A"}}, ["B1"]) == {"B1": {"error": "#N/A"}}
    assert program.calculate({"A1:A2": [[1], [None]]}, ["B1", "B2"]) == {"B1": 10.0, "B2": "!"}


@pytest.mark.parametrize(
    ("reference", "value", "code"),
    [
        ("Nope!A1", 1, "unknown_sheet"),
        ("nonsense", 1, "unknown_reference"),
        ("A0", 1, "unknown_reference"),
        ("A1", float("nan"), "bad_value"),
        ("A1", {"error": "#OOPS"}, "bad_value"),
        ("A1", object(), "bad_value"),
        ("A1:A2", [[1, 2]], "wrong_shape"),
        ("A1:A2", [1, 2], "wrong_shape"),
    ],
)
def test_what_cannot_be_set(program: Program, reference: str, value: Any, code: str) -> None:
    with pytest.raises(InputError) as refused:
        program.calculate({reference: value}, ["B1"])
    assert refused.value.code == code


def test_values_as_they_are_typed() -> None:
    typed = [read_value(text) for text in ("7", "-1e3", "true", "#n/a", "", '"007"', "abc")]
    assert typed == [7.0, -1000.0, True, ExcelError("#N/A"), None, "007", "abc"]
