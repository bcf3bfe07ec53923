"""Treasury bills, fractional dollar quotes, euro conversion."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sheetrun.runtime import daycount
from sheetrun.runtime.errors import DIV0, NUM, VALUE, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer, strict_number
from sheetrun.runtime.values import Scalar


def _bill_days(settlement: Scalar, maturity: Scalar) -> int:
    """Days to maturity, which is at most a year after settlement."""
    start, end = strict_date(settlement), strict_date(maturity)
    if start >= end or end > daycount.add_months(start, 12):
        raise Raised(NUM)
    return end - start


@excel("TBILLEQ(settlement: strict, maturity: strict, discount: strict) -> number")
def tbilleq(settlement: Scalar, maturity: Scalar, discount: Scalar) -> float:
    """The bond-equivalent yield of a treasury bill. Above 182 days: compounded twice, as the treasury does."""
    days, rate = _bill_days(settlement, maturity), strict_number(discount)
    if rate <= 0.0:
        raise Raised(NUM)
    if days <= 182:
        if 360.0 - rate * days <= 0.0:
            raise Raised(NUM)
        return 365.0 * rate / (360.0 - rate * days)
    price = 1.0 - rate * days / 360.0
    if price <= 0.0:
        raise Raised(NUM)
    part = days / (366.0 if days == 366 else 365.0)
    root = math.sqrt(part * part - (2.0 * part - 1.0) * (1.0 - 1.0 / price))
    return 2.0 * (root - part) / (2.0 * part - 1.0)


@excel("TBILLPRICE(settlement: strict, maturity: strict, discount: strict) -> number")
def tbillprice(settlement: Scalar, maturity: Scalar, discount: Scalar) -> float:
    """The price per 100 of face value of a treasury bill."""
    days, rate = _bill_days(settlement, maturity), strict_number(discount)
    price = 100.0 * (1.0 - rate * days / 360.0)
    if rate <= 0.0 or price < 0.0:
        raise Raised(NUM)
    return price


@excel("TBILLYIELD(settlement: strict, maturity: strict, pr: strict) -> number")
def tbillyield(settlement: Scalar, maturity: Scalar, pr: Scalar) -> float:
    """The yield of a treasury bill."""
    days, price = _bill_days(settlement, maturity), strict_number(pr)
    if price <= 0.0:
        raise Raised(NUM)
    return (100.0 - price) / price * 360.0 / days


def _fraction(dollar: Scalar, fraction: Scalar) -> tuple[float, float, int, float]:
    """(whole, rest, denominator, the power of ten its digits take)."""
    value, bottom = strict_number(dollar), strict_integer(fraction)
    if bottom < 0:
        raise Raised(NUM)
    if bottom == 0:
        raise Raised(DIV0)
    whole = float(math.trunc(value))
    return whole, value - whole, bottom, 10.0 ** math.ceil(math.log10(bottom))


@excel("DOLLARDE(fractional_dollar: strict, fraction: strict) -> number")
def dollarde(dollar: Scalar, fraction: Scalar) -> float:
    """A price quoted as an integer and a fraction (1.02 for 1 2/16) as a decimal number."""
    whole, rest, bottom, power = _fraction(dollar, fraction)
    return whole + rest * power / bottom


@excel("DOLLARFR(decimal_dollar: strict, fraction: strict) -> number")
def dollarfr(dollar: Scalar, fraction: Scalar) -> float:
    """A decimal price as an integer and a fraction."""
    whole, rest, bottom, power = _fraction(dollar, fraction)
    return whole + rest * bottom / power


#: Units per euro, fixed for good (Council Regulation (EC) No 2866/98 and its successors), and the decimals shown.
_EURO: Final = {
    "EUR": (1.0, 2),
    "ATS": (13.7603, 2),
    "BEF": (40.3399, 0),
    "DEM": (1.95583, 2),
    "ESP": (166.386, 0),
    "FIM": (5.94573, 2),
    "FRF": (6.55957, 2),
    "GRD": (340.750, 0),
    "IEP": (0.787564, 2),
    "ITL": (1936.27, 0),
    "LUF": (40.3399, 0),
    "NLG": (2.20371, 2),
    "PTE": (200.482, 0),
    "SIT": (239.640, 2),
    "MTL": (0.429300, 2),
    "CYP": (0.585274, 2),
    "SKK": (30.1260, 2),
    "EEK": (15.6466, 2),
    "LVL": (0.702804, 2),
    "LTL": (3.45280, 2),
}


def _rounded(value: float, decimals: int) -> float:
    return float(Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


@excel(
    "EUROCONVERT(number: strict, source: text, target: text, [full_precision: logical = FALSE],"
    " [triangulation_precision: strict = None]) -> number"
)
def euroconvert(number: Scalar, source: str, target: str, full: bool, precision: Scalar) -> float:
    """An amount between the euro and the currencies it replaced, at the fixed rates.

    Source: Microsoft, "EUROCONVERT function". With a precision (3 or more) the euros in between are rounded.
    """
    value = strict_number(number)
    if source.upper() not in _EURO or target.upper() not in _EURO:
        raise Raised(VALUE)
    (rate_in, _), (rate_out, decimals) = _EURO[source.upper()], _EURO[target.upper()]
    if source.upper() == target.upper():
        return value
    euros = value / rate_in
    if precision is not None:
        digits = strict_integer(precision)
        if digits < 3:
            raise Raised(VALUE)
        euros = _rounded(euros, digits)
    result = euros * rate_out
    return result if full else _rounded(result, decimals)
