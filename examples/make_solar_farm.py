"""Makes ``solar_farm.xlsx``: a project-finance model of a solar farm, formulas and the values that belong to them.

Run ``python examples/make_solar_farm.py``; needs XlsxWriter. The same inputs give the same file.
"""

from __future__ import annotations

import calendar
import datetime
import sys
from pathlib import Path
from typing import Any

from solar_book import Book, Row, Timeline, formula
from solar_dashboard import write_dashboard
from solar_model import CASES, MONTHS, PROFILE, REGIONS, SITES, YEARS, Inputs, Model, compute, payment
from xlsxwriter.utility import xl_col_to_name

EPOCH = datetime.date(1899, 12, 30)

#: (defined name, label, field of Inputs, number format, unit)
INPUT_ROWS: list[tuple[str, str, str, str, str] | str] = [
    "Timing",
    ("StartYear", "First year of operation", "start_year", "0", "year"),
    "Energy",
    ("Availability", "Technical availability", "availability", "0.0%", ""),
    ("Degradation", "Degradation a year", "degradation", "0.00%", ""),
    "Market",
    ("PriceCase", "Price case (Low, Base, High)", "price_case", "@", ""),
    ("PPAShare", "Share sold by contract (PPA)", "ppa_share", "0%", ""),
    ("PPAPrice", "Contract price in the first year", "ppa_price", "0.00", "€/MWh"),
    ("PPATerm", "Contract term", "ppa_term", "0", "years"),
    ("PPAIndex", "Contract indexation", "ppa_index", "0.0%", ""),
    ("CaptureLoss", "Loss of captured price a year", "capture_loss", "0.0%", ""),
    "Costs",
    ("CapexRate", "Capital expenditure", "capex", "#,##0", "k€/MWp"),
    ("FixedOpex", "Operation and maintenance", "fixed_opex", "0.00", "k€/MWp"),
    ("LeaseRate", "Land lease", "lease", "0.00", "k€/ha"),
    ("InsuranceRate", "Insurance, of capital expenditure", "insurance", "0.00%", ""),
    ("Inflation", "Inflation of costs", "inflation", "0.0%", ""),
    "Tax and finance",
    ("TaxRate", "Corporate tax", "tax_rate", "0%", ""),
    ("DepreciationLife", "Depreciation, straight line", "depreciation_life", "0", "years"),
    ("Gearing", "Debt share", "gearing", "0%", ""),
    ("InterestRate", "Interest rate", "interest", "0.00%", ""),
    ("Tenor", "Tenor of the loan", "tenor", "0", "years"),
    ("SweepShare", "Cash sweep, of cash after debt service", "sweep", "0%", ""),
    ("DiscountRate", "Discount rate of equity", "discount", "0.0%", ""),
]


def write_inputs(b: Book) -> None:
    sheet = b.sheet("Inputs", "Inputs", "Blue on yellow is yours to change; everything else follows.", (44, 14, 12))
    row = 3
    for entry in INPUT_ROWS:
        if isinstance(entry, str):
            row += 1
            for column in range(3):
                sheet.write(row, column, entry if column == 0 else "", b.style("section"))
        else:
            name, label, member, number, unit = entry
            sheet.write_string(row, 0, label, b.style("label"))
            sheet.write(row, 1, getattr(b.model.inputs, member), b.style("input", number))
            sheet.write_string(row, 2, unit, b.style("unit"))
            b.name(name, f"Inputs!$B${row + 1}")
            if name == "PriceCase":
                sheet.data_validation(row, 1, row, 1, {"validate": "list", "source": list(CASES)})
        row += 1
    sheet.freeze_panes(3, 0)


