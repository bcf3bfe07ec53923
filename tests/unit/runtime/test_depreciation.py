"""Depreciation, treasury bills and quotes against Microsoft's examples and values of Excel."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, MISSING, NUM, VALUE, agrees, call
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.daycount import serial_of as d


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # Microsoft's pages
        ("SLN", (30000, 7500, 10), 2250.0),
        ("SYD", (30000, 7500, 10, 1), 4090.90909090909),
        ("SYD", (30000, 7500, 10, 10), 409.09090909090907),
        ("DB", (1000000, 100000, 6, 1, 7), 186083.33333333334),
        ("DB", (1000000, 100000, 6, 2, 7), 259639.41666666666),
        ("DB", (1000000, 100000, 6, 6, 7), 55841.756736028445),
        ("DB", (1000000, 100000, 6, 7, 7), 15845.098473848071),
        ("DDB", (2400, 300, 3650, 1), 1.3150684931506849),
        ("DDB", (2400, 300, 120, 1, 2), 40.0),
        ("DDB", (2400, 300, 10, 1, 2), 480.0),
        ("DDB", (2400, 300, 10, 2, 1.5), 306.0),
        ("DDB", (2400, 300, 10, 10), 22.1225472),
        ("VDB", (2400, 300, 3650, 0, 1), 1.3150684931506849),
        ("VDB", (2400, 300, 120, 6, 18), 396.3060532687842),
        ("VDB", (2400, 300, 120, 6, 18, 1.5), 311.80893666582),
        ("VDB", (2400, 300, 10, 0, 0.875, 1.5), 315.0),
        ("VDB", (2400, 300, 3650, 5, 9), 5.24156794233124),
        ("AMORDEGRC", (2400, d(2008, 8, 19), d(2008, 12, 31), 300, 1, 0.15, 1), 776.0),
        ("AMORLINC", (2400, d(2008, 8, 19), d(2008, 12, 31), 300, 1, 0.15, 1), 360.0),
        ("TBILLEQ", (d(2008, 3, 31), d(2008, 6, 1), 0.0914), 0.09415149356594302),
        ("TBILLPRICE", (d(2008, 3, 31), d(2008, 6, 1), 0.09), 98.45),
        ("TBILLYIELD", (d(2008, 3, 31), d(2008, 6, 1), 98.45), 0.09141696292534264),
        ("DOLLARDE", (1.02, 16), 1.125),
        ("DOLLARDE", (1.1, 32), 1.3125),
        ("DOLLARFR", (1.125, 16), 1.02),
        ("DOLLARFR", (1.125, 32), 1.04),
        # oddities measured in Excel
        ("SYD", (100, 10, 1, 0.3), 153.0),
        ("DDB", (100, 10, 1, 0.3, 50.3), 90.0),
        ("DDB", (100, 10, 13, 10, 3), 0.0),
        ("VDB", (100, 10, 1, 0, 0.8, 1, True), 72.0),
        ("VDB", (100, 10, 13, 0.5, 1, 1, True), 3.846153846153847),
        ("AMORLINC", (100, d(1998, 2, 28), d(2000, 2, 29), 10, 0, 0.07, 3), 14.0),
        ("AMORLINC", (100, d(1998, 2, 28), d(2000, 2, 29), 10, 0.3, 0.07, 3), 7.0),
        ("AMORDEGRC", (100, d(1998, 2, 28), d(2000, 2, 29), 10, 0, 0.15, 3), 75.0),
        ("AMORDEGRC", (100, d(2014, 1, 1), d(2016, 1, 1), 50, 1, 0.3, 1), 23.0),
        ("TBILLEQ", (d(1980, 2, 15), d(1980, 8, 23), 0.25), 0.2903362798279),
        ("TBILLEQ", (d(1980, 2, 15), d(1980, 9, 21), 0.75), 1.265095264028),
        ("DOLLARDE", (-1.5, 17), -3.941176470588),
        ("DOLLARDE", (0.34, 1), 0.34),
        ("DOLLARFR", (-1.5, 17.9), -1.085),
        ("EUROCONVERT", (1.2, "DEM", "EUR"), 0.61),
        ("EUROCONVERT", (1, "FRF", "EUR", True, 3), 0.152),
        ("EUROCONVERT", (1, "FRF", "EUR", False), 0.15),
        ("EUROCONVERT", (1, "FRF", "DEM", True, 3), 0.29728616),
    ],
)
def test_values(name: str, arguments: tuple[Any, ...], expected: float) -> None:
    assert agrees(call(name, *arguments), expected)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("SLN", (1, 2, 0), DIV0),
        ("SYD", (100, 10, 5, 6), NUM),
        ("SYD", (100, 10, 5, 0), NUM),
        ("DB", (100, 10, 5, 7, 7), NUM),
        ("DB", (100, 10, 5, 6), NUM),
        ("DB", (-100, 10, 5, 1), NUM),
        ("DB", (100, 10, 5, 1, 13), NUM),
        ("DDB", (100, 10, 5, 6), NUM),
        ("DDB", (100, 10, 5, 1, 0), NUM),
        ("VDB", (100, 10, 5, 3, 2), NUM),
        ("VDB", (100, 10, 5, 3, 6), NUM),
        ("VDB", (100, 10, 1e9, 0, 1e8), NUM),
        ("AMORLINC", (2400, d(2008, 8, 19), d(2008, 12, 31), 300, 1, 0.15, 2), NUM),
        ("AMORLINC", (2400, d(2009, 8, 19), d(2008, 12, 31), 300, 1, 0.15), NUM),
        ("AMORDEGRC", (2400, d(2008, 8, 19), d(2008, 12, 31), 300, 1, 0.5), NUM),
        ("AMORDEGRC", (2400, "x", d(2008, 12, 31), 300, 1, 0.15), VALUE),
        ("TBILLPRICE", (d(2008, 3, 31), d(2009, 6, 1), 0.09), NUM),
        ("TBILLPRICE", (d(2008, 3, 31), d(2008, 3, 31), 0.09), NUM),
        ("TBILLEQ", (d(2008, 3, 31), d(2008, 6, 1), 0), NUM),
        ("TBILLYIELD", (d(2008, 3, 31), d(2008, 6, 1), 0), NUM),
        ("DOLLARDE", (1.02, 0.5), DIV0),
        ("DOLLARFR", (1.02, -1), NUM),
        ("DOLLARFR", (True, 16), VALUE),
        ("EUROCONVERT", (1, "USD", "EUR"), VALUE),
        ("EUROCONVERT", (1, "DEM", "EUR", True, 2), VALUE),
    ],
)
def test_errors(name: str, arguments: tuple[Any, ...], expected: object) -> None:
    assert call(name, *arguments) is expected


def test_empty_arguments_are_the_defaults() -> None:
    assert call("DDB", 2400, 300, 10, 1, MISSING) == 480.0
    assert call("DB", 1000, 100, 6, 1, MISSING) == call("DB", 1000, 100, 6, 1, 12)
    assert call("VDB", 2400, 300, 10, 0, 1, MISSING) == 480.0


def test_straight_line_of_a_column() -> None:
    assert call("SLN", [30000, 100], [[7500, 0]], 10) == [[2250.0, 3000.0], [-740.0, 10.0]]
    assert call("SLN", [30000, 100], 0, 0) == [[DIV0], [DIV0]]


@given(st.floats(1, 1e6), st.floats(0, 1), st.integers(1, 40), st.floats(0.2, 5), st.booleans())
def test_the_parts_of_a_life_add_up(cost: float, part: float, life: int, factor: float, no_switch: bool) -> None:
    salvage = cost * part
    whole = call("VDB", cost, salvage, life, 0, life, factor, no_switch)
    assert 0.0 <= whole <= cost - salvage + 1e-9 * cost
    if not no_switch:
        assert whole == pytest.approx(cost - salvage, rel=1e-9, abs=1e-9 * cost)
    if no_switch:
        parts = sum(call("VDB", cost, salvage, life, k, k + 1, factor, True) for k in range(life))
        singly = sum(call("DDB", cost, salvage, life, k, factor) for k in range(1, life + 1))
        assert parts == pytest.approx(whole, rel=1e-9, abs=1e-9 * cost)
        assert singly == pytest.approx(whole, rel=1e-9, abs=1e-9 * cost)
