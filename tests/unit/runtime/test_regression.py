"""LINEST, LOGEST, TREND, GROWTH and FORECAST: Microsoft's examples, collinearity, shapes; FORECAST.ETS is refused."""

from __future__ import annotations

from typing import Any

import pytest
from calls import MISSING, NA, NUM, REF, VALUE, agrees, call

from sheetrun.runtime.errors import Unsupported

OFFICES = [
    [2310, 2, 2, 20, 142000],
    [2333, 2, 2, 12, 144000],
    [2356, 3, 1.5, 33, 151000],
    [2379, 3, 2, 43, 150000],
    [2402, 2, 3, 53, 139000],
    [2425, 4, 2, 23, 169000],
    [2448, 2, 1.5, 99, 126000],
    [2471, 2, 2, 34, 142900],
    [2494, 3, 3, 23, 163000],
    [2517, 4, 4, 55, 169000],
    [2540, 2, 3, 22, 149000],
]
PRICES = [row[4] for row in OFFICES]
FEATURES = [row[:4] for row in OFFICES]
MONTHS, UNITS = [11, 12, 13, 14, 15, 16], [33100, 47300, 69000, 102000, 150000, 220000]
COSTS = [133890, 135000, 135790, 137300, 138130, 139100, 139900, 141120, 141890, 143230, 144000, 145290]


def test_linest_with_statistics() -> None:
    assert agrees(
        call("LINEST", PRICES, FEATURES, True, True),
        [
            [-234.2371645, 2553.21066, 12529.76817, 27.64138737, 52317.83051],
            [13.26801148, 530.6691519, 400.0668382, 5.429374042, 12237.3616],
            [0.996747993, 970.5784629, NA, NA, NA],
            [459.7536742, 6.0, NA, NA, NA],
            [1732393319.0, 5652135.316, NA, NA, NA],
        ],
        8,
    )


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("LINEST", ([1, 9, 5, 7], [0, 4, 2, 3]), [[2.0, 1.0]]),
        ("LINEST", ([1, 9, 5, 7], [0, 4, 2, 3], MISSING, False), [[2.0, 1.0]]),
        ("LINEST", ([2, 4, 6],), [[2.0, 0.0]]),
        ("LINEST", ([[2, 4, 7]], [[1, 2, 3]], False), [[31 / 14, 0.0]]),
        ("LINEST", ([1, 2, 3], [1, 2]), REF),
        ("LINEST", ([1, "x", 3], [1, 2, 3]), VALUE),
        ("LINEST", ([1, "x", 3], [1, 2]), REF),
        ("LOGEST", (UNITS, MONTHS), [[1.463275628, 495.3047702]]),
        ("LOGEST", ([1, -1], [1, 2]), NUM),
        ("TREND", (COSTS, MISSING, [13, 14, 15]), [146171.5152, 147189.6970, 148207.8788]),
        ("TREND", ([[1, 3, 5]], [[1, 2, 3]]), [[1.0, 3.0, 5.0]]),
        ("TREND", ([[1, 3]], [[1, 2]], [[4, None]]), VALUE),  # measured: Excel since 2019; 2016 took 0 for it
        ("TREND", ([[1, 3]], [[1, 2]], [[4, "x"]]), VALUE),
        ("GROWTH", (UNITS, MONTHS, [17, 18]), [320196.7184, 468536.0542]),
        ("FORECAST", (30, [6, 7, 9, 15, 21], [20, 28, 31, 38, 40]), 10.607253),
        ("FORECAST.LINEAR", ([30, 30], [6, 7, 9, 15, 21], [20, 28, 31, 38, 40]), [10.607253, 10.607253]),
        ("FORECAST", (30, [6, 7], [20]), NA),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 7)


def test_a_redundant_variable_gets_the_coefficient_0() -> None:
    x = [[1, 2, 2], [2, 4, 1], [3, 6, 5], [4, 8, 3], [5, 10, 9]]
    y = [5 + 2 * a + 3 * c for a, _, c in x]
    slopes = call("LINEST", y, x)[0]
    assert slopes[1] == 0.0
    assert agrees([slopes], [[3.0, 0.0, 2.0, 5.0]], 9)
    table = call("LINEST", [v + e for v, e in zip(y, [0.1, -0.2, 0.1, 0.2, -0.2], strict=True)], x, True, True)
    assert table[3][1] == 2.0
    assert table[1][1] == 0.0


def test_trend_of_several_variables_predicts_each_row() -> None:
    found = call("TREND", PRICES, FEATURES, [[2500, 3, 2, 25]])
    assert agrees(found, [[158261.096]], 7)
    assert call("TREND", PRICES, FEATURES, [[2500, 3, 2]]) is REF


def test_smoothing_is_refused_with_its_reason() -> None:
    with pytest.raises(Unsupported) as refused:
        call("FORECAST.ETS", 7, [1, 2, 3, 4], [1, 2, 3, 4])
    assert refused.value.code == "forecast_ets"
    assert call("FORECAST.ETS", 7, [1, 2, 3], [1, 2]) is NA
    assert call("FORECAST.ETS", 3, [1, 2, 3, 4], [1, 2, 3, 4]) is NUM
    assert call("FORECAST.ETS.STAT", [1, 2, 3, 4, 9], [40, 10, 30, 20, 10], 8) == 10
    with pytest.raises(Unsupported):
        call("FORECAST.ETS.STAT", [1, 2, 3], [31, 59, 90], 8)
    assert call("FORECAST.ETS.STAT", [1, 2], [1, 2], 9) is NUM
    assert call("FORECAST.ETS.CONFINT", 7, [1, 2], [1, 2], 1.5) is NUM
    assert call("FORECAST.ETS.SEASONALITY", [1, 2], [1, 1]) is NUM
