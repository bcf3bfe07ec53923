"""The dashboard: what the model says, whether it adds up, and three pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from solar_book import FIRST, INK, LAST, LAST_LETTER, LINE, TEAL, Book, Timeline, formula
from solar_model import YEARS, irr, npv
from xlsxwriter.worksheet import Worksheet

#: (label, defined name, formula, number format, value, unit)
Figure = tuple[str, str, str, str, Any, str]


def write_dashboard(b: Book, sheet: Worksheet) -> None:
    rows = figures(b)
    for row, (label, name, text, number, result, unit) in enumerate(rows, 3):
        sheet.write_string(row, 0, label, b.style("big_label"))
        formula(sheet, row, 1, text, b.style("big", number), result)
        sheet.write_string(row, 2, unit, b.style("big_label"))
        if name:
            b.name(name, f"Dashboard!$B${row + 1}")
    row = 4 + len(rows)
    write_verdict(b, sheet, row)
    write_checks(b, sheet, row + 2)
    write_blocks(b, sheet, row + 9)
    add_charts(b, sheet)


def figures(b: Book) -> list[Figure]:
    m, r, i = b.model, b.model.rows, b.model.inputs
    ops, debt, returns = (b.timelines[name] for name in ("Operations", "Debt", "Returns"))
    covers = [value for value in r["dscr"] if not math.isnan(value)]
    equity, project = returns.span("equity_flow", "D"), returns.span("project_flow", "D")
    construction = f"Returns!$D${returns.line('equity_flow')}"
    value = npv(i.discount, r["equity_flow"][1:]) + r["equity_flow"][0]
    lcoe = (m.capex + npv(i.discount, r["opex"])) / npv(i.discount, r["energy"]) * 1000
    costs, energy = f"NPV(DiscountRate,{ops.span('opex')})", f"NPV(DiscountRate,{ops.span('energy')})"
    back = f"MATCH(TRUE,INDEX({returns.span('cumulative', 'D')}>=0,0),0)"
    free = f"MATCH(0,{debt.span('closing')},0)"
    paid_back = next(year for year, total in enumerate(r["cumulative"]) if total >= 0)
    debt_free = next((n for n, left in enumerate(r["closing"], 1) if left == 0), YEARS)
    first_energy = f"=Operations!E{ops.line('energy')}"
    return [
        ("Capacity", "", "=Capacity", "0.0", m.capacity, "MWp"),
        ("Energy in the first year", "FirstYearEnergy", first_energy, "#,##0", r["energy"][0], "MWh"),
        ("Capital expenditure", "", "=Capex", "#,##0", m.capex, "k€"),
        ("Project IRR", "ProjectIRR", f"=IRR({project})", "0.00%", irr(r["project_flow"]), ""),
        ("Equity IRR", "EquityIRR", f"=IRR({equity})", "0.00%", irr(r["equity_flow"]), ""),
        (
            "Equity NPV",
            "EquityNPV",
            f"=NPV(DiscountRate,{returns.span('equity_flow')})+{construction}",
            "#,##0",
            value,
            "k€",
        ),
        ("Levelised cost of energy", "LCOE", f"=(Capex+{costs})/{energy}*1000", "0.00", lcoe, "€/MWh"),
        ("Debt service cover, least", "MinDSCR", f"=MIN({debt.span('dscr')})", "0.00", min(covers), "×"),
        ("Debt service cover, average", "AvgDSCR", f"=AVERAGE({debt.span('dscr')})", "0.00", _mean(covers), "×"),
        (
            "Equity is paid back in year",
            "PaybackYear",
            f"=INDEX({returns.span('year', 'D')},{back})",
            "0",
            paid_back,
            "",
        ),
        (
            "Debt is repaid in year",
            "DebtFreeYear",
            f"=IFERROR(INDEX({debt.span('year')},{free}),{YEARS})",
            "0",
            debt_free,
            "",
        ),
    ]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def write_verdict(b: Book, sheet: Worksheet, row: int) -> None:
    i, rate = b.model.inputs, irr(b.model.rows["equity_flow"])
    text = (
        '="Equity earns "&TEXT(EquityIRR,"0.0%")&", "&IF(EquityIRR>=DiscountRate,"above","below")'
        '&" the "&TEXT(DiscountRate,"0.0%")&" asked for, in the "&LOWER(PriceCase)&" price case."'
    )
    said = (
        f"Equity earns {rate * 100:.1f}%, {'above' if rate >= i.discount else 'below'} "
        f"the {i.discount * 100:.1f}% asked for, in the {i.price_case.lower()} price case."
    )
    formula(sheet, row, 0, text, b.style("section"), said)


def write_checks(b: Book, sheet: Worksheet, row: int) -> None:
    ops, debt, returns = (b.timelines[name] for name in ("Operations", "Debt", "Returns"))
    sheet.write_string(row, 0, "Checks", b.style("section"))
    repaid = f"SUM(Debt!C{debt.line('scheduled')},Debt!C{debt.line('sweep')})"
    checks = (
        ("The loan ends at zero", f"=ROUND(Debt!{LAST_LETTER}{debt.line('closing')},6)=0"),
        ("Repayments add up to the loan", f"=ABS({repaid}-DebtAmount)<0.001"),
        ("NPV agrees with present values", f"=ABS(EquityNPV-Returns!C{returns.line('present')})<0.001"),
        ("Months add up to the year", f"=ABS(Season!E17-Operations!E{ops.line('energy')})<0.001"),
    )
    for offset, (label, text) in enumerate(checks, 1):
        sheet.write_string(row + offset, 0, label, b.style("label"))
        formula(sheet, row + offset, 1, text, b.style("calc", "General"), True)
    end = row + len(checks) + 1
    sheet.write_string(end, 0, "All checks", b.style("total"))
    text = f'=IF(AND(B{row + 2}:B{end}),"OK",COUNTIF(B{row + 2}:B{end},FALSE)&" wrong")'
    formula(sheet, end, 1, text, b.style("total", "General"), "OK")
    good = b.book.add_format({"font_color": "#0B7A3B"})
    sheet.conditional_format(end, 1, end, 1, {"type": "cell", "criteria": "==", "value": '"OK"', "format": good})


def write_blocks(b: Book, sheet: Worksheet, row: int) -> None:
    """Five-year blocks with SUMIFS over the calendar years."""
    for column, text in enumerate(("Five years from", "Revenue k€", "EBITDA k€", "Energy MWh", "Margin")):
        sheet.write_string(row, column, text, b.style("head" if column else "head_left"))
    r, ops, start = b.model.rows, b.timelines["Operations"], b.model.inputs.start_year
    years = ops.span("calendar")
    for block in range(YEARS // 5):
        at = row + 1 + block
        line = at + 1
        text = "=StartYear" if block == 0 else f"=A{line - 1}+5"
        formula(sheet, at, 0, text, b.style("calc", "0"), start + 5 * block)
        sums = []
        for column, name in enumerate(("revenue", "ebitda", "energy"), 1):
            sums.append(sum(r[name][5 * block : 5 * block + 5]))
            text = f'=SUMIFS({ops.span(name)},{years},">="&$A{line},{years},"<"&$A{line}+5)'
            formula(sheet, at, column, text, b.style(), sums[-1])
        formula(sheet, at, 4, f"=C{line}/B{line}", b.style("calc", "0.0%"), sums[1] / sums[0])


def add_charts(b: Book, sheet: Worksheet) -> None:
    ops, debt, returns = (b.timelines[name] for name in ("Operations", "Debt", "Returns"))
    stacks = [("Contract", ops, "ppa_revenue", TEAL), ("Market", ops, "merchant_revenue", "#E0A33E")]
    plots: list[tuple[str, dict[str, Any], list[tuple[str, Timeline, str, str]]]] = [
        ("Revenue, k€", {"type": "column", "subtype": "stacked"}, stacks),
        ("Loan, k€", {"type": "column"}, [("Closing balance", debt, "closing", "#7FB8BD")]),
        ("Cumulative equity cash flow, k€", {"type": "line"}, [("Cumulative", returns, "cumulative", TEAL)]),
    ]
    for position, (title, kind, lines) in enumerate(plots):
        chart = b.book.add_chart(kind)
        if chart is None:
            raise ValueError(f"XlsxWriter knows no chart {kind}")
        for name, timeline, key, colour in lines:
            row = timeline.line(key) - 1
            chart.add_series(
                {
                    "name": name,
                    "categories": [timeline.name, 4, FIRST, 4, LAST],
                    "values": [timeline.name, row, FIRST, row, LAST],
                    "fill": {"color": colour},
                    "line": {"color": colour, "width": 1.75},
                    "gap": 40,
                }
            )
        chart.set_title({"name": title, "name_font": {"size": 11, "color": INK}})
        legend: dict[str, Any] = {"position": "bottom"} if len(lines) > 1 else {"none": True}
        chart.set_legend(legend)
        chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": LINE}}})
        chart.set_size({"width": 560, "height": 240})
        sheet.insert_chart(2 + position * 13, 6, chart)
