"""Bonds and coupons against Microsoft's examples and values of Excel for each basis."""

from __future__ import annotations

from typing import Any

import pytest
from calls import NUM, VALUE, agrees, call
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetrun.runtime.daycount import serial_of as d


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # Microsoft's pages
        ("PRICE", (d(2008, 2, 15), d(2017, 11, 15), 0.0575, 0.065, 100, 2, 0), 94.63436162132213),
        ("YIELD", (d(2008, 2, 15), d(2016, 11, 15), 0.0575, 95.04287, 100, 2, 0), 0.06500000688073143),
        ("DURATION", (d(2008, 1, 1), d(2016, 1, 1), 0.08, 0.09, 2, 1), 5.993774955545186),
        ("MDURATION", (d(2008, 1, 1), d(2016, 1, 1), 0.08, 0.09, 2, 1), 5.735669813918839),
        ("ACCRINT", (39508, 39691, 39569, 0.1, 1000, 2, 0), 16.666666666666664),
        ("ACCRINT", (d(2008, 3, 5), 39691, 39569, 0.1, 1000, 2, 0, False), 15.555555555555555),
        ("ACCRINT", (d(2008, 4, 5), 39691, 39569, 0.1, 1000, 2, 0, True), 7.222222222222221),
        ("ACCRINTM", (d(2008, 4, 1), d(2008, 6, 15), 0.1, 1000, 3), 20.54794520547945),
        ("DISC", (d(2007, 1, 25), d(2007, 6, 15), 97.975, 100, 0), 0.05207142857142884),
        ("INTRATE", (d(2008, 2, 15), d(2008, 5, 15), 1000000, 1014420, 2), 0.05768),
        ("RECEIVED", (d(2008, 2, 15), d(2008, 5, 15), 1000000, 0.0575, 2), 1014584.6544071021),
        ("PRICEDISC", (d(2008, 2, 16), d(2008, 3, 1), 0.0525, 100, 2), 99.79583333333333),
        ("YIELDDISC", (d(2008, 2, 16), d(2008, 3, 1), 99.795, 100, 2), 0.05282257198685834),
        ("PRICEMAT", (d(2008, 2, 15), d(2008, 4, 13), d(2007, 11, 11), 0.061, 0.061, 0), 99.98449887555694),
        ("YIELDMAT", (d(2008, 3, 15), d(2008, 11, 3), d(2007, 11, 8), 0.0625, 100.0123, 0), 0.06095433369153867),
        ("COUPDAYBS", (d(2007, 1, 25), d(2008, 11, 15), 2, 1), 71.0),
        ("COUPDAYS", (d(2007, 1, 25), d(2008, 11, 15), 2, 1), 181.0),
        ("COUPDAYSNC", (d(2007, 1, 25), d(2008, 11, 15), 2, 1), 110.0),
        ("COUPNCD", (d(2007, 1, 25), d(2008, 11, 15), 2, 1), 39217.0),
        ("COUPNUM", (d(2007, 1, 25), d(2008, 11, 15), 2, 1), 4.0),
        ("COUPPCD", (d(2007, 1, 25), d(2008, 11, 15), 2, 1), 39036.0),
        # values of Excel by basis
        ("PRICE", (d(1980, 2, 15), d(2000, 2, 28), 0.07, 0.03, 100, 1, 2), 159.5561168405),
        ("PRICE", (d(1980, 2, 15), d(2000, 2, 28), 0.07, 0.03, 100, 1, 3), 159.5840085847),
        ("PRICEMAT", (d(1993, 12, 31), d(2000, 2, 28), d(1990, 3, 4), 0.07, 0.03, 3), 116.6248792462),
        ("YIELDMAT", (d(1993, 12, 31), d(2000, 2, 28), d(1990, 3, 4), 0.07, 75, 2), 0.1076496493231),
        ("COUPDAYBS", (d(1980, 2, 15), d(2000, 2, 28), 1, 2), 352.0),
        ("COUPDAYSNC", (d(1980, 2, 15), d(2000, 2, 28), 1, 3), 13.0),
        ("ACCRINT", (d(2016, 6, 1), d(2017, 12, 1), d(2016, 9, 1), 0.33, 3000, 2, 1), 251.55737704918027),
        ("ACCRINT", (d(2017, 1, 1), d(2017, 12, 1), d(2017, 4, 1), 0.33, 3000, 4, 1, False), -253.8763736263736),
        ("ACCRINT", (d(2007, 3, 1), d(2008, 8, 31), d(2008, 5, 1), 0.1, 1000, 2, 0, False), 66.94444444444446),
        # odd periods
        (
            "ODDFPRICE",
            (d(2008, 11, 11), d(2021, 3, 1), d(2008, 10, 15), d(2009, 3, 1), 0.0785, 0.0625, 100, 2, 1),
            113.59771747407883,
        ),
        (
            "ODDFPRICE",
            (d(1999, 2, 28), d(2010, 6, 30), d(1998, 2, 28), d(2009, 6, 30), 0.07, 0.03, 100, 1, 2),
            127.9031273745,
        ),
        (
            "ODDFYIELD",
            (d(2008, 11, 11), d(2021, 3, 1), d(2008, 10, 15), d(2009, 3, 1), 0.0575, 84.5, 100, 2, 0),
            0.07724554159729888,
        ),
        ("ODDLPRICE", (d(2008, 2, 7), d(2008, 6, 15), d(2007, 10, 15), 0.0375, 0.0405, 100, 2, 0), 99.87828601472134),
        ("ODDLPRICE", (d(2008, 11, 11), d(2021, 3, 1), d(2008, 10, 15), 0.0785, 0.0625, 100, 2, 0), 110.88286909824446),
        ("ODDLYIELD", (d(2008, 4, 20), d(2008, 6, 15), d(2007, 12, 24), 0.0375, 99.875, 100, 2, 0), 0.04519223562916),
        ("ODDLYIELD", (d(2008, 11, 11), d(2021, 3, 1), d(2008, 10, 15), 0.0575, 84.5, 100, 2, 0), 0.08254808631495333),
    ],
)
def test_values(name: str, arguments: tuple[Any, ...], expected: float) -> None:
    assert agrees(call(name, *arguments), expected)


