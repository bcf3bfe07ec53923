"""What a caller of a model may ask, as use cases: calculate, goal seek, a data table. A request in, a document out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sheetrun.compiler.cone import Place
from sheetrun.compiler.graph import owners_of
from sheetrun.jobs.errors import NotFound, Overran, Rejected, StepRetryable, Unprocessable
from sheetrun.records import dataclass
from sheetrun.runtime.values import Scalar
from sheetrun.sandbox.errors import SandboxError, TimedOut
from sheetrun.service.calling import Answered, Cell, Engine, LoadedModel, cells_of
from sheetrun.service.callrequests import TRIES, CalculateRequest, GoalRequest, Options, TableRequest, is_number
from sheetrun.service.explaining import Chain, chain, chain_document
from sheetrun.service.givens import Faults, Givens, givens_of, places_of
from sheetrun.service.interface import reference
from sheetrun.service.models import SECONDS, Models, Version
from sheetrun.service.planes import Plane, plain
from sheetrun.service.solving import around, between, bracket, find_zero
from sheetrun.service.versiondiff import difference
from sheetrun.service.watch import Interrupted, Watch
from sheetrun.workbook.model import Rect
from sheetrun.workbook.store import BadArtefact

EXPLAINED: Final = 20  #: outputs, when none is named
TOLD: Final = 10_000  #: cells of outputs, when none is named
_ROUGH: Final = 1e-6  #: what is still a solution where floats give no better one, relative to the target


@dataclass(frozen=True, slots=True)
class Calls:
    """``seconds`` in each: what the gateway leaves. Every method raises ``Rejected``."""

    models: Models
    engine: Engine
    monotonic: Callable[[], float] = time.monotonic

    def calculate(self, client: str, model_id: str, request: CalculateRequest, seconds: float) -> dict[str, Any]:
        """Outputs for other inputs."""
        call = self._begin(client, model_id, request.options, seconds)
        model, faults = call.model, Faults()
        givens = givens_of(model, request.options.inputs, strict=request.options.strict, faults=faults)
        names = request.outputs or tuple(_own_outputs(model))
        places = places_of(model, names, faults)
        explained: Sequence[str] = () if request.explain is None else request.explain or names[:EXPLAINED]
        targets = places_of(model, explained, faults) if request.explain is not None else []
        for name, (_, rect) in zip(explained, targets, strict=False):
            if rect.size != 1 and request.explain:
                faults.add(name, "not_a_cell", f"{name!r} names {rect.size:,} cells; one cell is explained")
        faults.raise_any()
        owners = owners_of(model.plan.units) if targets else {}
        chains = [
            chain(model.plan, owners, name, target, givens.places)
            for name, target in zip(explained, targets, strict=True)
            if target[1].size == 1
        ]
        asked = list(dict.fromkeys([*places, *(place for each in chains for place in each.shown)]))
        answered = call.run({cell: (value,) for cell, value in givens.cells.items()}, asked)
        told = _Told(asked, answered)
        document = call.document(
            outputs={name: told.value(place) for name, place in zip(names, places, strict=True)},
            formulas=answered.formulas,
            errors=list(answered.failures),
            overwritten=list(givens.overwritten),
        )
        if request.explain is not None:
            document["explain"] = {each.output: self._explained(model, each, givens, told) for each in chains}
        return document

    def goal_seek(self, client: str, model_id: str, request: GoalRequest, seconds: float) -> dict[str, Any]:
        """The value of an input for which an output is what the caller wants."""
        call = self._begin(client, model_id, request.options, seconds)
        model, faults = call.model, Faults()
        givens = givens_of(model, request.options.inputs, strict=request.options.strict, faults=faults)
        cell, place = self._cell(model, request.input, faults), self._cell(model, request.output, faults)
        start = _number_at(model, cell)
        sample = request.bounds[0] if request.bounds else start
        givens_of(model, {request.input: sample}, strict=request.options.strict, faults=faults)
        if cell in givens.cells:
            faults.add(request.input, "set_twice", f"{request.input} is what is sought; it cannot be set too")
        faults.raise_any()
        evaluated = 0

        def values(xs: Sequence[float]) -> list[tuple[float, float | None]]:
            nonlocal evaluated
            evaluated += len(xs)
            fixed: dict[Cell, Sequence[Scalar]] = {c: (value,) * len(xs) for c, value in givens.cells.items()}
            answered = call.run({**fixed, cell: tuple(xs)}, [_place(place)], cases=len(xs))
            found = [answered.value(0, case) for case in range(len(xs))]
            return [(x, float(y) - request.target if is_number(y) else None) for x, y in zip(xs, found, strict=True)]

        def one(x: float) -> float:
            value = values([x])[0][1]
            if value is None:
                raise _no_solution(request, None, f"{request.output} is no number where {request.input} is {x!r}")
            return value

        points = values(between(*request.bounds) if request.bounds else around(start))
        pair = bracket(points, start)
        scale = max(1.0, abs(request.target))
        met = min((p for p in points if p[1] is not None), key=lambda p: abs(p[1] or 0.0), default=None)
        if pair is None:
            raise _no_solution(request, met, "the output does not cross the target")
        x, rest = find_zero(one, *pair, close=request.tolerance * scale, tries=TRIES)
        if abs(rest) > max(request.tolerance, _ROUGH) * scale:
            raise _no_solution(request, (x, rest), "the output jumps over the target")
        return call.document(
            input={"reference": request.input, "value": x},
            output={"reference": request.output, "value": rest + request.target},
            target=request.target,
            evaluations=evaluated,
        )

    def data_table(self, client: str, model_id: str, request: TableRequest, seconds: float) -> dict[str, Any]:
        """Outputs for every value of one input, or every pair of values of two."""
        call = self._begin(client, model_id, request.options, seconds)
        model, faults = call.model, Faults()
        strict = request.options.strict
        givens = givens_of(model, request.options.inputs, strict=strict, faults=faults)
        axes = [self._axis(model, request.row, strict=strict, faults=faults)]
        if request.column is not None:
            axes.append(self._axis(model, request.column, strict=strict, faults=faults))
        cells = [cell for cell, _ in axes]
        if len({*cells, *givens.cells}) != len(cells) + len(givens.cells):
            faults.add(request.row[0], "set_twice", "a cell is set by two of row, column and inputs")
        places = places_of(model, request.outputs, faults)
        for name, (_, rect) in zip(request.outputs, places, strict=False):
            if rect.size != 1:
                faults.add(name, "not_a_cell", f"{name!r} names {rect.size:,} cells; a table is of one cell")
        faults.raise_any()
        across = axes[0][1]
        down: Sequence[Scalar] = axes[1][1] if len(axes) > 1 else (None,)
        count = len(across) * len(down)
        inputs: dict[Cell, Sequence[Scalar]] = {cell: (value,) * count for cell, value in givens.cells.items()}
        inputs[axes[0][0]] = tuple(across) * len(down)
        if len(axes) > 1:
            inputs[axes[1][0]] = tuple(value for value in down for _ in across)
        answered = call.run(inputs, places, cases=count)
        width = len(across)
        tables = {
            name: [[answered.value(k, row * width + col) for col in range(width)] for row in range(len(down))]
            for k, name in enumerate(request.outputs)
        }
        axis = {"row": request.row, "column": request.column}
        told = {key: None if a is None else {"reference": a[0], "values": list(a[1])} for key, a in axis.items()}
        return call.document(**told, tables=tables, formulas=answered.formulas, errors=list(answered.failures))

    def diff(self, client: str, model_id: str, before: int, after: int, seconds: float) -> dict[str, Any]:
        """What changed between two versions, and which change caused which."""
        old = self.models.find(client, model_id, before)
        new = self.models.find(client, model_id, after)
        clock = _Clock(self.monotonic, self.monotonic(), max(0.1, min(float(SECONDS[1]), seconds)))
        with _reasons():
            models = self.engine.model(old, clock.guard), self.engine.model(new, clock.guard)
            with clock.guard():
                found = difference(*models)
        return {"id": new.model, "from": old.number, "to": new.number, **found}

    def _begin(self, client: str, model_id: str, options: Options, seconds: float) -> _Call:
        begun = self.monotonic()
        version = self.models.find(client, model_id, options.version)
        limit = max(0.1, min(options.seconds, seconds))
        clock = _Clock(self.monotonic, begun, limit)
        with _reasons():
            return _Call(self, version, self.engine.model(version, clock.guard), clock)

    @staticmethod
    def _cell(model: LoadedModel, name: str, faults: Faults) -> Cell:
        for sheet, rect in places_of(model, [name], faults):
            if rect.size == 1:
                return sheet, rect.top, rect.left
            faults.add(name, "not_a_cell", f"{name!r} names {rect.size:,} cells; it must be one")
        return -1, 0, 0

    def _axis(
        self, model: LoadedModel, axis: tuple[str, Sequence[Any]], *, strict: bool, faults: Faults
    ) -> tuple[Cell, list[Scalar]]:
        name, values = axis
        cell = self._cell(model, name, faults)
        found: list[Scalar] = []
        for value in values if cell[0] >= 0 else ():
            found += givens_of(model, {name: value}, strict=strict, faults=faults).cells.values()
        return cell, found

    @staticmethod
    def _explained(model: LoadedModel, found: Chain, givens: Givens, told: _Told) -> dict[str, Any]:
        return chain_document(model.plan, model.interface, found, set(givens.places), told.value)


@dataclass(frozen=True, slots=True)
class _Clock:
    """The time of one call; ``limit`` in seconds."""

    monotonic: Callable[[], float]
    begun: float
    limit: float

    @property
    def left(self) -> float:
        return self.begun + self.limit - self.monotonic()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Cuts off what runs in here (reading and compiling, no sandbox) when the time is over. Raises ``Overran``."""
        try:
            with Watch(lambda: self.left <= 0) as watch, watch.computing():
                yield
        except Interrupted:
            raise self.overran() from None

    def overran(self) -> Overran:
        return Overran(f"The model was not computed within {self.limit:.3g} s.", extra={"timeout_seconds": self.limit})


