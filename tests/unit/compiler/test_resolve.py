"""Names, tables, sheets and external books in formulas become ranges of known sheets."""

from __future__ import annotations

import pytest

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.ranges import Range, Resolved
from sheetrun.compiler.resolve import Resolver, Scope
from sheetrun.formula import nodes
from sheetrun.formula.a1 import range_name
from sheetrun.formula.parser import parse
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, ExternalBook, Rect, Table, Workbook

from .making import grid_of, rect_of, workbook_of

SALES = Table("Sales", 0, rect_of("B2:D6"), ("Qty", "Unit Price", "Tot#al"), header_rows=1, totals_rows=1)
BARE = Table("Bare", 1, rect_of("A1:B3"), ("x", "y"), header_rows=0, totals_rows=0)


def book() -> Workbook:
    far = ExternalBook(1, "Other.xlsx", {"Far": [grid_of({(0, 0): 7.0}, [], 2, 2)], "Gone": []}, {"Rate": "Far!$A$1"})
    far.lost = frozenset({"Gone"})
    return workbook_of(
        {"A1": 1},
        {"A1": 2},
        {"A1": 3},
        titles=["Main", "Second One", "Third"],
        names={
            "Rate": "Main!$B$1",
            "Here": "Main!A1",
            "Left": "!A1",
            (1, "Rate"): "'Second One'!$C$3",
            "Twice": "Rate*2",
            "Loop1": "Loop2+1",
            "Loop2": "Loop1+1",
            "TwoPi": "6.28",
            "Broken": "Gone!$A$1",
            "Column": "Main!$A:$A",
            "Area": "Main!$A$1:$B$2",
            "Twice.Of": "LAMBDA(x,x*2)",
        },
        tables=[SALES, BARE],
        externals=[far],
    )


def resolve(text: str, sheet: int = 0, at: str = "A1") -> Resolved:
    rect = rect_of(at)
    scope = Scope.of(book())
    return Resolver(scope, sheet, rect.top, rect.left).resolve(parse(text, rect.top, rect.left))


def seen(text: str, sheet: int = 0, at: str = "A1") -> str:
    """What a formula that is one reference refers to, seen from a cell: ``"0!A1:B2"``."""
    tree = resolve(text, sheet, at)
    assert isinstance(tree, Range), tree
    host = rect_of(at)
    last = "" if tree.last_sheet is None else f":{tree.last_sheet}"
    return f"{tree.sheet}{last}!{range_name(*tree.at(host.top, host.left))}"


@pytest.mark.parametrize(
    ("text", "sheet", "at", "expected"),
    [
        ("B2", 0, "A1", "0!B2"),
        ("B2", 2, "C3", "2!B2"),
        ("Third!B2", 0, "A1", "2!B2"),
        ("tHIRD!B2", 0, "A1", "2!B2"),
        ("'second one'!B2:C3", 0, "A1", "1!B2:C3"),
        ("$B$9:A1", 0, "A1", "0!A1:B9"),
        ("2:5", 1, "A1", "1!A2:XFD5"),
        ("$A:$C", 1, "A1", "1!A1:C1048576"),
        ("Main:Third!A1", 1, "A1", "0:2!A1"),
        ("'Main:Second One'!A1:B2", 1, "A1", "0:1!A1:B2"),
        # defined names
        ("Rate", 0, "A1", "0!B1"),
        ("rate", 0, "A1", "0!B1"),
        ("Rate", 1, "A1", "1!C3"),
        ("Main!Rate", 1, "A1", "0!B1"),
        ("'Second One'!Rate", 0, "A1", "1!C3"),
        ("Here", 1, "A1", "0!A1"),
        ("Here", 1, "C4", "0!C4"),
        ("Column", 1, "C4", "0!A1:A1048576"),
        # structured references
        ("Sales", 0, "F9", "0!B3:D5"),
        ("Sales[]", 0, "F9", "0!B3:D5"),
        ("Sales[Qty]", 0, "F9", "0!B3:B5"),
        ("Sales[qty]", 0, "F9", "0!B3:B5"),
        ("Sales[Unit Price]", 0, "F9", "0!C3:C5"),
        ("Sales[Tot'#al]", 0, "F9", "0!D3:D5"),
        ("Sales[[Qty]:[Unit Price]]", 0, "F9", "0!B3:C5"),
        ("Sales[[Unit Price]:[Qty]]", 0, "F9", "0!B3:C5"),
        ("Sales[#All]", 0, "F9", "0!B2:D6"),
        ("Sales[#Data]", 0, "F9", "0!B3:D5"),
        ("Sales[#Headers]", 0, "F9", "0!B2:D2"),
        ("Sales[#Totals]", 0, "F9", "0!B6:D6"),
        ("Sales[[#Totals],[Qty]]", 0, "F9", "0!B6"),
        ("Sales[[#Headers],[#Data],[Qty]]", 0, "F9", "0!B2:B5"),
        ("Sales[[#Data],[#Totals],[Qty]:[Unit Price]]", 0, "F9", "0!B3:C6"),
        ("Sales[[#All],[Qty]]", 0, "F9", "0!B2:B6"),
        ("Sales[[#This Row],[Qty]]", 0, "D4", "0!B4"),
        ("Sales[@Qty]", 0, "F4", "0!B4"),
        ("Sales[@[Unit Price]]", 0, "F5", "0!C5"),
        ("Sales[@]", 0, "F5", "0!B5:D5"),
        ("[@Qty]", 0, "D4", "0!B4"),
        ("[Qty]", 0, "D4", "0!B3:B5"),
        ("Bare[x]", 0, "A1", "1!A1:A3"),
        ("[@y]", 1, "A2", "1!B2"),
        # another workbook, of which the file has cached values
        ("[1]Far!A1", 0, "A1", "3!A1"),
        ("[1]far!$A$1:$B$2", 0, "A1", "3!A1:B2"),
        ("[1]!Rate", 0, "A1", "3!A1"),
    ],
)
def test_references(text: str, sheet: int, at: str, expected: str) -> None:
    assert seen(text, sheet, at) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Nowhere!A1", "#REF!"),
        ("Main:Nowhere!A1", "#REF!"),
        ("NotAName", "#NAME?"),
        ("Nowhere!Rate", "#REF!"),
        ("Broken", "#REF!"),
        ("Sales[No]", "#REF!"),
        ("Sales[[Qty]:[No]]", "#REF!"),
        ("NoTable[Qty]", "#NAME?"),
        ("[@Qty]", "#REF!"),  # not within a table
        ("Sales[@Qty]", "#VALUE!"),  # not beside a row of it
        ("Bare[#Headers]", "#REF!"),
        ("Bare[#Totals]", "#REF!"),
        ("[1]Gone!A1", "#REF!"),
    ],
)
def test_what_refers_to_nothing(text: str, code: str) -> None:
    assert resolve(text, 0, "F20") == nodes.Error(code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Loop1", "recursive_name"),
        ("[1]Unknown!A1", "external_link"),
        ("[2]Far!A1", "external_link"),
        ("[1]!NoName", "external_link"),
        ("LET(x,1)", "bad_arguments"),
        ("LET(1,1,2)", "bad_arguments"),
        ("LAMBDA(1,2)", "bad_arguments"),
    ],
)
def test_what_cannot_be_compiled(text: str, code: str) -> None:
    with pytest.raises(CannotCompile) as caught:
        resolve(text)
    assert caught.value.code == code
    assert str(caught.value)


