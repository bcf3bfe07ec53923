"""Excel's grammar, rule by rule. Hosts are A1 unless said otherwise."""

from __future__ import annotations

import pytest

from sheetrun.formula import lexer, stacks
from sheetrun.formula.errors import FormulaTooLarge
from sheetrun.formula.nodes import (
    Area,
    ArrayConst,
    Axis,
    Binary,
    Call,
    Cell,
    Columns,
    Error,
    Implicit,
    Intersection,
    Invoke,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Paren,
    Percent,
    Prefix,
    RangeOp,
    Rows,
    Spill,
    Structured,
    Text,
    Unary,
    Union,
)
from sheetrun.formula.parser import parse
from sheetrun.formula.visitor import walk


def rel(index: int) -> Axis:
    return Axis(index, False)


def fixed(index: int) -> Axis:
    return Axis(index, True)


def cell(row: int, col: int, prefix: Prefix | None = None) -> Cell:
    return Cell(rel(row), rel(col), prefix)


def area(top: int, left: int, bottom: int, right: int, prefix: Prefix | None = None) -> Area:
    return Area(rel(top), rel(left), rel(bottom), rel(right), prefix)


A1, B1, C1 = cell(0, 0), cell(0, 1), cell(0, 2)
ONE, TWO, THREE = Number(1.0), Number(2.0), Number(3.0)

LITERALS: list[tuple[str, Node]] = [
    ("1", ONE),
    ("1.", ONE),
    (".5", Number(0.5)),
    ("1E+5", Number(100000.0)),
    ("1e5", Number(100000.0)),
    ("2.5E-3", Number(0.0025)),
    ('"a"', Text("a")),
    ('""', Text("")),
    ('"say ""hi"" now"', Text('say "hi" now')),
    ('"a\nb"', Text("a\nb")),
    ("TRUE", Logical(True)),
    ("false", Logical(False)),
    ("TRUE()", Call("TRUE", ())),
    ("#N/A", Error("#N/A")),
    ("#DIV/0!", Error("#DIV/0!")),
    ("#name?", Error("#NAME?")),
    ("#GETTING_DATA", Error("#GETTING_DATA")),
    ("{1}", ArrayConst(((ONE,),))),
    (
        '{1,-2;"a;}",TRUE;#N/A,+.5E1}',
        ArrayConst(((ONE, Number(-2.0)), (Text("a;}"), Logical(True)), (Error("#N/A"), Number(5.0)))),
    ),
    ("{ 1 , 2 ; 3 , - 4 }", ArrayConst(((ONE, TWO), (THREE, Number(-4.0))))),
]

REFERENCES: list[tuple[str, Node]] = [
    ("A1", A1),
    ("b3", cell(2, 1)),
    ("$A$1", Cell(fixed(0), fixed(0))),
    ("$B1", Cell(rel(0), fixed(1))),
    ("B$1", Cell(fixed(0), rel(1))),
    ("XFD1048576", cell(1_048_575, 16_383)),
    ("XFE1", Name("XFE1")),
    ("A1048577", Name("A1048577")),
    ("A0", Name("A0")),
    ("A1:B2", area(0, 0, 1, 1)),
    ("B2:A1", area(1, 1, 0, 0)),
    ("$A1:B$2", Area(rel(0), fixed(0), fixed(1), rel(1))),
    ("A1 : B2", area(0, 0, 1, 1)),
    ("2:5", Rows(rel(1), rel(4))),
    ("$2:5", Rows(fixed(1), rel(4))),
    ("A:C", Columns(rel(0), rel(2))),
    ("$A:C", Columns(fixed(0), rel(2))),
    ("Sheet1!A1", cell(0, 0, Prefix("Sheet1"))),
    ("Sheet1!A1:B2", area(0, 0, 1, 1, Prefix("Sheet1"))),
    ("Sheet1!2:5", Rows(rel(1), rel(4), Prefix("Sheet1"))),
    ("Sheet1!A:C", Columns(rel(0), rel(2), Prefix("Sheet1"))),
    ("2024!A1", cell(0, 0, Prefix("2024"))),
    ("'It''s 1'!A1", cell(0, 0, Prefix("It's 1"))),
    ("Jan:Dec!A1", cell(0, 0, Prefix("Jan", "Dec"))),
    ("'Jan 1:Dec 2'!A1", cell(0, 0, Prefix("Jan 1", "Dec 2"))),
    ("'Jan 1':'Dec 2'!A1", cell(0, 0, Prefix("Jan 1", "Dec 2"))),
    ("[1]Sheet1!A1", cell(0, 0, Prefix("Sheet1", None, "1"))),
    ("[1]Jan:Dec!A1", cell(0, 0, Prefix("Jan", "Dec", "1"))),
    ("'[Book 1.xlsx]Sheet 1'!A1", cell(0, 0, Prefix("Sheet 1", None, "Book 1.xlsx"))),
    ("'C:\\x\\[B.xlsx]S'!A1", cell(0, 0, Prefix("S", None, "C:\\x\\B.xlsx"))),
    ("'C:\\x\\B.xlsx'!Rate", Name("Rate", Prefix(book="C:\\x\\B.xlsx"))),
    ("[1]!Rate", Name("Rate", Prefix(book="1"))),
    ("[1]!'Topic!R1C1'", Name("Topic!R1C1", Prefix(book="1"))),
    ("Sheet1!Rate", Name("Rate", Prefix("Sheet1"))),
    ("!A1", A1),
    ("#REF!A1", Error("#REF!")),
    ("#REF!$A$1:$B$2", Error("#REF!")),
    ("Sheet1!#REF!", Error("#REF!")),
    ("[1]Sheet1!#REF!", Error("#REF!")),
    ("Sheet!#REF!:A1", RangeOp(Error("#REF!"), A1)),
    ("A1:#REF!", RangeOp(A1, Error("#REF!"))),
    ("#REF!Fn(1)", Invoke(Error("#REF!"), (ONE,))),
]