def write_sites(b: Book) -> None:
    sheet = b.sheet("Sites", "Sites", "A table; regions are summed with SUMIFS.", (20, 12, 15, 17, 12, 16, 14))
    first, last = 4, 3 + len(SITES)
    headers = ("Site", "Region", "Capacity MWp", "Yield kWh/kWp", "Area ha", "Energy MWh", "Share")
    energies = [site.capacity * site.specific_yield for site in SITES]
    total = sum(energies)
    table = "Sites"
    energy_text = "=Sites[[#This Row],[Capacity MWp]]*Sites[[#This Row],[Yield kWh/kWp]]"
    share_text = "=Sites[[#This Row],[Energy MWh]]/SUM(Sites[Energy MWh])"
    columns: list[dict[str, Any]] = [{"header": header} for header in headers]
    columns[5]["formula"], columns[6]["formula"] = energy_text, share_text
    options = {"name": table, "columns": columns, "style": "Table Style Light 9"}
    sheet.add_table(3, 0, last, 6, options)
    for offset, (site, energy) in enumerate(zip(SITES, energies, strict=True)):
        row = first + offset
        sheet.write_string(row, 0, site.name, b.style("label"))
        sheet.write_string(row, 1, site.region, b.style("label"))
        sheet.write_number(row, 2, site.capacity, b.style("input", "0.0"))
        sheet.write_number(row, 3, site.specific_yield, b.style("input", "#,##0"))
        sheet.write_number(row, 4, site.area, b.style("input", "0.0"))
        formula(sheet, row, 5, energy_text, b.style(), energy)
        formula(sheet, row, 6, share_text, b.style("calc", "0.0%"), energy / total)
    head = last + 3
    for column, text in enumerate(
        ("By region", "Sites", "Capacity MWp", "Yield kWh/kWp", "Area ha", "Energy MWh", "Share")
    ):
        sheet.write_string(head, column, text, b.style("head" if column else "head_left"))
    for offset, region in enumerate(REGIONS):
        row = head + 1 + offset
        inside = [site for site in SITES if site.region == region]
        capacity = sum(site.capacity for site in inside)
        energy = sum(site.capacity * site.specific_yield for site in inside)
        sheet.write_string(row, 0, region, b.style("label"))
        cell = f"$A{row + 1}"
        formula(sheet, row, 1, f"=COUNTIF(Sites[Region],{cell})", b.style(), len(inside))
        for column, name, value in (
            (2, "Capacity MWp", capacity),
            (4, "Area ha", sum(site.area for site in inside)),
            (5, "Energy MWh", energy),
        ):
            text = f"=SUMIFS(Sites[{name}],Sites[Region],{cell})"
            formula(sheet, row, column, text, b.style("calc", "#,##0.0"), value)
        formula(sheet, row, 3, f"=IFERROR(F{row + 1}/C{row + 1},0)", b.style(), energy / capacity)
        formula(sheet, row, 6, f"=F{row + 1}/F${head + 5}", b.style("calc", "0.0%"), energy / total)
    row = head + 1 + len(REGIONS)
    sheet.write_string(row, 0, "Total", b.style("total"))
    area = sum(site.area for site in SITES)
    sums = {1: len(SITES), 2: b.model.capacity, 4: area, 5: total, 6: 1.0}
    for column in range(1, 7):
        letter = xl_col_to_name(column)
        number = {1: "0", 3: "#,##0", 6: "0.0%"}.get(column, "#,##0.0")
        text = f"=F{row + 1}/C{row + 1}" if column == 3 else f"=SUM({letter}{head + 2}:{letter}{row})"
        formula(sheet, row, column, text, b.style("total", number), sums.get(column, total / b.model.capacity))
    b.name("Capacity", f"Sites!$C${row + 1}")
    b.name("LandArea", f"Sites!$E${row + 1}")
    b.name("EnergyP50", f"Sites!$F${row + 1}")
    sheet.freeze_panes(4, 1)


def write_prices(b: Book) -> None:
    note = "Market price by case; the model looks up its own case by year and name."
    sheet = b.sheet("Prices", "Power prices, €/MWh", note, (10, 12, 12, 12, 16))
    i, m = b.model.inputs, b.model
    sheet.write_string(3, 0, "Growth", b.style("label"))
    for column, growth in enumerate(i.growth, 1):
        sheet.write_number(3, column, growth, b.style("input", "0.0%"))
    for column, text in enumerate(("Year", *CASES, "High over low")):
        sheet.write_string(4, column, text, b.style("head" if column else "head_left"))
    for year in range(YEARS):
        row = 5 + year
        text = "=StartYear" if year == 0 else f"=A{row}+1"
        formula(sheet, row, 0, text, b.style("calc", "0"), i.start_year + year)
        for column in (1, 2, 3):
            letter, value = xl_col_to_name(column), m.prices[year][column - 1]
            if year == 0:
                sheet.write_number(row, column, value, b.style("input", "0.00"))
            else:
                formula(sheet, row, column, f"={letter}{row}*(1+{letter}$4)", b.style("calc", "0.00"), value)
        low, _, high = m.prices[year]
        formula(sheet, row, 4, f"=D{row + 1}/B{row + 1}-1", b.style("calc", "0.0%"), high / low - 1)
    sheet.freeze_panes(5, 1)


