"""The solar farm in plain Python: the numbers that Excel would cache, computed without Sheetrun.

``make_solar_farm.py`` writes formulas into a workbook and these values beside them, so that ``sheetrun check`` has
something to be right about. Money in thousands of euros (k€), energy in MWh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

YEARS = 25
CASES = ("Low", "Base", "High")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Share of a year's energy by month, southern Europe.
PROFILE = (0.048, 0.058, 0.083, 0.096, 0.110, 0.116, 0.121, 0.113, 0.094, 0.072, 0.050, 0.039)


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    region: str
    capacity: float  #: MWp
    specific_yield: float  #: kWh per kWp and year
    area: float  #: hectares


SITES = (
    Site("Almond Terrace", "South", 18.4, 1742, 29.5),
    Site("Birch Hollow", "North", 9.6, 1288, 16.0),
    Site("Cedar Flats", "Central", 14.2, 1521, 23.1),
    Site("Dune Edge", "South", 22.0, 1788, 34.8),
    Site("Elm Crossing", "Central", 7.5, 1496, 12.4),
    Site("Fallow Mile", "North", 11.3, 1310, 19.2),
    Site("Gorse Hill", "Central", 16.8, 1547, 27.0),
    Site("Heron Lake", "North", 5.9, 1265, 10.1),
    Site("Iris Plain", "South", 13.7, 1715, 21.6),
    Site("Juniper Ridge", "South", 19.5, 1760, 31.2),
    Site("Kestrel Down", "Central", 8.8, 1508, 14.7),
    Site("Larch Quarry", "North", 6.3, 1294, 10.9),
)
REGIONS = ("North", "Central", "South")


@dataclass(frozen=True, slots=True)
class Inputs:
    start_year: int = 2027
    availability: float = 0.985
    degradation: float = 0.004
    price_case: str = "Base"
    ppa_share: float = 0.70
    ppa_price: float = 58.0  #: €/MWh
    ppa_term: int = 12  #: years
    ppa_index: float = 0.015
    capture_loss: float = 0.006  #: what the merchant price loses a year to other solar farms
    capex: float = 620.0  #: k€/MWp
    fixed_opex: float = 9.5  #: k€/MWp and year
    lease: float = 1.1  #: k€/ha and year
    insurance: float = 0.0035  #: of capital expenditure
    inflation: float = 0.02
    tax_rate: float = 0.25
    depreciation_life: int = 10
    gearing: float = 0.70
    interest: float = 0.048
    tenor: int = 15
    sweep: float = 0.25  #: share of the cash left after debt service that repays the loan early
    discount: float = 0.07
    first_price: tuple[float, float, float] = (41.0, 52.0, 63.0)  #: €/MWh in the first year, by case
    growth: tuple[float, float, float] = (0.005, 0.015, 0.025)


def npv(rate: float, flows: Sequence[float]) -> float:
    """Excel's NPV: the first flow is discounted by one period."""
    return sum(flow / (1 + rate) ** period for period, flow in enumerate(flows, 1))


def irr(flows: Sequence[float]) -> float:
    """The rate at which the flows' value is zero, by bisection to the last bit; the first flow is not discounted."""

    def value(rate: float) -> float:
        return sum(flow / (1 + rate) ** period for period, flow in enumerate(flows))

    low, high = -0.9, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        low, high = (middle, high) if value(middle) > 0 else (low, middle)


def payment(rate: float, periods: int, present: float) -> float:
    """What repays ``present`` in equal instalments (PMT with the sign turned)."""
    return present * rate / (1 - (1 + rate) ** -periods)


@dataclass(slots=True)
class Model:
    """Every row of the workbook: a list of 25 yearly values, or 26 where it begins with the year of construction."""

    inputs: Inputs
    rows: dict[str, list[float]] = field(default_factory=dict)
    capacity: float = 0.0
    energy_p50: float = 0.0
    capex: float = 0.0
    debt: float = 0.0
    prices: list[list[float]] = field(default_factory=list)

    def each(self, name: str, rule: Callable[[int], float]) -> list[float]:
        """A row of operating years, 0-based; ``rule`` may look at what is in the row so far."""
        row = self.rows[name] = []
        for year in range(YEARS):
            row.append(rule(year))
        return row


