"""Loans and annuities with constant payments: PMT, PV, FV, NPER, RATE and what one period pays.

One equation holds for all: pv (1+r)^n + pmt (1 + r type) ((1+r)^n - 1) / r + fv = 0 (for r = 0: pv + pmt n + fv = 0).
Source: Microsoft, "PV function". Any ``type`` but 0 means payments at the beginning of a period.
"""

from __future__ import annotations

import math

import numpy as np

from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import DIV0, NUM, Raised
from sheetrun.runtime.powers import logs, pows
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_integer, strict_number, strict_numbers
from sheetrun.runtime.values import Scalar


def growth(rate: float, periods: float) -> float:
    """(1 + rate) ^ periods; #NUM! where that is not a real number, #DIV/0! for 0 to a negative power."""
    base = 1.0 + rate
    if base < 0.0 and not float(periods).is_integer():
        raise Raised(NUM)
    if base == 0.0 and periods < 0.0:
        raise Raised(DIV0)
    return math.pow(base, periods)


def _due(rate: float, type: float) -> float:
    return 1.0 + rate if type else 1.0


def payment(rate: float, nper: float, pv: float, fv: float, type: float) -> float:
    if nper == 0.0 or rate <= -1.0:
        raise Raised(NUM)
    if rate == 0.0:
        return -(pv + fv) / nper
    t = growth(rate, nper)
    if t == 1.0:
        raise Raised(NUM)
    return -rate * (pv * t + fv) / (_due(rate, type) * (t - 1.0))


def future_value(rate: float, nper: float, pmt: float, pv: float, type: float) -> float:
    if rate == 0.0:
        return -(pv + pmt * nper)
    t = growth(rate, nper)
    return -(pv * t + pmt * _due(rate, type) * (t - 1.0) / rate)


def _pmt_vector(rate: Numbers, nper: Numbers, pv: Numbers, fv: Numbers, type: Numbers) -> Numbers:
    t = pows(1.0 + rate, nper)
    due = np.where(type != 0.0, 1.0 + rate, 1.0)
    level = np.where(rate == 0.0, -(pv + fv) / nper, -rate * (pv * t + fv) / (due * (t - 1.0)))
    return np.where((nper == 0.0) | (rate <= -1.0), np.nan, level)


def _fv_vector(rate: Numbers, nper: Numbers, pmt: Numbers, pv: Numbers, type: Numbers) -> Numbers:
    t = pows(1.0 + rate, nper)
    due = np.where(type != 0.0, 1.0 + rate, 1.0)
    level = np.where(rate == 0.0, -(pv + pmt * nper), -(pv * t + pmt * due * (t - 1.0) / rate))
    return np.where((rate == -1.0) & (nper < 0.0), float(DIV0), level)


def _pv_vector(rate: Numbers, nper: Numbers, pmt: Numbers, fv: Numbers, type: Numbers) -> Numbers:
    t = pows(1.0 + rate, nper)
    due = np.where(type != 0.0, 1.0 + rate, 1.0)
    level = np.where(rate == 0.0, -(fv + pmt * nper), -(fv + pmt * due * (t - 1.0) / rate) / t)
    return np.where((t == 0.0) | (rate == -1.0) & (nper < 0.0), float(DIV0), level)


def _nper_vector(rate: Numbers, pmt: Numbers, pv: Numbers, fv: Numbers, type: Numbers) -> Numbers:
    z = pmt * np.where(type != 0.0, 1.0 + rate, 1.0)
    level = np.where(rate == 0.0, -(pv + fv) / pmt, logs((z - fv * rate) / (z + pv * rate)) / logs(1.0 + rate))
    return np.where(rate <= -1.0, np.nan, level)


@excel(
    "PMT(rate: number, nper: number, pv: number, [fv: number = 0], [type: number = 0]) -> number", vector=_pmt_vector
)
def pmt(rate: float, nper: float, pv: float, fv: float, type: float) -> float:
    """The payment per period of a loan with constant payments and interest."""
    return payment(rate, nper, pv, fv, type)


@excel("FV(rate: number, nper: number, pmt: number, [pv: number = 0], [type: number = 0]) -> number", vector=_fv_vector)
def fv(rate: float, nper: float, pmt: float, pv: float, type: float) -> float:
    """The future value of an investment with constant payments and interest."""
    return future_value(rate, nper, pmt, pv, type)


