"""What many scenarios say together: moments, percentiles, histograms, and which input moves which output.

Chunks are added one after another; memory does not grow with their number. Counts and moments are of every scenario (Chan,
Golub and LeVeque 1979). Percentiles, histograms and sensitivities are of every scenario too as long as there are no more
than ``_KEPT`` values in all; above, of scenarios chosen at random, and the summary says of how many.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import Numbers

_KEPT: Final = 8_000_000  #: values, of all columns together
_SENSED: Final = 200_000  #: scenarios that sensitivities are computed of
_PERCENTILES: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)
_WORDS: Final = 20  #: of a text output: the most frequent values
_EXAMPLES: Final = 20  #: failed scenarios of each reason


class Summary:
    """Of ``count`` scenarios. ``inputs``, ``outputs``: name -> number, text or logical."""

    def __init__(self, inputs: Mapping[str, str], outputs: Mapping[str, str], count: int) -> None:
        self._inputs, self._outputs, self._count = inputs, outputs, count
        self._numeric = [name for name, kind in {**inputs, **outputs}.items() if kind == "number"]
        self._moments = {name: _Moments() for name in self._numeric}
        self._kept: dict[str, list[Numbers]] = {name: [] for name in self._numeric}
        self._words: dict[str, Counter[str]] = {n: Counter() for n, kind in outputs.items() if kind != "number"}
        self._share = min(1.0, _KEPT / max(1, count * max(1, len(self._numeric))))
        self._chance = np.random.Generator(np.random.Philox(key=0))
        self._failed: dict[str, list[int]] = {}
        self._failures: Counter[str] = Counter()
        self._seen = 0

    def add(self, columns: Mapping[str, Any], failures: Sequence[str | None]) -> None:
        """A chunk: numbers as float64 arrays (missing: NaN), the rest as lists; why each scenario failed, if it did."""
        rows = len(failures)
        chosen = slice(None) if self._share == 1 else self._chance.random(rows) < self._share
        for name in self._numeric:
            self._moments[name].add(columns[name])
            self._kept[name].append(columns[name][chosen])
        for name, words in self._words.items():
            words.update("TRUE" if v is True else "FALSE" if v is False else v for v in columns[name] if v is not None)
        for row, reason in enumerate(failures):
            if reason is not None:
                self._failures[reason] += 1
                examples = self._failed.setdefault(reason, [])
                if len(examples) < _EXAMPLES:
                    examples.append(self._seen + row + 1)
        self._seen += rows

    def document(self) -> dict[str, Any]:
        """As JSON values. What overflows (the square of 1E+200) is null."""
        with np.errstate(all="ignore"):
            document: dict[str, Any] = _finite(self._document())
        return document

    def _document(self) -> dict[str, Any]:
        kept = {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in self._kept.items()}
        inputs = {name: kept[name] for name, kind in self._inputs.items() if kind == "number"}
        outputs = {name: self._output(name, kind, kept) for name, kind in self._outputs.items()}
        tornado = {name: sensitivities(inputs, kept[name]) for name, kind in self._outputs.items() if kind == "number"}
        document: dict[str, Any] = {
            "scenarios": self._seen,
            "failed": sum(self._failures.values()),
            "inputs": {name: self._moments[name].document() for name in inputs},
            "outputs": outputs,
            "tornado": tornado,
            "failures": [
                {"reason": reason, "count": count, "scenarios": self._failed[reason]}
                for reason, count in self._failures.most_common()
            ],
        }
        if self._share < 1:
            document["estimated_from"] = len(next(iter(kept.values()), ()))
        return document

    def _output(self, name: str, kind: str, kept: Mapping[str, Numbers]) -> dict[str, Any]:
        if kind != "number":
            words = self._words[name]
            return {
                "type": kind,
                "count": sum(words.values()),
                "distinct": len(words),
                "values": [{"value": word, "count": count} for word, count in words.most_common(_WORDS)],
            }
        values = kept[name][np.isfinite(kept[name])]
        document = {"type": kind, **self._moments[name].document()}
        if len(values):
            found = np.percentile(
                values, _PERCENTILES, method="inverted_cdf" if np.ptp(values) == math.inf else "linear"
            )
            document["percentiles"] = {f"p{p}": float(value) for p, value in zip(_PERCENTILES, found, strict=True)}
            document["histogram"] = histogram(values)
        return document


class _Moments:
    """Count, mean, squared deviations, least and greatest of numbers that come in parts."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.least, self.most = math.inf, -math.inf

    def add(self, values: Numbers) -> None:
        values = values[np.isfinite(values)]
        if len(values):
            with np.errstate(all="ignore"):
                self._add(values)

    def _add(self, values: Numbers) -> None:
        count, mean = len(values), float(values.mean())
        squares = float(((values - mean) ** 2).sum())
        total, off = self.count + count, mean - self.mean
        self.squares += squares + off * off * self.count * count / total
        self.mean += off * count / total
        self.count = total
        self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))

    def document(self) -> dict[str, Any]:
        if not self.count:
            return {"count": 0}
        sd = math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else None
        return {"count": self.count, "mean": self.mean, "sd": sd, "min": self.least, "max": self.most}


def histogram(values: Numbers, most: int = 50) -> dict[str, Any]:
    """``edges`` and ``counts``; as many bins as Freedman and Diaconis (1981) advise, at most ``most``."""
    low, high = float(values.min()), float(values.max())
    bins = 1
    if high - low == math.inf:
        return {"edges": [low, high], "counts": [len(values)]}
    if high > low:
        q1, q3 = np.percentile(values, (25, 75))
        width = 2 * (q3 - q1) / len(values) ** (1 / 3)
        bins = most if width <= 0 else int(min(most, max(1, math.ceil((high - low) / width))))
    try:
        counts, edges = np.histogram(values, bins=bins)
    except ValueError:  # a range so small beside its numbers, or so large, that it cannot be divided
        counts, edges = np.array([len(values)]), np.array([low, high])
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def sensitivities(inputs: Mapping[str, Numbers], output: Numbers) -> list[dict[str, Any]]:
    """For a tornado, the strongest first: the output's mean where an input is in its lowest and in its highest tenth,
    and their rank correlation (Spearman's). Inputs that do not vary are left out."""
    found = []
    rows: Any = slice(None)
    if len(output) > _SENSED:  # any, for a grid is in order
        rows = np.random.Generator(np.random.Philox(key=1)).choice(len(output), _SENSED, replace=False)
    for name, values in inputs.items():
        x, y = values[rows], output[rows]
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        if len(x) < 2 or x.min() == x.max():
            continue
        low, high = np.percentile(x, (10, 90))
        below, above = float(y[x <= low].mean()), float(y[x >= high].mean())
        found.append({"input": name, "low": below, "high": above, "correlation": _spearman(x, y)})
    return sorted(found, key=lambda one: (-abs(one["high"] - one["low"]), one["input"]))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _spearman(x: Numbers, y: Numbers) -> float | None:
    first, second = _ranks(x), _ranks(y)
    first, second = first - first.mean(), second - second.mean()
    scale = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / scale if scale else None


def _ranks(values: Numbers) -> Numbers:
    """From 1; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Numbers = ((last + last - counts + 1) / 2.0)[inverse]
    return ranks