@dataclass(frozen=True, slots=True)
class _Call:
    """One call under way: its model and its time."""

    calls: Calls
    version: Version
    model: LoadedModel
    clock: _Clock

    def run(self, inputs: Mapping[Cell, Sequence[Scalar]], outputs: Sequence[Place], *, cases: int = 1) -> Answered:
        left, guard = self.clock.left, self.clock.guard
        if left <= 0:
            raise self.clock.overran()
        try:
            with _reasons():
                return self.calls.engine.call(self.model, inputs, outputs, seconds=left, cases=cases, guard=guard)
        except TimedOut as late:
            raise self.clock.overran() from late

    def document(self, **members: Any) -> dict[str, Any]:
        spent = round((self.calls.monotonic() - self.clock.begun) * 1000, 2)
        return {"model": self.version.model, "version": self.version.number, **members, "duration_ms": spent}


@contextmanager
def _reasons() -> Iterator[None]:
    """What a sandbox raises, as an answer to the caller."""
    try:
        yield
    except TimedOut:
        raise
    except BadArtefact as error:
        why = "The model was made by another version of the service; submit the workbook again."
        raise NotFound(why, code="no_model") from error
    except SandboxError as error:
        if error.retryable:
            raise StepRetryable(error.code, str(error)) from error
        raise Unprocessable(f"The model could not be computed: {error}.", code=error.code) from error


