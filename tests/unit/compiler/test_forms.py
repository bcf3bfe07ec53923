"""Formulas of one form compile to what each of them would by itself, and lists of cells give the same results."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from sheetrun.compiler import schedule, units
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.script import Script, compile_workbook
from sheetrun.compiler.units import make_units
from sheetrun.formula.a1 import cell_name
from sheetrun.formula.forms import cut, filled
from sheetrun.runtime.address import Span
from sheetrun.sandbox.allowlist import check
from sheetrun.service.cellvalues import cell_values
from sheetrun.service.local import _in_process
from sheetrun.service.rundata import run_input
from sheetrun.service.scripts import SCRIPT_POLICY
from sheetrun.workbook.model import Workbook
from tests.fuzz.books import book_of
from tests.fuzz.formulas import Grammar

from .making import run, workbook_of

_NUMBERS = ("0", "1", "2", "3.5", "10", "0.25")
ALONE = 1 << 30  #: formulas that never come together


@contextmanager
def thresholds(*, form: int, many: int) -> Iterator[None]:
    """How many formulas make a form, and how many a list of cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "_TWICE", form)
        patch.setattr(schedule, "_MANY", many)
        patch.setattr(schedule, "_FEW", 2)
        yield


def compiled(workbook: Workbook, *, form: int, many: int = ALONE) -> Script:
    with thresholds(form=form, many=many):
        return compile_workbook(workbook)


def variants(chance: random.Random, text: str, count: int) -> list[str]:
    """Formulas of the form of one, with other cells and numbers in the blanks."""
    key, _ = cut(text)
    blanks = key.references
    return [
        filled(key, [_cell(chance) for _ in blanks], [chance.choice(_NUMBERS) for _ in blanks]) for _ in range(count)
    ]


def _cell(chance: random.Random) -> str:
    """A cell of the data, or one where a formula may be (``book_of``)."""
    if chance.random() < 0.2:
        return cell_name(100 + 5 * chance.randrange(3), 4 * chance.randrange(8))
    return cell_name(chance.randrange(12), chance.randrange(9))


def scattered(seed: int, *, forms: int = 3, each: int = 5) -> Workbook:
    """Random formulas, some of each form, no two of them neighbours; some need others."""
    chance = random.Random(seed)
    texts = [v for _ in range(forms) for v in variants(chance, Grammar(chance).formula(), each)]
    chance.shuffle(texts)
    return book_of([f"={text}" for text in texts])


def of_forms(workbook: Workbook) -> int:
    """How many formulas of a workbook have a form."""
    with thresholds(form=0, many=ALONE):
        return sum(unit.form is not None for unit in make_units(workbook, Scope.of(workbook))[0])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@example(2_224_976_332)  # a product of a name's range, of which a form knows the size too
@given(st.integers(0, 2**32))
def test_the_same_script(seed: int) -> None:
    workbook = scattered(seed)
    ours, alone = compiled(workbook, form=0), compiled(workbook, form=ALONE)
    assert ours.text == alone.text
    assert ours.needs == alone.needs
    assert (ours.refused, ours.volatile) == (alone.refused, alone.volatile)
    event(f"{of_forms(workbook) // 5} of 3 forms")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, 2**32))
def test_the_same_results(seed: int) -> None:
    workbook = scattered(seed)
    listed = compiled(workbook, form=0, many=2)
    assume(not listed.volatile)  # chance is drawn in the order of computing
    check(listed.text, SCRIPT_POLICY)
    ours, alone = results(workbook, listed), results(workbook, compiled(workbook, form=ALONE))
    assert ours == alone
    event(f"{listed.text.count(' in alike(')} lists, {listed.text.count(' in together(')} at once")


def results(workbook: Workbook, script: Script) -> tuple[Any, Any]:
    """The cells of the first sheet as JSON values, and which ones were not computed and why."""
    output = _in_process(script.text, run_input(workbook, script.text).to_bytes())
    failures = sorted((f.sheet, f.span, f.code) for f in output.failures)
    return sorted(cell_values(workbook, output).items()), failures


def links(count: int, formula: str, **others: Any) -> Workbook:
    """Formulas of one form in every other cell of column E, each on cells of its own."""
    cells: dict[str, Any] = {f"A{k + 1}": float(k) for k in range(count)}
    cells |= {f"E{2 * k + 1}": formula.format(k + 1, count - k) for k in range(count)}
    return workbook_of(cells | others)


def test_a_list() -> None:
    script = compiled(links(5, "=A{}*2+A{}"), form=2, many=3)
    assert (
        "    # 5 cells like E1: =A1*2+A5\n"
        "    for cell, ref1, ref2, num1 in together(\n"
        "        'E1 E3 E5 E7 E9',\n"
        "        'A1 A2 A3 A4 A5',\n"
        "        'A5 A4 A3 A2 A1',\n"
        "        '2.0 2.0 2.0 2.0 2.0',\n"
        "    ):\n"
        "        sheet1[cell] = add(sheet1.n[ref1] * num1, sheet1.n[ref2])\n"
    ) in script.text
    lines = script.text.splitlines()
    assert [m.address for m in script.lines] == ["E1", "E3", "E5", "E7", "E9"]
    assert all("sheet1[cell] =" in lines[m.line - 1] for m in script.lines)


