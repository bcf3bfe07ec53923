"""Whatever is passed to a numeric function, a value comes back: no exception but Unsupported, no NaN, no infinity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from calls import MISSING, NA, host, ref, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetrun.runtime.errors import ExcelError, Unsupported
from sheetrun.runtime.registry import Entry, entries
from sheetrun.runtime.values import Arr

ROOMS = {
    "aggregate", "conditional", "database", "discrete", "distributions", "math", "matrix", "normal", "ranks", "regression",
    "rounding", "sampling", "significance", "smoothing", "statistics", "subtotal", "trig",
    "annuity", "bonds", "cashflow", "coupons", "depreciation", "oddbonds", "treasury",
    "engineering_bases", "engineering_bessel", "engineering_bits", "engineering_complex", "engineering_units",
}  # fmt: skip
FUNCTIONS = [e for e in entries() if e.category in ROOMS]

SCALARS = st.one_of(
    st.sampled_from(
        [0.0, 1.0, -1.0, 0.5, 3.0, 1e-300, 1e300, -1e15, 2.0**53, True, None, "", "3", "x", ">1", "a*", NA]
    ),
    st.floats(-10, 10),
)
TABLES = st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(
        st.lists(SCALARS, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


@st.composite
def call_of(draw: st.DrawFn) -> tuple[Entry, list[Any]]:
    entry = draw(st.sampled_from(FUNCTIONS))
    least, most = entry.arity()
    args: list[Any] = [host()] if entry.needs_host else []
    for i in range(draw(st.integers(least, least + 3 if most is None else most))):
        if entry.kind_of(i) in ("array", "values", "raw", "ref"):
            args.append(draw(st.one_of(TABLES.map(rows), TABLES.map(ref), SCALARS)))
        else:
            args.append(draw(st.one_of(SCALARS, SCALARS, SCALARS, st.just(MISSING), TABLES.map(rows))))
    return entry, args


@settings(max_examples=600, deadline=None)
@given(call_of())
def test_a_value_comes_back(case: tuple[Entry, list[Any]]) -> None:
    entry, args = case
    try:
        with np.errstate(all="ignore"):
            value = entry.call(*args)
    except Unsupported:
        return
    assert value is None or isinstance(value, float | str | bool | ExcelError | Arr | np.ndarray)
    assert not isinstance(value, float) or math.isfinite(value)


def test_the_rooms_are_there() -> None:
    assert len(FUNCTIONS) > 230
