"""Statements of numbers as calls on memory that is known beforehand: for computing the same again and again.

What a script's statement decides anew each time, where its cells lie, of which type they are, which shapes meet, is
decided once here. That holds as long as all that is read is finite numbers; a statement whose result is not, or that
does more, is not for a tape (``NotTaped``, or ``Missed`` while it plays) and is computed as the script does. Whether
what is stored is finite is for the one who plays the tape to look at, once for all of it: a result that is not stays
where it was stored.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import ops
from sheetrun.runtime.address import Span, span_of
from sheetrun.runtime.bounds import Doubts
from sheetrun.runtime.cells import LOGICAL, NUMBER, Numbers, Tags
from sheetrun.runtime.chains import Chain
from sheetrun.runtime.compare import ordered_numbers
from sheetrun.runtime.flows import flows
from sheetrun.runtime.lanes import LaneBook
from sheetrun.runtime.noise import LEAST, noise_in
from sheetrun.runtime.recorded import Call, Later, Node, Read, Statement, Windowed
from sheetrun.runtime.registry import call_of, find
from sheetrun.runtime.tape import Play, Running, add_one, add_up, call, clear, clear_at, compare, sub_one
from sheetrun.runtime.tapedesk import Desk, NotTaped, Operand, Scratch, Side, array_of
from sheetrun.runtime.values import Arr, Value, encode
from sheetrun.runtime.windows import Window, over

#: Where only one in so many cells may hold noise, these alone are looked at.
_FEW: Final = 4
#: Calls that a window may take, one for each of its cells.
_MOST_CELLS: Final = 256

_ARITHMETIC: Final[dict[Any, np.ufunc]] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    ops.add: np.add,
    ops.sub: np.subtract,
}
_COMPARISONS: Final[dict[Any, np.ufunc]] = {
    ops.eq: np.equal,
    ops.ne: np.not_equal,
    ops.lt: np.less,
    ops.le: np.less_equal,
    ops.gt: np.greater,
    ops.ge: np.greater_equal,
}


@dataclass(frozen=True, slots=True)
class Taped:
    """The calls that compute a statement. ``reads``: (sheet, range) of all that must be finite numbers for them."""

    calls: list[Play]
    reads: list[tuple[int, Span]]


def taped(statement: Statement, book: LaneBook, scratch: Scratch, doubts: Doubts) -> Taped:
    """Raises NotTaped. The cells of ``book`` must be of the types that they will have. ``doubts``: of additions of which it
    is known where they may leave noise."""
    sheet, span = book.laned(statement.sheet), statement.span
    writer = _Writer(book, scratch, doubts)
    try:
        if _picks(statement.value):
            memory = sheet.mixed_memory(span)
            if memory is None:
                raise NotTaped
            writer.store_mixed(statement.value, *memory)
            sheet.mix(span)
        else:
            target = sheet.memory(span)
            if target is None:
                raise NotTaped
            writer.store(statement.value, target)
    finally:
        scratch.release()
    return Taped(writer.calls, writer.reads)


def taped_chain(
    chain: Chain, statements: Sequence[Statement], book: LaneBook, scratch: Scratch, doubts: Doubts
) -> Taped:
    """The same for all statements of a chain at once."""
    target = book.laned(chain.before.sheet).memory(chain.line)
    if target is None:
        raise NotTaped
    writer = _Writer(book, scratch, doubts)
    try:
        clean = all(s.value in doubts and not doubts[s.value].any() for s in statements)
        writer.run_along(chain, target, clean=clean)
    finally:
        scratch.release()
    return Taped(writer.calls, writer.reads)


def _picks(node: Any) -> bool:
    """Whether an expression chooses among values of which one at least is a text or logical constant."""
    match node:
        case Call(function, (_, Later(then), Later(otherwise))) if function is call_of("IF"):
            return any(isinstance(branch, str | bool) or _picks(branch) for branch in (then, otherwise))
    return False


class _Writer(Desk):
    """Writes the tape of one statement."""

    def __init__(self, book: LaneBook, scratch: Scratch, doubts: Doubts) -> None:
        super().__init__(book, scratch)
        self._doubts = doubts

    def store(self, node: Any, target: Numbers) -> None:
        """Numbers."""
        found = self._operand(node, into=target)
        if isinstance(found, Operand) and found.is_mask:
            raise NotTaped  # logical values
        if isinstance(found, float) or found.array is not target:
            self.copy(target, array_of(found))

    def store_mixed(self, node: Any, num: Numbers, tag: Tags) -> None:
        """Values of any type."""
        match node:
            case Call(_, (test, Later(then), Later(otherwise))) if _picks(node):
                holds = self._mask(self._operand(test))
                self.store_mixed(otherwise, num, tag)
                apart = self.scratch.take(num.shape), self.scratch.take(tag.shape, "i")
                self.store_mixed(then, *apart)
                whole: Any
                for whole, part in zip((num, tag), apart, strict=True):
                    if np.broadcast_shapes(holds.array.shape, whole.shape) != whole.shape:
                        raise NotTaped
                    self.copy_where(whole, part, holds.array)
            case str() | bool():
                for whole, value in zip((num, tag), encode(node), strict=True):
                    self.call(np.copyto, whole, value)
            case _:
                found = self.finite(self._operand(node))
                logical = isinstance(found, Operand) and found.is_mask
                self.copy(num, array_of(self.number(found)))
                self.call(np.copyto, tag, LOGICAL if logical else NUMBER)

    def run_along(self, chain: Chain, target: Numbers, *, clean: bool) -> None:
        """The cells of a chain. ``clean``: none of them is ever noise."""
        out = _lined(target)
        first, step = (self.number(self._operand(node)) for node in (chain.before, chain.step))
        before = np.broadcast_to(first if isinstance(first, float) else _lined(first.array)[0], out.shape[1:])
        steps = np.full((1, 1), step) if isinstance(step, float) else _lined(step.array)
        if np.broadcast_shapes(steps.shape, out.shape) != out.shape:
            raise NotTaped
        room = None
        if chain.function in (ops.add, ops.sub) and not clean:
            room = self.scratch.take(out.shape), self.scratch.take(out.shape), self.scratch.take(out.shape, "?")
        function = _ARITHMETIC[chain.function]
        self.call(Running(function, before, steps, out, turned=chain.turned, room=room))

    # -- expressions -----------------------------------------------------------------------------------------------

    def _operand(self, node: Any, into: Any = None) -> Side:
        """``into``: where the result is to stand, if it has that shape."""
        match node:
            case float():
                return node
            case Read(_, _, "value" | "n"):
                return self.read(node)
            case Call(ops.num, (value,)):
                return self.number(self._operand(value, into))
            case Call(operator.neg, (value,)):
                return self.apply(np.negative, (self.number(self._operand(value)),), into)
            case Call(ops.add | ops.sub as function, (left, right)):
                return self._settled(node, _ARITHMETIC[function], self._in_sum(left), self._in_sum(right), into)
            case Call(function, (left, right)) if function in _ARITHMETIC:
                return self.apply(_ARITHMETIC[function], (self._in_sum(left), self._in_sum(right)), into)
            case Call(ops.div, (left, right)):
                return self._quotient(left, right, into)
            case Call(function, (left, right)) if function in _COMPARISONS:
                return self._comparison(_COMPARISONS[function], left, right)
            case Call(function, (test, Later(then), Later(otherwise))) if function is call_of("IF"):
                return self._choice(test, then, otherwise, into)
            case Call(function, (which, *args)) if function is over:
                return self._over(which, args, node, into)
            case Call():
                return self._opaque(node, into)
        raise NotTaped

    def _in_sum(self, node: Any) -> Side:
        return self.number(self._operand(node))

    def _settled(self, node: Call, function: np.ufunc, a: Side, b: Side, into: Any) -> Side:
        """The last addition of ``node``: a sum that is only noise becomes 0."""
        if isinstance(a, float) and isinstance(b, float):
            found = (ops.add if function is np.add else ops.sub)(a, b)
            if not math.isfinite(found):
                raise NotTaped
            return float(found)
        shape = np.broadcast_shapes(*(np.shape(array_of(side)) for side in (a, b)))
        if math.prod(shape) == 1 and not all(isinstance(side, float) or side.fixed for side in (a, b)):
            out = self.room(shape, (a, b), into)
            first, second = (np.full(shape, side) if isinstance(side, float) else side.array for side in (a, b))
            self.call(add_one if function is np.add else sub_one, first, second, out)
            return Operand(out, sure=False, spare=out is not into)
        doubt = self._doubts.get(node)
        if doubt is not None and not doubt.any():
            return self.apply(function, (a, b), into)
        if isinstance(a, Operand) and a.spare:  # it is needed once more
            a = Operand(a.array, a.sure, a.fixed)
        total = self.apply(function, (a, b), into)
        assert isinstance(total, Operand)
        if doubt is not None and doubt.shape == total.array.shape[:2] and doubt.sum() * _FEW <= doubt.size:
            rows, columns = np.nonzero(doubt)
            before = np.broadcast_to(array_of(a), total.array.shape)
            self.call(clear_at, total.array, before, rows, columns)
            return total
        if isinstance(a, Operand) and not a.fixed:
            least: Any = self.scratch.take(a.array.shape)
            self.call(np.multiply, a.array, LEAST, least)
            self.call(np.absolute, least, least)
        else:
            least = np.absolute(array_of(a)) * LEAST
        if total.fixed:
            return Operand(np.where(noise_in(total.array, array_of(a)), 0.0, total.array), sure=True, fixed=True)
        size, near = self.scratch.take(total.array.shape), self.scratch.take(total.array.shape, "?")
        self.call(np.absolute, total.array, size)
        self.call(np.less, size, least, near)
        self.call(clear, total.array, array_of(a), near)
        return total

    def _quotient(self, left: Any, right: Any, into: Any) -> Side:
        """By zero gives an infinity or NaN, which the check of the result finds."""
        a, b = self._in_sum(left), self._in_sum(right)
        if isinstance(b, float) and b == 0.0:
            raise NotTaped
        return self.apply(np.divide, (a, self.finite(b)), into)

    def _comparison(self, function: np.ufunc, left: Any, right: Any) -> Side:
        a, b = (self.finite(self.plain(self._operand(side))) for side in (left, right))
        of_equals = bool(function(0, 0))
        x, y = array_of(a), array_of(b)
        if all(isinstance(side, float) or side.fixed for side in (a, b)):
            first, second = np.atleast_3d(x), np.atleast_3d(y)
            return Operand(ordered_numbers(first, second, function, of_equals), sure=True, fixed=True)
        out = self.scratch.take(np.broadcast_shapes(np.shape(x), np.shape(y)), "?")
        if any(isinstance(side, float) and side == 0.0 for side in (a, b)):  # nothing is near 0 but 0
            self.call(function, x, y, out)
        else:
            self.call(compare, function, x, y, of_equals, out)
        return Operand(out, sure=True, spare=True)

    def _choice(self, test: Any, then: Any, otherwise: Any, into: Any) -> Side:
        mask = self._mask(self._operand(test))
        if mask.fixed and (mask.array.all() or not mask.array.any()):
            return self.plain(self._operand(then if mask.array.all() else otherwise, into))
        if not mask.fixed:
            mask = Operand(mask.array, mask.sure)
        sides = []
        for branch, outside in ((then, self._not(mask)), (otherwise, mask.array)):
            self.outside.append(outside)
            sides.append(self.plain(self._operand(branch)))
            self.outside.pop()
        a, b = (array_of(side) for side in sides)
        shape = np.broadcast_shapes(mask.array.shape, np.shape(a), np.shape(b))
        out = into if into is not None and into.shape == shape else self.scratch.take(shape)
        self.call(np.copyto, out, b)
        self.copy_where(out, a, mask.array)
        sure = all(isinstance(side, float) or side.sure for side in sides)
        return Operand(out, sure=sure, spare=out is not into)

    def _not(self, mask: Operand) -> Any:
        if mask.fixed:
            return ~mask.array
        out = self.scratch.take(mask.array.shape, "?")
        self.call(np.logical_not, mask.array, out)
        return out

    def _mask(self, side: Side) -> Operand:
        """A condition: a number holds unless it is 0."""
        if isinstance(side, float):
            return Operand(np.full((1, 1, 1), side != 0.0), sure=True, fixed=True)
        if side.is_mask:
            return side
        side = self.finite(side)
        assert isinstance(side, Operand)
        if side.fixed:
            return Operand(side.array != 0.0, sure=True, fixed=True)
        out = self.scratch.take(side.array.shape, "?")
        self.call(np.not_equal, side.array, 0.0, out)
        return Operand(out, sure=True, spare=True)

    # -- aggregates ------------------------------------------------------------------------------------------------

    def _over(self, which: Any, args: Sequence[Any], node: Call, into: Any) -> Side:
        """Of the cells of each window, in Excel's order."""
        if which in (call_of("MAX"), call_of("MIN")):
            function: np.ufunc = np.maximum if which is call_of("MAX") else np.minimum
            found: Side | None = None
            for side in self._members(args, function):
                side = self.finite(side)
                found = side if found is None else self.apply(function, self._wide(found, side), None, sure=True)
            assert found is not None
            return found
        if which is call_of("SUM"):
            total: Side = 0.0
            *others, last = self._members(args, np.add)
            for side in others:
                total = self.apply(np.add, (total, side), None)
            return self._settled(node, np.add, total, last, into) if others else self.apply(np.add, (total, last), None)
        if which in (call_of("AND"), call_of("OR")) and not any(isinstance(arg, Windowed) for arg in args):
            function = np.logical_and if which is call_of("AND") else np.logical_or
            masks = [self._mask(self._operand(arg)) for arg in args]
            held = masks[0]
            for mask in masks[1:]:
                if held.fixed and mask.fixed:
                    held = Operand(function(held.array, mask.array), sure=True, fixed=True)
                    continue
                out = self.scratch.take(np.broadcast_shapes(held.array.shape, mask.array.shape), "?")
                self.call(function, held.array, mask.array, out)
                held = Operand(out, sure=True, spare=True)
            return held
        return self._opaque(node, into)

    def _wide(self, a: Side, b: Side) -> tuple[Side, Side]:
        """Two sides, a number beside an array as an array: NumPy's extremes of arrays take a fifth of the time."""
        if isinstance(a, float) and isinstance(b, Operand):
            return Operand(self.scratch.filled(a, b.array.shape), sure=True, fixed=True), b
        if isinstance(b, float) and isinstance(a, Operand):
            return a, Operand(self.scratch.filled(b, a.array.shape), sure=True, fixed=True)
        return a, b

    def _members(self, args: Sequence[Any], function: np.ufunc) -> list[Side]:
        """What is added up, or compared, for each cell of the block, from the first to the last."""
        found: list[Side] = []
        for arg in args:
            if isinstance(arg, Windowed):
                line = None if found and function is np.add else self._reduced(arg, function, last=arg is args[-1])
                found += self._cells(arg) if line is None else [line]
            else:
                found.append(self.number(self._operand(arg)))
        return found

    def _reduced(self, node: Windowed, function: np.ufunc, *, last: bool) -> Side | None:
        """The window of a single cell in one pass, ``last`` to be added; None where that is another way to the result."""
        span, _ = span_of(node.key)
        if (node.rows, node.columns) != (1, 1) or math.prod(span.shape) < 3:
            return None
        sheet = self.book.laned(node.sheet)
        part = sheet.part(span)
        if part is None or sheet.varies[part].shape != span.shape or not (sheet.plain[part] & sheet.finite[part]).all():
            return None
        held = self.varying(sheet, span)
        out = self.scratch.take((1, 1, held.shape[2]))
        if function is np.add:
            self.call(add_up, held, last, out)
            return Operand(out, sure=False, spare=True)
        self.call(function.reduce, held, (0, 1), None, out, True)
        return Operand(out, sure=True, spare=True)

    def _cells(self, node: Windowed) -> list[Side]:
        """The cells of a window, each for all cells of the block at once; empty ones and texts are passed over."""
        sheet = self.book.laned(node.sheet)
        span, _ = span_of(node.key)
        if math.prod(span.shape) > _MOST_CELLS:
            raise NotTaped
        found = []
        for row in range(span.top, span.bottom + 1):
            for col in range(span.left, span.right + 1):
                side = self.line(sheet, Span(row, col, row + node.rows - 1, col + node.columns - 1))
                if side is not None:
                    found.append(side)
        if not found:
            raise NotTaped
        return found

    # -- what has code of its own ----------------------------------------------------------------------------------

    def _opaque(self, node: Call, into: Any) -> Side:
        """A function of the runtime, called as the script does, on arrays of cells × lanes."""
        givers, shapes, fixed = [], [], True
        for arg in node.args:
            giver, shape, same = self._giver(arg)
            givers.append(giver)
            shapes.append(shape)
            fixed = fixed and same
        shape = np.broadcast_shapes(*shapes)
        if fixed or not _pure(node.function):
            raise NotTaped
        out = into if into is not None and into.shape == shape else self.scratch.take(shape)
        flat = out.reshape(-1, shape[2])
        if not np.shares_memory(flat, out):
            out = self.scratch.take(shape)
            flat = out.reshape(-1, shape[2])
        self.call(call, node.function, givers, flat)
        return Operand(out, sure=True, spare=out is not into)

    def _giver(self, arg: Any) -> tuple[Callable[[], Value], tuple[int, ...], bool]:
        """(what gives an argument, its shape, whether it is the same each time)"""
        if isinstance(arg, Windowed):
            return self._window(arg)
        if isinstance(arg, Read) and arg.how in ("arr", "ref"):
            sheet = self.book.laned(arg.sheet)
            if sheet.part(span_of(arg.key)[0]) is not None:
                raise NotTaped
            cells = getattr(sheet, arg.how)[arg.key]
            return (lambda: cells), (1, 1, 1), True
        if not isinstance(arg, Node):
            return (lambda: arg), (1, 1, 1), True
        boxed = isinstance(arg, Read) and arg.how == "value"
        side = self.finite(self._operand(arg))
        if isinstance(side, float):
            return (lambda: side), (1, 1, 1), True
        array = side.array
        lanes = array.shape[2]
        if side.is_mask:
            return (lambda: Arr.logicals(array.reshape(-1, lanes))), array.shape, side.fixed
        if boxed:
            return (lambda: Arr(array.reshape(-1, lanes))), array.shape, side.fixed
        return (lambda: array.reshape(-1, lanes)), array.shape, side.fixed

    def _window(self, node: Windowed) -> tuple[Callable[[], Value], tuple[int, ...], bool]:
        sheet = self.book.laned(node.sheet)
        span, _ = span_of(node.key)
        around = Span(span.top, span.left, span.bottom + node.rows - 1, span.right + node.columns - 1)
        if self.varying(sheet, around) is None:
            window: Window = sheet.window(node.key, node.rows, node.columns)
            return (lambda: window), (node.rows, node.columns, 1), True
        # Made anew each time: NumPy cannot always give a view for the windows of a block.
        give = lambda: sheet.window(node.key, node.rows, node.columns)  # noqa: E731
        return give, (node.rows, node.columns, self.book.lanes), False


def _lined(array: Any) -> Any:
    """A row or column of cells (rows × columns × lanes) as cells × lanes."""
    return array[0] if array.shape[0] == 1 else array[:, 0]


def _pure(function: Callable[..., Any]) -> bool:
    """Whether the result of a function is of its arguments alone."""
    if function in (ops.power, flows, over):
        return True
    name = function.__name__
    entry = find(name) or find(name.replace("_", "."))
    return entry is not None and entry.call is function and not entry.volatile and not entry.needs_host