def test_a_list_waits_for_what_it_reads() -> None:
    cells: dict[str, Any] = {"A1": 1.0}
    for k in range(2, 40):
        cells[f"{'ABC'[k % 3]}{k}"] = f"={'ABC'[(k - 1) % 3]}{k - 1}+{k}"  # a chain across three columns
    cells["A1"] = 1.0
    cells["B40"] = "=A39+C38"
    workbook = workbook_of({k: (v.replace("=B1", "=A1") if isinstance(v, str) else v) for k, v in cells.items()})
    listed = compiled(workbook, form=0, many=3)
    assert results(workbook, listed) == results(workbook, compiled(workbook, form=ALONE))


def test_what_fails_in_a_list_is_one_cell() -> None:
    workbook = links(6, '=CHOOSE(A{0}-1,A{1},CELL("filename",A1),A{1})')
    listed = compiled(workbook, form=0, many=3)
    assert " in alike(" in listed.text
    assert results(workbook, listed) == results(workbook, compiled(workbook, form=ALONE))


def test_the_first_cell_of_a_range_is_each_formulas_own() -> None:
    listed = compiled(links(5, "=N(A{}:A9)"), form=2, many=3)
    assert "N(sheet1['A1'])" in listed.text
    assert "N(sheet1['A5'])" in listed.text
    backwards = links(5, "=N(A9:A{})")
    assert results(backwards, compiled(backwards, form=ALONE)) == results(
        backwards, compiled(backwards, form=2, many=3)
    )
    cells = links(5, "=T(A{})&N(A{})", A2="text", A4=True)
    listed = compiled(cells, form=2, many=3)
    assert " in together(" in listed.text  # a cell is its own first one
    assert results(cells, listed) == results(cells, compiled(cells, form=ALONE))


def test_what_is_computed_at_once_gives_each_cell_its_own() -> None:
    """Texts, logicals, errors, empty cells and a cell beyond the used range; an index of 0; one number for all."""
    others = {"A2": "text", "A3": True, "A4": "=1/0", "A6": "12", "G1": 7.0, "H1": 8.0}
    for formula in (
        "=A{}",
        "=A{}&A{}",
        "=-A{}%",
        "=A{}^A{}",
        "=IF(A{0}>2,A{1},-A{0})",
        "=IFERROR(A{}+1,Z99)",
        "=ROUND(A{}/3,A{})",
        "=MAX(A{},A{},3)",
        "=AND(A{}>0,A{}<9)",
        "=LEFT(A{}&1,2)&7",
        "=COUNT(A{},A{})",
        "=ISBLANK(Z{})+A{}",
        "=ROW(A{})+COLUMN(B{})",
        "=VLOOKUP(A{},$A$1:$B$6,1,FALSE)",
    ):
        workbook = links(9, formula, **others)
        listed = compiled(workbook, form=0, many=2)
        assert results(workbook, listed) == results(workbook, compiled(workbook, form=ALONE)), formula
    for index in range(3):
        cells: dict[str, Any] = {f"E{2 * k + 1}": f"=INDEX($G$1:$H$1,1,{(k + index) % 3})" for k in range(6)}
        workbook = workbook_of(cells | {"G1": 7.0, "H1": 8.0})
        listed = compiled(workbook, form=0, many=2)
        assert results(workbook, listed) == results(workbook, compiled(workbook, form=ALONE))


def test_a_list_that_is_called_with_other_values() -> None:
    """What a call puts in the place of a formula stays; precision as displayed rounds each cell."""
    workbook = links(5, "=A{}*2+A{}", A5=4.04)
    listed = compiled(workbook, form=2, many=3)
    source = run_input(workbook, listed.text)
    given = _in_process(listed.text, replace(source, overrides=[(0, 3, 5, 99.0)]).to_bytes())
    assert cell_values(workbook, given) == {
        "Sheet1!E1": 4.04,
        "Sheet1!E3": 99,
        "Sheet1!E5": 6,
        "Sheet1!E7": 7,
        "Sheet1!E9": 8.08,
    }
    formats = [(0, "0.0", [Span(1, 5, 9, 5)])]
    rounded = _in_process(listed.text, replace(source, displayed=True, formats=formats).to_bytes())
    assert cell_values(workbook, rounded)["Sheet1!E1"] == 4
    assert cell_values(workbook, rounded)["Sheet1!E9"] == 8.1


def test_meaning_by_place_is_not_shared() -> None:
    """Implicit intersection, table rows and relative names mean something else in each cell."""
    for formula in ("=A1:A9+A{}", "=SUM(T[@n])+A{}", "=Left+A{}"):
        workbook = workbook_of(
            {f"A{k}": float(k) for k in range(1, 10)} | {f"E{k}": formula.format(k) for k in range(1, 10, 2)},
            names={"Left": "Sheet1!D1"},
        )
        ours, alone = compiled(workbook, form=0, many=2), compiled(workbook, form=ALONE)
        assert results(workbook, ours) == results(workbook, alone)
        assert " in alike(" not in ours.text
        assert " in together(" not in ours.text


def test_a_list_in_what_if() -> None:
    """Setting an input of a listed formula, and setting the formula itself."""
    workbook = links(6, "=A{}*2+A{}", G1="=SUM(E1:E11)")
    with thresholds(form=0, many=3):
        assert run(workbook, {"A1": 100.0}).get("G1") == 6 * 0 + 3 * (15 + 100)
        assert run(workbook, {"E3": 0.0}).get("G1") == 45 - (2 * 1 + 4)