def test_names_are_replaced_by_their_definitions() -> None:
    tree = resolve("Twice+TwoPi")
    assert isinstance(tree, nodes.Binary)
    assert isinstance(tree.left, nodes.Binary)
    assert isinstance(tree.left.left, Range)
    assert tree.right == nodes.Number(6.28)


def test_variables_hide_names() -> None:
    tree = resolve("LET(Rate,1,Rate)")
    assert tree == nodes.Call("LET", (nodes.Name("Rate"), nodes.Number(1.0), nodes.Name("Rate")))
    outside = resolve("LET(x,Rate,x)")
    assert isinstance(outside, nodes.Call)
    assert isinstance(outside.args[1], Range)
    assert isinstance(resolve("LET(Rate,Rate,Rate)").args[1], Range)  # type: ignore[union-attr]


def test_a_corner_of_a_range_may_be_a_name() -> None:
    assert seen("Main!$A$1:Rate", 0, "A1") == "0!A1:B1"
    assert seen("$A$1:$B$5:$C$3:$D$4", 0, "A1") == "0!A1:D5"
    assert seen("C4:E4:B3:C9", 0, "A1") == "0!B3:E9"
    assert isinstance(resolve("Rate:INDEX(A1:A9,2)"), nodes.RangeOp)


def test_ranges_know_what_all_hosts_refer_to() -> None:
    tree = resolve("A$1:A1", 0, "A1")
    assert isinstance(tree, Range)
    assert tree.at(4, 0) == Rect(0, 0, 4, 0)
    assert tree.over(Rect(2, 1, 5, 2)) == Rect(0, 1, 5, 2)
    assert tree.anchored(4, 2).at(99, 99) == Rect(0, 2, 4, 2)


def test_ranges_wrap_at_the_edge() -> None:
    tree = resolve("XFD1", 0, "B1")  # 16382 to the right
    assert isinstance(tree, Range)
    assert tree.at(0, 2) == Rect(0, 0, 0, 0)
    assert tree.wraps(Rect(0, 1, 0, 2))
    assert not tree.wraps(Rect(0, 0, 0, 1))


def test_whole_rows_and_columns() -> None:
    columns, rows = resolve("$A:$B"), resolve("$3:$4")
    assert isinstance(columns, Range)
    assert isinstance(rows, Range)
    assert columns.whole_columns
    assert not columns.whole_rows
    assert rows.whole_rows
    assert not rows.whole_columns
    assert columns.at(0, 0) == Rect(0, 0, MAX_ROWS - 1, 1)
    assert rows.at(0, 0) == Rect(2, 0, 3, MAX_COLUMNS - 1)
