"""Continuous distributions: exponential, Weibull, gamma and beta.

With ``cumulative`` the probability of at most x, else the density at x. What has no finite answer is #NUM!. Source:
Microsoft's page of each function.
"""

from __future__ import annotations

import math

from sheetrun.runtime import special
from sheetrun.runtime.errors import NUM, Raised, demand
from sheetrun.runtime.registry import excel


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
