"""What a run is asked: cells that are set and cells that are read, by every kind of reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheetrun.runtime.inputs import InputError

from .files import VALUE, cells_of, down, model_of, sales


def test_outputs_by_every_kind_of_reference(tmp_path: Path) -> None:
    run = sales(tmp_path).model().run(sandboxed=False)
    assert run.get("E1") == pytest.approx(0.6)
    assert run.get("'My Sheet'!E1") == run.get("My Sheet!e1") == run.get("total") == run.get("=$E$1")
    assert run.get("Sales[Qty]") == [[1], [2], [3]]
    assert run.get("sales[[#all],[qty]]") == [["Qty"], [1], [2], [3]]
    assert run.get("A2:B3") == [["a", 1], ["b", 2]]
    assert run.get("Z99") is None


def test_inputs_by_every_kind_of_reference(tmp_path: Path) -> None:
    model = sales(tmp_path).model()
    assert model.run({"Rate": 1}, sandboxed=False).get("Total") == 6
    assert model.run({"my sheet!d1": "0.5"}, sandboxed=False).get("Total") == 3
    assert model.run({"Sales[Qty]": 10, "Rate": 1}, sandboxed=False).get("Total") == 30
    assert model.run({"Sales[Qty]": [10, 20, 30], "Rate": 1}, sandboxed=False).get("Total") == 60
    assert model.run({"B2:B4": [[1], [1], [1]], "Rate": 1}, sandboxed=False).get("Total") == 3
    assert model.run({"D1": None}, sandboxed=False).get("Total") == 0
    assert model.run({"D1": "x"}, sandboxed=False).get("Total") == VALUE
    assert model.run(sandboxed=False).get("Total") == pytest.approx(0.6)  # a run changes nothing for the next


def test_a_formula_cell_can_be_set(tmp_path: Path) -> None:
    run = sales(tmp_path).model().run({"E1": 100}, sandboxed=False)
    assert run.get("E1") == 100
    assert run.get("E2") == 200
    assert run.get("E3") == "200"
    assert run.report["inputs_changed"]


def test_a_cell_within_a_block_can_be_set(tmp_path: Path) -> None:
    model = model_of(
        tmp_path, {"A1": 1, **down("A2", 9, lambda r: f"=A{r - 1}+1"), **down("B1", 9, lambda r: f"=A{r}*2")}
    )
    got = cells_of(model.run({"A5": 100, "B2": -1}, sandboxed=False))
    assert [got[f"A{r}"] for r in range(2, 10)] == [2, 3, 4, 100, 101, 102, 103, 104]
    assert [got[f"B{r}"] for r in range(1, 10)] == [2, -1, 6, 8, 200, 202, 204, 206, 208]


def test_a_cell_that_is_set_breaks_its_cycle(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": "=B1+1", "B1": "=A1*2", "C1": "=B1"}, cached={"A1": 7, "B1": 14, "C1": 14})
    run = model.run({"A1": 10}, sandboxed=False)
    assert cells_of(run) == {"A1": 10, "B1": 20, "C1": 20}
    assert run.report["circular"] == 0


def test_a_set_cell_whose_formula_cannot_be_computed(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": "=FOO(1)", "B1": "=A1*2"}, cached={"A1": 7, "B1": 14})
    assert cells_of(model.run({"A1": 10}, sandboxed=False)) == {"A1": 10, "B1": 20}


def test_thousands_of_inputs(tmp_path: Path) -> None:
    cells = {"B1": 1, **down("A1", 5000, lambda r: f"=B{r}*2"), "C1": "=SUM(A1:A5000)"}
    model = model_of(tmp_path, cells)
    assert model.run({"B1:B5000": 3}, sandboxed=False).get("C1") == 30_000
    assert model.run({"A1:A4999": 1}, sandboxed=False).get("C1") == 4999


def test_a_cell_beyond_the_used_range_can_be_set(tmp_path: Path) -> None:
    run = model_of(tmp_path, {"A1": "=SUM(Z90:Z99)+A50"}).run({"Z95": 5, "A50": 2}, sandboxed=False)
    assert run.get("A1") == 7


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("Nope", "unknown_name"),
        ("Nope!A1", "unknown_sheet"),
        ("1+1", "unknown_reference"),
        ("A1:", "bad_reference"),
        ("", "bad_reference"),
        ("Sales[Nope]", "unknown_reference"),
        ("XFE1", "bad_reference"),
        ("A1048577", "bad_reference"),
    ],
)
def test_references_that_are_none(tmp_path: Path, reference: str, code: str) -> None:
    model = sales(tmp_path).model()
    with pytest.raises(InputError) as caught:
        model.run({reference: 1}, sandboxed=False)
    assert caught.value.code == code
    with pytest.raises(InputError):
        model.run(sandboxed=False).get(reference)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {}, object(), [[1], [2]], 10**400], ids=lambda value: repr(value)[:12]
)
def test_values_that_are_none(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError):
        sales(tmp_path).model().run({"D1": value}, sandboxed=False)


@pytest.mark.parametrize("value", [[1, 2], [[1, 2, 3]], [[1], [2]], []])
def test_arrays_of_the_wrong_shape(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError) as caught:
        sales(tmp_path).model().run({"Sales[Qty]": value}, sandboxed=False)
    assert caught.value.code == "wrong_shape"