class _Told:
    """Values by place, of a call that asked for several."""

    def __init__(self, places: Sequence[Place], answered: Answered) -> None:
        self._answered = answered
        self._first: dict[Place, int] = {}
        at = 0
        for place in places:
            self._first[place] = at
            at += place[1].size

    def value(self, place: Place) -> Any:
        """One cell as a scalar, a range as rows."""
        first = self._first[place]
        rect = place[1]
        found = [self._answered.value(first + k) for k in range(len(cells_of(rect)))]
        if rect.size == 1:
            return found[0]
        return [found[row * rect.width : (row + 1) * rect.width] for row in range(rect.height)]


def _own_outputs(model: LoadedModel) -> Iterator[str]:
    """The model's outputs, as many as fit into an answer; what is left out can be asked for by its name."""
    left = TOLD
    for port in model.interface.ports.outputs:
        left -= port.rect.size
        if left >= 0:
            yield reference(model.workbook, port.sheet, port.rect)
        else:
            left += port.rect.size


def _place(cell: Cell) -> Place:
    sheet, row, col = cell
    return sheet, Rect(row, col, row, col)


def _number_at(model: LoadedModel, cell: Cell) -> float:
    """The number that a cell holds now; 0 for anything else."""
    sheet, row, col = cell
    if sheet < 0:
        return 0.0
    num, tag = Plane.of_grids(model.workbook.sheets[sheet].grids).get(Rect(row, col, row, col))
    value = plain(float(num[0, 0]), int(tag[0, 0]), model.workbook.strings)
    return float(value) if is_number(value) else 0.0


def _no_solution(request: GoalRequest, met: tuple[float, float | None] | None, why: str) -> Rejected:
    closest = None
    if met is not None and met[1] is not None:
        closest = {"input": met[0], "output": met[1] + request.target}
    where = f" between {request.bounds[0]:g} and {request.bounds[1]:g}" if request.bounds else ""
    detail = f"No value of {request.input}{where} was found for which {request.output} is {request.target:g}: {why}."
    return Unprocessable(detail, code="no_solution", extra={"closest": closest})