NAMES: list[tuple[str, Node]] = [
    ("Rate", Name("Rate")),
    ("_x.y?1", Name("_x.y?1")),
    ("\\back", Name("\\back")),
    ("Größe", Name("Größe")),
    ("दर", Name("दर")),
    ("売上", Name("売上")),
    ("_xlnm.Print_Area", Name("_xlnm.Print_Area")),
    ("_xlpm.x", Name("x")),
    ("_xleta.SUM", Name("SUM", function=True)),
    ("_xlop.y", Structured(None, (), "y")),
    ("TRUEish", Name("TRUEish")),
    ("A1.x", Name("A1.x")),
]

CALLS: list[tuple[str, Node]] = [
    ("PI()", Call("PI", ())),
    ("PI( )", Call("PI", ())),
    ("sum(1,2)", Call("SUM", (ONE, TWO))),
    (" SUM ( \r\n 1 ,\t2 ) ", Call("SUM", (ONE, TWO))),
    ("=SUM(1)", Call("SUM", (ONE,))),
    ("IF(A1,,3)", Call("IF", (A1, Missing(), THREE))),
    ("IF(A1,)", Call("IF", (A1, Missing()))),
    ("F(,)", Call("F", (Missing(), Missing()))),
    ("LOG10(1)", Call("LOG10", (ONE,))),
    ("ATAN2(1,2)", Call("ATAN2", (ONE, TWO))),
    ("BIN2DEC(1)", Call("BIN2DEC", (ONE,))),
    ("T.TEST(1)", Call("T.TEST", (ONE,))),
    ("_xlfn.STDEV.S(1)", Call("STDEV.S", (ONE,))),
    ("_xlfn._xlws.SORT(A1)", Call("SORT", (A1,))),
    ("_xludf.CUSTOM(1)", Call("CUSTOM", (ONE,))),
    ("_xll.ADDIN(1)", Call("_XLL.ADDIN", (ONE,))),
    ("MyFn(1)", Call("MYFN", (ONE,))),
    ("_xlpm.f(1)", Call("F", (ONE,))),
    ("_xlfn.LAMBDA(_xlpm.x,_xlpm.x)(1)", Invoke(Call("LAMBDA", (Name("x"), Name("x"))), (ONE,))),
    ("LAMBDA(x,x)()", Invoke(Call("LAMBDA", (Name("x"), Name("x"))), ())),
    ("MAKE(1)(2)(3)", Invoke(Invoke(Call("MAKE", (ONE,)), (TWO,)), (THREE,))),
    ("(Fn)(1)", Invoke(Paren(Name("Fn")), (ONE,))),
    ("Sheet1!Fn(1)", Invoke(Name("Fn", Prefix("Sheet1")), (ONE,))),
    ("[0]!Macro1()", Invoke(Name("Macro1", Prefix(book="0")), ())),
    ("SUM((A1,B1),C1)", Call("SUM", (Paren(Union((A1, B1))), C1))),
]

