"""A workbook as an API: which job answers for a model's address, its versions, and what is told of its inputs and
outputs. Pure Python: the function that answers clients loads this.

A model's id is the id of the job that made it. A later job that ``replaces`` it is its next version; the address then
means the newest version that succeeded, until a caller pins one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sheetrun.jobs.changes import Change
from sheetrun.jobs.errors import Conflict, NotFound, Unprocessable
from sheetrun.jobs.job import Job, rfc3339
from sheetrun.jobs.states import Kind, State
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blobs
from sheetrun.service.changes import change_job
from sheetrun.service.ports import Clock, Ledger

MOST_VERSIONS: Final = 100
_MADE: Final = frozenset({State.SUCCEEDED, State.PARTIALLY_SUCCEEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """``number`` counts from 1; ``job`` made it."""

    model: str
    number: int
    job: Job

    @property
    def made(self) -> bool:
        """Whether it can be called."""
        return self.job.state in _MADE and "computed" in self.job.artefacts


@dataclass(frozen=True, slots=True)
class Models:
    """Finds models and their versions. Another client's model is as unknown as one that never was."""

    ledger: Ledger
    blobs: Blobs
    clock: Clock

    def find(self, client: str, model_id: str, version: int | None = None) -> Version:
        """The version that a call means. Raises ``NotFound``, and ``Conflict`` for one that is not there yet."""
        first = self._job(client, model_id)
        if first is None or first.kind is not Kind.WORKBOOK:
            raise NotFound(f"There is no model {model_id}.", code="model_not_found")
        if first.model is not None:  # a later version by its own id: that one, unless the call says another
            root = self._job(client, first.model)
            if version is None or root is None:
                number = 1 if root is None or first.id not in root.versions else root.versions.index(first.id) + 2
                return _usable(Version(model=first.model, number=number, job=first))
            first = root
        if version is not None:
            return _usable(self._pinned(client, first, version))
        for number in range(len(first.versions) + 1, 1, -1):
            job = self._job(client, first.versions[number - 2])
            if job is not None and (found := Version(model=first.id, number=number, job=job)).made:
                return found
        return _usable(Version(model=first.id, number=1, job=first))

    def versions(self, client: str, model_id: str) -> list[Version]:
        """All that are known, the newest first; also those that are not made yet, and those that failed."""
        found = self.find(client, model_id)
        root = self._job(client, found.model)
        if root is None:
            return [found]
        known = []
        for number, job_id in enumerate((root.id, *root.versions), 1):
            job = root if job_id == root.id else self._job(client, job_id)
            if job is not None:
                known.append(Version(model=root.id, number=number, job=job))
        return known[::-1]

    def replaced(self, client: str, model_id: str) -> Job:
        """The first version of a model that is to get another one. Raises ``Unprocessable``."""
        job = self._job(client, model_id)
        if job is not None and job.model is not None:
            job = self._job(client, job.model)
        detail = None
        if job is None or job.kind is not Kind.WORKBOOK:
            detail = f"there is no model {model_id}"
        elif job.state not in _MADE:
            detail = f"the job {model_id} is {job.state}: it is no model"
        elif len(job.versions) + 1 >= MOST_VERSIONS:
            detail = f"a model has at most {MOST_VERSIONS} versions"
        if job is None or detail is not None:
            error = {"path": "replaces", "code": "not_a_model", "detail": detail or ""}
            raise Unprocessable(f"replaces: {detail}.", code="not_a_model", errors=[error])
        return job

    def add_version(self, root: Job, job: Job) -> None:
        """``job`` is the next version; told twice it is one still. The address lives as long as its last version."""

        def decide(current: Job) -> Change | None:
            if job.id in current.versions:
                return None
            return Change(
                current.evolve(
                    versions=(*current.versions, job.id),
                    expires_at=max(current.expires_at, job.expires_at),
                    rev=current.rev + 1,
                )
            )

        change_job(self.ledger, root.id, decide)

    def interface(self, version: Version) -> Mapping[str, Any]:
        """Inputs and outputs, as ``interface.Interface`` made them."""
        document: Mapping[str, Any] = json.loads(self.blobs.get(version.job.artefacts["interface"]))
        return document

    def _pinned(self, client: str, root: Job, number: int) -> Version:
        ids = (root.id, *root.versions)
        job = self._job(client, ids[number - 1]) if 1 <= number <= len(ids) else None
        if job is None:
            raise NotFound(
                f"The model has no version {number}; it has {len(ids)}.",
                code="no_such_version",
                extra={"versions": len(ids)},
            )
        return Version(model=root.id, number=number, job=job)

    def _job(self, client: str, job_id: str) -> Job | None:
        """The client's job, if its time is not over."""
        job = self.ledger.get(job_id)
        if job is None or job.client != client or (job.ended and job.expires_at <= self.clock.now()):
            return None
        return job