@excel("PV(rate: number, nper: number, pmt: number, [fv: number = 0], [type: number = 0]) -> number", vector=_pv_vector)
def pv(rate: float, nper: float, pmt: float, fv: float, type: float) -> float:
    """The present value of a loan or investment with constant payments and interest."""
    if rate == 0.0:
        return -(fv + pmt * nper)
    t = growth(rate, nper)
    if t == 0.0:
        raise Raised(DIV0)
    return -(fv + pmt * _due(rate, type) * (t - 1.0) / rate) / t


@excel(
    "NPER(rate: number, pmt: number, pv: number, [fv: number = 0], [type: number = 0]) -> number", vector=_nper_vector
)
def nper(rate: float, pmt: float, pv: float, fv: float, type: float) -> float:
    """The number of periods of an investment with constant payments and interest."""
    if rate == 0.0:
        if pmt == 0.0:
            raise Raised(NUM)
        return -(pv + fv) / pmt
    z = pmt * _due(rate, type)
    if rate <= -1.0 or z + pv * rate == 0.0 or (z - fv * rate) / (z + pv * rate) <= 0.0:
        raise Raised(NUM)
    return math.log((z - fv * rate) / (z + pv * rate)) / math.log(1.0 + rate)


def principal(rate: float, per: float, nper: float, pv: float, fv: float, type: float) -> float:
    """What of a payment pays back. A period of 3.9 of 3 is still the third (measured); type 1 pays no interest at first.

    No difference of like numbers, which would leave nothing at high rates.
    """
    if per < 1.0 or per >= nper + 1.0:
        raise Raised(NUM)
    level = payment(rate, nper, pv, fv, type)
    if rate == 0.0 or (type and per == 1.0):
        return level
    return -(pv + fv) * rate * growth(rate, per - 1.0) / (growth(rate, nper) - 1.0) / _due(rate, type)


def interest(rate: float, per: float, nper: float, pv: float, fv: float, type: float) -> float:
    """What of a payment is interest."""
    back = principal(rate, per, nper, pv, fv, type)
    return payment(rate, nper, pv, fv, type) - back


@excel(
    "IPMT(rate: number, per: number, nper: number, pv: number, [fv: number = 0], [type: number = 0]) -> number",
)
def ipmt(rate: float, per: float, nper: float, pv: float, fv: float, type: float) -> float:
    """The interest part of the payment in one period."""
    return interest(rate, per, nper, pv, fv, type)


@excel("PPMT(rate: number, per: number, nper: number, pv: number, [fv: number = 0], [type: number = 0]) -> number")
def ppmt(rate: float, per: float, nper: float, pv: float, fv: float, type: float) -> float:
    """The part of the payment in one period that pays the principal back."""
    return principal(rate, per, nper, pv, fv, type)


def _ispmt_vector(rate: Numbers, per: Numbers, nper: Numbers, pv: Numbers) -> Numbers:
    return np.where(nper == 0.0, float(DIV0), pv * rate * (per / nper - 1.0))


@excel("ISPMT(rate: number, per: number, nper: number, pv: number) -> number", vector=_ispmt_vector)
def ispmt(rate: float, per: float, nper: float, pv: float) -> float:
    """The interest of one period of a loan whose principal is paid back in equal parts (periods count from 0)."""
    return pv * rate * (per / nper - 1.0)


def _cumulative(
    rate: Scalar, nper: Scalar, pv: Scalar, start: Scalar, end: Scalar, type: Scalar
) -> tuple[float, float]:
    """(interest, principal) paid from one period to another, both negative; from the balances at both ends."""
    r, n, p, first, last = strict_numbers(rate, nper, pv, start, end)
    due = strict_number(type)
    if due not in (0.0, 1.0) or r <= 0.0 or n <= 0.0 or p <= 0.0 or first < 1.0 or last < first or last > n:
        raise Raised(NUM)
    first, last = float(math.ceil(first)), float(math.floor(last))
    if last < first:
        return 0.0, 0.0
    count = last - first + 1.0
    t = growth(r, n)
    if t == 1.0:
        raise Raised(NUM)

    def principal_of(start: float) -> float:
        """What periods from ``start`` on pay back, if payments are at their end; no difference of like numbers."""
        return -p * growth(r, start - 1.0) * (growth(r, last - start + 1.0) - 1.0) / (t - 1.0)

    level = payment(r, n, p, 0.0, due)
    if not due:
        principal = principal_of(first)
    elif first > 1.0:
        principal = principal_of(first) / (1.0 + r)
    else:  # the first payment at once bears no interest
        principal = level + principal_of(2.0) / (1.0 + r)
    return level * count - principal, principal


