"""What a block reads, whether that is known before the run, and what is refused."""

from __future__ import annotations

import pytest

from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.units import Refused, Unit, make_units
from sheetrun.formula.a1 import range_name

from .making import computed, run, workbook_of


def made(formula: str, at: str = "D5") -> tuple[list[Unit], list[Refused]]:
    workbook = workbook_of(
        {at: formula, "A1": 1}, {"A1": 1}, names={"Rate": "Sheet1!$B$1", "Fn": "LAMBDA(x,x*Sheet1!$C$1)"}
    )
    return make_units(workbook, Scope.of(workbook))


def unit(formula: str) -> Unit:
    units, refused = made(formula)
    assert not refused, refused
    (only,) = units
    return only


@pytest.mark.parametrize(
    ("formula", "reads"),
    [
        ("=1", []),
        ("=A1", ["0!A1"]),
        ("=A1+A1+Sheet2!B2", ["0!A1", "1!B2"]),
        ("=SUM(A1:B2,Rate)", ["0!A1:B2", "0!B1"]),
        ("=ROW(A1)+COLUMNS(A1:C1)", []),
        ("=ROW(OFFSET(A1,B1,0))", ["0!B1"]),
        ("=ISFORMULA(A1)", []),
        ("=OFFSET(A1,B1,C1)", ["0!B1", "0!C1"]),
        ("=INDEX(A1:A9,B1)", ["0!A1:A9", "0!B1"]),
        ("=SUM(A2:INDEX(A1:A9,3))", ["0!A1:A9", "0!A2"]),
        ('=SUMIF(A2:A4,"x",B2)', ["0!A2:A4", "0!B2", "0!B2:B4"]),
        ('=AVERAGEIF($A$2:$B$4,">0",Sheet2!$C$9:$C$7)', ["0!A2:B4", "1!C7:C9", "1!C7:D9"]),
        ('=SUMIF(A:A,"x",B3)', ["0!A1:A1048576", "0!B1:B1048576", "0!B3"]),
        ('=SUMIF(A:A,"x",B$3:B$5)', ["0!A1:A1048576", "0!B3:B1048576", "0!B3:B5"]),
        ('=SUMIF(A2:A4,"x")', ["0!A2:A4"]),
        ("=IF(A1,B1,C1)", ["0!A1", "0!B1", "0!C1"]),
        ("=LET(x,A1,x+B1)", ["0!A1", "0!B1"]),
        ("=Fn(A1)", ["0!A1", "0!C1"]),
        ("=A1#", ["0!A1"]),
        ("=SUM((A1,B1:B2))", ["0!A1", "0!B1:B2"]),
        ("=SUM(A1:C3 B2:D4)", ["0!A1:C3", "0!B2:D4"]),
        ("=SUM(Sheet1:Sheet2!A1)", ["0:1!A1"]),
        ("=SUM(A:A)", ["0!A1:A1048576"]),
    ],
)
def test_reads(formula: str, reads: list[str]) -> None:
    found = unit(formula).reads
    shown = {f"{r.sheet}{'' if r.last_sheet is None else f':{r.last_sheet}'}!{range_name(*r.at(4, 3))}" for r in found}
    assert shown >= set(reads)
    extra = shown - set(reads)
    assert not extra or "INDEX" in formula  # what surrounds a range made of two parts


@pytest.mark.parametrize(
    ("formula", "dynamic"),
    [
        ("=SUM(A1:A9)", False),
        ("=OFFSET(A1,1,0)", True),
        ('=SUM(INDIRECT("A1"))', True),
        ("=$A$1:INDEX($A:$A,3)", False),
        ("=A1:INDEX(A:A,3)", True),  # one corner moves down with the cell, the other stays
        ("=SUM(A1:OFFSET(A1,1,0))", True),
        ("=SUM(CHOOSE(1,A1,A2):A9)", True),
        ("=INDEX(A1:A9,2)", False),
    ],
)
def test_references_known_only_at_run_time(formula: str, dynamic: bool) -> None:
    assert unit(formula).dynamic is dynamic


@pytest.mark.parametrize(
    ("formula", "volatile"),
    [("=RAND()+1", True), ("=NOW()", True), ("=TODAY()", True), ("=OFFSET(A1,0,0)", False), ("=PI()", False)],
)
def test_volatile(formula: str, volatile: bool) -> None:
    """OFFSET is computed again by Excel each time, and gives the same: it can be compared."""
    assert unit(formula).volatile is volatile


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("=NOSUCH(1)", "unknown_function"),
        ("=IF(TRUE,1,NOSUCH(1))", "unknown_function"),
        ("=SIN()", "bad_arguments"),
        ("=SIN(1,2)", "bad_arguments"),
        ("=1+", "bad_formula"),
        ("=[9]Sheet1!A1", "external_link"),
        ("=LET(x,1)", "bad_arguments"),
    ],
)
def test_refused(formula: str, code: str) -> None:
    units, refused = made(formula)
    assert not units
    (only,) = refused
    assert (only.sheet, range_name(*only.rect), only.code) == (0, "D5", code)
    assert only.text == formula[1:]
    assert only.detail


def test_one_refused_block_spares_the_others() -> None:
    workbook = workbook_of({"A1": "=1", "A2": "=NOSUCH()", "A3": "=2"})
    units, refused = make_units(workbook, Scope.of(workbook))
    assert [u.block.text for u in units] == ["1", "2"]
    assert [u.index for u in units] == [0, 1]
    assert len(refused) == 1


def test_a_field_of_a_linked_data_type_is_told_as_such() -> None:
    workbook = workbook_of({"A1": '=_xlfn._FV(B1,"Price")'})
    _, (refused,) = make_units(workbook, Scope.of(workbook))
    assert refused.code == "linked_data_type"


@pytest.mark.parametrize(("formula", "total"), [("=SUMIF(A2:A4,H1,B2)", 12), ("=AVERAGEIF(A2:A4,H1,B2:B2)", 6)])
def test_a_range_that_takes_another_size_is_computed_first(formula: str, total: float) -> None:
    cells = {"A2": "x", "A3": "x", "A4": "y", "B2": "=1+1", "B3": "=D3*2", "B4": "=7", "D3": "=5", "H1": "x"}
    assert computed({**cells, "D1": formula})["D1"] == total
    workbook = workbook_of({**cells, "D1": formula})
    assert run(workbook, {"Sheet1!B3": 20.0}).cells()["Sheet1!D1"] == total + (10 if total == 12 else 5)


def test_a_range_whose_new_size_differs_from_cell_to_cell() -> None:
    assert unit('=SUMIF(A$2:A4,"x",B2)').dynamic
    assert unit('=SUMIF(A2:A4,"x",B$2:B4)').dynamic
    assert not unit('=SUMIF(A$2:A4,"x",B$2:B4)').dynamic
