"""Scenarios by number: from a plan (a list, a grid, a sample) or an uploaded table. Any part can be asked for by itself.

A sample is drawn in blocks of 4,096 scenarios, each from a counter-based generator of its own (Philox, keyed by seed and
block), so that scenario 123,456 is the same however the work is divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.special import normal_cdfs, normal_inverses
from sheetrun.service.scenario_requests import cholesky, inputs_of
from sheetrun.service.scenarios import OWN

BLOCK: Final = 4096
_LEAST: Final = 2.0**-53  #: a uniform number is never 0 or 1, where the normal's inverse has no value

Column: TypeAlias = Any  #: a float64 array, or a list of JSON values and OWN


class Draws(Protocol):
    """``count`` scenarios of the inputs ``references``."""

    @property
    def references(self) -> Sequence[str]: ...

    @property
    def count(self) -> int: ...

    @property
    def skip(self) -> int:
        """How many come before the first: of a sample that several jobs share."""

    def part(self, first: int, end: int) -> dict[str, Column]:
        """The values of each input in the scenarios from ``first`` up to ``end``."""

    def kinds_of_values(self) -> dict[str, Column]:
        """Values of every type that an input has in any scenario."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Each scenario as it was written; what one does not name is the workbook's own."""

    references: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    skip: int = 0

    @property
    def count(self) -> int:
        return len(self.rows)

    def part(self, first: int, end: int) -> dict[str, Column]:
        rows = self.rows[first:end]
        return {name: column([row.get(name, OWN) for row in rows]) for name in self.references}

    def kinds_of_values(self) -> dict[str, Column]:
        return self.part(0, self.count)


@dataclass(frozen=True, slots=True)
class Grid:
    """Every combination; the last input changes fastest."""

    references: Sequence[str]
    values: Sequence[Sequence[Any]]
    skip: int = 0

    @property
    def count(self) -> int:
        total = 1
        for values in self.values:
            total *= len(values)
        return total

    def part(self, first: int, end: int) -> dict[str, Column]:
        at = np.arange(first, end)
        found: dict[str, Column] = {}
        for name, values in zip(reversed(self.references), reversed(self.values), strict=True):
            at, digit = np.divmod(at, len(values))
            found[name] = _taken(values, digit)
        return {name: found[name] for name in self.references}

    def kinds_of_values(self) -> dict[str, Column]:
        return {name: column(values) for name, values in zip(self.references, self.values, strict=True)}


@dataclass(frozen=True, slots=True)
class Sample:
    """Random values. ``lower``: the Cholesky factor of the correlations, where there are any."""

    references: Sequence[str]
    distributions: Sequence[Mapping[str, Any]]
    count: int
    seed: int
    lower: Numbers | None = None
    skip: int = 0  #: scenarios of the sample that other jobs compute

    def part(self, first: int, end: int) -> dict[str, Column]:
        first, end = first + self.skip, end + self.skip
        blocks = [self._uniform(block) for block in range(first // BLOCK, -(-end // BLOCK))]
        start = first // BLOCK * BLOCK
        uniform = np.concatenate(blocks)[first - start : end - start]
        if self.lower is not None:
            uniform = normal_cdfs(normal_inverses(uniform) @ self.lower.T)
        return {
            name: _drawn(distribution, uniform[:, place])
            for place, (name, distribution) in enumerate(zip(self.references, self.distributions, strict=True))
        }

    def kinds_of_values(self) -> dict[str, Column]:
        return {
            name: column([value for value, _ in each["discrete"]]) if "discrete" in each else np.zeros(1)
            for name, each in zip(self.references, self.distributions, strict=True)
        }

    def _uniform(self, block: int) -> Numbers:
        generator = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, 0, 0, block]))
        return np.maximum(generator.random((BLOCK, len(self.references))), _LEAST)


@dataclass(frozen=True, slots=True)
class Table:
    """A column for each input, as an uploaded file has them."""

    columns: Mapping[str, Column]
    skip: int = 0

    @property
    def references(self) -> Sequence[str]:
        return list(self.columns)

    @property
    def count(self) -> int:
        return len(next(iter(self.columns.values())))

    def part(self, first: int, end: int) -> dict[str, Column]:
        return {name: column(values[first:end]) for name, values in self.columns.items()}

    def kinds_of_values(self) -> dict[str, Column]:
        return dict(self.columns)


def draws_of(plan: Mapping[str, Any]) -> Draws:
    """A checked plan (``scenario_requests``) as scenarios."""
    names = inputs_of(plan)
    if "scenarios" in plan:
        return Listed(names, plan["scenarios"])
    if "grid" in plan:
        return Grid(names, [plan["grid"][name] for name in names])
    lower = None
    if plan["correlations"]:
        matrix = np.eye(len(names))
        for first, second, r in plan["correlations"]:
            i, j = names.index(first), names.index(second)
            matrix[i, j] = matrix[j, i] = r
        lower = np.array(cholesky(matrix.tolist()))
    return Sample(names, [plan["sample"][name] for name in names], plan["count"], plan["seed"], lower, plan["skip"])


def column(values: Sequence[Any]) -> Column:
    """Numbers alone as an array."""
    if isinstance(values, np.ndarray):
        return values
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.array(values, np.float64)
    return list(values)


def _taken(values: Sequence[Any], places: Any) -> Column:
    known = column(values)
    return known[places] if isinstance(known, np.ndarray) else [known[place] for place in places.tolist()]


def _drawn(distribution: Mapping[str, Any], u: Numbers) -> Column:
    """The value below which a share ``u`` of the distribution lies."""
    ((name, given),) = distribution.items()
    if name == "discrete":
        weights = np.array([weight for _, weight in given], np.float64)
        edges = np.cumsum(weights / weights.sum())
        last = int(np.flatnonzero(weights)[-1])  # rounding must not give a value without weight
        return _taken([value for value, _ in given], np.minimum(np.searchsorted(edges, u, side="right"), last))
    if name == "uniform":
        low, high = map(float, given)
        return low + (high - low) * u
    if name == "triangular":
        least, mode, most = map(float, given)
        return _triangular(least, mode, most, u)
    mean, sd = map(float, given)
    normal = mean + sd * normal_inverses(np.minimum(u, 1.0 - _LEAST))
    return np.exp(normal) if name == "lognormal" else normal


def _triangular(low: float, mode: float, high: float, u: Numbers) -> Numbers:
    if low == high:
        return np.full(len(u), low)
    rising = (mode - low) / (high - low)
    below = low + np.sqrt(u * (high - low) * (mode - low))
    above = high - np.sqrt((1.0 - u) * (high - low) * (high - mode))
    return np.where(u < rising, below, above)
