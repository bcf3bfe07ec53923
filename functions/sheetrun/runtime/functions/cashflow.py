"""Series of cash flows: NPV, IRR, MIRR, XNPV, XIRR, FVSCHEDULE.

In references and arrays only numbers count; texts, logicals and empty cells are left out, and what follows moves up.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sheetrun.runtime.calendar import to_1900
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import NA, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_number
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value


def numbers_of(values: Value) -> Numbers:
    """The numbers of an array in reading order; of a scalar its reading as a number. Raises its first error."""
    if not isinstance(values, Arr):
        found = to_number(values)
        if isinstance(found, ExcelError):
            raise Raised(found)
        return np.array([found])
    error = values.first_error()
    if error is not None:
        raise Raised(error)
    return values.num[values.numbers()]


def present_value(rate: float, flows: Numbers, *, first: int) -> float:
    """The flows discounted to now; the first one ``first`` (0 or 1) periods away.

    Step by step as Excel does it (measured: bit for bit), so that what is left of a sum that cancels is the same.
    """
    base = 1.0 + rate
    if base == 0.0:
        raise ZeroDivisionError
    factors = np.full(flows.shape, base)
    factors[0] = 1.0
    with np.errstate(all="ignore"):
        total = float(np.add.accumulate(flows / np.multiply.accumulate(factors))[-1])
    return total / base if first else total


@excel("NPV(rate: number, *values: values) -> number")
def npv(rate: float, *values: Value) -> float:
    """The net present value of flows at the end of equal periods."""
    parts = [numbers_of(v) for v in values if v is not MISSING]
    if not parts:
        raise Raised(VALUE)
    flows = np.concatenate(parts)
    return present_value(rate, flows, first=1) if flows.size else 0.0


@excel("IRR(values: values, [guess: number ~ 0.1]) -> number")
def irr(values: Value, guess: float) -> float:
    """The internal rate of return of flows in equal periods, by iteration from a guess.

    Measured: a guess of -1 or less is #VALUE!; flows of one sign are #NUM!.
    """
    if guess <= -1.0:
        raise Raised(VALUE)
    if isinstance(values, Arr) and values.first_error() is not None:
        raise Raised(VALUE)
    flows = numbers_of(values)
    if not ((flows > 0.0).any() and (flows < 0.0).any()):
        raise Raised(NUM)
    found = _secant(flows, guess)
    if found is None:
        found = _nearest(lambda rate: present_value(rate, flows, first=0), guess)
    return found


CLOSE = 1e-7  #: Excel's "0.00001 percent", of the discount factor
FIRST_STEP = 0.001
ROUNDS = 100


def _secant(flows: Numbers, guess: float) -> float | None:
    """The root that a secant walk from ``guess`` reaches; None when it gets lost.

    Fitted to 69 stored results, which show in their last digits where the walk ended: it goes over discount factors
    v = 1 / (1 + rate), its second point is 0.001 to the side that the sign at the guess tells, and it ends with the
    first step of less than 1e-7, so that a double root at 0 is 1.091399510766422E-07.
    """

    def balance(v: float) -> float:
        return present_value(1.0 / v - 1.0, flows, first=0) if v else math.inf

    a = 1.0 / (1.0 + guess)
    fa = balance(a)
    b = a + (FIRST_STEP if fa > 0.0 else -FIRST_STEP)
    fb = balance(b)
    for _ in range(ROUNDS):
        if fb == 0.0 or fa == fb or not (math.isfinite(fa) and math.isfinite(fb)):
            break
        a, b, fa = b, a - fa * (b - a) / (fb - fa), fb
        fb = balance(b)
        if abs(b - a) < CLOSE:
            break
    # A walk may stand still where there is no root, or end beyond the rates that there can be.
    found = b > 0.0 and abs(fb) < 1e-7 * present_value(1.0 / b - 1.0, np.abs(flows), first=0)
    return 1.0 / b - 1.0 if found else None


def _nearest(balance: Callable[[float], float], guess: float) -> float:
    """The root in the first bracket around the guess, the bracket growing on both sides."""
    low = high = guess
    f_low = f_high = balance(guess)
    step = 0.01
    for _ in range(120):
        next_low = max(low - step, (low - 1.0) / 2.0)
        if next_low > -1.0 + 1e-12:
            f_next = balance(next_low)
            if f_next == 0.0 or (f_next > 0.0) != (f_low > 0.0):
                return _bisect(balance, next_low, low)
            low, f_low = next_low, f_next
        next_high = high + step
        f_next = balance(next_high)
        if f_next == 0.0 or (f_next > 0.0) != (f_high > 0.0):
            return _bisect(balance, high, next_high)
        high, f_high = next_high, f_next
        step *= 1.3
    raise Raised(NUM)


def _bisect(balance: Callable[[float], float], low: float, high: float) -> float:
    """Halves a bracket to the last bit."""
    sign = balance(high) > 0.0
    while True:
        middle = (low + high) / 2.0
        if not low < middle < high:
            return middle
        if (balance(middle) > 0.0) == sign:
            high = middle
        else:
            low = middle


@excel("MIRR(values: values, finance_rate: number, reinvest_rate: number) -> number")
def mirr(values: Value, finance: float, reinvest: float) -> float:
    """The modified internal rate of return: losses financed at one rate, gains reinvested at another."""
    flows = numbers_of(values)
    gains, losses = np.where(flows > 0.0, flows, 0.0), np.where(flows < 0.0, flows, 0.0)
    if not losses.any():
        raise ZeroDivisionError
    if not gains.any():
        return -1.0
    n = flows.size
    top = -present_value(reinvest, gains, first=1) * math.pow(1.0 + reinvest, n)
    at_once = finance == -1.0 and not losses[1:].any()  # a loss at once bears no interest
    bottom = float(losses[0]) if at_once else present_value(finance, losses, first=0)
    ratio = top / bottom
    if ratio < 0.0 and n != 2:
        raise Raised(NUM)
    return math.pow(ratio, 1.0 / (n - 1)) - 1.0


@excel("FVSCHEDULE(principal: number, schedule: array) -> number")
def fvschedule(principal: float, schedule: Arr) -> float:
    """A principal after a series of interest rates; an empty cell is no interest."""
    error = schedule.first_error()
    if error is not None:
        raise Raised(error)
    if not (schedule.numbers() | schedule.empties()).all():
        raise Raised(VALUE)
    return principal * float(np.prod(1.0 + schedule.num))


def _dated(values: Arr, dates: Arr) -> tuple[Numbers, Numbers]:
    """Flows and years since the first of them. Raises #VALUE! for what is no number, #NUM! for unequal lengths."""
    for each in (dates, values):  # the dates' errors first (measured)
        error = each.first_error()
        if error is not None:
            raise Raised(error)
    if values.size != dates.size:
        raise Raised(NUM)
    if values.size < 2:
        raise Raised(NA)
    usable = [a.numbers() | a.empties() | a.texts() & ~np.isnan(a.num) for a in (values, dates)]
    if not (usable[0].all() and usable[1].all()):
        raise Raised(VALUE)
    # Rows still to be filled in count for nothing (measured).
    given = ~(values.empties().ravel() & dates.empties().ravel())
    if not given.any():
        raise Raised(NUM)
    return values.num.ravel()[given], _years(dates.num.ravel()[given])


