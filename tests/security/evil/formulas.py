"""Formulas that are hard to read or without end to compute, many to a workbook; ``UP`` is the cell above."""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.security.evil.books import CASES, Case
from tests.unit.workbook.books import parts_of, sheet_xml, zip_of

UP = "UP"


def formulas(*texts: str, array: bool = False) -> bytes:
    """One formula a row, in column B of the first sheet; the second has a cell at each end."""
    rows = ""
    for n, text in enumerate(texts, 1):
        text = text.replace(UP, f"B{n - 1}")
        kind = f' t="array" ref="B{n}"' if array else ""
        cells = f'<c r="A{n}"><v>{n}</v></c><c r="B{n}"><f{kind}>{escape(text)}</f><v>0</v></c>'
        rows += f'<row r="{n}">{cells}</row>'
    data = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    return zip_of(parts_of(sheet_xml(rows), sheet_xml(data)))


def names(pairs: dict[str, str], *texts: str) -> bytes:
    defined = "".join(f'<definedName name="{name}">{escape(text)}</definedName>' for name, text in pairs.items())
    rows = "".join(f'<row r="{n}"><c r="B{n}"><f>{escape(t)}</f><v>0</v></c></row>' for n, t in enumerate(texts, 1))
    return zip_of(parts_of(sheet_xml(rows), workbook=f"<definedNames>{defined}</definedNames>"))


def computed(name: str, *texts: str, codes: tuple[str, ...] = ("",)) -> None:
    CASES[name] = Case(lambda: formulas(*texts, array=True), frozenset(codes))


