"""Distributions of what samples give: chi-square, F and t.

With ``cumulative`` the probability of at most x, else the density at x. Degrees of freedom are cut off to whole
numbers. What has no finite answer is #NUM!. Source: Microsoft's page of each function.
"""

from __future__ import annotations

import math
from typing import Final

from sheetrun.runtime import special
from sheetrun.runtime.errors import DIV0, Raised, demand
from sheetrun.runtime.functions.distributions import gamma_dist, gamma_inv
from sheetrun.runtime.registry import excel

_MOST_FREEDOM: Final = 1e10


def _freedom(degrees: float) -> float:
    """Degrees of freedom as a whole number from 1 to 10^10."""
    whole = float(math.trunc(degrees))
    demand(1.0 <= whole <= _MOST_FREEDOM)
    return whole


# -- chi-square ------------------------------------------------------------------------------------------------------


@excel("CHISQ.DIST(x: number, degrees: number, cumulative: logical) -> number")
def chisq_dist(x: float, degrees: float, cumulative: bool) -> float:
    """The chi-square distribution."""
    demand(x >= 0.0)
    return gamma_dist(x, _freedom(degrees) / 2.0, 2.0, cumulative)


@excel("CHISQ.DIST.RT(x: number, degrees: number) -> number", also=("CHIDIST",))
def chisq_dist_rt(x: float, degrees: float) -> float:
    """The right tail of the chi-square distribution."""
    demand(x >= 0.0)
    return special.gamma_upper(_freedom(degrees) / 2.0, x / 2.0)


@excel("CHISQ.INV(probability: number, degrees: number) -> number")
def chisq_inv(probability: float, degrees: float) -> float:
    """The inverse of the left tail of the chi-square distribution."""
    return gamma_inv(probability, _freedom(degrees) / 2.0, 2.0)


@excel("CHISQ.INV.RT(probability: number, degrees: number) -> number", also=("CHIINV",))
def chisq_inv_rt(probability: float, degrees: float) -> float:
    """The inverse of the right tail of the chi-square distribution."""
    half = _freedom(degrees) / 2.0
    demand(0.0 < probability <= 1.0)
    return 0.0 if probability == 1.0 else 2.0 * special.gamma_inverse(probability, half, upper=True)


# -- F ---------------------------------------------------------------------------------------------------------------


def _f_portion(x: float, d1: float, d2: float) -> tuple[float, float]:
    """The beta variable that stands for an F variable, and 1 less it."""
    return d1 * x / (d1 * x + d2), d2 / (d1 * x + d2)


@excel("F.DIST(x: number, degrees1: number, degrees2: number, cumulative: logical) -> number")
def f_dist(x: float, degrees1: float, degrees2: float, cumulative: bool) -> float:
    """The F distribution, left tail."""
    d1, d2 = _freedom(degrees1), _freedom(degrees2)
    demand(x >= 0.0)
    u, v = _f_portion(x, d1, d2)
    if cumulative:
        return special.beta_lower(u, v, d1 / 2.0, d2 / 2.0)
    if x == 0.0:
        demand(d1 >= 2.0)
        return 1.0 if d1 == 2.0 else 0.0
    return special.beta_density(u, v, d1 / 2.0, d2 / 2.0) * v * v * d1 / d2


@excel("F.DIST.RT(x: number, degrees1: number, degrees2: number) -> number", also=("FDIST",))
def f_dist_rt(x: float, degrees1: float, degrees2: float) -> float:
    """The F distribution, right tail."""
    d1, d2 = _freedom(degrees1), _freedom(degrees2)
    demand(x >= 0.0)
    u, v = _f_portion(x, d1, d2)
    return special.beta_upper(u, v, d1 / 2.0, d2 / 2.0)


def _f_inverse(probability: float, degrees1: float, degrees2: float, *, upper: bool) -> float:
    d1, d2 = _freedom(degrees1), _freedom(degrees2)
    x, y = special.beta_inverse(probability, d1 / 2.0, d2 / 2.0, upper=upper)
    return d2 * x / (d1 * y)


@excel("F.INV(probability: number, degrees1: number, degrees2: number) -> number")
def f_inv(probability: float, degrees1: float, degrees2: float) -> float:
    """The inverse of the left tail of the F distribution."""
    _freedom(degrees1), _freedom(degrees2)
    demand(0.0 <= probability < 1.0)
    return 0.0 if probability == 0.0 else _f_inverse(probability, degrees1, degrees2, upper=False)


