"""Annuities against Microsoft's examples and values of Excel."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, agrees, call
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # Microsoft's pages
        ("PMT", (0.08 / 12, 10, 10000), -1037.0320893591636),
        ("PMT", (0.06 / 12, 18 * 12, 0, 50000), -129.08116086799728),
        ("PV", (0.08 / 12, 12 * 20, 500), -59777.14585118782),
        ("FV", (0.06 / 12, 10, -200, -500, 1), 2581.4033740601185),
        ("FV", (0.01, 12, -1000), 12682.503013196976),
        ("NPER", (0.12 / 12, -100, -1000, 10000, 1), 59.67386567),
        ("NPER", (0.01, -100, -1000), -9.578594039813161),
        ("RATE", (4 * 12, -200, 8000), 0.0077014724882014),
        ("RATE", (300, -200, 8000, 0, 1), 0.025627751816686105),
        ("RATE", (2, -200, 8000, 0, 1), -0.9743589743570107),
        ("RATE", (360, -1.5e9, 2.5e11), 0.00500582500676239),
        ("IPMT", (0.1 / 12, 1, 36, 8000), -66.66666666666667),
        ("IPMT", (0.1, 3, 3, 8000), -292.44712990936563),
        ("PPMT", (0.1 / 12, 1, 24, 2000), -75.62318600836673),
        ("PPMT", (0.08, 10, 10, 200000), -27598.05346242135),
        ("ISPMT", (0.1 / 12, 1, 36, 8000), -64.81481481481482),
        ("CUMIPMT", (0.09 / 12, 360, 125000, 13, 24, 0), -11135.23213075),
        ("CUMIPMT", (0.09 / 12, 360, 125000, 1, 1, 0), -937.5),
        ("CUMPRINC", (0.09 / 12, 360, 125000, 13, 24, 0), -934.1071234209),
        ("CUMPRINC", (0.09 / 12, 360, 125000, 1, 1, 0), -68.27827118),
        ("RRI", (96, 10000, 11000), 0.00099330737629133),
        ("PDURATION", (0.025, 2000, 2200), 3.85986616262266),
        ("EFFECT", (0.0525, 4), 0.0535426673707584),
        ("NOMINAL", (0.053543, 4), 0.0525003198683594),
        # oddities measured in Excel: fractions of periods, other values of type, the last period's end
        ("PMT", (0.2, 3, -200, 10, 5), 76.83150183150182),
        ("PMT", (0.5, 0.89, -200.6, 10.5, 1), 212.68188412195934),
        ("PMT", (0, 3, 100, 300, 1), -133.33333333333334),
        ("PMT", (-0.9, 3, 120, 300, True), -2703.783783783783),
        ("PV", (-1.5, -2, 50, -300, 1), 62.5),
        ("FV", (-1.5, -2, 50, -300, 0), 1300.0),
        ("IPMT", (0.1, 3.9, 3, 8000), -30.51485756246893),
        ("PPMT", (0.1, 3.9, 3, 8000, 10, 1), -2900.351432640776),
        ("IPMT", (0.01, 1, 36, 8000, 0, 1), 0.0),
        ("IPMT", (0.01, 1.0001, 36, 8000, 0, 1), -79.2077378295619),
        ("CUMIPMT", (0.6, 2, 100, 1, 1.2, 1), 0.0),
        ("CUMPRINC", (0.6, 2, 100, 1, 1.2, 1), -61.53846153846),
        ("PPMT", (2, 3, 33, 10000, 1), -3.2382809621291992e-11),
        ("CUMPRINC", (0.7, 36, 8000, 2, 10, 1), -0.0047565423422487076),
        ("RATE", (5, 20, 120, -50, 1, 0), -0.3356185414527),
        ("RATE", (25, -40, -200, 100, 1, 0.15), -0.2857595837824),
        ("RRI", (5, 0, 0), 0.0),
        ("NOMINAL", (0.6, 1.7), 0.6),
        ("EFFECT", (1.5, 11.3), 3.08028601065),
    ],
)
def test_values(name: str, arguments: tuple[Any, ...], expected: float) -> None:
    assert agrees(call(name, *arguments), expected)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("PMT", (-1, 1, -100, 300, 1), NUM),
        ("PMT", (-3, 5, 100), NUM),
        ("PMT", (0.02, 0, 100), NUM),
        ("PMT", ("HELP", 1, 100), VALUE),
        ("PMT", (DIV0, NA, 100), DIV0),
        ("NPER", (0, 0, 100), NUM),
        ("NPER", (0.1, -1, 100), NUM),
        ("PV", (-1.5, 2.5, 50), NUM),
        ("PV", (-1, 20, 300), DIV0),
        ("FV", (-1, -2, 1), DIV0),
        ("RATE", (10, -1200, 2000), NUM),
        ("RATE", (10, -1200, 2000, 0, 1), NUM),
        ("RATE", (3300, -200, 8000), NUM),
        ("IPMT", (0.1, 4, 3, 8000), NUM),
        ("IPMT", (0.01, 0.99999, 36, 8000), NUM),
        ("PPMT", (0.1, 0, 36, 8000), NUM),
        ("ISPMT", (0.1, 1, 0, 100), DIV0),
        ("CUMIPMT", (0, 12, 100, 1, 2, 0), NUM),
        ("CUMIPMT", (0.1, 12, 100, 1, 13, 0), NUM),
        ("CUMIPMT", (0.1, 12, 100, 1, 2, 2), NUM),
        ("CUMPRINC", (0.1, 12, 100, 3, 2, 0), NUM),
        ("CUMIPMT", (True, 12, 100, 1, 2, 0), VALUE),
        ("RATE", (-1, 10, 100), NUM),
        ("RATE", (10, 10, 100), NUM),
        ("RRI", (0, 300, 400), NUM),
        ("RRI", (2, 0, 10), NUM),
        ("PDURATION", (0, 300, 300), NUM),
        ("EFFECT", (0, 4), NUM),
        ("NOMINAL", (0.1, 0.9), NUM),
        ("EFFECT", ("a", 4), VALUE),
    ],
)
def test_errors(name: str, arguments: tuple[Any, ...], expected: object) -> None:
    assert call(name, *arguments) is expected


def test_a_guess_left_empty_is_the_default() -> None:
    assert call("RATE", 48, -200, 8000, 0, 0, MISSING) == call("RATE", 48, -200, 8000)


@pytest.mark.parametrize("name", ["PMT", "PV", "FV", "NPER"])
def test_arrays_are_scalars_side_by_side(name: str) -> None:
    rates = [0.0, 0.01, -0.4, -1.0, NA, "0.05", "x", None, True]
    got = call(name, rates, 12, [[-100, 50]], 1000)
    assert got == [[call(name, rate, 12, other, 1000) for other in (-100, 50)] for rate in rates] or all(
        agrees(g, call(name, rate, 12, other, 1000), 12)
        for row, rate in zip(got, rates, strict=True)
        for g, other in zip(row, (-100, 50), strict=True)
    )


def _money(most: float) -> st.SearchStrategy[float]:
    """None so small that the payment of a part of it is 0."""
    return st.floats(-most, most, allow_subnormal=False)


@given(st.floats(0.0001, 0.5), st.integers(1, 400), _money(1e6), _money(1e5), st.sampled_from([0, 1]))
def test_a_payment_pays_the_loan(rate: float, nper: int, pv: float, fv: float, due: int) -> None:
    payment = call("PMT", rate, nper, pv, fv, due)
    scale = (abs(pv) + abs(fv) + abs(payment) / rate) * (1.0 + rate) ** nper
    assert abs(call("FV", rate, nper, payment, pv, due) - fv) <= 1e-9 * scale + 1e-300
    if scale > 1e9 * abs(payment):
        return  # the last period's parts are differences of balances so large
    last = call("PPMT", rate, nper, nper, pv, fv, due) + call("IPMT", rate, nper, nper, pv, fv, due)
    assert last == pytest.approx(payment, rel=1e-9, abs=1e-7)


@given(st.floats(0.001, 0.3), st.integers(2, 60), st.sampled_from([0, 1]), st.data())
def test_sums_over_periods(rate: float, nper: int, due: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, nper))
    last = data.draw(st.integers(first, nper))
    interest = sum(call("IPMT", rate, k, nper, 1000, 0, due) for k in range(first, last + 1))
    principal = sum(call("PPMT", rate, k, nper, 1000, 0, due) for k in range(first, last + 1))
    assert call("CUMIPMT", rate, nper, 1000, first, last, due) == pytest.approx(interest, rel=1e-9, abs=1e-7)
    assert call("CUMPRINC", rate, nper, 1000, first, last, due) == pytest.approx(principal, rel=1e-9, abs=1e-7)
