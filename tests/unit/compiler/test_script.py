"""The script as a whole: allowed, the same every time, each line where the map says, whatever a workbook holds."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheetrun.compiler.script import Script, compile_workbook
from sheetrun.formula.a1 import quote_sheet
from sheetrun.sandbox.allowlist import check
from sheetrun.service.scripts import SCRIPT_POLICY
from sheetrun.workbook.model import Settings, Table, Workbook
from sheetrun.workbook.store import dump, load

from .grids import workbooks
from .hostile import HOSTILE, texts
from .making import error, rect_of, run, script_of, workbook_of

#: What XML cannot hold never arrives in a workbook, but nothing here may rely on that.
_titles = texts.filter(lambda t: t.strip()).map(lambda t: t[:40])


def as_stored(text: str) -> bytes:
    """UTF-16, as Excel has it: there two halves of a surrogate pair that meet are one character."""
    return text.encode("utf-16-le", "surrogatepass")


def in_formula(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_titles, min_size=2, max_size=2, unique_by=str.casefold),
    texts,
    texts.map(lambda t: t[:200]),
    texts.map(lambda t: t[:60]),
)
def test_hostile_workbooks(titles: list[str], cell: str, inside: str, column: str) -> None:
    """Sheet names, cells, labels, texts in formulas, table columns and the file's name, all hostile."""
    first, second = titles
    quoted = "'" + second.replace("'", "''") + "'"
    workbook = workbook_of(
        {
            "A1": "'" + cell,
            "B1": "=A1",
            "C1": "=" + in_formula(inside),
            "D1": "=A1=" + in_formula(cell),
            "E1:E3": "=LEN($A$1)+0*E5",
            "F1": "=SUM(T1)",
        },
        {"A1": 5, "B1:B2": "=$A$1*2"},
        titles=titles,
        names={"Far": f"{quoted}!$B$2", "T1": "1"},
        tables=[Table("Tab", 0, rect_of("H1:H3"), (column or "x",))],
        filename=inside,
    )
    script = compile_workbook(workbook)
    assert script.refused == ()
    check(script.text, SCRIPT_POLICY)
    assert script.text.encode("utf-8").decode("utf-8") == script.text
    tree = ast.parse(script.text)
    assert [type(n).__name__ for n in tree.body[:2]] == ["Expr", "ImportFrom"]
    got = run(workbook).cells()
    prefix = quote_sheet(first) + "!"
    if len(cell) <= 32767:
        assert as_stored(got[prefix + "B1"]) == as_stored(cell)
        assert got[prefix + "D1"] is True
    assert as_stored(got[prefix + "C1"]) == as_stored(inside)
    assert got[quote_sheet(second) + "!B2"] == 10


@pytest.mark.parametrize("text", HOSTILE)
def test_each_hostile_text_everywhere(text: str) -> None:
    title = text or "x"
    workbook = workbook_of(
        {"A1": "'" + text, "B1": "=A1&" + in_formula(text), "A2": "'" + text, "B2:B4": "=A2&1"},
        {"A1": "=1"},
        titles=[title, title + "2"],
        filename=text,
    )
    script = compile_workbook(workbook)
    check(script.text, SCRIPT_POLICY)
    got = run(workbook).cells()[quote_sheet(title) + "!B1"]
    assert as_stored(got) == as_stored(text + text)


def test_a_refused_formula_does_not_reach_the_script() -> None:
    script = script_of({"A1": '=SYSTEM("rm -rf")', "A2": '=__import__("os")', "A3": "=1+1", "A4": "=EVAL(1)+"})
    assert {r.code for r in script.refused} == {"unknown_function", "bad_formula"}
    assert "rm -rf" not in script.text
    assert "__import__" not in script.text
    check(script.text, SCRIPT_POLICY)


def test_formulas_of_numbers_beyond_all_floats() -> None:
    """Excel writes no such number; a file from elsewhere may."""
    workbook = workbook_of({"A1": "=1E999", "A2": "=1+1", "A3": "=-1E999*2"})
    script = compile_workbook(workbook)
    check(script.text, SCRIPT_POLICY)
    assert run(workbook).cells()["Sheet1!A2"] == 2


