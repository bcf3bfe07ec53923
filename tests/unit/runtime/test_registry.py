"""The registry: signatures, coercion by kind, lifting over arrays, errors, and the vector paths of all functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from calls import DIV0, MISSING, NA, NUM, REF, VALUE, agrees, call, plain, ref, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetrun.runtime import registry
from sheetrun.runtime.errors import ExcelError, Raised
from sheetrun.runtime.lifting import vector_call
from sheetrun.runtime.registry import entries, excel, find
from sheetrun.runtime.signatures import Parameter, read_signature
from sheetrun.runtime.values import Arr, Erring


@pytest.fixture(scope="module", autouse=True)
def scratch() -> Any:
    """Functions of our own, taken out again afterwards."""
    before = dict(registry._entries)
    _register_samples()
    yield
    registry._entries.clear()
    registry._entries.update(before)


def _register_samples() -> None:
    @excel("T.NUMBERS(a: number, [b: number = 7], [c: number ~ 9]) -> text")
    def numbers(a: float, b: float, c: float) -> str:
        """What came in."""
        return f"{a:g} {b:g} {c:g}"

    @excel("T.KINDS(a: integer, b: text, c: logical, d: scalar, e: any) -> text", also=("T.OLD",))
    def kinds(*values: Any) -> str:
        return repr(values)

    @excel("T.WHOLE(a: array, b: values, *c: values) -> text")
    def whole(a: Any, b: Any, *c: Any) -> str:
        return " ".join("array" if isinstance(v, Arr) else repr(v) for v in (a, b, *c))

    @excel("T.PAIRS(first: number, *key: text, *value: number) -> text")
    def pairs(first: float, *rest: Any) -> str:
        return repr((first, rest))

    @excel("T.REF(r: ref, x: raw, f: lazy) -> any")
    def takes_ref(r: Any, x: Any, f: Any) -> Any:
        return f()

    @excel("T.HOST(here: host, a: number) -> number")
    def with_host(here: Any, a: float) -> float:
        return here + a

    @excel("T.TEN(x: number) -> number", vector=lambda x: 10.0 / x)
    def ten(x: float) -> float:
        return 10.0 / x

    @excel("T.RAISES(x: number) -> any")
    def raises(x: float) -> Any:
        if x == 1.0:
            raise Raised(REF)
        known = {2.0: math.inf, 3.0: np.float64(4.5), 4.0: 3, 5.0: np.array([[1.0, 2.0]])}
        return known[x] if x in known else x / 0.0


def test_signatures_are_read() -> None:
    name, parameters, returns = read_signature(
        'NAME.X(here: host, a: number, [b: text = "x,y"], [c: number ~ -1.5], [d: logical = TRUE], *e: values) -> any'
    )
    assert (name, returns) == ("NAME.X", "any")
    assert parameters == (
        Parameter("here", "host"),
        Parameter("a", "number"),
        Parameter("b", "text", True, "x,y"),
        Parameter("c", "number", True, -1.5, True),
        Parameter("d", "logical", True, True),
        Parameter("e", "values", variadic=True),
    )
    assert read_signature("N([x: scalar = MISSING]) -> number")[1][0].default is MISSING
    assert read_signature("N([x: scalar = None]) -> number")[1][0].default is None


@pytest.mark.parametrize(
    "signature",
    ["f(x: number) -> any", "F(x: number)", "F(x: numbers) -> any", "F(x number) -> any", "F([x: number) -> any"],
)
def test_bad_signatures_are_refused(signature: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_signature(signature)


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        excel("T.TEN(x: number) -> number")(lambda x: x)


def test_what_an_entry_tells() -> None:
    entry = find("T.HOST")
    assert entry is not None
    assert entry.needs_host
    assert entry.arity() == (1, 1)
    assert entry.kind_of(0) == "number"
    assert entry.kind_of(1) is None
    pairs = find("T.PAIRS")
    assert pairs is not None
    assert pairs.arity() == (1, None)
    assert [pairs.kind_of(i) for i in range(5)] == ["number", "text", "number", "text", "number"]
    assert find("T.OLD") is not None
    assert find("T.OLD").plain is find("T.KINDS").plain  # type: ignore[union-attr]
    assert find("T.REF").lazy  # type: ignore[union-attr]
    assert find("T.NUMBERS").summary == "What came in."  # type: ignore[union-attr]
    assert find("NO.SUCH") is None


def test_omitted_and_empty_arguments() -> None:
    assert call("T.NUMBERS", 1) == "1 7 9"
    assert call("T.NUMBERS", 1, MISSING, MISSING) == "1 0 9"
    assert call("T.NUMBERS", MISSING, 2, None) == "0 2 0"
    for arguments in ((), (1, 2, 3, 4)):
        with pytest.raises(TypeError):
            call("T.NUMBERS", *arguments)


def test_kinds_coerce() -> None:
    assert call("T.KINDS", -2.9, 1.5, "true", "x", NA) == repr((-2, "1.5", True, "x", NA))
    assert call("T.KINDS", "3", True, None, None, None) == repr((3, "TRUE", False, None, None))
    assert call("T.KINDS", MISSING, MISSING, 2, MISSING, MISSING) == repr((0, "", True, None, None))
    assert call("T.KINDS", "x", 1, 1, 1, 1) is VALUE
    assert call("T.KINDS", 1, 1, "maybe", 1, 1) is VALUE
    assert call("T.KINDS", 1, 1, 1, DIV0, NA) is DIV0


def test_the_first_error_wins() -> None:
    assert call("T.NUMBERS", DIV0, NA, REF) is DIV0
    assert call("T.NUMBERS", 1, NA, REF) is NA
    assert call("T.NUMBERS", [[1, NA]], [[DIV0, DIV0]]) == [[DIV0, NA]]


def test_arrays_and_references_where_they_are_wanted() -> None:
    one = ref([[5]])
    assert call("T.WHOLE", 1, 2) == "array 2.0"
    assert call("T.WHOLE", [1, 2], [3], one, "x", None) == "array array array 'x' None"
    assert call("T.WHOLE", NA, 2) is NA
    assert call("T.NUMBERS", one) == "5 7 9"
    assert call("T.REF", one, 1, lambda: 42.0) == 42.0
    assert call("T.REF", 1, 1, lambda: 42.0) is VALUE
    assert call("T.REF", NA, 1, lambda: 42.0) is NA
    assert call("T.HOST", 10, "5") == 15.0
    assert call("T.PAIRS", 1, "a", "2", 3, 4) == repr((1.0, ("a", 2.0, "3", 4.0)))


def test_results_are_made_values() -> None:
    assert call("T.RAISES", 1) is REF
    assert call("T.RAISES", 2) is NUM
    assert call("T.RAISES", 3) == 4.5
    assert call("T.RAISES", 4) == 3.0
    assert type(call("T.RAISES", 4)) is float
    assert call("T.RAISES", 6) is DIV0
    assert call("T.RAISES", [1, 5, 6]) == [[REF], [1.0], [DIV0]]


def test_lifting_pairs_arrays_as_excel_does() -> None:
    got = call("T.NUMBERS", [1, 2], [[10, 20, 30]])
    assert got == [["1 10 9", "1 20 9", "1 30 9"], ["2 10 9", "2 20 9", "2 30 9"]]
    assert call("T.NUMBERS", [1, 2, 3], [10, 20]) == [["1 10 9"], ["2 20 9"], [NA]]
    assert call("T.NUMBERS", [[1, 2], [3, 4]], [[5], [6], [7]]) == [
        ["1 5 9", "2 5 9"],
        ["3 6 9", "4 6 9"],
        [NA, NA],
    ]
    assert call("T.NUMBERS", [1, 2], np.array([[3.0, 4.0]])) == [["1 3 9", "1 4 9"], ["2 3 9", "2 4 9"]]


def test_large_arrays_are_computed_once_for_each_argument() -> None:
    values = ["x", 1, None, True, NA, "2"] * 40
    expected = [[call("T.NUMBERS", v, 5)] for v in values]
    assert call("T.NUMBERS", values, 5) == expected
    wide = call("T.NUMBERS", values, [[5, 6]])
    assert [row[:1] for row in wide] == expected


def test_vectors_keep_errors_and_give_num() -> None:
    assert call("T.TEN", [[1, 0, NA, "4", "x", True, None]]) == [[10.0, NUM, NA, 2.5, VALUE, 10.0, NUM]]
    out = vector_call(lambda a, b: a - b, (rows([[1, DIV0, 3]]), rows([[NA, REF, 1]])))
    assert isinstance(out, Erring)
    assert plain(out) == [[NA, DIV0, 2.0]]
    assert plain(vector_call(lambda a, b: a + b, (rows([[1], [2]]), rows([[1], [2], [3]])))) == [[2.0], [4.0], [NA]]


# -- the vector paths of all functions ------------------------------------------------------------------------------


VECTORS = [entry for entry in entries() if entry.vector is not None]
NUMBERS = st.one_of(
    st.floats(-1e6, 1e6).map(lambda v: round(v, 4)),
    st.floats(-3, 3).map(lambda v: round(v, 4)),
    st.integers(-20, 20).map(float),
    st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.5, 1e15, -1e15, 2.5, 3.5]),
    st.sampled_from([NA, DIV0, VALUE, NUM]),
)


def test_there_are_vector_paths() -> None:
    assert len(VECTORS) > 20
    assert {"PMT", "SLN", "FV"} <= {e.name for e in VECTORS}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, ExcelError) or isinstance(b, ExcelError):
        return a is b
    return agrees(float(a), float(b), 9) or abs(a - b) <= 1e-9


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_a_vector_path_gives_what_the_scalars_give(data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(VECTORS))
    least, most = entry.arity()
    count = data.draw(st.integers(least, most or least))
    columns = [data.draw(st.lists(NUMBERS, min_size=3, max_size=3)) for _ in range(count)]
    got = call(entry.name, *columns)
    singly = [[call(entry.name, *row)] for row in zip(*columns, strict=True)]
    assert all(same(g, s) for (g,), (s,) in zip(got, singly, strict=True)), (entry.name, columns, got, singly)


OF_NUMBERS = [
    entry
    for entry in entries()
    if entry.returns == "number" and entry.parameters
    if entry.name in ("MIN", "MAX") or all(p.kind == "number" for p in entry.parameters)
]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_call_with_floats_gives_what_cells_give(data: st.DataObject) -> None:
    """The short way of a call in a loop, against the general one, which a cell (an array of one) takes."""
    entry = data.draw(st.sampled_from(OF_NUMBERS))
    least, most = entry.arity()
    args = data.draw(st.lists(NUMBERS, min_size=max(least, 1), max_size=most or 4))
    ours, general = entry.call(*args), entry.call(*(Arr.of(a) for a in args))
    ours, general = (Arr.of(value).cell(0, 0) for value in (ours, general))
    assert same(ours, general), (entry.name, args)


def test_a_test_that_is_a_logical_value_picks_its_branch() -> None:
    assert call("IF", True, lambda: 1.0, lambda: 2.0) == 1.0
    assert call("IF", False, lambda: 1.0, lambda: "x") == "x"
    assert call("IF", True, lambda: float("inf"), lambda: 2.0) is NUM

    def failing() -> float:
        raise ZeroDivisionError

    assert call("IF", False, lambda: 1.0, failing) is DIV0
