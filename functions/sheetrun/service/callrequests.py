"""The bodies of calculate, goal-seek and data-table as values: every field checked, every fault named with its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from sheetrun.jobs.states import Kind
from sheetrun.records import dataclass
from sheetrun.service.models import CASES, MOST_VERSIONS, SECONDS
from sheetrun.service.references import is_reference
from sheetrun.service.requests import Faults, input_field, integer_field, output_field

TRIES: Final = 100  #: evaluations of a goal seek
_COMMON: Final = frozenset({"inputs", "version", "strict", "timeout_seconds"})
_BAD_REFERENCE: Final = "is no reference; write Sheet!A1, 'Sheet with space'!A1, a defined name or Table[Column]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What all calls have. ``seconds``: the longest that the call may take."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    strict: bool = True
    seconds: float = float(SECONDS[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculateRequest:
    """``outputs`` None: the model's own. ``explain``: None, or the outputs whose chains are told (empty: all)."""

    options: Options
    outputs: tuple[str, ...] | None = None
    explain: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRequest:
    """Which value of ``input`` makes ``output`` the ``target``."""

    options: Options
    output: str
    target: float
    input: str
    bounds: tuple[float, float] | None = None
    tolerance: float = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """``outputs`` for every value of ``row`` (and of ``column``, then for every pair)."""

    options: Options
    outputs: tuple[str, ...]
    row: tuple[str, tuple[Any, ...]]
    column: tuple[str, tuple[Any, ...]] | None = None


def calculate_request(body: Any) -> CalculateRequest:
    """Raises ``Unprocessable`` with every fault."""
    faults = Faults()
    body = _object(body, _COMMON | {"outputs", "explain"}, faults)
    found = CalculateRequest(
        options=_options(body, faults),
        outputs=output_field(body, Kind.WORKBOOK, faults, ""),
        explain=_explain(body, faults),
    )
    faults.raise_any()
    return found


def goal_request(body: Any) -> GoalRequest:
    """Raises ``Unprocessable`` with every fault."""
    faults = Faults()
    body = _object(body, _COMMON | {"output", "target", "input", "bounds", "tolerance"}, faults)
    found = GoalRequest(
        options=_options(body, faults),
        output=_reference(body, "output", faults),
        target=_number(body, "target", faults) or 0.0,
        input=_reference(body, "input", faults),
        bounds=_bounds(body, faults),
        tolerance=_tolerance(body, faults),
    )
    if "target" not in body:
        faults.add("target", "required", "is required")
    faults.raise_any()
    return found


def table_request(body: Any) -> TableRequest:
    """Raises ``Unprocessable`` with every fault."""
    faults = Faults()
    body = _object(body, _COMMON | {"outputs", "row", "column"}, faults)
    outputs = output_field(body, Kind.WORKBOOK, faults, "")
    if outputs is None and not faults.found:
        faults.add("outputs", "required", "is required: one cell or more")
    row = _axis(body, "row", faults)
    column = _axis(body, "column", faults) if body.get("column") is not None else None
    if row is None:
        faults.add("row", "required", 'is required: {"Sheet!B2": [values]}')
    found = TableRequest(options=_options(body, faults), outputs=outputs or (), row=row or ("", ()), column=column)
    cases = len(found.row[1]) * (1 if column is None else len(column[1])) * max(1, len(found.outputs))
    if cases > CASES:
        faults.add("row", "too_many", f"the tables have {cases:,} cells; at most {CASES:,} are computed in one call")
    faults.raise_any()
    return found


def _object(body: Any, known: frozenset[str], faults: Faults) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        faults.add("$", "type", "must be a JSON object")
        faults.raise_any()
    for name in body:
        if name not in known:
            faults.add(name, "unknown_field", "no such field")
    found: Mapping[str, Any] = body
    return found


def _options(body: Mapping[str, Any], faults: Faults) -> Options:
    strict = body.get("strict")
    if strict is not None and not isinstance(strict, bool):
        faults.add("strict", "type", "must be true or false")
    seconds = integer_field(body, "timeout_seconds", *SECONDS, faults, "")
    return Options(
        inputs=input_field(body, Kind.WORKBOOK, faults, ""),
        version=integer_field(body, "version", 1, MOST_VERSIONS, faults, ""),
        strict=strict is not False,
        seconds=float(seconds if seconds is not None else SECONDS[1]),
    )


def _explain(body: Mapping[str, Any], faults: Faults) -> tuple[str, ...] | None:
    value = body.get("explain")
    if value is None or value is False:
        return None
    if value is True:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and is_reference(v) for v in value):
        faults.add("explain", "type", "must be true, or a list of references")
        return None
    return tuple(value)


def _reference(body: Mapping[str, Any], name: str, faults: Faults) -> str:
    value = body.get(name)
    if value is None:
        faults.add(name, "required", "is required")
    elif not isinstance(value, str) or not 1 <= len(value) <= 512 or not is_reference(value):
        faults.add(name, "bad_reference", _BAD_REFERENCE)
    else:
        return value
    return ""


def _number(body: Mapping[str, Any], name: str, faults: Faults) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not is_number(value):
        faults.add(name, "type", "must be a number")
        return None
    return float(value)


def is_number(value: Any) -> bool:
    """A finite JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308


def _bounds(body: Mapping[str, Any], faults: Faults) -> tuple[float, float] | None:
    value = body.get("bounds")
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(is_number(v) for v in value):
        faults.add("bounds", "type", "must be two numbers")
        return None
    return float(min(value)), float(max(value))


def _tolerance(body: Mapping[str, Any], faults: Faults) -> float:
    value = _number(body, "tolerance", faults)
    if value is not None and not 0 < value < 1e12:
        faults.add("tolerance", "range", "must be above 0")
    return 1e-9 if value is None else value


def _axis(body: Mapping[str, Any], name: str, faults: Faults) -> tuple[str, tuple[Any, ...]] | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) != 1:
        faults.add(name, "type", 'must be an object with one input: {"Sheet!B2": [values]}')
        return ("", ())
    reference, values = next(iter(value.items()))
    if not isinstance(values, list) or not 1 <= len(values) <= CASES:
        faults.add(f"{name}.{reference}", "length", f"must be a list of 1 to {CASES:,} values")
        return ("", ())
    if any(isinstance(item, list) for item in values):
        faults.add(f"{name}.{reference}", "type", "must be values of one cell")
        return ("", ())
    for item in values:
        input_field({"inputs": {reference: item}}, Kind.WORKBOOK, faults, "")
    return reference, tuple(values)
