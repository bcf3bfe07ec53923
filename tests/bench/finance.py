"""A project finance model as a workbook: 30 sheets, 19,062 formulas, 60 months from column C on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name as letters

PROJECTS: Final = tuple(f"P{number:02d}" for number in range(1, 25))
PERIODS: Final = 60
FIRST: Final = 2  #: the column of the first month, from 0
LAST: Final = letters(FIRST + PERIODS - 1)

INPUTS: Final = (
    ("Start date", datetime.datetime(2024, 1, 31)),
    ("Inflation", 0.02),
    ("Tax rate", 0.25),
    ("Discount rate", 0.08),
    ("Interest rate", 0.05),
    ("Gearing", 0.6),
    ("Tenor months", 48),
    ("Growth", 0.01),
    ("Construction months", 12),
    ("Scenario", 2),
    ("Low", 0.9),
    ("Base", 1.0),
    ("High", 1.1),
    ("Name", "Alpha Wind"),
    ("Currency", "eur"),
    ("Min cash", 100.0),
    ("Scenario factor", "=CHOOSE(B10,B11,B12,B13)"),
    ("Code", '=UPPER(LEFT(B14,3))&"-"&UPPER(B15)'),
    ("Monthly inflation", "=(1+B2)^(1/12)-1"),
    ("Monthly discount", "=(1+B4)^(1/12)-1"),
)

# Lines of a sheet: (label, formula of a month, formula of the first month where it differs).
# {c} is the column, {p} the one before it.
Line = tuple[str, str, str | None]

TIMELINE: Final[Sequence[Line]] = (
    ("period", "={p}1+1", "=1"),
    ("start", "={p}3+1", "=Inputs!$B$1"),
    ("end", "=EOMONTH(EDATE(Inputs!$B$1,{c}1-1),0)", None),
    ("year", "=YEAR({c}3)", None),
    ("month", "=MONTH({c}3)", None),
    ("operating", "=IF({c}1>Inputs!$B$9,1,0)", None),
    ("label", '=Inputs!$B$18&" "&{c}4&"-"&RIGHT("0"&{c}5,2)', None),
)
MACRO: Final[Sequence[Line]] = (
    ("inflation index", "={p}1*(1+Inputs!$B$19)", "=1"),
    ("growth index", "=(1+Inputs!$B$8)^INT((Timeline!{c}$1-1)/12)", None),
    ("discount factor", "=1/(1+Inputs!$B$20)^Timeline!{c}$1", None),
    ("price", "=ROUND(50*{c}1*{c}2*Inputs!$B$17,4)", None),
    ("seasonality", "=IF(OR(Timeline!{c}$5<=3,Timeline!{c}$5>=10),1.2,0.8)", None),
)
#: From row 6 on; {k} is the project's number modulo 3.
PROJECT: Final[Sequence[Line]] = (
    ("volume", "=$B$1*$B$2*Macro!{c}$5*Timeline!{c}$6*DAY(Timeline!{c}$3)/30", None),
    ("price", "=Macro!{c}$4*(1+{k}*0.01)", None),
    ("revenue", "={c}6*{c}7", None),
    ("opex", "=-{c}6*$B$3*Macro!{c}$1-IF(Timeline!{c}$6=1,Inputs!$B$16,0)", None),
    ("ebitda", "={c}8+{c}9", None),
    ("capex", "=IF(Timeline!{c}$1<=Inputs!$B$9,-$B$4/Inputs!$B$9,0)", None),
    ("depreciation", f"=IF(Timeline!{{c}}$6=1,-$B$4/MAX(1,{PERIODS}-Inputs!$B$9),0)", None),
    ("ebit", "={c}10+{c}12", None),
    ("tax", "=-MAX(0,{c}13)*Inputs!$B$3", None),
    ("cash flow", "={c}10+{c}11+{c}14", None),
    ("cum cash", "={p}16+{c}15", "={c}15"),
    ("flag", '=IF(AND({c}16<0,Timeline!{c}$6=1),"neg",IF({c}15<0,"capex","ok"))', None),
)
CONSOLIDATED: Final[Sequence[Line]] = tuple(
    (f"sum line {row}", "=" + "+".join(f"{name}!{{c}}{row}" for name in PROJECTS), None)
    for row in (6, 8, 9, 10, 11, 12, 13, 14, 15)
)
DEBT: Final[Sequence[Line]] = (
    ("opening", "={p}6", "=0"),
    ("draw", "=-Consol!{c}5*Inputs!$B$6", None),
    ("payment", "=IF(Timeline!{c}$6=1,MIN($B$10,{c}1*(1+Inputs!$B$5/12)),0)", None),
    ("interest", "={c}1*Inputs!$B$5/12", None),
    ("principal", "=IF(Timeline!{c}$6=1,{c}3-{c}4,-{c}4)", None),
    ("closing", "={c}1+{c}2-{c}5", None),
    ("dscr", "=IF({c}3>0,ROUND((Consol!{c}4+Consol!{c}8)/{c}3,3),0)", None),
    ("net cf", "=Consol!{c}9+{c}2-{c}3", None),
)
RETURNS: Final = (
    ("Project NPV", f"=NPV(Inputs!B20,Consol!C9:{LAST}9)"),
    ("Project IRR", f"=(1+IRR(Consol!C9:{LAST}9,0.01))^12-1"),
    ("Equity NPV", f"=NPV(Inputs!B20,Debt!C8:{LAST}8)"),
    ("Equity IRR", f"=(1+IRR(Debt!C8:{LAST}8,0.02))^12-1"),
    ("Check NPV", f"=SUMPRODUCT(Consol!C9:{LAST}9,Macro!C3:{LAST}3)"),
    ("Diff", "=ROUND(B1-B5,6)"),
    ("Min DSCR", f"=MIN(Debt!O7:{LAST}7)"),
    ("Max debt", f"=MAX(Debt!C6:{LAST}6)"),
    ("End date", f'=TEXT(Timeline!{LAST}3,"yyyy-mm-dd")'),
    ("Revenue year 2", f"=SUMIF(Timeline!C4:{LAST}4,Timeline!C4+1,Consol!C2:{LAST}2)"),
    ("Verdict", '=IF(AND(B2>Inputs!B4,B7>1.05),"invest","reject")'),
    ("Negative projects", "=" + "+".join(f"IF({name}!{LAST}16<0,1,0)" for name in PROJECTS)),
)


def finance(path: Path) -> None:
    """Inputs, Timeline, Macro, P01 to P24, Consol, Debt, Returns."""
    book = xlsxwriter.Workbook(path)
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Inputs")
    _pairs(sheet, INPUTS)
    sheet.write_datetime("B1", INPUTS[0][1], date)
    _lines(book.add_worksheet("Timeline"), TIMELINE, formats={1: date, 2: date})
    _lines(book.add_worksheet("Macro"), MACRO)
    for number, name in enumerate(PROJECTS, 1):
        _project(book.add_worksheet(name), number, name)
    _lines(book.add_worksheet("Consol"), CONSOLIDATED)
    sheet = book.add_worksheet("Debt")
    _lines(sheet, DEBT)
    sheet.write_formula("B9", f"=-SUM(Consol!C5:{LAST}5)*Inputs!B6")
    sheet.write_formula("B10", "=PMT(Inputs!B5/12,Inputs!B7,-B9)")
    _pairs(book.add_worksheet("Returns"), RETURNS)
    book.close()


def _project(sheet: Any, number: int, name: str) -> None:
    facts = (80 + number * 3.0, 0.9 + (number % 5) / 100, 11 + number % 7, 24_000.0 + 500 * number)
    _pairs(sheet, zip(("capacity", "availability", "unit cost", "capex total"), facts, strict=True))
    _lines(sheet, PROJECT, top=5, k=number % 3)
    sheet.write_string("A18", "note")
    sheet.write_formula("B18", f'=CONCATENATE("{name}"," ",TEXT(SUM(C8:{LAST}8),"0.00")," ",Inputs!B18)')


def _pairs(sheet: Any, pairs: Any) -> None:
    for row, (label, value) in enumerate(pairs):
        sheet.write_string(row, 0, label)
        if not isinstance(value, datetime.datetime):
            sheet.write(row, 1, value)


def _lines(
    sheet: Any, lines: Sequence[Line], *, top: int = 0, formats: Mapping[int, Any] | None = None, k: int = 0
) -> None:
    for row, (label, formula, first) in enumerate(lines, top):
        sheet.write_string(row, 0, label)
        for column in range(FIRST, FIRST + PERIODS):
            text = first if first and column == FIRST else formula
            here = text.format(c=letters(column), p=letters(column - 1), k=k)
            sheet.write_formula(row, column, here, (formats or {}).get(row))
