"""``Client``'s part about models: a workbook that is called with inputs and gives outputs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sheetrun.client.session import Session
from sheetrun.client.values import Calculation, CellValue, Goal, Job, Tables, job_id, jobs_of


class ModelCalls:
    """A ``model`` is the id of the job that made it (or the job): that address stays when new versions replace it.

    ``version`` pins one; without it the newest is meant. ``strict=False`` lets a call set formula cells, and values of
    other types than the workbook has there. ``seconds`` (1 to 25) is the longest that a call may compute.
    """

    _session: Session
    _timeout: float

    def model(self, model: str | Job, *, version: int | None = None) -> Mapping[str, Any]:
        """What a succeeded workbook can be asked: ``inputs``, ``outputs``, and the JSON Schema of ``calculate``."""
        return self._session.call("GET", _route(model), query={"version": version})[0]

    def model_openapi(self, model: str | Job, *, version: int | None = None) -> Mapping[str, Any]:
        """The OpenAPI document of the model as an API of its own."""
        return self._session.call("GET", f"{_route(model)}/openapi.json", query={"version": version})[0]

    def calculate(
        self,
        model: str | Job,
        inputs: Mapping[str, CellValue] | None = None,
        outputs: Sequence[str] | None = None,
        *,
        explain: bool | Sequence[str] = False,
        version: int | None = None,
        strict: bool = True,
        seconds: int | None = None,
        timeout: float | None = None,
    ) -> Calculation:
        """The model's outputs for these inputs, computed now. ``explain``: True or some outputs: also how they came."""
        body = _body(inputs, version, strict, seconds)
        if outputs is not None:
            body["outputs"] = list(outputs)
        if explain is not False:
            body["explain"] = True if explain is True else list(explain)
        return Calculation.of(self._post(model, "calculate", body, timeout))

    def goal_seek(
        self,
        model: str | Job,
        output: str,
        target: float,
        input: str,
        *,
        bounds: tuple[float, float] | None = None,
        tolerance: float | None = None,
        inputs: Mapping[str, CellValue] | None = None,
        version: int | None = None,
        strict: bool = True,
        seconds: int | None = None,
        timeout: float | None = None,
    ) -> Goal:
        """The value of ``input`` for which ``output`` is ``target``. Raises RequestRejected (``no_solution``)."""
        body = {**_body(inputs, version, strict, seconds), "output": output, "target": target, "input": input}
        if bounds is not None:
            body["bounds"] = list(bounds)
        if tolerance is not None:
            body["tolerance"] = tolerance
        return Goal.of(self._post(model, "goal-seek", body, timeout))

    def data_table(
        self,
        model: str | Job,
        outputs: Sequence[str],
        row: Mapping[str, Sequence[CellValue]],
        column: Mapping[str, Sequence[CellValue]] | None = None,
        *,
        inputs: Mapping[str, CellValue] | None = None,
        version: int | None = None,
        strict: bool = True,
        seconds: int | None = None,
        timeout: float | None = None,
    ) -> Tables:
        """``outputs`` for every value of the input in ``row`` (and of that in ``column``: then for every pair)."""
        body = {**_body(inputs, version, strict, seconds), "outputs": list(outputs), "row": _axis(row)}
        if column is not None:
            body["column"] = _axis(column)
        return Tables.of(self._post(model, "data-table", body, timeout))

    def versions(self, model: str | Job) -> Sequence[Mapping[str, Any]]:
        """The model's versions, newest first; ``submit(…, replaces=model)`` makes another."""
        return jobs_of(self._session.call("GET", f"{_route(model)}/versions")[0], "versions")

    def diff(self, model: str | Job, before: int | None = None, after: int | None = None) -> Mapping[str, Any]:
        """Changed formulas, inputs and outputs between two versions, by default the newest and the one before it."""
        return self._session.call("GET", f"{_route(model)}/diff", query={"from": before, "to": after})[0]

    def _post(self, model: str | Job, what: str, body: Mapping[str, Any], timeout: float | None) -> Mapping[str, Any]:
        wait = timeout or max(self._timeout, 30.0)
        return self._session.call("POST", f"{_route(model)}/{what}", body=body, repeatable=True, timeout=wait)[0]


def _route(model: str | Job) -> str:
    name = job_id(model)
    if not name:
        raise ValueError("a model's id cannot be empty")
    return f"/models/{quote(name, safe='')}"


def _body(
    inputs: Mapping[str, CellValue] | None, version: int | None, strict: bool, seconds: int | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"inputs": dict(inputs or {})}
    if version is not None:
        body["version"] = version
    if not strict:
        body["strict"] = False
    if seconds is not None:
        body["timeout_seconds"] = seconds
    return body


def _axis(axis: Mapping[str, Sequence[CellValue]]) -> dict[str, list[CellValue]]:
    return {name: list(values) for name, values in axis.items()}