def test_deep_formulas_are_computed_or_refused() -> None:
    deep = {
        "A1": "=" + "(" * 60 + "1" + ")" * 60,
        "A2": "=" + "IF(TRUE," * 60 + "1" + ")" * 60,
        "A3": "=" + "-" * 500 + "1",
        "A4": "=1" + "+1" * 3000,
        "A5": '="a"' + '&"b"' * 1500,
        "A6": "=" + "SUM(" * 60 + "B1" + ")" * 60,
        "A7": "=1+1",
        "A8": "=1" + "/1" * 300,
        "A9": "=1" + "+1" * 300,
    }
    workbook = workbook_of(deep)
    script = compile_workbook(workbook)
    check(script.text, SCRIPT_POLICY)
    got = run(workbook).cells()
    assert {r.rect.top + 1: r.code for r in script.refused} == {3: "bad_formula", 4: "too_deep", 8: "too_deep"}
    assert got["Sheet1!A1"] == got["Sheet1!A2"] == 1
    assert got["Sheet1!A5"] == "a" + "b" * 1500
    assert got["Sheet1!A6"] == 0
    assert got["Sheet1!A7"] == 2
    assert got["Sheet1!A9"] == 301


# -- the same every time -----------------------------------------------------------------------------------------------


def fields(script: Script) -> tuple[Any, ...]:
    return script.text, script.lines, script.refused, script.volatile, script.needs


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(workbooks())
def test_the_same_workbook_gives_the_same_script(workbook: Workbook) -> None:
    script = compile_workbook(workbook)
    assert fields(compile_workbook(workbook)) == fields(script)
    assert fields(compile_workbook(load(dump(workbook)))) == fields(script)
    check(script.text, SCRIPT_POLICY)
    for mapped in script.lines:
        line = script.text.splitlines()[mapped.line - 1]
        assert "] = " in line or ".spill(" in line or ".define" in line


def varied() -> Workbook:
    """Loops, solves, wholes, several sheets and names; many units so that any order by hash would show."""
    first: dict[str, Any] = {f"{c}{r}": f"=Sheet2!{c}{r}+{c}{r + 20}" for c in "ABCDEF" for r in range(1, 9, 2)}
    first |= {"H2:H20": "=H1+I2", "I3:I20": "=H2*2", "J1": "=OFFSET(A1,1,1)", "K1": "=SUM(A:F)+RAND()", "L1": "=FOO(1)"}
    second: dict[str, Any] = {f"{c}{r}": f"=Sheet1!{c}{r + 1}*Rate" for c in "ABCDEF" for r in range(1, 9, 2)}
    return workbook_of(first, second, names={"Rate": "Sheet1!$Z$1", "Other": "Sheet1!$Z$2"})


def test_the_script_does_not_depend_on_hashes() -> None:
    program = (
        "import sys, hashlib; from tests.unit.compiler.test_script import varied; "
        "from sheetrun.compiler.script import compile_workbook; s = compile_workbook(varied()); "
        "print(hashlib.sha256(repr((s.text, s.lines, s.refused, s.volatile, s.needs)).encode()).hexdigest())"
    )
    root = __file__.rsplit("/tests/", 1)[0]
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(seen) == 1


def test_the_order_of_names_and_strings_does_not_show() -> None:
    one, other = varied(), varied()
    other.names.reverse()
    assert compile_workbook(one).text == compile_workbook(other).text


# -- the line map ------------------------------------------------------------------------------------------------------


