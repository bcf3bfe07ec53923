"""Complex numbers as text against Microsoft's examples and values of Excel."""

from __future__ import annotations

import cmath
from typing import Any

import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, agrees, call, ref
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((3, 4), "3+4i"),
        ((3, 4, "j"), "3+4j"),
        ((0, 1), "i"),
        ((1, 0), "1"),
        ((0, 0), "0"),
        ((1, -1), "1-i"),
        ((0, -1, "j"), "-j"),
        ((1.23, 9.5121, None), "1.23+9.5121i"),
        ((1.2e-45, -3), "1.2E-45-3i"),
        ((1e-18, 0), "0.000000000000000001"),
        ((1e-20, 0), "1E-20"),
        ((1e20, 1e15), "1E+20+1000000000000000i"),
        ((1 / 3, 0.1 + 0.2), "0.333333333333333+0.3i"),
        ((1, 2, MISSING), "1+2i"),
        ((1, 2, "k"), VALUE),
        ((1, 2, "I"), VALUE),
        ((1, 2, 0), VALUE),
        ((True, 2), VALUE),
        (("x", 2), VALUE),
        ((NA, 2), NA),
    ],
)
def test_writing(arguments: tuple[Any, ...], expected: Any) -> None:
    assert agrees(call("COMPLEX", *arguments), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3+4i", 3 + 4j),
        ("-j", -1j),
        ("i", 1j),
        ("+i", 1j),
        ("4", 4 + 0j),
        ("1.5e3-2E-2j", 1500 - 0.02j),
        (".5+.25i", 0.5 + 0.25j),
        ("-3i", -3j),
        (7, 7 + 0j),
        (None, 0j),
    ],
)
def test_reading(text: Any, expected: complex) -> None:
    assert complex(call("IMREAL", text), call("IMAGINARY", text)) == expected


@pytest.mark.parametrize("text", ["", "3+4", "3 + 4i", "3+4I", "4ii", "i4", "x", "3+-4i", "1e999", "--i"])
def test_what_is_no_complex_number(text: str) -> None:
    assert call("IMREAL", text) is NUM
    assert call("IMREAL", True) is VALUE


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("IMABS", ("5+12i",), 13.0),
        ("IMARGUMENT", ("3+4i",), 0.9272952180016122),
        ("IMARGUMENT", ("0",), DIV0),
        ("IMARGUMENT", (-12,), 3.141592653589793),
        ("IMCONJUGATE", ("3+4i",), "3-4i"),
        ("IMCOS", ("2+3j",), "-4.18962569096881-9.10922789375534j"),
        ("IMSIN", ("2+3j",), "9.15449914691143-4.16890695996656j"),
        ("IMEXP", ("2+3j",), "-7.3151100949011+1.0427436562359j"),
        ("IMLN", ("2+3j",), "1.28247467873077+0.982793723247329j"),
        ("IMLOG10", ("2+3j",), "0.556971676153418+0.426821890855467j"),
        ("IMLOG2", ("2+3j",), "1.85021985907055+1.41787163074572j"),
        ("IMSQRT", ("2+3j",), "1.67414922803554+0.895977476129838j"),
        ("IMPOWER", ("2+3j", 2), "-5+12j"),
        ("IMPOWER", ("0", 2), "0"),
        ("IMPOWER", ("0", 0), NUM),
        ("IMDIV", ("-238+240i", "10+24i"), "5+12i"),
        (
            "IMDIV",
            ("1.85021985907055+1.41787163074572j", "0.556971676153418+0.426821890855467j"),
            "3.32192809488737-8.28846662730513E-15j",
        ),
        ("IMDIV", ("1", "0"), NUM),
        ("IMSUB", ("13+4i", "5+3i"), "8+i"),
        ("IMSUB", ("i", "i"), "0"),
        ("IMSUM", ("3+4i", "5-3i"), "8+i"),
        ("IMSUM", ("6.92442674613868E-05", "i"), "0.0000692442674613868+i"),
        ("IMSUM", ("4.48088972785335E-06", "i"), "4.48088972785335E-06+i"),
        ("IMSUM", ("i", "j"), VALUE),
        ("IMPRODUCT", ("3+4i", "5-3i"), "27+11i"),
        ("IMPRODUCT", ("1+2i", 30), "30+60i"),
        ("IMSINH", ("4+3i",), "-27.0168132580039+3.85373803791938i"),
        ("IMCOSH", ("4+3i",), "-27.0349456030742+3.85115333481178i"),
        ("IMTAN", ("4+3i",), "0.00490825806749606+1.00070953606723i"),
        ("IMSEC", ("0",), "1"),
        ("IMCSC", ("4+3i",), "-0.0754898329158637+0.0648774713706355i"),
        ("IMSECH", ("4+3i",), "-0.0362534969158689-0.00516434460775318i"),
        ("IMCSCH", ("4+3i",), "-0.036275889628626-0.0051744731840194i"),
        ("IMLN", ("0",), NUM),
        ("IMCSC", ("0",), NUM),
        ("IMEXP", ("1000",), NUM),
    ],
)
def test_values(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    assert agrees(call(name, *arguments), expected)


def test_ranges_are_taken_cell_by_cell() -> None:
    assert call("IMSUM", ref([["2+3j", None], ["4", "j"]]), "1") == "7+4j"
    assert call("IMPRODUCT", ref([["2+3j", None], [2.0, None]])) == "4+6j"
    assert call("IMPRODUCT", 7, ref([[None]])) == "0"
    assert call("IMSUM", ref([["1"], [NA]])) is NA
    assert call("IMABS", ["3+4i", "x", True]) == [[5.0], [NUM], [VALUE]]


PART = st.floats(-20, 20).map(lambda v: round(v, 6))


@given(PART, PART, st.sampled_from(["i", "j"]))
def test_a_text_is_read_as_it_was_written(real: float, imaginary: float, unit: str) -> None:
    text = call("COMPLEX", real, imaginary, unit)
    assert (call("IMREAL", text), call("IMAGINARY", text)) == (real, imaginary)


@given(PART, PART)
def test_the_functions_of_the_sum_rule(real: float, imaginary: float) -> None:
    text = call("COMPLEX", real, imaginary)
    sine, cosine = call("IMSIN", text), call("IMCOS", text)
    one = call("IMSUM", call("IMPRODUCT", sine, sine), call("IMPRODUCT", cosine, cosine))
    scale = call("IMABS", sine) ** 2 + 1.0
    assert abs(complex(call("IMREAL", one), call("IMAGINARY", one)) - 1.0) <= 1e-12 * scale
    if real or imaginary:
        logarithm = cmath.log(complex(real, imaginary))
        assert call("IMREAL", call("IMLN", text)) == pytest.approx(logarithm.real, rel=1e-12, abs=1e-12)