START, END = d(2008, 3, 1), d(2008, 9, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("PRICE", (END, START, 0.05, 0.05, 100, 2), NUM),
        ("PRICE", (START, START, 0.05, 0.05, 100, 2), NUM),
        ("PRICE", (START, END, -0.05, 0.05, 100, 2), NUM),
        ("PRICE", (START, END, 0.05, -0.05, 100, 2), NUM),
        ("PRICE", (START, END, 0.05, 0.05, 0, 2), NUM),
        ("PRICE", (START, END, 0.05, 0.05, 100, 3), NUM),
        ("PRICE", (START, END, 0.05, 0.05, 100, 2, 5), NUM),
        ("PRICE", ("x", END, 0.05, 0.05, 100, 2), VALUE),
        ("PRICE", (START, END, True, 0.05, 100, 2), VALUE),
        ("PRICE", (-1, END, 0.05, 0.05, 100, 2), NUM),
        ("COUPNUM", (START, 3e6, 2), NUM),
        ("YIELD", (START, END, 0.05, 0, 100, 2), NUM),
        ("DURATION", (START, END, 0.05, -0.1, 2), NUM),
        ("ACCRINT", (START, END, d(2008, 5, 1), 0, 1000, 2), NUM),
        ("ACCRINT", (START, END, d(2008, 5, 1), 0.1, 0, 2), NUM),
        ("ACCRINT", (d(2008, 5, 1), END, d(2008, 5, 1), 0.1, 1000, 2), NUM),
        ("ACCRINT", (START, END, d(2008, 5, 1), 0.1, 1000, 2, -1), NUM),
        ("ACCRINTM", (END, START, 0.1, 1000), NUM),
        ("DISC", (START, END, 0, 100), NUM),
        ("RECEIVED", (START, END, 1000, 5), NUM),
        ("PRICEMAT", (START, END, END, 0.1, 0.1), NUM),
        ("ODDFPRICE", (START, END, d(2008, 4, 1), d(2008, 6, 1), 0.1, 0.1, 100, 2), NUM),
        ("ODDLPRICE", (START, END, END, 0.1, 0.1, 100, 2), NUM),
    ],
)
def test_errors(name: str, arguments: tuple[Any, ...], expected: object) -> None:
    assert call(name, *arguments) is expected


def test_dates_lose_their_time_and_texts_are_read() -> None:
    assert call("COUPNUM", "1/25/2007", 39767.9, "2", 1.9) == 4.0


@settings(max_examples=60)
@given(
    st.integers(30000, 45000),
    st.integers(10, 12000),
    st.floats(0, 0.15),
    st.floats(0, 0.3),
    st.sampled_from([1, 2, 4]),
    st.integers(0, 4),
)
def test_yield_is_the_inverse_of_price(
    settlement: int, gap: int, rate: float, yld: float, frequency: int, basis: int
) -> None:
    price = call("PRICE", settlement, settlement + gap, rate, yld, 100, frequency, basis)
    if isinstance(price, float) and price > 0.01:
        again = call("YIELD", settlement, settlement + gap, rate, price, 100, frequency, basis)
        back = call("PRICE", settlement, settlement + gap, rate, max(again, 0.0), 100, frequency, basis)
        assert back == pytest.approx(price, rel=1e-9)


@given(st.integers(30000, 45000), st.integers(1, 12000), st.sampled_from([1, 2, 4]), st.integers(0, 4))
def test_settlement_lies_between_two_coupons(settlement: int, gap: int, frequency: int, basis: int) -> None:
    arguments = (settlement, settlement + gap, frequency, basis)
    previous, following = call("COUPPCD", *arguments), call("COUPNCD", *arguments)
    assert previous <= settlement < following <= settlement + gap
    assert call("COUPNUM", *arguments) >= 1
    if basis == 1:
        assert call("COUPDAYBS", *arguments) + call("COUPDAYSNC", *arguments) == call("COUPDAYS", *arguments)
