"""Discrete distributions: binomial, negative binomial, Poisson and hypergeometric.

Counts are cut off to whole numbers. With ``cumulative`` the probability of at most that count, else of just it.
Source: Microsoft's page of each function.
"""

from __future__ import annotations

import math
from typing import Final

from sheetrun.runtime import special
from sheetrun.runtime.errors import demand
from sheetrun.runtime.registry import excel

_MOST: Final = 2.0**53
_FUZZ: Final = 1e-14  # a cumulative probability this near to the wanted one counts as having reached it


def _at_most(successes: float, trials: float, p: float) -> float:
    """The probability of at most some successes among trials."""
    if successes >= trials:
        return 1.0
    return special.beta_lower(1.0 - p, p, trials - successes, successes + 1.0)


@excel(
    "BINOM.DIST(successes: integer, trials: integer, probability: number, cumulative: logical) -> number",
    also=("BINOMDIST",),
)
def binom_dist(successes: int, trials: int, probability: float, cumulative: bool) -> float:
    """The binomial distribution."""
    demand(0 <= successes <= trials < _MOST and 0.0 <= probability <= 1.0)
    if cumulative:
        return _at_most(successes, trials, probability)
    return special.binomial_density(successes, trials, probability, 1.0 - probability)


@excel("BINOM.DIST.RANGE(trials: integer, probability: number, successes: integer, [last: integer ~ None]) -> number")
def binom_dist_range(trials: int, probability: float, successes: int, last: int | None = None) -> float:
    """The probability of a number of successes, or of any number from one to another."""
    demand(0 <= trials < _MOST and 0.0 <= probability <= 1.0 and 0 <= successes <= trials)
    if last is None:
        return special.binomial_density(successes, trials, probability, 1.0 - probability)
    demand(successes <= last <= trials)
    if last - successes < 1000:
        q = 1.0 - probability
        return math.fsum(special.binomial_density(k, trials, probability, q) for k in range(successes, last + 1))
    below = _at_most(successes - 1, trials, probability) if successes else 0.0
    return _at_most(last, trials, probability) - below


@excel("BINOM.INV(trials: integer, probability: number, alpha: number) -> number", also=("CRITBINOM",))
def binom_inv(trials: int, probability: float, alpha: float) -> float:
    """The smallest number of successes whose cumulative probability reaches alpha."""
    demand(0 <= trials < _MOST and 0.0 < probability < 1.0 and 0.0 < alpha < 1.0)
    low, high = -1, trials  # at most low: too little; at most high: enough
    while high - low > 1:
        middle = (low + high) // 2
        if _at_most(middle, trials, probability) >= alpha * (1.0 - _FUZZ):
            high = middle
        else:
            low = middle
    return float(high)


@excel("NEGBINOM.DIST(failures: integer, successes: integer, probability: number, cumulative: logical) -> number")
def negbinom_dist(failures: int, successes: int, probability: float, cumulative: bool) -> float:
    """The negative binomial distribution: failures before a number of successes."""
    demand(0 <= failures < _MOST and 1 <= successes < _MOST and 0.0 < probability < 1.0)
    if cumulative:
        return special.beta_lower(probability, 1.0 - probability, successes, failures + 1.0)
    trials = failures + successes
    found = special.binomial_density(successes, trials, probability, 1.0 - probability)
    return found * successes / trials


@excel("NEGBINOMDIST(failures: integer, successes: integer, probability: number) -> number")
def negbinomdist(failures: int, successes: int, probability: float) -> float:
    """The probability of a number of failures before a number of successes."""
    return negbinom_dist(failures, successes, probability, False)


@excel("POISSON.DIST(x: number, mean: number, cumulative: logical) -> number", also=("POISSON",))
def poisson_dist(x: float, mean: float, cumulative: bool) -> float:
    """The Poisson distribution; -0.1 events are #NUM!, not none."""
    demand(0.0 <= x < _MOST and mean >= 0.0)
    events = math.trunc(x)
    return special.gamma_upper(events + 1.0, mean) if cumulative else special.poisson_density(events, mean)


@excel(
    "HYPGEOM.DIST(successes: integer, sample: integer, population_s: integer, population: integer, "
    "cumulative: logical) -> number"
)
def hypgeom_dist(successes: int, sample: int, population_s: int, population: int, cumulative: bool) -> float:
    """The hypergeometric distribution: successes in a sample drawn without putting back."""
    demand(successes >= 0 and population < _MOST and 0 <= sample <= population and 0 <= population_s <= population)
    least, most = max(0, sample - population + population_s), min(sample, population_s)
    if cumulative and not least <= successes < most:  # measured: no #NUM! outside
        return float(successes >= most)
    demand(least <= successes <= most)
    if not cumulative:
        return _drawn(successes, sample, population_s, population)
    if successes * (population + 2) > (sample + 1) * (
        population_s + 1
    ):  # above the mode: the upper tail is the small one
        return 1.0 - _drawn_tail(successes + 1, sample, population_s, population, 1)
    return _drawn_tail(successes, sample, population_s, population, -1)


def _drawn_tail(start: int, sample: int, population_s: int, population: int, step: int) -> float:
    """The probability of a count and all beyond it (``step`` 1: above, -1: below), term by term."""
    if not max(0, sample - population + population_s) <= start <= min(sample, population_s):
        return 0.0
    term = found = _drawn(start, sample, population_s, population)
    k, rest = start, population - population_s - sample
    while term > found * 1e-18:
        if step > 0:
            term *= (population_s - k) * (sample - k) / ((k + 1) * (rest + k + 1))
        else:
            term *= k * (rest + k) / ((population_s - k + 1) * (sample - k + 1))
        k += step
        found += term
    return found


def _drawn(successes: int, sample: int, population_s: int, population: int) -> float:
    """The probability of just these successes, as a ratio of binomial densities (Loader)."""
    if population == 0:
        return 1.0  # measured
    p, q = sample / population, (population - sample) / population
    found = special.binomial_density(successes, population_s, p, q)
    found *= special.binomial_density(sample - successes, population - population_s, p, q)
    return found / special.binomial_density(sample, population, p, q)


@excel("HYPGEOMDIST(successes: integer, sample: integer, population_s: integer, population: integer) -> number")
def hypgeomdist(successes: int, sample: int, population_s: int, population: int) -> float:
    """The probability of a number of successes in a sample drawn without putting back."""
    return hypgeom_dist(successes, sample, population_s, population, False)
