"""A defined LAMBDA that cannot be used costs the cells that call it, each time, and nothing else."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from sheetrun.service import local


def test_cells_that_call_it_keep_excels_values(tmp_path: Path) -> None:
    path = tmp_path / "lambda.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("S")
    book.define_name("BADFN", "=_xlfn.LAMBDA(_xlpm.x,[9]Other!A1+_xlpm.x)")
    book.define_name("GOODFN", "=_xlfn.LAMBDA(_xlpm.x,_xlpm.x+1)")
    sheet.write("A1", 2)
    sheet.write_formula("B1", "=BADFN(A1)", None, 5)
    sheet.write_formula("B2", "=BADFN(A1)+BADFN(1)", None, 6)
    sheet.write_formula("B3", "=GOODFN(A1)", None, 0)
    book.close()
    done = local.open_model(path).run(sandboxed=False)
    assert done.cells() == {"S!B1": 5, "S!B2": 6, "S!B3": 3}
    assert {(e["cell"], e["code"]) for e in done.proof.errors} == {("S!B1", "external_link"), ("S!B2", "external_link")}