@excel(
    "CUMIPMT(rate: strict, nper: strict, pv: strict, start_period: strict, end_period: strict, type: strict) -> number"
)
def cumipmt(rate: Scalar, nper: Scalar, pv: Scalar, start: Scalar, end: Scalar, type: Scalar) -> float:
    """The interest paid on a loan between two periods."""
    return _cumulative(rate, nper, pv, start, end, type)[0]


@excel(
    "CUMPRINC(rate: strict, nper: strict, pv: strict, start_period: strict, end_period: strict, type: strict) -> number"
)
def cumprinc(rate: Scalar, nper: Scalar, pv: Scalar, start: Scalar, end: Scalar, type: Scalar) -> float:
    """The principal paid back on a loan between two periods."""
    return _cumulative(rate, nper, pv, start, end, type)[1]


_ROUNDS = 100
_CLOSE = 1e-7
_STILL = 1e-14
_FIRST_STEP = 0.001


@excel(
    "RATE(nper: number, pmt: number, pv: number, [fv: number = 0], [type: number = 0], [guess: number ~ 0.1]) -> number"
)
def rate(nper: float, pmt: float, pv: float, fv: float, type: float, guess: float) -> float:
    """The interest rate per period of an annuity, by iteration from a guess: #NUM! where that finds no end.

    Fitted to 30 stored rates, which show in their last digits where the walk ended: a secant walk over rates, its second
    point 0.001 beside the guess, that ends where less than 1e-7 is left after all payments.
    """
    if nper <= 0.0 or guess <= -1.0:
        raise Raised(NUM)
    a = guess
    fa = _balance(a, nper, pmt, pv, fv, type)
    b = a - _FIRST_STEP if fa > 0.0 else a + _FIRST_STEP
    fb = _balance(b, nper, pmt, pv, fv, type)
    for _ in range(_ROUNDS):
        if abs(fb) < _CLOSE or fa == fb or abs(b - a) < _STILL or not (math.isfinite(fa) and math.isfinite(fb)):
            break
        a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
        fb = _balance(b, nper, pmt, pv, fv, type)
    # Of great amounts rounding alone leaves more than 1e-7. At -1 all payments are worth nothing.
    if not (abs(fb) < _CLOSE or abs(b - a) < _CLOSE) or b <= -1.0 + 1e-9:
        raise Raised(NUM)
    return b


def _balance(r: float, n: float, pmt: float, pv: float, fv: float, type: float) -> float:
    """What is left after all payments at rate ``r``."""
    if r == 0.0:
        return pv + pmt * n + fv
    t = growth(r, n)
    return pv * t + pmt * _due(r, type) * (t - 1.0) / r + fv


@excel(
    "RRI(nper: number, pv: number, fv: number) -> number",
)
def rri(nper: float, pv: float, fv: float) -> float:
    """The interest rate at which a value grows to another in a number of periods."""
    if nper <= 0.0:
        raise Raised(NUM)
    if fv == pv:
        return 0.0
    if pv == 0.0 or fv / pv < 0.0:
        raise Raised(NUM)
    return math.pow(fv / pv, 1.0 / nper) - 1.0


@excel("PDURATION(rate: number, pv: number, fv: number) -> number")
def pduration(rate: float, pv: float, fv: float) -> float:
    """The number of periods in which a value grows to another at a rate."""
    if rate <= 0.0 or pv <= 0.0 or fv <= 0.0:
        raise Raised(NUM)
    return (math.log(fv) - math.log(pv)) / math.log(1.0 + rate)


@excel("EFFECT(nominal_rate: strict, npery: strict) -> number")
def effect(nominal: Scalar, npery: Scalar) -> float:
    """The effective annual rate of a nominal rate that is compounded several times a year."""
    r, n = strict_number(nominal), strict_integer(npery)
    if r <= 0.0 or n < 1:
        raise Raised(NUM)
    return math.pow(1.0 + r / n, n) - 1.0


@excel("NOMINAL(effect_rate: strict, npery: strict) -> number")
def nominal(effective: Scalar, npery: Scalar) -> float:
    """The nominal annual rate of an effective rate."""
    r, n = strict_number(effective), strict_integer(npery)
    if r <= 0.0 or n < 1:
        raise Raised(NUM)
    return (math.pow(1.0 + r, 1.0 / n) - 1.0) * n
