"""``POST /v1/models/{id}/scenarios`` as a value: every field checked, every fault named with its path. Pure Python: this
runs in the function that answers clients.

Scenarios are a list, a grid (every combination), a sample, or a file that is uploaded: exactly one of these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sheetrun.jobs.errors import Unprocessable
from sheetrun.jobs.states import TASKS, Kind
from sheetrun.records import dataclass
from sheetrun.service.references import is_reference
from sheetrun.service.requests import Faults, JobRequest, is_value, job_request, output_field
from sheetrun.settings import Settings

MOST_INPUTS: Final = 100  #: cells that vary
MOST_OUTPUTS: Final = 100
_JOB: Final = frozenset(
    {"priority", "webhook_url", "deadline_seconds", "retain_seconds", "metadata", "filename", "size"}
)
_FORMS: Final = ("scenarios", "grid", "sample", "filename")
_FIELDS: Final = frozenset({*_JOB, *_FORMS, "sha256", "outputs", "version", "count", "seed", "skip", "correlations"})
_SUFFIXES: Final = (".csv", ".parquet")
_SEEDS: Final = 2**63

#: What each distribution takes, and what must hold.
DISTRIBUTIONS: Final = {
    "normal": "[mean, standard deviation ≥ 0]",
    "lognormal": "[mean, standard deviation ≥ 0] of the logarithm",
    "uniform": "[low, high], low ≤ high",
    "triangular": "[low, most likely, high], in this order",
    "discrete": "[[value, weight], …] with weights ≥ 0, not all of them 0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRequest:
    """``plan``: what ``draws`` makes the scenarios of; None for a file. ``count``: None when only the file can tell."""

    job: JobRequest
    plan: Mapping[str, Any] | None
    count: int | None
    outputs: tuple[str, ...] | None
    version: int | None


def scenario_request(body: Any, settings: Settings) -> ScenarioRequest:
    """Raises ``Unprocessable`` with every fault."""
    faults = Faults()
    if not isinstance(body, dict):
        faults.add("$", "type", "must be a JSON object")
        faults.raise_any()
    for name in body:
        if name not in _FIELDS:
            faults.add(name, "unknown_field", "no such field")
    form = _form(body, faults)
    plan, count = _plan(form, body, faults) if form not in (None, "filename") else (None, None)
    outputs = _outputs(body, plan, faults)
    version = body.get("version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool) or version < 1):
        faults.add("version", "type", "must be a whole number from 1")
    filename = body.get("filename")
    if form == "filename" and isinstance(filename, str) and not filename.lower().endswith(_SUFFIXES):
        faults.add("filename", "unsupported_format", "scenarios come as .csv or .parquet")
    if count is not None and count > settings.max_scenarios:
        faults.add("count", "too_many", f"{count:,} scenarios; at most {settings.max_scenarios:,} at once")
    faults.raise_any()
    wanted = {name: body[name] for name in _JOB | {"sha256"} if name in body}
    job = job_request({"filename": "scenarios.csv", **wanted}, settings)
    job = replace(job, kind=Kind.SCENARIOS, task=TASKS[Kind.SCENARIOS][0], filename=filename or "scenarios.json")
    return ScenarioRequest(job=job, plan=plan, count=count, outputs=outputs, version=version)


def plan_of(body: Any) -> Mapping[str, Any]:
    """The plan of a list, grid or sample alone, for whoever has no service. Raises ``Unprocessable``."""
    request = scenario_request(body, Settings(max_scenarios=2_000_000_000))
    if request.plan is None:
        raise Unprocessable("A plan is a list (scenarios), a grid or a sample.", code="invalid_request")
    return request.plan


def _form(body: Mapping[str, Any], faults: Faults) -> str | None:
    given = [name for name in _FORMS if body.get(name) is not None]
    if len(given) != 1:
        told = "needs one of scenarios (a list), grid, sample, or filename (a CSV or Parquet file that is uploaded)"
        faults.add("$", "choice", told if not given else f"takes only one of {', '.join(given)}")
        return None
    for name in ("count", "seed", "skip", "correlations"):
        if body.get(name) is not None and given[0] != "sample":
            faults.add(name, "unknown_field", "goes with a sample")
    for name in ("size", "sha256"):
        if body.get(name) is not None and given[0] != "filename":
            faults.add(name, "unknown_field", "goes with a file")
    return given[0]


def _plan(form: str | None, body: Mapping[str, Any], faults: Faults) -> tuple[Mapping[str, Any], int]:
    if form == "scenarios":
        return _list(body["scenarios"], faults)
    if form == "grid":
        return _grid(body["grid"], faults)
    return _sample(body, faults)


def _list(value: Any, faults: Faults) -> tuple[Mapping[str, Any], int]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        faults.add("scenarios", "type", "must be a list of at least one object: reference to value")
        return {}, 0
    names: dict[str, None] = {}
    for place, one in enumerate(value):
        for reference, cell in one.items():
            names[reference] = None
            if isinstance(cell, list) or not is_value(cell):
                told = 'must be a number, text, boolean, null or {"error": "#N/A"}'
                faults.add(f"scenarios[{place}].{reference}", "type", told)
    _references("scenarios", names, faults)
    return {"scenarios": value}, len(value)


def _references(path: str, names: Mapping[str, Any], faults: Faults) -> None:
    if not names:
        faults.add(path, "length", "must name at least one input")
    if len(names) > MOST_INPUTS:
        faults.add(path, "length", f"must name at most {MOST_INPUTS} inputs")
    seen: set[str] = set()
    for name in names:
        if not 1 <= len(name) <= 512 or not is_reference(name):
            faults.add(f"{path}.{name[:80]}", "bad_reference", "is no reference; write Sheet!A1 or a defined name")
        elif name.strip().casefold() in seen:
            faults.add(f"{path}.{name}", "twice", "is named twice")
        seen.add(name.strip().casefold())


def _grid(value: Any, faults: Faults) -> tuple[Mapping[str, Any], int]:
    if not isinstance(value, dict):
        faults.add("grid", "type", "must be an object: reference to a list of values")
        return {}, 0
    _references("grid", value, faults)
    count = 1
    for name, values in value.items():
        if not isinstance(values, list) or not values or any(isinstance(v, list) or not is_value(v) for v in values):
            faults.add(f"grid.{name}", "type", "must be a list of at least one number, text, boolean or null")
            continue
        count *= len(values)
    return {"grid": value}, count


def _sample(body: Mapping[str, Any], faults: Faults) -> tuple[Mapping[str, Any], int]:
    sample, count, seed = body["sample"], body.get("count"), body.get("seed")
    if not isinstance(sample, dict):
        faults.add("sample", "type", "must be an object: reference to a distribution")
        return {}, 0
    _references("sample", sample, faults)
    for name, distribution in sample.items():
        if told := distribution_problem(distribution):
            faults.add(f"sample.{name}", "distribution", told)
    number = count if isinstance(count, int) and not isinstance(count, bool) else 0
    if number < 1:
        faults.add("count", "required" if count is None else "type", "must be a whole number from 1: how many to draw")
    skip = body.get("skip")
    for name, value in (("seed", seed), ("skip", skip)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _SEEDS):
            faults.add(name, "type", "must be a whole number from 0")
    correlations = body.get("correlations") or []
    _correlations(correlations, sample, faults)
    drawn = {"sample": sample, "count": number, "seed": seed or 0, "skip": skip or 0, "correlations": correlations}
    return drawn, number


def distribution_problem(value: Any) -> str | None:
    """What is wrong with ``{"normal": [0.07, 0.01]}``; None when nothing is."""
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in DISTRIBUTIONS:
        return f"must be one of {', '.join(f'{name} {takes}' for name, takes in DISTRIBUTIONS.items())}"
    ((name, given),) = value.items()
    good = _discrete(given) if name == "discrete" else _continuous(name, given)
    return None if good else f"{name} takes {DISTRIBUTIONS[name]}"


def _continuous(name: str, given: Any) -> bool:
    count = 3 if name == "triangular" else 2
    if not isinstance(given, list) or len(given) != count or not all(_number(value) for value in given):
        return False
    if name in ("normal", "lognormal"):
        return bool(given[1] >= 0)
    return given == sorted(given)


def _discrete(given: Any) -> bool:
    if not isinstance(given, list) or not given:
        return False
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in given):
        return False
    weights = [weight for _, weight in given]
    if not all(_number(weight) and weight >= 0 for weight in weights) or not 0 < sum(weights) < math.inf:
        return False
    return not any(isinstance(value, list) or not is_value(value) for value, _ in given)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _correlations(value: Any, sample: Mapping[str, Any], faults: Faults) -> None:
    """``[[first, second, r], …]``: of the normal variables behind the inputs; for normal inputs that is their own."""
    names = list(sample)
    if not isinstance(value, list):
        faults.add("correlations", "type", "must be a list of [reference, reference, correlation]")
        return
    matrix = [[float(i == j) for j in range(len(names))] for i in range(len(names))]
    for place, one in enumerate(value):
        if not isinstance(one, list) or len(one) != 3 or not _number(one[2]) or not -1 < one[2] < 1:
            faults.add(f"correlations[{place}]", "type", "must be [reference, reference, r] with -1 < r < 1")
            return
        first, second, r = one
        if first not in names or second not in names or first == second:
            faults.add(f"correlations[{place}]", "unknown_reference", "must name two different inputs of the sample")
            return
        i, j = names.index(first), names.index(second)
        matrix[i][j] = matrix[j][i] = float(r)
    if value and cholesky(matrix) is None:
        told = "contradict each other: no variables can be correlated so (the matrix is not positive definite)"
        faults.add("correlations", "contradiction", told)


def cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """The lower triangle L with L·Lᵀ = matrix; None when there is none."""
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            if i == j:
                if rest <= 1e-12:
                    return None
                lower[i][i] = math.sqrt(rest)
            else:
                lower[i][j] = rest / lower[j][j]
    return lower


def _outputs(body: Mapping[str, Any], plan: Mapping[str, Any] | None, faults: Faults) -> tuple[str, ...] | None:
    outputs = output_field(body, Kind.WORKBOOK, faults, "")
    if outputs is None:
        return None
    if len(outputs) > MOST_OUTPUTS:
        faults.add("outputs", "length", f"must have at most {MOST_OUTPUTS} members")
    if len({output.strip().casefold() for output in outputs}) < len(outputs):
        faults.add("outputs", "twice", "names a cell twice")
    return outputs


def inputs_of(plan: Mapping[str, Any]) -> list[str]:
    """The references that a plan sets, in the order in which they are first named."""
    if "scenarios" in plan:
        return list(dict.fromkeys(name for one in plan["scenarios"] for name in one))
    return list(plan["grid"] if "grid" in plan else plan["sample"])