def case(*codes: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES[make.__name__.replace("_", " ")] = Case(make, frozenset(codes))
        return make

    return register


# ---- what they say ----------------------------------------------------------------------------------------------------


@case("formula_too_long")
def a_formula_of_ten_megabytes() -> bytes:
    return formulas("1" + "+1" * 5_000_000)


@case("formula_too_long")
def a_million_parentheses() -> bytes:
    return formulas("(" * 1_000_000 + "1" + ")" * 1_000_000)


@case("", "too_deep", "bad_formula", "out_of_memory")
def formulas_that_are_hard_to_read() -> bytes:
    return formulas(
        "(" * 60_000,
        "(" * 4000 + "1" + ")" * 4000,
        "IF(1," * 1000 + "1" + ")" * 1000,
        "-" * 8000 + "1",
        "1" + "%" * 8000,
        "A1" + "&A1" * 2700,
        "{" * 8000,
        "SUM({" + ",".join("1" for _ in range(4000)) + "})",
        '"' * 8001,
        "SUM((" + ",".join(["S2!A1:XFD1048576"] * 500) + "))",
        "SUM(" + " ".join(["S2!A1:XFD1048576"] * 500) + ")",
        ":".join(["A1"] * 2000),
        "LAMBDA(x," * 200 + "1" + ")" * 200 + "(1)" * 200,
        "cmd|' /C calc'!A0",
        "\udcff".encode("utf-8", "replace").decode() + "+1",
    )


# ---- what they compute ------------------------------------------------------------------------------------------------

computed("a text that doubles itself", 'REPT("x",1000)', *(f"{UP}&{UP}" for _ in range(200)))
computed(
    "texts that grow",
    'REPT("x",1000000000)',
    'REPT(REPT(REPT("xxxxxxxxxx",3000),3000),3000)',
    'REPT("x",30000)',
    *(f"TEXTJOIN({UP},FALSE,{UP},{UP},{UP})" for _ in range(40)),
    'REPT("x",30000)',
    *(f'SUBSTITUTE({UP},"x","xx")' for _ in range(40)),
    'TEXT(1,REPT("0",30000))',
    'TEXT(1,REPT("[>1]0;",5000))',
    'TEXT(A1,REPT("\\x",10000))',
    "BASE(9007199254740991,2,255)",
    'DECIMAL(REPT("Z",255),36)',
    'MATCH(REPT("*a",100)&"b",D1:D9,0)',
    'COUNTIF(C1:C9,REPT("*?",127))',
    'SEARCH(REPT("*a",100),REPT("a",30000))',
    '_xlfn.FILTERXML("<!DOCTYPE x [<!ENTITY a ""ha""><!ENTITY b ""&a;&a;"">]><x>&b;</x>","//x")',
    '_xlfn.FILTERXML(REPT("<x>",5000)&REPT("</x>",5000),"//x")',
    '_xlfn.REDUCE("x",_xlfn.SEQUENCE(100000),_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlpm.a&_xlpm.a))',
)
computed(
    "arrays that grow",
    "SUM(S2!A1:XFD1048576*S2!A1:XFD1048576)",
    "SUM(S2!C1:C1048576*TRANSPOSE(S2!C1:C1048576))",
    "SUMPRODUCT(--(S2!C1:C1048576=TRANSPOSE(S2!D1:D1048576)))",
    "SUM(_xlfn.SEQUENCE(1048576,16384))",
    "SUM(_xlfn.SEQUENCE(1E+300,1E+300))",
    "SUM(_xlfn.RANDARRAY(1048576,16384))",
    "SUM(_xlfn.MAKEARRAY(1048576,16384,_xlfn.LAMBDA(_xlpm.r,_xlpm.c,_xlpm.r)))",
    "SUM(_xlfn.EXPAND(A1,1048576,16384,1))",
    "SUM(_xlfn.VSTACK(S2!C1:XFD1048576,S2!C1:XFD1048576,S2!C1:XFD1048576))",
    "SUM(_xlfn.TOROW(S2!A1:XFD1048576))",
    "SUM(MMULT(_xlfn.SEQUENCE(20000,1000),_xlfn.SEQUENCE(1000,20000)))",
    "SUM(MINVERSE(_xlfn.RANDARRAY(8000,8000)))",
    "SUM(_xlfn.MUNIT(100000))",
    "SUM(OFFSET(S2!A1,0,0,1048576,16384))",
    "SUM(OFFSET(A1,1E+300,0))",
    'INDIRECT(REPT("A",30000))',
    "SUM(_xlfn.REDUCE(1,_xlfn.SEQUENCE(100),_xlfn.LAMBDA(_xlpm.a,_xlpm.b,_xlfn.VSTACK(_xlpm.a,_xlpm.a))))",
    codes=("", "too_large", "out_of_memory"),
)
computed(
    "numbers that grow",
    "10^10^10^10",
    "FACT(1E+9)",
    "COMBIN(1E+15,5E+14)",
    "MULTINOMIAL(1E+9,1E+9)",
    "FACTDOUBLE(1E+9)",
    "PERMUT(1E+15,1E+14)",
    "LCM(9007199254740991,9007199254740881)",
    "BESSELJ(1E+300,1E+300)",
)
computed(
    "an evil pattern",
    '_xlfn.REGEXTEST(REPT("a",30000)&"!","(a+)+$")',
    '_xlfn.REGEXREPLACE(REPT("a",5000),"(a|aa)+$","b")',
    codes=("timed_out",),
)
computed(
    "cells that need each other",
    "B2",
    "B1",
    'INDIRECT("B3")',
    "OFFSET(B4,0,0)",
    "SUM(B1:B9)",
    codes=("circular_reference",),
)
computed(
    "what is on the web",
    '_xlfn.WEBSERVICE("http://169.254.169.254/latest/meta-data/")',
    '_xlfn.IMAGE("http://169.254.169.254/x.png")',
    'HYPERLINK("http://169.254.169.254/","x")',
    codes=("", "web_service", "picture"),
)


@case("")
def lambdas_that_call_themselves_for_ever() -> bytes:
    defined = {
        "F": "_xlfn.LAMBDA(_xlpm.x,F(_xlpm.x+1))",
        "G": "_xlfn.LAMBDA(_xlpm.x,G(_xlpm.x)+G(_xlpm.x))",
        "H": "_xlfn.LAMBDA(_xlpm.x,H(_xlpm.x&_xlpm.x))",
    }
    return names(defined, "F(1)", "G(1)", 'H("x")')


@case("recursive_name")
def names_that_mean_each_other() -> bytes:
    return names({"one": "two+1", "two": "three+1", "three": "one+1"}, "one")


@case("", "recursive_name", "too_long")
def names_upon_names() -> bytes:
    defined = {f"name_{n}": f"name_{n - 1}+1" for n in range(1, 20_000)}
    doubling = {f"twice_{n}": f"twice_{n - 1}+twice_{n - 1}" for n in range(1, 60)}
    return names({"name_0": "1", "twice_0": "1", **defined, **doubling}, "name_19999", "twice_59", "twice_25")


@case("")
def cells_upon_cells() -> bytes:
    return formulas("1", *(f"{UP}+1" for _ in range(20_000)), *(f"IF({UP}>{UP}+1,{UP},{UP}+{UP})" for _ in range(500)))