def test_the_map_points_to_the_lines() -> None:
    script = compile_workbook(varied())
    lines = script.text.splitlines()
    found = {(m.sheet, m.address): lines[m.line - 1].strip() for m in script.lines}
    assert found["Sheet1", "A1"].startswith("sheet1['A1'] = ")
    assert found["Sheet1", "H2:H20"].startswith("sheet1_h[r] = ")
    assert found["Sheet1", "I3:I20"].startswith("sheet1_i[r] = ")
    assert found["Sheet1", "J1"].startswith("sheet1.define('J1', ")
    assert found["Sheet2", "C5"].startswith("sheet2['C5'] = ")
    mapped = {(m.sheet, m.address) for m in script.lines}
    assert ("Sheet1", "L1") not in mapped
    assert len(mapped) == len(script.lines) == script.blocks


def test_the_map_counts_lines_as_python_does() -> None:
    """Comments hold no character at which a line ends for anyone."""
    script = script_of({"A1": "'a\u2028b\x0bc\x85d", "B1": '="x\u2028\x0b\x1cy"', "C1": "=B1"})
    assert script.text.split("\n") == [*script.text.splitlines(), ""]
    (line,) = (m.line for m in script.lines if m.address == "C1")
    assert "['C1'] = " in script.text.split("\n")[line - 1]
    assert json.loads(script.line_map())[0][1:] == ["Sheet1", "B1"]


def test_each_block_stands_under_its_range_and_formula() -> None:
    script = script_of({"A1": "Growth", "B1:D1": "=B2*2", "A4": "Sum", "B4": "{=SUM(B2:D2)}", "B6:B7": "#=B2:B3"})
    assert "    # B1:D1 Growth: =B2*2\n" in script.text
    assert "    # B4 Sum: {=SUM(B2:D2)}\n" in script.text
    assert "    # B6:B7: =B2:B3\n" in script.text


def test_long_sheets_have_several_functions() -> None:
    cells = {f"{c}{r}": f"={r}" for c in "ACEG" for r in range(1, 60, 2)}
    script = script_of(cells)
    functions = [n for n in ast.parse(script.text).body if isinstance(n, ast.FunctionDef)]
    assert 2 < len(functions) < 6
    assert len({f.name for f in functions}) == len(functions)


# -- what is reported --------------------------------------------------------------------------------------------------


def test_volatile_blocks_and_all_that_hang_on_them() -> None:
    script = script_of({"A1": "=RAND()", "A3": "=A1+1", "A5": "=A3*2", "A7": "=NOW()", "A9": "=1", "A11": "=A9"})
    assert {rect.top + 1 for _, rect in script.volatile} == {1, 3, 5, 7}


def test_needs_of_blocks() -> None:
    script = script_of({"A1": "=1", "A3:A5": "=A$1", "B1": "=SUM(A1:A9)"})
    needs = {rect.top: sorted(r.top for _, r in reads) for (_, rect), reads in script.needs.items() if rect.left == 0}
    assert needs == {0: [], 2: [0]}
    assert sorted(r.top for _, r in script.needs[0, rect_of("B1")]) == [0, 2]


def test_one_unit_of_a_loop_that_cannot_be_written_spares_the_others() -> None:
    cells = {"A1": 1, "A2:A9": "=A1+1", "B2:B9": "=B1+XYZZY(A2)", "C2:C9": "=C1+A2"}
    workbook = workbook_of(cells, cached={f"B{r}": 7 for r in range(2, 10)})
    got = run(workbook).cells()
    assert got["Sheet1!A9"] == 9
    assert got["Sheet1!B5"] == 7
    assert got["Sheet1!C9"] == sum(range(2, 10))


def test_a_workbook_without_formulas_has_a_script_all_the_same() -> None:
    script = script_of({"A1": 1})
    check(script.text, SCRIPT_POLICY)
    assert script.lines == ()


def test_settings_do_not_change_the_script() -> None:
    one = compile_workbook(workbook_of({"A1": "=1"}, settings=Settings(date1904=True, iterate=True)))
    assert one.text == compile_workbook(workbook_of({"A1": "=1"})).text


def test_errors_as_values() -> None:
    got = run(workbook_of({"A1": "=#N/A", "A2": "=#REF!+1", "A3": "=Sheet9!A1", "A4": "=Nothing"})).cells()
    assert list(got.values()) == [error("#N/A"), error("#REF!"), error("#REF!"), error("#NAME?")]


