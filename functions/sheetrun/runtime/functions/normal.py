"""The normal and the lognormal distribution.

With ``cumulative`` the probability of at most x, else the density at x. What has no finite answer is #NUM!. Source:
Microsoft's page of each function.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from sheetrun.runtime import special
from sheetrun.runtime.coerce import to_logical, to_number
from sheetrun.runtime.errors import NUM, ExcelError, demand
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import Arr, Value

_BOX_NUM: Final = float(NUM)


def _norm_dist_whole(x: Value, mean: Value, standard_dev: Value, cumulative: Value) -> Value:
    """Arrays of x with the other arguments alike for all; anything else is left to be lifted."""
    if not is_array(x) or any(is_array(a) or hasattr(a, "arr") for a in (mean, standard_dev, cumulative)):
        return None
    numbers = Arr.of(x).num
    middle, spread, below = to_number(mean), to_number(standard_dev), to_logical(cumulative)
    if isinstance(middle, ExcelError) or isinstance(spread, ExcelError) or isinstance(below, ExcelError):
        return None
    demand(spread > 0.0)
    z = (numbers - middle) / spread
    bad = np.isnan(z)
    out = special.normal_cdfs(z) if below else np.exp(-0.5 * z * z) / (math.sqrt(2.0 * math.pi) * spread)
    return np.where(bad, numbers, out) if bad.any() else out


@excel(
    "NORM.DIST(x: number, mean: number, standard_dev: number, cumulative: logical) -> number",
    whole=_norm_dist_whole,
    also=("NORMDIST",),
)
def norm_dist(x: float, mean: float, standard_dev: float, cumulative: bool) -> float:
    """The normal distribution."""
    demand(standard_dev > 0.0)
    z = (x - mean) / standard_dev
    return special.normal_cdf(z) if cumulative else special.normal_density(z) / standard_dev


@excel(
    "NORM.S.DIST(z: number, cumulative: logical) -> number",
    whole=lambda z, cumulative: _norm_dist_whole(z, 0.0, 1.0, cumulative),
)
def norm_s_dist(z: float, cumulative: bool) -> float:
    """The standard normal distribution."""
    return special.normal_cdf(z) if cumulative else special.normal_density(z)


@excel("NORMSDIST(z: number) -> number", whole=lambda z: _norm_dist_whole(z, 0.0, 1.0, True))
def normsdist(z: float) -> float:
    """The standard normal distribution, cumulative."""
    return special.normal_cdf(z)


@excel("PHI(z: number) -> number")
def phi(z: float) -> float:
    """The density of the standard normal distribution."""
    return special.normal_density(z)


@excel("GAUSS(z: number) -> number")
def gauss(z: float) -> float:
    """The probability that a standard normal variable lies between 0 and z."""
    return 0.5 * math.erf(z / math.sqrt(2.0))


def _norm_inv_many(probability: Any, mean: Any, standard_dev: Any) -> Any:
    sane = (probability > 0.0) & (probability < 1.0) & (standard_dev > 0.0)
    z = special.normal_inverses(np.where(sane, probability, 0.5))
    return np.where(sane, mean + standard_dev * z, _BOX_NUM)


@excel(
    "NORM.INV(probability: number, mean: number, standard_dev: number) -> number",
    vector=_norm_inv_many,
    also=("NORMINV",),
)
def norm_inv(probability: float, mean: float, standard_dev: float) -> float:
    """The inverse of the cumulative normal distribution."""
    demand(0.0 < probability < 1.0 and standard_dev > 0.0)
    return mean + standard_dev * special.normal_inverse(probability)


@excel(
    "NORM.S.INV(probability: number) -> number",
    vector=lambda p: _norm_inv_many(p, 0.0, 1.0),
    also=("NORMSINV",),
)
def norm_s_inv(probability: float) -> float:
    """The inverse of the cumulative standard normal distribution."""
    demand(0.0 < probability < 1.0)
    return special.normal_inverse(probability)


@excel("STANDARDIZE(x: number, mean: number, standard_dev: number) -> number")
def standardize(x: float, mean: float, standard_dev: float) -> float:
    """How many standard deviations a value lies from the mean."""
    demand(standard_dev > 0.0)
    return (x - mean) / standard_dev


@excel("CONFIDENCE.NORM(alpha: number, standard_dev: number, size: integer) -> number", also=("CONFIDENCE",))
def confidence_norm(alpha: float, standard_dev: float, size: int) -> float:
    """Half the width of a confidence interval for a mean, the standard deviation known."""
    demand(0.0 < alpha < 1.0 and standard_dev > 0.0 and size >= 1)
    return -special.normal_inverse(alpha / 2.0) * standard_dev / math.sqrt(size)


@excel("LOGNORM.DIST(x: number, mean: number, standard_dev: number, cumulative: logical) -> number")
def lognorm_dist(x: float, mean: float, standard_dev: float, cumulative: bool) -> float:
    """The lognormal distribution; mean and deviation are those of ln(x)."""
    demand(x > 0.0 and standard_dev > 0.0)
    z = (math.log(x) - mean) / standard_dev
    return special.normal_cdf(z) if cumulative else special.normal_density(z) / (standard_dev * x)


@excel("LOGNORMDIST(x: number, mean: number, standard_dev: number) -> number")
def lognormdist(x: float, mean: float, standard_dev: float) -> float:
    """The lognormal distribution, cumulative."""
    return lognorm_dist(x, mean, standard_dev, True)


@excel("LOGNORM.INV(probability: number, mean: number, standard_dev: number) -> number", also=("LOGINV",))
def lognorm_inv(probability: float, mean: float, standard_dev: float) -> float:
    """The inverse of the cumulative lognormal distribution."""
    return math.exp(norm_inv(probability, mean, standard_dev))


@excel("FISHER(x: number) -> number")
def fisher(x: float) -> float:
    """The Fisher transformation of a correlation."""
    demand(-1.0 < x < 1.0)
    return 0.5 * math.log((1.0 + x) / (1.0 - x))  # in these steps, as is seen near 0


@excel("FISHERINV(y: number) -> number")
def fisherinv(y: float) -> float:
    """The inverse of the Fisher transformation."""
    if y > 300.0:
        return 1.0
    grown = math.exp(2.0 * y)
    return (grown - 1.0) / (grown + 1.0)
