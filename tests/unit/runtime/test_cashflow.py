"""Net present values and internal rates against Microsoft's examples and values of Excel."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, agrees, call
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.daycount import serial_of as d

DATES = [d(2008, 1, 1), d(2008, 3, 1), d(2008, 10, 30), d(2009, 2, 15), d(2009, 4, 1)]
LATER = [44958, 44986, 45017, 45078, 45108, 45139]
LONGER = [45292, 45323, 45353, 45386, 45782, 46179]
FLOWS = [-10000, 2750, 4250, 3250, 2750]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # Microsoft's pages
        ("NPV", (0.1, -10000, 3000, 4200, 6800), 1188.4434123352216),
        ("NPV", (0.08, [8000, 9200, 10000, 12000, 14500]), 41922.06155493237),
        ("IRR", ([-70000, 12000, 15000, 18000, 21000],), -0.02124484827341093),
        ("IRR", ([-70000, 12000, 15000, 18000, 21000, 26000],), 0.08663094803653162),
        ("IRR", ([-70000, 12000, 15000], -0.1), -0.44350694133474067),
        ("MIRR", ([-120000, 39000, 30000, 21000, 37000, 46000], 0.1, 0.12), 0.1260941303659051),
        ("MIRR", ([-120000, 39000, 30000, 21000], 0.1, 0.12), -0.04804465524999),
        ("XNPV", (0.09, FLOWS, DATES), 2086.647602031535),
        ("FVSCHEDULE", (1, [0.09, 0.11, 0.1]), 1.3308900000000001),
        # what counts in a range: numbers only, and what follows moves up
        ("IRR", ([-20, 5, 5, None, None, 7],), -0.0730084383401457),
        ("IRR", ([-20, 5, 5, 0, 0, 7],), -0.05230275377659388),
        ("IRR", ([-20, 5, "Hello", True, False, 5],), -0.3596117967977913),
        ("NPV", (1, 1), 0.5),
        ("NPV", (0.1, "100", True), 100 / 1.1 + 1 / 1.21),
        ("NPV", (-2, [-100, 10, 10, 100]), 200.0),
        ("IRR", ([20, -5, -20, -5, -10, 5],), 0.30348071959875655),
        ("IRR", ([-400, 1, 1, 1, 1, 1],), -0.6737366751808405),
        ("IRR", ([-20, 100, 10, 5, 6, 5],), 4.110035568323814),
        # where the walk ends is seen in a double root and a root of 0
        ("IRR", ([1, -2, 1],), 1.091399510766422e-07),
        ("IRR", ([-130, 30, 20, 30, 20, 30],), 2.4507063045575705e-12),
        ("IRR", ([-70, 12, 15], True), -0.4435069413349362),
        ("IRR", ([-20, 5, 5, 5, 5, 5], 17), 0.07930826116414913),
        ("MIRR", ([-1, -2], 0.1, 0.1), -1.0),
        ("MIRR", ([-70, 12, 15], -1, 2), -0.14643604306916258),
        ("MIRR", ([-100, 10, 10, 100], -1.5, -0.4), 0.03102734709515),
        ("MIRR", ([-100, 10, 10, 100], -2, -1.5), -0.008403758659613),
        ("FVSCHEDULE", (-300, [0.3, -0.5, 0.2, None, -1.2]), 46.8),
    ],
)
def test_values(name: str, arguments: tuple[Any, ...], expected: float) -> None:
    assert agrees(call(name, *arguments), expected)


@pytest.mark.parametrize(
    ("flows", "dates", "guess", "expected"),
    [
        ([-100, 10, 10, 100], [25659, 26341, 29334, 30405], 0.15, 0.01563509255648),
        ([-100, 10, 10, 100], [25659, 26341, 29334, 30405], 0.5, 0.015635099262),
        ([-100, 10, 10, 100], [25659, 26341, 29334, 30405], 0.0, 0.01563509277344),
        ([-100, -10, 10, 100], [25659, 26341, 29334, 30405], 0.15, 4.470348358154e-09),
        ([-100, -10, 10, 100], [25659, 26341, 29334, 30405], 0.0, 4.8828125e-09),
        ([-1, 3, 4], [d(1970, 3, 2), d(1988, 2, 3), d(1999, 3, 5)], 0.14, 0.08833194077015),
        ([105091006, -103250941.8647], [d(2000, 4, 10), d(2000, 4, 30)], -0.1, -0.2755730099976),
        ([206101714.8494, -156650972.5427], [d(2001, 2, 28), d(2001, 3, 31)], -0.1, -0.9604521892965),
        ([-10000, 3000, 4200, 6800], [41275, 41306, 41334, 41365], MISSING, 5.315237760543824),
        (FLOWS, DATES, 0.1, 0.3733625352382659),
        # from -0.1 on to the left where nothing is found above the guess
        ([-100, 23, 30, 10, 20, 5], LATER, MISSING, -0.4135234050452709),
        ([-400, 100, 10, 5, 6, 5], LATER, MISSING, -0.9977533546974883),
        ([40, -5, -5, -5, -5, -5], LONGER, MISSING, -0.3589630894362927),
        ([-400, 1, 1, 1, 1, 1], LONGER, MISSING, -0.9121843662112951),
    ],
)
def test_xirr_halves_as_excel_does(flows: list[float], dates: list[int], guess: Any, expected: float) -> None:
    assert agrees(call("XIRR", flows, dates, guess), expected, 12)


def test_xirr_without_a_root_ends_beside_zero() -> None:
    assert agrees(call("XIRR", [-10, 100, -300], [40000, 40365, 40730]), 0.1 / 2**25, 12)


def test_rows_still_to_be_filled_in_count_for_nothing() -> None:
    assert call("XIRR", [-10, 12, None], [40000, 40365, None]) == call("XIRR", [-10, 12], [40000, 40365])
    assert call("XIRR", [-10, 12, 1], [40000, 40365, None]) is NUM


@pytest.mark.parametrize(
    ("rate", "flows", "expected"),
    [
        (0.07930826116039724, [-20, 5, 5, 5, 5, 5], 6.4212018552224666e-12),
        (-0.1015006760535847, [-1000, 230, 200, 125, 200, 10], -2.8358465972398184e-11),
        (-0.44892834955312866, [-20, 5, 5, None, -10, 5], 7.994178176540659e-13),
        (0.44948974278317744, [-1, -2, 5], 9.191287045550868e-16),
        (1.091399510766422e-07, [1, -2, 1], 1.187938506697367e-14),
    ],
)
def test_what_is_left_where_flows_cancel_is_what_excel_leaves(rate: float, flows: list[Any], expected: float) -> None:
    assert call("NPV", rate, flows) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("NPV", (0.1, "abc"), VALUE),
        ("NPV", (0.1, [1, NA, DIV0]), NA),
        ("NPV", (-1, 100), DIV0),
        ("IRR", ([-20],), NUM),
        ("IRR", ([1, 2, 3],), NUM),
        ("IRR", ([-1, -2],), NUM),
        ("IRR", ([2, 0],), NUM),
        ("IRR", ([-20, 5, 5], -1), VALUE),
        ("IRR", ([-20, 5, 5], -10), VALUE),
        ("IRR", ([-20, 5, 5], "Hello"), VALUE),
        ("IRR", ([-20, DIV0, 5],), VALUE),
        ("MIRR", ([1, 2], 0.1, 0.1), DIV0),
        ("FVSCHEDULE", (1, [0.1, "x"]), VALUE),
        ("XNPV", (0.1, [1, 2], [40000]), NUM),
        ("XNPV", (0.1, [1, 2], [40000, 39999]), NUM),
        ("XNPV", (0.1, [1, "x"], [40000, 40001]), NUM),
        ("XNPV", (0.1, [1, None], [40000, 40001]), NUM),
        ("XNPV", (-0.3, [1, 2], [40000, 40001]), NUM),
        ("XIRR", ([-1000, 230, 200, 125, 200, 10], [1, 2, 3, 4, 5, 6]), NUM),
        ("XNPV", (-1, [1, 2], [40000, 40001]), NUM),
        ("XIRR", ([1, 2], [40000, 40001]), NUM),
        ("XIRR", ([-1, 2], [40000, 40001], -1), NUM),
        ("XIRR", ([-1, 2, NA], [40000, 40001, 40002]), NA),
        ("XIRR", ([-1, 2, NA], [40000, DIV0, 40002]), DIV0),
    ],
)
def test_errors(name: str, arguments: tuple[Any, ...], expected: object) -> None:
    assert call(name, *arguments) is expected


@given(st.floats(-0.5, 2.0), st.lists(st.floats(1, 1000), min_size=1, max_size=12))
def test_irr_finds_the_rate_that_a_price_was_made_of(rate: float, gains: list[float]) -> None:
    price = call("NPV", rate, gains)
    assert call("IRR", [-price, *gains]) == pytest.approx(rate, rel=1e-7, abs=1e-9)
    dates = [40000 + 365 * k for k in range(len(gains) + 1)]
    assert call("XIRR", [-price, *gains], dates) == pytest.approx(rate, rel=1e-6, abs=1e-7)