@excel("F.INV.RT(probability: number, degrees1: number, degrees2: number) -> number", also=("FINV",))
def f_inv_rt(probability: float, degrees1: float, degrees2: float) -> float:
    """The inverse of the right tail of the F distribution."""
    _freedom(degrees1), _freedom(degrees2)
    demand(0.0 < probability <= 1.0)
    return 0.0 if probability == 1.0 else _f_inverse(probability, degrees1, degrees2, upper=True)


# -- t ---------------------------------------------------------------------------------------------------------------


def t_tails(t: float, degrees: float) -> float:
    """The probability that a t variable is farther from 0 than t. Degrees may be fractional."""
    square = t * t
    return special.beta_lower(degrees / (degrees + square), square / (degrees + square), degrees / 2.0, 0.5)


def t_inverse_two_tailed(probability: float, degrees: float) -> float:
    """The t whose two tails hold a probability between 0 and 1."""
    x, y = special.beta_inverse(probability, degrees / 2.0, 0.5)
    demand(x > 0.0)
    return math.sqrt(degrees * y / x)


@excel("T.DIST(x: number, degrees: number, cumulative: logical) -> number")
def t_dist(x: float, degrees: float, cumulative: bool) -> float:
    """The t distribution, left tail. Of no degrees of freedom the density is #DIV/0! (measured)."""
    if not cumulative and 0.0 <= degrees < 1.0:
        raise Raised(DIV0)
    d = _freedom(degrees)
    if cumulative:
        tail = 0.5 * t_tails(x, d)
        return tail if x < 0.0 else 1.0 - tail
    power = -0.5 * (d + 1.0) * math.log1p(x * x / d)
    ratio = math.exp(special.log_gamma((d + 1.0) / 2.0) - special.log_gamma(d / 2.0)) if d < 100.0 else _half_step(d)
    return ratio * math.exp(power) / math.sqrt(d * math.pi)


def _half_step(d: float) -> float:
    """gamma((d+1)/2) / gamma(d/2) for large d, without the cancellation of two large logarithms (DLMF 5.11.13)."""
    a = d / 2.0
    n = a - 0.5  # log gamma(z+1) = (z+1/2) log z - z + … + stirling_error(z), at z = a - 1/2 and z = a - 1
    m = a - 1.0
    power = (n + 0.5) * math.log1p(0.5 / m) - 0.5 + special.stirling_error(n) - special.stirling_error(m)
    return math.exp(power) * math.sqrt(m)


@excel("T.DIST.RT(x: number, degrees: number) -> number")
def t_dist_rt(x: float, degrees: float) -> float:
    """The t distribution, right tail."""
    tail = 0.5 * t_tails(x, _freedom(degrees))
    return tail if x >= 0.0 else 1.0 - tail


@excel("T.DIST.2T(x: number, degrees: number) -> number")
def t_dist_2t(x: float, degrees: float) -> float:
    """The t distribution, both tails."""
    d = _freedom(degrees)
    demand(x >= 0.0)
    return t_tails(x, d)


@excel("TDIST(x: number, degrees: number, tails: integer) -> number")
def tdist(x: float, degrees: float, tails: int) -> float:
    """The t distribution, one or two tails."""
    d = _freedom(degrees)
    demand(x >= 0.0 and tails in (1, 2))
    return t_tails(x, d) * tails / 2.0


@excel("T.INV(probability: number, degrees: number) -> number")
def t_inv(probability: float, degrees: float) -> float:
    """The inverse of the left tail of the t distribution."""
    d = _freedom(degrees)
    demand(0.0 < probability < 1.0)
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -t_inverse_two_tailed(2.0 * probability, d)
    return t_inverse_two_tailed(2.0 * (1.0 - probability), d)


@excel("T.INV.2T(probability: number, degrees: number) -> number", also=("TINV",))
def t_inv_2t(probability: float, degrees: float) -> float:
    """The inverse of both tails of the t distribution."""
    d = _freedom(degrees)
    demand(0.0 < probability <= 1.0)
    return 0.0 if probability == 1.0 else t_inverse_two_tailed(probability, d)


@excel("CONFIDENCE.T(alpha: number, standard_dev: number, size: integer) -> number")
def confidence_t(alpha: float, standard_dev: float, size: int) -> float:
    """Half the width of a confidence interval for a mean, by the t distribution."""
    demand(0.0 < alpha < 1.0 and standard_dev > 0.0 and size >= 1)
    if size == 1:
        raise Raised(DIV0)
    return t_inverse_two_tailed(alpha, float(size - 1)) * standard_dev / math.sqrt(size)
