"""Number bases, bits, error functions and Bessel functions against Microsoft's examples and values of Excel."""

from __future__ import annotations

import math
from typing import Any

import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, agrees, call
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("BIN2DEC", (1100100,), 100.0),
        ("BIN2DEC", (1111111111,), -1.0),
        ("BIN2HEX", (11111011, 4), "00FB"),
        ("BIN2HEX", ("1111111111",), "FFFFFFFFFF"),
        ("BIN2OCT", (1001, 3), "011"),
        ("BIN2OCT", (1111111111,), "7777777777"),
        ("DEC2BIN", (9, 4), "1001"),
        ("DEC2BIN", (-100,), "1110011100"),
        ("DEC2BIN", (-100, 3), "1110011100"),
        ("DEC2BIN", (9.9, 4.9), "1001"),
        ("DEC2HEX", (100, 4), "0064"),
        ("DEC2HEX", (-54,), "FFFFFFFFCA"),
        ("DEC2HEX", (-549755813888,), "8000000000"),
        ("DEC2OCT", (58, 3), "072"),
        ("DEC2OCT", (-100,), "7777777634"),
        ("HEX2BIN", ("F", 8), "00001111"),
        ("HEX2BIN", ("FFFFFFFFFF",), "1111111111"),
        ("HEX2DEC", ("FFFFFFFF5B",), -165.0),
        ("HEX2DEC", ("3da408b9",), 1034160313.0),
        ("HEX2OCT", ("3B4E",), "35516"),
        ("HEX2OCT", ("FFFFFFFF00",), "7777777400"),
        ("OCT2BIN", (7777777000,), "1000000000"),
        ("OCT2DEC", (7777777533,), -165.0),
        ("OCT2HEX", (100, 4), "0040"),
        ("BIN2DEC", (None,), 0.0),
        ("HEX2DEC", ("",), 0.0),
        ("DEC2BIN", (512,), NUM),
        ("DEC2BIN", (-513,), NUM),
        ("DEC2BIN", (9, 3), NUM),
        ("DEC2BIN", (9, 0), NUM),
        ("DEC2BIN", (9, 11), NUM),
        ("DEC2BIN", (9, MISSING), NUM),
        ("DEC2BIN", (True,), VALUE),
        ("DEC2BIN", ("x",), VALUE),
        ("BIN2DEC", (2,), NUM),
        ("BIN2DEC", (10.5,), NUM),
        ("BIN2DEC", (-1,), NUM),
        ("BIN2DEC", ("10101010101",), NUM),
        ("BIN2DEC", (True,), VALUE),
        ("HEX2BIN", ("200",), NUM),
        ("HEX2OCT", ("20000000",), NUM),
        ("OCT2DEC", ("8",), NUM),
        ("HEX2DEC", (NA,), NA),
        ("BITAND", (13, 25), 9.0),
        ("BITOR", (23, 10), 31.0),
        ("BITXOR", (5, 3), 6.0),
        ("BITLSHIFT", (4, 2), 16.0),
        ("BITLSHIFT", (12, 44), 211106232532992.0),
        ("BITLSHIFT", (12, 34.67), 206158430208.0),
        ("BITLSHIFT", (145, -3), 18.0),
        ("BITRSHIFT", (13, 2), 3.0),
        ("BITRSHIFT", (12, -2), 48.0),
        ("BITAND", (True, True), 1.0),
        ("BITAND", ("123", 456), 72.0),
        ("BITAND", (281474976710655, 1), 1.0),
        ("BITAND", (281474976710656, 3), NUM),
        ("BITAND", (12.5, 3), NUM),
        ("BITOR", (-34, 2), NUM),
        ("BITLSHIFT", (12, 45), NUM),
        ("BITLSHIFT", (12, 54), NUM),
        ("BITRSHIFT", (12, -54), NUM),
        ("BITLSHIFT", (12.6, 12), NUM),
        ("DELTA", (5, 4), 0.0),
        ("DELTA", (0.5, "0.5"), 1.0),
        ("DELTA", (0,), 1.0),
        ("DELTA", (True, 1), VALUE),
        ("GESTEP", (5, 4), 1.0),
        ("GESTEP", (-4, -5), 1.0),
        ("GESTEP", (-1,), 0.0),
    ],
)
def test_bases_and_bits(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    assert agrees(call(name, *arguments), expected)


@given(st.integers(-512, 511))
def test_bases_go_round(number: int) -> None:
    binary = call("DEC2BIN", number)
    assert call("BIN2DEC", binary) == number
    assert call("HEX2BIN", call("BIN2HEX", binary)) == binary
    assert call("OCT2BIN", call("BIN2OCT", binary)) == binary
    assert call("OCT2DEC", call("HEX2OCT", call("DEC2HEX", number))) == number


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("ERF", (0.745,), 0.7079289200957377),
        ("ERF", (1,), 0.8427007929497149),
        ("ERF", (1, 6), 0.1572992070502851),
        ("ERF", (5, 4), -1.541572047791817e-08),
        ("ERF", (6, -3), -1.9999779095030012),
        ("ERF", (7, None), -1.0),
        ("ERF", (None, 1), 0.8427007929497149),
        ("ERF", ("1", "2"), 0.15262147206923782),
        ("ERF.PRECISE", (-1,), -0.8427007929497149),
        ("ERFC", (1,), 0.15729920705028513),
        ("ERFC.PRECISE", (10,), 2.088487583762545e-45),
        ("ERF", (True,), VALUE),
        ("ERF", (NA, 1), NA),
        ("ERFC", ("str",), VALUE),
    ],
)
def test_error_functions(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    assert agrees(call(name, *arguments), expected)


@pytest.mark.parametrize(
    ("name", "x", "n", "expected"),
    [
        # as Excel has them, which is right to 7 places or so
        ("BESSELI", 2, 3, 0.21273995970273565),
        ("BESSELJ", 2, 3, 0.12894324997562717),
        ("BESSELK", 2, 3, 0.6473854),
        ("BESSELY", 2, 3, -1.1277837651220644),
        ("BESSELI", 1.5, 1, 0.981666428),
        ("BESSELJ", 1.9, 2, 0.329925829),
        ("BESSELK", 1.5, 1, 0.277387804),
        ("BESSELY", 2.5, 1, 0.145918138),
        ("BESSELJ", 0, 0, 1.00000000283141),
        ("BESSELJ", 10, 1, 0.04347224965225415),
        ("BESSELJ", 10, 7, 0.2167104380031489),
        ("BESSELJ", 32, 1, -0.0265890283162847),
        ("BESSELJ", -0.5, 7, -1.2015867327763022e-08),
        ("BESSELI", 10, 7, 238.025587847593),
        ("BESSELI", 32, 10, 1158284935385.1838),
        ("BESSELI", 0, 7, 0.0),
        ("BESSELJ", 2, 3.9, 0.12894324997562717),
        ("BESSELI", None, None, 1.0),
        ("BESSELJ", 2, -1, NUM),
        ("BESSELY", 0, 1, NUM),
        ("BESSELK", -1, 1, NUM),
        ("BESSELJ", 2, 1e9, 0.0),
        ("BESSELJ", 1e9, 1e9, NUM),
        ("BESSELJ", "x", 1, VALUE),
        ("BESSELJ", True, 1, VALUE),
        ("BESSELI", 1000, 0, NUM),
        ("BESSELI", DIV0, 0, DIV0),
    ],
)
def test_bessel(name: str, x: Any, n: Any, expected: Any) -> None:
    assert agrees(call(name, x, n), expected, 9 if isinstance(expected, float) and len(str(expected)) > 12 else 8)


@given(st.floats(0.1, 50), st.integers(1, 20))
def test_bessel_recurrence(x: float, n: int) -> None:
    """Orders next to each other belong together: f(n-1) ± f(n+1) = 2n/x f(n), up to Excel's 7 places."""
    for name, sign in (("BESSELJ", 1.0), ("BESSELY", 1.0), ("BESSELI", -1.0), ("BESSELK", -1.0)):
        if name == "BESSELJ" and x >= 8.0:
            continue  # there Excel's J1 is off
        below, here, above = (call(name, x, k) for k in (n - 1, n, n + 1))
        if all(isinstance(v, float) for v in (below, here, above)):
            left, right = below + sign * above, (-1.0 if name == "BESSELK" else 1.0) * 2.0 * n / x * here
            scale = abs(below) + abs(above) + (1.0 if name == "BESSELJ" else 0.0)
            assert math.isclose(left, right, rel_tol=1e-5, abs_tol=1e-5 * scale)