def compute(given: Inputs | None = None) -> Model:
    """The whole model."""
    i = given or Inputs()
    m = Model(i)
    m.capacity = sum(site.capacity for site in SITES)
    m.energy_p50 = sum(site.capacity * site.specific_yield for site in SITES)
    area = sum(site.area for site in SITES)
    m.capex = m.capacity * i.capex
    m.debt = m.capex * i.gearing
    m.prices = [[p * (1 + g) ** 0 for p, g in zip(i.first_price, i.growth, strict=True)]]
    for _ in range(1, YEARS):
        m.prices.append([p * (1 + g) for p, g in zip(m.prices[-1], i.growth, strict=True)])
    _operate(m, area)
    _finance(m)
    return m


def _operate(m: Model, area: float) -> None:
    i, case = m.inputs, CASES.index(m.inputs.price_case)
    factor = m.each("factor", lambda y: (1 - i.degradation) ** y)
    energy = m.each("energy", lambda y: m.energy_p50 * i.availability * factor[y])
    flag = m.each("ppa_flag", lambda y: 1 if y + 1 <= i.ppa_term else 0)
    ppa_volume = m.each("ppa_volume", lambda y: energy[y] * i.ppa_share * flag[y])
    merchant_volume = m.each("merchant_volume", lambda y: energy[y] - ppa_volume[y])
    ppa_price = m.each("ppa_price", lambda y: i.ppa_price * (1 + i.ppa_index) ** y)
    price = m.each("price", lambda y: m.prices[y][case] * (1 - i.capture_loss) ** y)
    ppa = m.each("ppa_revenue", lambda y: ppa_volume[y] * ppa_price[y] / 1000)
    merchant = m.each("merchant_revenue", lambda y: merchant_volume[y] * price[y] / 1000)
    revenue = m.each("revenue", lambda y: ppa[y] + merchant[y])
    index = m.each("index", lambda y: (1 + i.inflation) ** y)
    fixed = m.each("fixed", lambda y: m.capacity * i.fixed_opex * index[y])
    lease = m.each("lease", lambda y: area * i.lease * index[y])
    insurance = m.each("insurance", lambda y: m.capex * i.insurance * index[y])
    opex = m.each("opex", lambda y: fixed[y] + lease[y] + insurance[y])
    ebitda = m.each("ebitda", lambda y: revenue[y] - opex[y])
    m.each("margin", lambda y: ebitda[y] / revenue[y])


def _finance(m: Model) -> None:
    i = m.inputs
    r = m.rows
    instalment = payment(i.interest, i.tenor, m.debt)
    balance, losses = m.debt, 0.0
    for year in range(YEARS):
        ebitda = r["ebitda"][year]
        depreciation = m.capex / i.depreciation_life if year + 1 <= i.depreciation_life else 0.0
        interest = balance * i.interest
        scheduled = balance if year + 1 >= i.tenor else min(balance, instalment - interest)
        profit = ebitda - depreciation - interest
        used = min(losses, max(profit, 0.0))
        taxable = max(profit, 0.0) - used
        tax = taxable * i.tax_rate
        cfads = ebitda - tax
        service = interest + scheduled
        sweep = min(balance - scheduled, max(cfads - service, 0.0) * i.sweep)
        added = max(-profit, 0.0)
        values = {
            "depreciation": depreciation,
            "opening": balance,
            "interest": interest,
            "scheduled": scheduled,
            "sweep": sweep,
            "closing": balance - scheduled - sweep,
            "profit": profit,
            "loss_opening": losses,
            "loss_used": used,
            "loss_closing": losses + added - used,
            "taxable": taxable,
            "tax": tax,
            "cfads": cfads,
            "service": service,
            "dscr": cfads / service if service > 0 else float("nan"),
            "free_cash": cfads,
            "equity_cash": cfads - service - sweep,
        }
        for name, value in values.items():
            r.setdefault(name, []).append(value)
        balance, losses = values["closing"], values["loss_closing"]
    r["project_flow"] = [-m.capex, *r["free_cash"]]
    r["equity_flow"] = [-(m.capex - m.debt), *r["equity_cash"]]
    cumulative = 0.0
    r["cumulative"] = []
    for flow in r["equity_flow"]:
        cumulative += flow
        r["cumulative"].append(cumulative)
    r["discount"] = [1 / (1 + i.discount) ** year for year in range(YEARS + 1)]
    r["present"] = [flow * factor for flow, factor in zip(r["equity_flow"], r["discount"], strict=True)]