def _years(dates: Numbers) -> Numbers:
    """Years of 365 days since the first date, which none may precede."""
    days = [to_1900(math.trunc(d)) for d in dates.tolist()]
    if min(days) < days[0]:
        raise Raised(NUM)
    return (np.array(days, np.float64) - days[0]) / 365.0


def _dated_value(rate: float, flows: Numbers, years: Numbers) -> float:
    with np.errstate(all="ignore"):
        return float(np.sum(flows / np.power(1.0 + rate, years)))


@excel("XNPV(rate: strict, values: array, dates: array) -> number")
def xnpv(rate: Scalar, values: Arr, dates: Arr) -> float:
    """The net present value of flows on given dates, which none may precede the first.

    Measured: what is no number is left out, so that an empty flow beside a date is #NUM!, and so is a rate of 0 or less.
    """
    found = [numbers_of(each) for each in (values, dates)]
    r = strict_number(rate)
    if r <= 0.0 or found[0].size != found[1].size or not found[0].size:
        raise Raised(NUM)
    return _dated_value(r, found[0], _years(found[1]))


@excel("XIRR(values: array, dates: array, [guess: strict ~ 0.1]) -> number")
def xirr(values: Arr, dates: Arr, guess: Scalar) -> float:
    """The internal rate of return of flows on given dates.

    Measured: Excel halves the way from 0 to the guess, or doubles the guess first, until the step is small; so its
    results are off by some 1e-9, the same way here. Where values grow that way, it begins again at -0.1 and halves the
    way to -1. Where there is no root at all it ends beside 0 (2.98E-09).
    """
    flows, years = _dated(values, dates)
    start = strict_number(guess)
    if start <= -1.0 or not ((flows > 0.0).any() and (flows < 0.0).any()):
        raise Raised(NUM)
    walk = _Halving(flows, years)
    if start >= 0.0:
        return walk.from_above(start or 1e-5)
    found = walk.to_the_left(start)
    if found is None:
        found = walk.doubling(start, 0.1)
    if found is None:
        raise Raised(NUM)
    return found


