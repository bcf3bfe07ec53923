"""The analyses: plain pandas. A generated script holds the source of those that it was asked for, word for word.

So they keep to the vocabulary of scripts (``script.POLICY``): no f-strings, nested functions, ``with`` or ``try``.
``columns`` gives each column's type: integer, number, logical, date, category, text, empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sheetrun.datasets.api import number, of_type, text


def statistical_summary(data: pd.DataFrame, columns: dict[str, str]) -> dict[str, Any]:
    """Centre, spread and shape of numbers; counts of categories; range of dates; lengths of texts."""
    found: dict[str, Any] = {}
    for name in of_type(columns, "integer", "number"):
        values = data[name].dropna()
        found[name] = {
            "count": len(values),
            "mean": number(values.mean()),
            "sd": number(values.std()),
            "min": number(values.min()),
            "p1": number(values.quantile(0.01)),
            "p5": number(values.quantile(0.05)),
            "p25": number(values.quantile(0.25)),
            "median": number(values.median()),
            "p75": number(values.quantile(0.75)),
            "p95": number(values.quantile(0.95)),
            "p99": number(values.quantile(0.99)),
            "max": number(values.max()),
            "sum": number(values.sum()),
            "skew": number(values.skew()),
            "kurtosis": number(values.kurtosis()),
            "zeros": int((values == 0).sum()),
            "negative": int((values < 0).sum()),
        }
    for name in of_type(columns, "category", "logical"):
        values = data[name].dropna()
        counts = values.value_counts().head(10)
        found[name] = {
            "count": len(values),
            "distinct": int(values.nunique()),
            "top": [[text(value), int(count)] for value, count in counts.items()],
        }
    for name in of_type(columns, "date"):
        values = data[name].dropna()
        found[name] = {
            "count": len(values),
            "first": text(values.min()),
            "last": text(values.max()),
            "days": number((values.max() - values.min()) / pd.Timedelta(days=1)),
        }
    for name in of_type(columns, "text"):
        values = data[name].dropna()
        lengths = values.str.len()
        found[name] = {
            "count": len(values),
            "distinct": int(values.nunique()),
            "shortest": number(lengths.min()),
            "mean length": number(lengths.mean()),
            "longest": number(lengths.max()),
        }
    return found


def data_quality(data: pd.DataFrame, columns: dict[str, str]) -> dict[str, Any]:
    """What is missing, doubled, constant or of the wrong kind, and what to look at first."""
    rows = max(len(data), 1)
    unparsed = data.attrs.get("unparsed", {})
    padded = data.attrs.get("padded", {})
    details = {}
    issues = []
    for name in columns:
        missing = int(data[name].isna().sum())
        distinct = int(data[name].nunique())
        details[name] = {
            "type": columns[name],
            "missing": missing,
            "missing share": number(missing / rows),
            "distinct": distinct,
            "unparsed": int(unparsed.get(name, 0)),
            "padded": int(padded.get(name, 0)),
        }
        if missing == len(data):
            issues.append({"column": name, "severity": "high", "issue": "empty", "count": missing})
        elif distinct == 1 and len(data) > 1:
            issues.append({"column": name, "severity": "medium", "issue": "constant", "count": len(data)})
        elif missing > 0.2 * rows:
            issues.append({"column": name, "severity": "medium", "issue": "many values missing", "count": missing})
        if unparsed.get(name, 0):
            kind = "values that are no " + columns[name]
            issues.append({"column": name, "severity": "high", "issue": kind, "count": int(unparsed[name])})
        if padded.get(name, 0):
            issues.append({"column": name, "severity": "low", "issue": "spaces around", "count": int(padded[name])})
    for name in of_type(columns, "category"):
        values = data[name].dropna().astype(str)
        folded = values.str.lower().str.strip()
        extra = int(values.nunique() - folded.nunique())
        if extra > 0:
            issues.append(
                {"column": name, "severity": "medium", "issue": "same but for case or spaces", "count": extra}
            )
    doubled = int(data.duplicated().sum())
    if doubled:
        issues.append({"column": "", "severity": "medium", "issue": "rows that are there twice", "count": doubled})
    ragged = int(data.attrs.get("ragged", 0))
    if ragged:
        issues.append({"column": "", "severity": "high", "issue": "lines left out, too many fields", "count": ragged})
    cells = max(data.shape[0] * data.shape[1], 1)
    return {
        "complete share": number(1 - data.isna().sum().sum() / cells),
        "duplicate rows": doubled,
        "ragged lines": ragged,
        "columns": details,
        "issues": sorted(issues, key=lambda one: (["high", "medium", "low"].index(one["severity"]), -one["count"])),
    }


def correlations(data: pd.DataFrame, columns: dict[str, str]) -> dict[str, Any]:
    """Pearson's and Spearman's coefficients between numbers, and how much of each number its categories explain."""
    names = [name for name in of_type(columns, "integer", "number") if data[name].nunique() > 1][:60]
    numbers = data[names]
    pearson = numbers.corr(method="pearson", min_periods=3)
    spearman = numbers.corr(method="spearman", min_periods=3)
    pairs: list[dict[str, Any]] = []
    for i in range(len(names)):
        for j in range(i):
            together = int((numbers[names[i]].notna() & numbers[names[j]].notna()).sum())
            strength = number(pearson.iloc[i, j])
            if strength is not None:
                pairs.append(
                    {
                        "first": names[j],
                        "second": names[i],
                        "pearson": strength,
                        "spearman": number(spearman.iloc[i, j]),
                        "rows": together,
                    }
                )
    explained = []
    for category in of_type(columns, "category", "logical")[:30]:
        for name in names[:30]:
            known = data[[category, name]].dropna()
            groups = known.groupby(category, observed=True)[name]
            if 1 < groups.ngroups < len(known):
                total = ((known[name] - known[name].mean()) ** 2).sum()
                between = (groups.size() * (groups.mean() - known[name].mean()) ** 2).sum()
                share = number(between / total) if total > 0 else None
                if share is not None:
                    explained.append({"category": category, "number": name, "share": share, "groups": groups.ngroups})
    return {
        "columns": names,
        "pearson": [[number(value) for value in row] for row in pearson.to_numpy()],
        "spearman": [[number(value) for value in row] for row in spearman.to_numpy()],
        "strongest": sorted(pairs, key=lambda one: -abs(one["pearson"]))[:20],
        "explained": sorted(explained, key=lambda one: -one["share"])[:20],
    }


def distributions(data: pd.DataFrame, columns: dict[str, str]) -> dict[str, Any]:
    """Histograms of numbers, counts of categories, rows over time."""
    found: dict[str, Any] = {}
    for name in of_type(columns, "integer", "number"):
        values = data[name].replace([np.inf, -np.inf], np.nan).dropna().to_numpy(dtype=float)
        if len(values) == 0 or not np.isfinite(values.max() - values.min()):
            continue
        spread = np.quantile(values, 0.75) - np.quantile(values, 0.25)
        width = 2 * spread / len(values) ** (1 / 3)  # Freedman and Diaconis 1981
        bins = int(min(60, max(5, (values.max() - values.min()) / width))) if width > 0 else 10
        edges = np.unique(np.linspace(values.min(), values.max(), bins + 1))
        if len(edges) < 2:
            edges = np.array([values.min() - 0.5, values.min() + 0.5])
        counts = np.histogram(values, bins=edges)[0]
        found[name] = {
            "kind": "histogram",
            "edges": [number(edge) for edge in edges],
            "counts": [int(count) for count in counts],
        }
    for name in of_type(columns, "category", "logical"):
        counts = data[name].value_counts()
        found[name] = {
            "kind": "bars",
            "labels": [text(value) for value in counts.index[:20]],
            "counts": [int(count) for count in counts.head(20)],
            "others": int(counts[20:].sum()),
        }
    for name in of_type(columns, "date"):
        values = data[name].dropna()
        if len(values) == 0:
            continue
        days = (values.max() - values.min()) / pd.Timedelta(days=1)
        period = "D" if days <= 90 else ("M" if days <= 3650 else "Y")
        counts = values.dt.to_period(period).value_counts().sort_index()
        found[name] = {
            "kind": "timeline",
            "period": {"D": "day", "M": "month", "Y": "year"}[period],
            "labels": [text(value) for value in counts.index[:400]],
            "counts": [int(count) for count in counts.head(400)],
        }
    return found


def outliers(data: pd.DataFrame, columns: dict[str, str]) -> dict[str, Any]:
    """Values outside Tukey's fences, and those whose modified z-score (Iglewicz and Hoaglin 1993) is above 3.5."""
    found: dict[str, Any] = {}
    for name in of_type(columns, "integer", "number"):
        values = data[name].replace([np.inf, -np.inf], np.nan).dropna()
        if len(values) < 5 or values.nunique() < 3:
            continue
        low, high = values.quantile(0.25), values.quantile(0.75)
        reach = high - low
        inner = (values < low - 1.5 * reach) | (values > high + 1.5 * reach)
        outer = (values < low - 3.0 * reach) | (values > high + 3.0 * reach)
        distance = (values - values.median()).abs()
        deviation = distance.median()
        score = 0.6745 * distance / deviation if deviation > 0 else distance * 0
        farthest = score[score > 3.5].sort_values(ascending=False).head(10)
        found[name] = {
            "low fence": number(low - 1.5 * reach),
            "high fence": number(high + 1.5 * reach),
            "outside": int(inner.sum()),
            "far outside": int(outer.sum()),
            "share": number(inner.mean()),
            "by score": int((score > 3.5).sum()),
            "farthest": [
                {"row": int(row) + 1, "value": number(values[row]), "score": number(farthest[row])}
                for row in farthest.index
            ],
        }
    return found