OPERATORS: list[tuple[str, Node]] = [
    ("1+2*3", Binary("+", ONE, Binary("*", TWO, THREE))),
    ("1*2+3", Binary("+", Binary("*", ONE, TWO), THREE)),
    ("1-2-3", Binary("-", Binary("-", ONE, TWO), THREE)),
    ("1/2*3", Binary("*", Binary("/", ONE, TWO), THREE)),
    ("1^2^3", Binary("^", Binary("^", ONE, TWO), THREE)),
    ("-2^2", Binary("^", Unary("-", TWO), TWO)),
    ("2^-1", Binary("^", TWO, Unary("-", ONE))),
    ("2^-1*3", Binary("*", Binary("^", TWO, Unary("-", ONE)), THREE)),
    ("2*-3^2", Binary("*", TWO, Binary("^", Unary("-", THREE), TWO))),
    ("--1", Unary("-", Unary("-", ONE))),
    ("1 - -1", Binary("-", ONE, Unary("-", ONE))),
    ("+1", Unary("+", ONE)),
    ("-1%", Unary("-", Percent(ONE))),
    ("1%%", Percent(Percent(ONE))),
    ("2^1%", Binary("^", TWO, Percent(ONE))),
    ("1 %+2", Binary("+", Percent(ONE), TWO)),
    ("1&2+3", Binary("&", ONE, Binary("+", TWO, THREE))),
    ("1=2&3", Binary("=", ONE, Binary("&", TWO, THREE))),
    ("1<2=3", Binary("=", Binary("<", ONE, TWO), THREE)),
    ("1<>2", Binary("<>", ONE, TWO)),
    ("1<=2>=3", Binary(">=", Binary("<=", ONE, TWO), THREE)),
    ("1<-2", Binary("<", ONE, Unary("-", TWO))),
    ("(1+2)*3", Binary("*", Paren(Binary("+", ONE, TWO)), THREE)),
    ("((1))", Paren(Paren(ONE))),
]

REFERENCE_OPERATORS: list[tuple[str, Node]] = [
    ("A1:B2:C3", RangeOp(area(0, 0, 1, 1), cell(2, 2))),
    ("A1:INDEX(B:B,3)", RangeOp(A1, Call("INDEX", (Columns(rel(1), rel(1)), THREE)))),
    ("A1:LOG10(1)", RangeOp(A1, Call("LOG10", (ONE,)))),
    ("Start:Stop", RangeOp(Name("Start"), Name("Stop"))),
    ("Sheet1!Start:Sheet1!Stop", RangeOp(Name("Start", Prefix("Sheet1")), Name("Stop", Prefix("Sheet1")))),
    ("Sheet1!A1:Sheet1!B1", RangeOp(cell(0, 0, Prefix("Sheet1")), cell(0, 1, Prefix("Sheet1")))),
    ("A1 B1", Intersection(A1, B1)),
    ("A1\nB1 C1", Intersection(Intersection(A1, B1), C1)),
    ("A:A 1:1", Intersection(Columns(rel(0), rel(0)), Rows(rel(0), rel(0)))),
    ("A1 (B1)", Intersection(A1, Paren(B1))),
    ("A1:Fn() B1", Intersection(RangeOp(A1, Call("FN", ())), B1)),
    ("(A1,B1)", Paren(Union((A1, B1)))),
    ("(A1,B1 C1,A1)", Paren(Union((A1, Intersection(B1, C1), A1)))),
    ("Sheet1!A1,Sheet1!B1", Union((cell(0, 0, Prefix("Sheet1")), cell(0, 1, Prefix("Sheet1"))))),
    ("A1#", Spill(A1)),
    ("Rate#", Spill(Name("Rate"))),
    ("A1:B1#", RangeOp(A1, Spill(B1))),
    ("_xlfn.ANCHORARRAY(A1)", Spill(A1)),
    ("_xlfn.ANCHORARRAY(A1):B1", RangeOp(Spill(A1), B1)),
    ("@A1:B1", Implicit(area(0, 0, 0, 1))),
    ("@A1:Fn()", Implicit(RangeOp(A1, Call("FN", ())))),
    ("@A1^2", Binary("^", Implicit(A1), TWO)),
    ("-@A1", Unary("-", Implicit(A1))),
    ("@-A1%", Percent(Implicit(Unary("-", A1)))),
    ("A1:@Fn():B1", RangeOp(RangeOp(A1, Implicit(Call("FN", ()))), B1)),
    ("_xlfn.SINGLE(A1)", Implicit(A1)),
    ("SINGLE(A1)", Call("SINGLE", (A1,))),
]

