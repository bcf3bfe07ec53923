"""Descriptive statistics, pairs, frequencies and tests of significance: values of Microsoft's pages."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, NA, NUM, VALUE, agrees, call

STRENGTH = [1345, 1301, 1368, 1322, 1310, 1370, 1318, 1350, 1303, 1299]
SHAPE = [3, 4, 5, 2, 3, 4, 5, 6, 4, 7]
YS, XS = [2, 3, 9, 1, 8, 7, 5], [6, 5, 11, 7, 5, 4, 4]
FIRST, SECOND = [3, 4, 5, 8, 9, 1, 2, 4, 5], [6, 19, 3, 2, 14, 4, 5, 17, 1]


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("MEDIAN", ([1, 2, 3, 4, 5, 6],), 3.5),
        ("MEDIAN", (["x"],), NUM),
        ("MODE", ([5.6, 4, 4, 3, 2, 4],), 4.0),
        ("MODE.SNGL", ([3, 1, 3, 1],), 3.0),
        ("MODE", ([1, 2, 3],), NA),
        ("MODE.MULT", ([1, 2, 3, 4, 3, 2, 1, 2, 3, 5, 6, 1],), [1.0, 2.0, 3.0]),
        ("GEOMEAN", ([4, 5, 8, 7, 11, 4, 3],), 5.476987),
        ("GEOMEAN", ([4, 0],), NUM),
        ("HARMEAN", ([4, 5, 8, 7, 11, 4, 3],), 5.028376),
        ("TRIMMEAN", ([4, 5, 6, 7, 2, 3, 4, 5, 1, 2, 3], 0.2), 3.7777778),
        ("TRIMMEAN", ([1, 2], 1), NUM),
        ("STDEV.S", (STRENGTH,), 27.46391572),
        ("STDEV.P", (STRENGTH,), 26.05455814),
        ("VAR.S", (STRENGTH,), 754.2666667),
        ("VAR.P", (STRENGTH,), 678.84),
        ("VARA", ([1, 2, "x", True],), 2 / 3),
        ("VARPA", ([1, 2, "x", True],), 0.5),
        ("STDEVA", ([1, 2, "x", True],), 0.81649658),
        ("STDEVPA", ([1, 2, "x", True],), 0.70710678),
        ("STDEV", ([5],), DIV0),
        ("VARP", ([5],), 0.0),
        ("VARP", (["x"],), DIV0),
        ("AVEDEV", ([4, 5, 6, 7, 5, 4, 3],), 1.020408),
        ("DEVSQ", ([4, 5, 8, 7, 11, 4, 3],), 48.0),
        ("SKEW", (SHAPE,), 0.359543),
        ("SKEW.P", (SHAPE,), 0.303193),
        ("KURT", (SHAPE,), -0.151799637),
        ("KURT", ([1, 2, 3],), DIV0),
        ("SKEW", ([1, 1, 1],), DIV0),
        ("CORREL", ([3, 2, 4, 5, 6], [9, 7, 12, 15, 17]), 0.997054),
        ("CORREL", ([3, 2], [1, 1]), DIV0),
        ("CORREL", ([3, 2], [1, 1, 1]), NA),
        ("CORREL", ([3, "x", 4, 5, 6], [9, 7, 12, 15, 17]), 0.99590998),
        ("COVARIANCE.P", ([3, 2, 4, 5, 6], [9, 7, 12, 15, 17]), 5.2),
        ("COVARIANCE.S", ([2, 4, 8], [5, 11, 12]), 9.666666667),
        ("PEARSON", ([9, 7, 5, 3, 1], [10, 6, 1, 5, 3]), 0.699379),
        ("RSQ", (YS, XS), 0.05795),
        ("SLOPE", (YS, XS), 0.305556),
        ("INTERCEPT", ([2, 3, 9, 1, 8], [6, 5, 11, 7, 5]), 0.0483871),
        ("STEYX", (YS, XS), 3.305719),
        ("FREQUENCY", ([79, 85, 78, 85, 50, 81, 95, 88, 97], [70, 79, 89]), [1.0, 2.0, 4.0, 2.0]),
        ("FREQUENCY", ([1, 2, 2, 5], [5, 2, 2]), [1.0, 3.0, 0.0, 0.0]),
        ("PROB", ([0, 1, 2, 3], [0.2, 0.3, 0.1, 0.4], 2), 0.1),
        ("PROB", ([0, 1, 2, 3], [0.2, 0.3, 0.1, 0.4], 1, 3), 0.8),
        ("PROB", ([0, 1], [0.2, 0.3], 1), NUM),
        ("CHISQ.TEST", ([[58, 35], [11, 25], [10, 23]], [[45.35, 47.65], [17.56, 18.44], [16.09, 16.91]]), 0.000308192),
        ("CHITEST", ([1, 2], [1]), NA),
        ("F.TEST", ([6, 7, 9, 15, 21], [20, 28, 31, 38, 40]), 0.64831785),
        ("T.TEST", (FIRST, SECOND, 2, 1), 0.196016),
        ("T.TEST", (FIRST, SECOND, 1, 2), 0.095997943),
        ("T.TEST", (FIRST, SECOND, 2, 3), 0.202293948),
        ("TTEST", (FIRST, SECOND, 3, 1), NUM),
        ("Z.TEST", ([3, 6, 7, 8, 6, 5, 4, 2, 1, 9], 4), 0.090574),
        ("Z.TEST", ([3, 6, 7, 8, 6, 5, 4, 2, 1, 9], 6), 0.863043),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 5)


def test_errors_in_the_data_are_the_result() -> None:
    for name in ("MEDIAN", "STDEV", "MODE", "GEOMEAN", "KURT"):
        assert call(name, [1, 2, VALUE, 2, 3]) is VALUE
    assert call("SLOPE", [1, NA, 3], [1, 2, 3]) is NA
