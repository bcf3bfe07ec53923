"""Continuous distributions: normal, lognormal, exponential, Weibull, gamma, beta, chi-square, F and t.

With ``cumulative`` the probability of at most x, else the density at x. Degrees of freedom are cut off to whole
numbers. What has no finite answer is #NUM!. Source: Microsoft's page of each function.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from sheetrun.runtime import special
from sheetrun.runtime.coerce import to_logical, to_number
from sheetrun.runtime.errors import DIV0, NUM, ExcelError, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import Arr, Value

_MOST_FREEDOM: Final = 1e10
_BOX_NUM: Final = float(NUM)


def demand(holds: bool) -> None:
    """#NUM! unless a condition on the arguments holds."""
    if not holds:
        raise Raised(NUM)


def _freedom(degrees: float) -> float:
    """Degrees of freedom as a whole number from 1 to 10^10."""
    whole = float(math.trunc(degrees))
    demand(1.0 <= whole <= _MOST_FREEDOM)
    return whole


# -- normal ----------------------------------------------------------------------------------------------------------


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


@excel("PHI(z: number) -> number", vector=lambda z: np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi))
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


@excel("CONFIDENCE.T(alpha: number, standard_dev: number, size: integer) -> number")
def confidence_t(alpha: float, standard_dev: float, size: int) -> float:
    """Half the width of a confidence interval for a mean, by the t distribution."""
    demand(0.0 < alpha < 1.0 and standard_dev > 0.0 and size >= 1)
    if size == 1:
        raise Raised(DIV0)
    return t_inverse_two_tailed(alpha, float(size - 1)) * standard_dev / math.sqrt(size)


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


# -- exponential, Weibull, gamma, beta -------------------------------------------------------------------------------


@excel("EXPON.DIST(x: number, lambda_: number, cumulative: logical) -> number", also=("EXPONDIST",))
def expon_dist(x: float, lambda_: float, cumulative: bool) -> float:
    """The exponential distribution."""
    demand(x >= 0.0 and lambda_ > 0.0)
    return -math.expm1(-lambda_ * x) if cumulative else lambda_ * math.exp(-lambda_ * x)


@excel("WEIBULL.DIST(x: number, alpha: number, beta: number, cumulative: logical) -> number", also=("WEIBULL",))
def weibull_dist(x: float, alpha: float, beta: float, cumulative: bool) -> float:
    """The Weibull distribution."""
    demand(x >= 0.0 and alpha > 0.0 and beta > 0.0)
    if cumulative:
        return -math.expm1(-math.pow(x / beta, alpha))
    if x / beta == 0.0 and alpha < 1.0:
        raise Raised(NUM)
    return alpha / beta * math.pow(x / beta, alpha - 1.0) * math.exp(-math.pow(x / beta, alpha))


@excel("GAMMA(number: number) -> number")
def gamma(number: float) -> float:
    """The gamma function."""
    demand(number > 0.0 or not number.is_integer())
    return special.gamma(number)


@excel("GAMMALN(x: number) -> number", also=("GAMMALN.PRECISE",))
def gammaln(x: float) -> float:
    """The natural logarithm of the gamma function."""
    demand(x > 0.0)
    return special.log_gamma(x)


@excel("GAMMA.DIST(x: number, alpha: number, beta: number, cumulative: logical) -> number", also=("GAMMADIST",))
def gamma_dist(x: float, alpha: float, beta: float, cumulative: bool) -> float:
    """The gamma distribution."""
    demand(x >= 0.0 and alpha > 0.0 and beta > 0.0)
    if cumulative:
        return special.gamma_lower(alpha, x / beta)
    if x == 0.0:
        demand(alpha >= 1.0)
        return 1.0 / beta if alpha == 1.0 else 0.0
    return special.gamma_density(alpha, x / beta) / beta


@excel("GAMMA.INV(probability: number, alpha: number, beta: number) -> number", also=("GAMMAINV",))
def gamma_inv(probability: float, alpha: float, beta: float) -> float:
    """The inverse of the cumulative gamma distribution."""
    demand(0.0 <= probability < 1.0 and alpha > 0.0 and beta > 0.0)
    return 0.0 if probability == 0.0 else beta * special.gamma_inverse(probability, alpha)


def _portion(x: float, alpha: float, beta: float, low: float, high: float) -> tuple[float, float]:
    """x on the scale from 0 to 1, and what is left to 1."""
    demand(alpha > 0.0 and beta > 0.0 and low < high and low <= x <= high)
    return (x - low) / (high - low), (high - x) / (high - low)


@excel(
    "BETA.DIST(x: number, alpha: number, beta: number, cumulative: logical, [low: number = 0], [high: number = 1])"
    " -> number"
)
def beta_dist(x: float, alpha: float, beta: float, cumulative: bool, low: float = 0.0, high: float = 1.0) -> float:
    """The beta distribution between two bounds."""
    u, v = _portion(x, alpha, beta, low, high)
    if cumulative:
        return special.beta_lower(u, v, alpha, beta)
    if u == 0.0 or v == 0.0:
        edge = alpha if u == 0.0 else beta
        demand(edge >= 1.0)
        return 0.0 if edge > 1.0 else (beta if u == 0.0 else alpha) / (high - low)
    return special.beta_density(u, v, alpha, beta) / (high - low)


@excel("BETADIST(x: number, alpha: number, beta: number, [low: number = 0], [high: number = 1]) -> number")
def betadist(x: float, alpha: float, beta: float, low: float = 0.0, high: float = 1.0) -> float:
    """The cumulative beta distribution between two bounds."""
    return beta_dist(x, alpha, beta, True, low, high)


@excel(
    "BETA.INV(probability: number, alpha: number, beta: number, [low: number = 0], [high: number = 1]) -> number",
    also=("BETAINV",),
)
def beta_inv(probability: float, alpha: float, beta: float, low: float = 0.0, high: float = 1.0) -> float:
    """The inverse of the cumulative beta distribution."""
    demand(alpha > 0.0 and beta > 0.0 and low < high and 0.0 < probability < 1.0)
    x, y = special.beta_inverse(probability, alpha, beta)
    return low + (high - low) * x if x <= 0.5 else high - (high - low) * y


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
    """The t distribution, left tail."""
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