CASES = LITERALS + REFERENCES + NAMES + CALLS + OPERATORS + REFERENCE_OPERATORS


@pytest.mark.parametrize(("text", "tree"), CASES, ids=[text for text, _ in CASES])
def test_text_becomes_tree(text: str, tree: Node) -> None:
    assert parse(text, 0, 0) == tree


def test_relative_references_count_from_the_host() -> None:
    assert parse("B7", 6, 3) == Cell(rel(0), rel(-2))
    assert parse("$B$7:C8", 9, 1) == Area(fixed(6), fixed(1), rel(-2), rel(1))
    assert parse("2:$5", 9, 1) == Rows(rel(-8), fixed(4))
    assert parse("A:$C", 9, 1) == Columns(rel(-1), fixed(2))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("R[1]C[-2]", Cell(rel(1), rel(-2))),
        ("RC", cell(0, 0)),
        ("R5C3", Cell(fixed(4), fixed(2))),
        ("r2c[1]", Cell(fixed(1), rel(1))),
        ("R1C1:RC", Area(fixed(0), fixed(0), rel(0), rel(0))),
        ("R5", Rows(fixed(4), fixed(4))),
        ("R", Rows(rel(0), rel(0))),
        ("R[-1]:R[1]", Rows(rel(-1), rel(1))),
        ("C", Columns(rel(0), rel(0))),
        ("C1:C[3]", Columns(fixed(0), rel(3))),
        ("'S 1'!R1C1", Cell(fixed(0), fixed(0), Prefix("S 1"))),
        ("SUM(R[-2]C:R[-1]C)*ROUND(C2,1)", None),
        ("A1", Name("A1")),
        ("Rate", Name("Rate")),
    ],
)
def test_r1c1(text: str, tree: Node | None) -> None:
    read = parse(text, 7, 7, r1c1=True)
    if tree is None:
        total = Call("SUM", (Area(rel(-2), rel(0), rel(-1), rel(0)),))
        tree = Binary("*", total, Call("ROUND", (Columns(fixed(1), fixed(1)), ONE)))
    assert read == tree


def test_a_long_flat_formula_is_read() -> None:
    text = "+".join(["1"] * 4096)
    assert len(text) == 8191
    assert sum(isinstance(node, Number) for node in walk(parse(text, 0, 0))) == 4096
    areas = ":".join(["A1"] * 2730)
    assert sum(isinstance(node, Cell | Area) for node in walk(parse(areas, 0, 0))) == 1365


@pytest.mark.parametrize("unit", ["(", "SUM(", "-(", "1+2*(", "-", "@", "IF(1,"])
def test_deep_nesting_is_refused_with_a_place(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    closing = ")" * unit.count("(")
    allowed = stacks.MAX_DEPTH // (len(unit.replace("1+2*", "")) - 1 if unit == "-(" else 1)
    parse(unit * (allowed // 2) + "A1" + closing * (allowed // 2), 0, 0)
    with pytest.raises(FormulaTooLarge, match="nested deeper than 256 levels") as caught:
        parse(unit * 5000 + "A1" + closing * 5000, 0, 0)
    assert 0 < caught.value.position < 300 * len(unit)
    monkeypatch.setattr(stacks, "MAX_DEPTH", 3)
    with pytest.raises(FormulaTooLarge, match="deeper than 3"):
        parse(unit * 4 + "A1" + closing * 4, 0, 0)


@pytest.mark.parametrize("unit", ["%", "(1)", "#"])
def test_a_pile_of_postfixes_is_refused(unit: str) -> None:
    parse("A1" + unit * 256 if unit != "(1)" else "F(1)" + unit * 256, 0, 0)
    with pytest.raises(FormulaTooLarge):
        parse("(A1)" + unit * 257, 0, 0)
    flat = "+".join(["A1%"] * 500)
    assert sum(isinstance(node, Percent) for node in walk(parse(flat, 0, 0))) == 500


def test_a_formula_beyond_all_lengths_is_refused() -> None:
    with pytest.raises(FormulaTooLarge, match="more than 32768"):
        parse("1" * (lexer.MAX_LENGTH + 1), 0, 0)