# -- names -------------------------------------------------------------------------------------------------------------


def test_sheets_functions_and_variables_never_share_a_name() -> None:
    long = "ﬃ" * 31  # 93 characters as ASCII
    titles = ["Data", "Data A1", "Data C1", "x", long, long[:-1] + "é", "Fn"]
    workbook = workbook_of(
        {"A1": "='Data A1'!A1+'Data C1'!A1", "C1": "=A1+1", "E1": "=OFFSET(A1,0,0)", "E3": "=OFFSET(A1,0,2)"},
        {"A1": 10, "A2": "=Data!C1"},
        {"A1": 5, "A2": "=OFFSET(A1,0,0)"},
        {
            "A1": "=LET(x,3,data,4,data_a1,5,x_a1,6,Fn,7,x+data+data_a1+x_a1+Fn+Data!A1+'Data A1'!A1+x!B1+Fn!A1)",
            "B1": 1,
        },
        {"A1": f"=LET(ffiffi,1,ffiffi+'{titles[5]}'!A1)", "A3": "=OFFSET(A1,0,0)"},
        {"A1": 2, "A2": "=A1"},
        {"A1": 8, "A2": "=Fn(2)+LET(Fn,1,Fn)", "A3": "=OFFSET(A2,0,0)"},
        titles=titles,
        names={"Fn": "LAMBDA(x,x*100)"},
    )
    script = compile_workbook(workbook)
    check(script.text, SCRIPT_POLICY)
    got = run(workbook).cells()
    assert got["Data!C1"] == 16
    assert got["x!A1"] == 3 + 4 + 5 + 6 + 7 + 15 + 10 + 1 + 8
    assert got[f"{quote_sheet(titles[4])}!A1"] == 3
    assert got["Fn!A2"] == 201


def test_a_function_is_called_also_where_a_cell_has_its_name() -> None:
    workbook = workbook_of(
        {"A1": 1, "A2": 2, "A3": "=SUBTOTAL(9,A1:A2)", "A4": "=IFERROR(Subtotal*2,0)"},
        names={"Subtotal": "Sheet1!$A$3"},
    )
    got = run(workbook).cells()
    assert (got["Sheet1!A3"], got["Sheet1!A4"]) == (3, 6)


def test_aggregate_takes_an_array_without_an_array_formula() -> None:
    cells = {
        "A1": "x",
        "A2": None,
        "A3": "y",
        "C1:C3": '=IFERROR(AGGREGATE(15,6,ROW(A$1:A$3)/(A$1:A$3<>""),ROWS(C$1:C1)),"-")',
    }
    got = run(workbook_of(cells)).cells()
    assert [got[f"Sheet1!C{r}"] for r in (1, 2, 3)] == [1, 3, "-"]


def test_counta_of_a_let() -> None:
    got = run(workbook_of({"A1": "x", "B1": "=COUNTA(LET(x,A1,x&1),A2)", "C1": "#=COUNTA(LET(x,A1:A2,x))"})).cells()
    assert (got["Sheet1!B1"], got["Sheet1!C1"]) == (1, 1)


def test_variables_of_formulas_hide_nothing() -> None:
    got = run(
        workbook_of(
            {
                "A1": 2,
                "B1": "=LET(Sheet1,5,Sheet1+A1)",
                "B2": "=LET(r,1,c,2,book,3,SUM(r,c,book))",
                "B3:B5": "=LET(r,A$1,c,ROW(),r+c)",
                "B6": "=LET(let,1,num,2,rows,3,let+num+rows)",
                "B7": "=LET(x,1,X+LET(x,5,x)+x)",
                "B8": "=LAMBDA(sum,sum+1)(SUM(1,2))",
                "B9": "=LET(f,LAMBDA(x,x*A1),f(3)+f(4))",
                "B10": "=LET(été,1,ete,2,été*10+ete)",
            }
        )
    ).cells()
    assert list(got.values()) == [7, 6, 5, 6, 7, 6, 7, 4, 14, 12]