def write_season(b: Book) -> None:
    note = "How the first year's energy falls on its months."
    sheet = b.sheet("Season", "Season", note, (12, 14, 9, 11, 14, 14, 12, 14))
    i = b.model.inputs
    heads = ("Month", "Ends", "Days", "Profile", "Energy MWh", "Average MW", "Load", "Cumulative")
    for column, text in enumerate(heads):
        sheet.write_string(3, column, text, b.style("head" if column else "head_left"))
    year_energy, cumulative, profile_sum = b.model.rows["energy"][0], 0.0, sum(PROFILE)
    for month in range(1, 13):
        row = 3 + month
        line = row + 1
        days = calendar.monthrange(i.start_year, month)[1]
        end = (datetime.date(i.start_year, month, days) - EPOCH).days
        energy = year_energy * PROFILE[month - 1] / profile_sum
        cumulative += energy
        average = energy / (days * 24)
        formula(sheet, row, 0, f'=TEXT(B{line},"mmm")', b.style("label"), MONTHS[month - 1])
        before = "DATE(StartYear,1,31)" if month == 1 else f"EOMONTH(B{row},1)"
        formula(sheet, row, 1, f"={before}", b.style("calc", "yyyy-mm-dd"), end)
        formula(sheet, row, 2, f"=DAY(B{line})", b.style("calc", "0"), days)
        sheet.write_number(row, 3, PROFILE[month - 1], b.style("input", "0.0%"))
        formula(sheet, row, 4, f"=Operations!$E$8*D{line}/SUM(D$5:D$16)", b.style(), energy)
        formula(sheet, row, 5, f"=E{line}/(C{line}*24)", b.style("calc", "0.00"), average)
        formula(sheet, row, 6, f"=F{line}/Capacity", b.style("calc", "0.0%"), average / b.model.capacity)
        formula(sheet, row, 7, f"=SUM(E$5:E{line})", b.style(), cumulative)
    sheet.conditional_format(4, 4, 15, 4, {"type": "data_bar", "bar_color": "#7FB8BD"})
    sheet.write_string(16, 0, "Year", b.style("total"))
    sheet.write_blank(16, 1, None, b.style("total"))
    total_days = 366 if calendar.isleap(i.start_year) else 365
    formula(sheet, 16, 2, "=SUM(C5:C16)", b.style("total", "0"), total_days)
    formula(sheet, 16, 3, "=SUM(D5:D16)", b.style("total", "0.0%"), profile_sum)
    formula(sheet, 16, 4, "=SUM(E5:E16)", b.style("total"), year_energy)
    formula(sheet, 16, 5, "=AVERAGE(F5:F16)", b.style("total", "0.00"), _mean_power(b.model))
    formula(
        sheet,
        16,
        6,
        "=E17/(Capacity*C17*24)",
        b.style("total", "0.0%"),
        year_energy / (b.model.capacity * total_days * 24),
    )
    formula(sheet, 16, 7, "=MAX(H5:H16)", b.style("total"), year_energy)


def _mean_power(m: Model) -> float:
    year, energy = m.inputs.start_year, m.rows["energy"][0] / sum(PROFILE)
    return (
        sum(energy * share / (calendar.monthrange(year, month)[1] * 24) for month, share in enumerate(PROFILE, 1)) / 12
    )


OPERATIONS: list[Row | str] = [
    "Energy",
    Row("factor", "Degradation factor", "", "(1-Degradation)^([year]-1)", number="0.0000", total="AVERAGE"),
    Row("energy", "Energy", "MWh", "EnergyP50*Availability*[factor]", strong=True),
    Row("ppa_flag", "Contract runs", "1/0", "IF([year]<=PPATerm,1,0)", number="0"),
    Row("ppa_volume", "Sold by contract", "MWh", "[energy]*PPAShare*[ppa_flag]"),
    Row("merchant_volume", "Sold on the market", "MWh", "[energy]-[ppa_volume]"),
    "Prices",
    Row(
        "ppa_price",
        "Contract price",
        "€/MWh",
        "[ppa_price-1]*(1+PPAIndex)",
        first="PPAPrice",
        number="0.00",
        total="AVERAGE",
    ),
    Row(
        "price",
        "Market price captured",
        "€/MWh",
        "INDEX(Prices!$B$6:$D$30,MATCH([calendar],Prices!$A$6:$A$30,0),MATCH(PriceCase,Prices!$B$5:$D$5,0))"
        "*(1-CaptureLoss)^([year]-1)",
        number="0.00",
        total="AVERAGE",
    ),
    "Revenue",
    Row("ppa_revenue", "Contract revenue", "k€", "[ppa_volume]*[ppa_price]/1000"),
    Row("merchant_revenue", "Market revenue", "k€", "[merchant_volume]*[price]/1000"),
    Row("revenue", "Revenue", "k€", "SUM([ppa_revenue]:[merchant_revenue])", strong=True),
    "Costs",
    Row("index", "Cost index", "", "(1+Inflation)^([year]-1)", number="0.0000", total=""),
    Row("fixed", "Operation and maintenance", "k€", "Capacity*FixedOpex*[index]"),
    Row("lease", "Land lease", "k€", "LandArea*LeaseRate*[index]"),
    Row("insurance", "Insurance", "k€", "Capex*InsuranceRate*[index]"),
    Row("opex", "Operating costs", "k€", "SUM([fixed]:[insurance])", strong=True),
    "Result",
    Row("ebitda", "EBITDA", "k€", "[revenue]-[opex]", strong=True),
    Row("margin", "EBITDA margin", "", "IF([revenue]=0,0,[ebitda]/[revenue])", number="0.0%", total="AVERAGE"),
]

