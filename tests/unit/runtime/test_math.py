"""Powers, logarithms, whole numbers, combinations and number systems."""

from __future__ import annotations

import math
from typing import Any

import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, agrees, call, host

from sheetrun.runtime.values import Arr


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("ABS", (-2.5,), 2.5),
        ("SIGN", (-3,), -1.0),
        ("SQRT", (-1,), NUM),
        ("SQRTPI", (2,), 2.506628275),
        ("EXP", (1,), math.e),
        ("EXP", (710,), NUM),
        ("LN", (86,), 4.454347296),
        ("LN", (0,), NUM),
        ("LOG", (8, 2), 3.0),
        ("LOG", (86, 2.7182818), 4.4543473429),
        ("LOG", (10,), 1.0),
        ("LOG", (10, 1), DIV0),
        ("LOG10", (1e5,), 5.0),
        ("POWER", (98.6, 3.2), 2401077.222),
        ("POWER", (0, 0), NUM),
        ("POWER", (0, -1), DIV0),
        ("POWER", (-8, 0.5), NUM),
        ("POWER", (-8, 1 / 3), -2.0),
        ("POWER", (-8, 1 / 49), -1.043350931),
        ("POWER", (-8, 1e-300), NUM),
        ("POWER", ([-8, -32, 4], 1 / 5), [-1.515716567, -2.0, 1.319507911]),
        ("GCD", (24, 36), 12.0),
        ("GCD", (24.9, [36, None]), 12.0),
        ("GCD", (-1,), NUM),
        ("GCD", ([None, None],), 0.0),
        ("GCD", ([None],), VALUE),
        ("GCD", (MISSING, 5), NA),
        ("LCM", (24, 36), 72.0),
        ("LCM", (5, 0), 0.0),
        ("LCM", (2.0**52, 3), NUM),
        ("FACT", (5,), 120.0),
        ("FACT", (1.9,), 1.0),
        ("FACT", (171,), NUM),
        ("FACTDOUBLE", (6,), 48.0),
        ("FACTDOUBLE", (7,), 105.0),
        ("FACTDOUBLE", (-1,), 1.0),
        ("FACTDOUBLE", (-2,), NUM),
        ("COMBIN", (8, 2), 28.0),
        ("COMBIN", (3, 4), NUM),
        ("COMBIN", (2000, 1000), NUM),
        ("COMBINA", (4, 3), 20.0),
        ("COMBINA", (10, 3), 220.0),
        ("PERMUT", (100, 3), 970200.0),
        ("PERMUTATIONA", (3, 2), 9.0),
        ("MULTINOMIAL", (2, 3, 4), 1260.0),
        ("SERIESSUM", (math.pi / 4, 0, 2, [1, -1 / 2, 1 / 24, -1 / 720]), 0.7071032148),
        ("BASE", (7, 2), "111"),
        ("BASE", (100, 16), "64"),
        ("BASE", (15, 2, 10), "0000001111"),
        ("BASE", (0, 2), "0"),
        ("BASE", (-1, 2), NUM),
        ("DECIMAL", ("FF", 16), 255.0),
        ("DECIMAL", ("zap", 36), 45745.0),
        ("DECIMAL", ("12", 2), NUM),
        ("ROMAN", (499, 0), "CDXCIX"),
        ("ROMAN", (499, 1), "LDVLIV"),
        ("ROMAN", (499, 2), "XDIX"),
        ("ROMAN", (499, 3), "VDIV"),
        ("ROMAN", (499, 4), "ID"),
        ("ROMAN", (499, True), "CDXCIX"),
        ("ROMAN", (499, False), "ID"),
        ("ROMAN", (3999,), "MMMCMXCIX"),
        ("ROMAN", (0,), ""),
        ("ROMAN", (4000,), VALUE),
        ("ARABIC", ("mcmxii",), 1912.0),
        ("ARABIC", ("-LVII",), -57.0),
        ("ARABIC", ("",), 0.0),
        ("ARABIC", ("A",), VALUE),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 9)


def test_arrays_are_answered_like_scalars() -> None:
    numbers = [-8.0, 0.0, 1.0, 2.5, NA, "x"]
    for name in ("ABS", "SIGN", "SQRT", "SQRTPI", "EXP", "LN", "LOG10"):
        assert call(name, numbers) == [[call(name, n)] for n in numbers]
    for base in (10.0, 2.0, 1.0, -1.0):
        assert agrees(call("LOG", numbers, base), [call("LOG", n, base) for n in numbers], 15)
        assert agrees(call("POWER", numbers, base), [call("POWER", n, base) for n in numbers], 15)


def test_every_roman_number_reads_back() -> None:
    for form in range(5):
        numbers = [float(n) for n in range(1, 4000, 7)]
        texts = call("ROMAN", numbers, float(form))
        assert [call("ARABIC", t) for (t,) in texts] == numbers


def test_random_numbers_come_from_the_book() -> None:
    assert call("RAND", host(1)) == call("RAND", host(1))
    draws = {call("RANDBETWEEN", host(seed), 1.2, 3) for seed in range(40)}
    assert draws == {2.0, 3.0}
    assert call("RANDBETWEEN", host(), 3, 1) is NUM


def test_numbers_between_many_bounds_are_drawn_as_one_by_one() -> None:
    least, most = [[1.5, 3.0, NA, 1.0, 1.0], [2.0, 1.0, 5.0, -1e17, 2.0]], [[9.0, 1.0, 2.0, 1e16, 1e308]]
    here, there = host(7), host(7)
    found = [value for row in call("RANDBETWEEN", here, Arr.rows(least), Arr.rows(most)) for value in row]
    alone = [call("RANDBETWEEN", there, a, b) for row in least for a, b in zip(row, most[0], strict=True)]
    assert found == alone
    assert [alone[1], alone[2], alone[7]] == [NUM, NA, NUM]
    assert call("RANDBETWEEN", host(), "x", Arr.rows(most)) == [[VALUE] * 5]


def test_an_empty_cell_counts_in_a_range_and_not_alone() -> None:
    assert call("LCM", [None, 5]) == 0.0
    assert call("GCD", [None, 5]) == 5.0
    assert call("LCM", [None], 5, [None]) == 5.0


def test_an_empty_scalar_does_not_count() -> None:
    assert call("LCM", None, 5) == 5.0
    assert call("GCD", None) is VALUE
