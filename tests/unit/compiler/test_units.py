"""What a block reads, whether that is known before the run, and what is refused."""

from __future__ import annotations

import pytest

from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.units import Refused, Unit, make_units
from sheetrun.formula.a1 import range_name

from .making import workbook_of


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