DEBT: list[Row | str] = [
    "Loan",
    Row("opening", "Opening balance", "k€", "[closing-1]", first="DebtAmount", total="MAX"),
    Row("interest", "Interest", "k€", "[opening]*InterestRate"),
    Row("scheduled", "Scheduled repayment", "k€", "IF([year]>=Tenor,[opening],MIN([opening],Instalment-[interest]))"),
    Row("sweep", "Cash sweep", "k€", "MIN([opening]-[scheduled],MAX([cfads]-[service],0)*SweepShare)"),
    Row("closing", "Closing balance", "k€", "[opening]-[scheduled]-[sweep]", total="MIN", strong=True),
    Row("service", "Debt service", "k€", "[interest]+[scheduled]"),
    Row("dscr", "Debt service cover", "×", 'IF([service]>0,[cfads]/[service],"")', number="0.00", total="MIN"),
    "Tax",
    Row("depreciation", "Depreciation", "k€", "IF([year]<=DepreciationLife,Capex/DepreciationLife,0)"),
    Row("profit", "Profit before tax", "k€", "[Operations.ebitda]-[depreciation]-[interest]"),
    Row("loss_opening", "Losses brought forward", "k€", "[loss_closing-1]", first="0", total="MAX"),
    Row("loss_used", "Losses used", "k€", "MIN([loss_opening],MAX([profit],0))"),
    Row("loss_closing", "Losses carried forward", "k€", "[loss_opening]+MAX(-[profit],0)-[loss_used]", total="MAX"),
    Row("taxable", "Taxable profit", "k€", "MAX([profit],0)-[loss_used]"),
    Row("tax", "Tax", "k€", "[taxable]*TaxRate"),
    Row("cfads", "Cash available for debt service", "k€", "[Operations.ebitda]-[tax]", strong=True),
]

RETURNS: list[Row | str] = [
    "Project",
    Row("project_flow", "Project cash flow", "k€", "[Debt.cfads]", first="-Capex", strong=True),
    "Equity",
    Row(
        "equity_flow",
        "Equity cash flow",
        "k€",
        "[Debt.cfads]-[Debt.service]-[Debt.sweep]",
        first="-EquityAmount",
        strong=True,
    ),
    Row("cumulative", "Cumulative", "k€", "[cumulative-1]+[equity_flow]", first="[equity_flow]", total=""),
    Row("discount", "Discount factor", "", "1/(1+DiscountRate)^[year]", number="0.0000", total=""),
    Row("present", "Present value", "k€", "[equity_flow]*[discount]", strong=True),
]


def write_sources(b: Book, debt: Timeline) -> None:
    """What is built, and who pays for it: below the loan, so that the loan can name it."""
    m = b.model
    instalment = payment(m.inputs.interest, m.inputs.tenor, m.debt)
    amounts = (
        ("Capex", "Capital expenditure", "=Capacity*CapexRate", m.capex),
        ("DebtAmount", "Loan", "=Capex*Gearing", m.debt),
        ("EquityAmount", "Equity", "=Capex-DebtAmount", m.capex - m.debt),
        ("Instalment", "Yearly instalment", "=PMT(InterestRate,Tenor,-DebtAmount)", instalment),
    )
    for column in range(3):
        debt.sheet.write(debt.end, column, "" if column else "Sources and uses", b.style("section"))
    for row, (name, label, text, value) in enumerate(amounts, debt.end + 1):
        debt.sheet.write_string(row, 0, label, b.style("label"))
        debt.sheet.write_string(row, 1, "k€", b.style("unit"))
        formula(debt.sheet, row, 2, text, b.style(), value)
        b.name(name, f"Debt!$C${row + 1}")


def make(path: Path, inputs: Inputs | None = None) -> None:
    """Writes the workbook."""
    b = Book(path, compute(inputs))
    note = "A project-finance model: twelve sites, 25 years."
    dashboard = b.sheet("Dashboard", "Solar farm", note, (38, 16, 14, 14, 12, 3))
    write_inputs(b)
    write_sites(b)
    write_prices(b)
    note = "Energy, revenue and costs; k€ unless said otherwise."
    Timeline(b, "Operations", "Operations", note, OPERATIONS)
    write_season(b)
    note = "A loan with equal instalments and a cash sweep; losses are carried forward."
    write_sources(b, Timeline(b, "Debt", "Debt and tax", note, DEBT))
    Timeline(b, "Returns", "Returns", "Flows of the project and of its owners, from construction on.", RETURNS)
    write_dashboard(b, dashboard)
    dashboard.activate()
    b.book.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("solar_farm.xlsx"))