_RESTART = -0.1


def _fine(step: float, rate: float) -> bool:
    return step < 5e-9 + 8.5e-9 * abs(rate)


def _beside_zero(guess: float) -> float:
    middle = guess / 2.0
    while not _fine(middle, middle):
        middle /= 2.0
    return middle


class _Halving:
    """The search of XIRR for a root of the value of dated flows.

    When it ends is fitted to results of Excel (guesses -0.1 to 30,000, roots -0.998 to 5.3).
    """

    def __init__(self, flows: Numbers, years: Numbers) -> None:
        self._flows = flows
        self._years = years
        self._small = 2e-8 * float(np.abs(flows).sum())

    def value(self, rate: float) -> float:
        return _dated_value(rate, self._flows, self._years)

    def from_above(self, guess: float) -> float:
        at_zero, at_guess = self.value(0.0), self.value(guess)
        if at_zero * at_guess <= 0.0:
            return self.bisect(0.0, guess)
        falls = abs(at_guess) < abs(at_zero)
        found = self.doubling(guess, guess * 2.0) if falls else self._restart()
        if found is None:
            found = self._restart() if falls else self.doubling(guess, guess * 2.0)
        if found is None and not falls:
            raise Raised(NUM)
        return _beside_zero(guess) if found is None else found

    def _restart(self) -> float | None:
        if self.value(_RESTART) * self.value(0.0) <= 0.0:
            return self.bisect(_RESTART, 0.0, self._small)
        return self.to_the_left(_RESTART)

    def doubling(self, low: float, high: float) -> float | None:
        """The root above ``low``, where the upper end doubles until the sign changes; None when it does not."""
        sign = self.value(low) > 0.0
        while high < 1e15:
            if (self.value(high) > 0.0) != sign:
                return self.bisect(low, high)
            low, high = high, high * 2.0
        return None

    def to_the_left(self, start: float) -> float | None:
        """The root between -1 and ``start``; None when the sign does not change."""
        high = start
        sign = self.value(high) > 0.0
        for _ in range(40):
            low = (high - 1.0) / 2.0
            value = self.value(low)
            if not math.isfinite(value):
                return None
            if (value > 0.0) != sign:
                return self.bisect(low, high, self._small)
            high = low
        return None

    def bisect(self, low: float, high: float, small: float = math.inf) -> float:
        """Halves until the step is fine and the value less than ``small`` (which counts to the left of 0 only)."""
        sign = self.value(high) > 0.0
        while True:
            middle = (low + high) / 2.0
            value = self.value(middle)
            fine = _fine((high - low) / 2.0, middle) and abs(value) < small
            if fine or not low < middle < high:
                return middle
            if (value > 0.0) == sign:
                high = middle
            else:
                low = middle