def _usable(version: Version) -> Version:
    if version.made:
        return version
    job = version.job
    if not job.ended:
        raise Conflict(
            f"The job is {job.state}; it is a model when it has succeeded.",
            code="not_finished",
            extra={"state": job.state.value},
            retry_after=1,
        )
    why = f"The job ended as {job.state}: it made no model."
    if job.state in _MADE:
        why = "The job was run before there were models; submit the workbook again."
    raise NotFound(why, code="no_model", extra={"state": job.state.value})


def model_view(version: Version, interface: Mapping[str, Any], base: str) -> dict[str, Any]:
    """``GET /v1/models/{id}``. ``base`` is the URL of the API up to and without ``/v1``."""
    job = version.job
    root = f"{base}/v1/models/{version.model}"
    return {
        "id": version.model,
        "version": version.number,
        "job": job.id,
        "filename": job.filename,
        "created_at": rfc3339(job.created_at),
        "expires_at": rfc3339(job.expires_at),
        "inputs": interface["inputs"],
        "outputs": interface["outputs"],
        "counts": interface["counts"],
        "date1904": interface["date1904"],
        "schema": calculate_schema(job.filename, interface),
        "urls": {
            "self": root,
            "calculate": f"{root}/calculate",
            "scenarios": f"{root}/scenarios",
            "goal_seek": f"{root}/goal-seek",
            "data_table": f"{root}/data-table",
            "versions": f"{root}/versions",
            "diff": f"{root}/diff",
            "openapi": f"{root}/openapi.json",
        },
    }


def version_view(version: Version) -> dict[str, Any]:
    """An item of ``GET /v1/models/{id}/versions``."""
    job = version.job
    return {
        "version": version.number,
        "job": job.id,
        "filename": job.filename,
        "state": job.state.value,
        "created_at": rfc3339(job.created_at),
        "expires_at": rfc3339(job.expires_at),
    }


#: The fields of a call beside its inputs; ``calling`` reads them.
CASES: Final = 10_000  #: cells of a data table's result, of all outputs
SECONDS: Final = (1, 25)  #: the least and the longest time that a call may ask for
OPTIONS: Final[Mapping[str, Any]] = {
    "version": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_VERSIONS},
    "strict": {
        "type": ["boolean", "null"],
        "description": "false: values of other types, values that data validation forbids and formula cells may be set",
    },
    "timeout_seconds": {"type": ["integer", "null"], "minimum": SECONDS[0], "maximum": SECONDS[1]},
}


def calculate_schema(title: str, interface: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of the body of ``calculate`` for one model."""
    known: dict[str, Any] = {}
    for entry in interface["inputs"]:
        schema = input_schema(entry)
        known[entry["reference"]] = schema
        if entry["name"]:
            known[entry["name"]] = schema
    references = [entry["reference"] for entry in interface["outputs"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "inputs": {
                "type": ["object", "null"],
                "description": "Cells to set. Any other cell may be named too.",
                "properties": known,
            },
            "outputs": {
                "type": ["array", "null"],
                "description": "Cells, ranges or names to tell; without it, the model's outputs.",
                "items": {"type": "string", "examples": references[:20]},
                "minItems": 1,
            },
            "explain": {
                "type": ["boolean", "array", "null"],
                "description": "true, or some of the outputs: also the chain of cells from the inputs to each",
                "items": {"type": "string"},
            },
            **OPTIONS,
        },
    }


_TYPES: Final = {"number": ["number", "null"], "date": ["number", "null"], "text": ["string", "null"]}
_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {"error": {"type": "string"}},
}
_ANY: Final = ["number", "string", "boolean", "null"]


def input_schema(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What one input takes."""
    rule = entry.get("validation") or {}
    types = ["boolean", "null"] if entry["type"] == "boolean" else _TYPES.get(entry["type"], _ANY)
    cell: dict[str, Any] = {"enum": [*rule["choices"], None]} if rule.get("choices") else {"type": types}
    if not rule.get("choices") and "number" in types:
        names = {"minimum": "minimum", "maximum": "maximum", "above": "exclusiveMinimum", "below": "exclusiveMaximum"}
        cell |= {names[name]: rule[name] for name in names if name in rule and rule["kind"] != "textLength"}
        if rule.get("kind") == "whole":
            cell["multipleOf"] = 1
    one = {"anyOf": [cell, _ERROR]}
    about = {key: value for key, value in (("title", entry["label"]), ("default", entry["value"])) if value is not None}
    if entry["type"] == "date":
        about["description"] = "a date as Excel's serial number"
    if "shape" not in entry:
        return {**one, **about}
    height, width = entry["shape"]
    row = {"type": "array", "items": one, "minItems": width, "maxItems": width}
    return {"type": "array", "items": row, "minItems": height, "maxItems": height, **about}
