"""Database functions on an orchard: fields, criteria in rows and columns, errors."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, MISSING, NUM, VALUE, agrees, call, ref, sheet_of

from sheetrun.runtime.errors import Unsupported

ORCHARD = [
    ["Tree", "Height", "Age", "Yield", "Profit"],
    ["Apple", 18, 20, 14, 105],
    ["Pear", 12, 12, 10, 96],
    ["Cherry", 13, 14, 9, 105],
    ["Apple", 14, 15, 10, 75],
    ["Pear", 9, 8, 8, 77],
    ["Apple", 8, 9, 6, 45],
]
APPLES = [["Tree"], ["=Apple"]]
MIDDLE = [["tree", "Height", "height"], ["=Apple", ">10", "<16"], ["=Pear", None, None]]
FRUIT = [["Tree"], ["=Apple"], ["=Pear"]]
ANY: list[list[Any]] = [["Tree"], [None]]


@pytest.mark.parametrize(
    ("name", "field", "criteria", "wanted"),
    [
        ("DSUM", "Profit", APPLES, 225.0),
        ("DSUM", "profit", MIDDLE, 248.0),
        ("DSUM", 5, [["Tree"], ["A"]], 225.0),
        ("DSUM", 5, [["Tree"], ["=A"]], 0.0),
        ("DSUM", 5, [["Tree"], ["*r*"]], 278.0),
        ("DSUM", 5, ANY, 503.0),
        ("DSUM", 5, [["Height"], [9]], 77.0),
        ("DSUM", 5, [["Nothing"], ["x"]], 0.0),
        ("DSUM", 5, [["Nothing"], [True]], 503.0),
        ("DSUM", "Colour", APPLES, VALUE),
        ("DSUM", 6, APPLES, VALUE),
        ("DCOUNT", "Age", MIDDLE, 3.0),
        ("DCOUNT", "Tree", FRUIT, 0.0),
        ("DCOUNT", MISSING, FRUIT, 5.0),
        ("DCOUNTA", "Tree", FRUIT, 5.0),
        ("DMAX", "Profit", FRUIT, 105.0),
        ("DMIN", "Profit", FRUIT, 45.0),
        ("DMAX", "Profit", [["Tree"], ["Plum"]], 0.0),
        ("DPRODUCT", "Yield", MIDDLE, 800.0),
        ("DAVERAGE", "Yield", APPLES, 10.0),
        ("DAVERAGE", 3, ANY, 13.0),
        ("DAVERAGE", 3, [["Tree"], ["Plum"]], DIV0),
        ("DSTDEV", "Yield", FRUIT, 2.96648),
        ("DSTDEVP", "Yield", FRUIT, 2.6533),
        ("DVAR", "Yield", FRUIT, 8.8),
        ("DVARP", "Yield", FRUIT, 7.04),
        ("DGET", "Yield", [["Tree", "Height"], ["Apple", 14]], 10.0),
        ("DGET", "Tree", [["Profit"], [96]], "Pear"),
        ("DGET", "Yield", FRUIT, NUM),
        ("DGET", "Yield", [["Tree"], ["Plum"]], VALUE),
    ],
)
def test_values(name: str, field: Any, criteria: list[list[Any]], wanted: Any) -> None:
    assert agrees(call(name, ref(ORCHARD), field, ref(criteria)), wanted, 5)


def test_a_table_of_headers_alone_is_an_error() -> None:
    assert call("DSUM", ref(ORCHARD[:1]), "Profit", ref(APPLES)) is VALUE
    assert call("DCOUNT", ref(ORCHARD), "Age", ref(APPLES[:1])) is VALUE


def test_a_criterion_that_is_a_formula_is_refused() -> None:
    sheet = sheet_of([["Late"], [True]])
    sheet.book.formulas[0, 2, 1] = "=C5>10"
    with pytest.raises(Unsupported, match="evaluated for each row"):
        call("DSUM", ref(ORCHARD), "Profit", sheet.ref["A1:A2"])
