"""GROUPBY and PIVOTBY with several functions, headers, orders and totals.

The rules were read off Excel 365 (recorded by the project pyOfficeEditor); the tables here are our own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.compiler.making import computed, error

from sheetrun.runtime.errors import Unsupported
from sheetrun.runtime.functions.groups import Fields, Order
from sheetrun.runtime.values import Arr

#: team, shift, year, points, fee
TABLE = [
    ("Team", "Shift", "Year", "Points", "Fee"),
    ("red", "late", 2024, 4, 10),
    ("Blue", "early", 2025, 1, 20),
    ("Red", "early", 2024, 2, 30),
    (None, "late", 2025, 8, 40),
    ("Blue", "late", 2024, 16, 50),
]
CELLS: dict[str, Any] = {
    f"{'ABCDE'[c]}{r}": f"'{value}" if isinstance(value, str) else float(value)
    for r, row in enumerate(TABLE, 1)
    for c, value in enumerate(row)
    if value is not None
}
SUM_MAX = "STACK(_xleta.SUM,_xleta.MAX)"


def table(formula: str) -> Any:
    """The result as rows; empty texts as ""."""
    value = computed(CELLS, {"A1": f"{{=ARRAYTOTEXT({formula},1)}}"})["Sheet2!A1"]
    return value if isinstance(value, dict) else value.replace('"', "").strip("{}").split(";")


@pytest.mark.parametrize(
    ("formula", "rows"),
    [
        # A group is spelled as in the first row of its first leaf; empty keys come last.
        (
            "GROUPBY(Sheet1!A2:B6,Sheet1!D2:D6,_xleta.SUM,0,2)",
            [
                "Blue,early,1",
                "Blue,late,16",
                "Blue,,17",
                "Red,early,2",
                "Red,late,4",
                "Red,,6",
                ",late,8",
                ",,8",
                "Grand Total,,31",
            ],
        ),
        ("GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,_xleta.SUM,0,0,-1)", ["red,6", "Blue,17", ",8"]),
        (
            "GROUPBY(Sheet1!A2:B6,Sheet1!D2:D6,_xleta.SUM,,,{1,-2})",
            ["Blue,late,16", "Blue,early,1", "red,late,4", "red,early,2", ",late,8", "Total,,31"],
        ),
        # Functions side by side are named above, one below another beside.
        (f"GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,H{SUM_MAX},0,0)", [",SUM,MAX", "Blue,17,16", "red,6,4", ",8,8"]),
        (
            f"GROUPBY(Sheet1!A1:A6,Sheet1!D1:D6,H{SUM_MAX},,0)",
            [",SUM,MAX", "Team,Points,Points", "Blue,17,16", "red,6,4", ",8,8"],
        ),
        (
            f"GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,V{SUM_MAX},0,0)",
            ["Blue,SUM,17", "Blue,MAX,16", "red,SUM,6", "red,MAX,4", ",SUM,8", ",MAX,8"],
        ),
        (
            f"GROUPBY(Sheet1!A1:A6,Sheet1!D1:E6,V{SUM_MAX},3,0)",
            [
                "Team,,,",
                "Blue,SUM,Points,17",
                "Blue,MAX,Fee,50",
                "red,SUM,Points,6",
                "red,MAX,Fee,30",
                ",SUM,Points,8",
                ",MAX,Fee,40",
            ],
        ),
        (
            "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,HSTACK(_xleta.SUM,LAMBDA(x,1)),0,0)",
            [",SUM,CUSTOM", "Blue,17,1", "red,6,1", ",8,1"],
        ),
        (
            "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,VSTACK(H" + SUM_MAX + ',{"a","b"}),0,0)',
            [",a,b", "Blue,17,16", "red,6,4", ",8,8"],
        ),
        # PIVOTBY names the column fields in one text, and functions below the columns' keys.
        (
            f"PIVOTBY(Sheet1!A1:A6,Sheet1!C1:C6,Sheet1!D1:D6,H{SUM_MAX},3,0,,0)",
            [
                ",Year,,,",
                ",2024,2024,2025,2025",
                ",SUM,MAX,SUM,MAX",
                "Team,Points,Points,Points,Points",
                "Blue,16,16,1,1",
                "red,6,4,,",
                ",,,8,8",
            ],
        ),
        (
            f"PIVOTBY(Sheet1!A1:A6,Sheet1!C1:C6,Sheet1!D1:E6,V{SUM_MAX},3,0,,0)",
            [
                ",,,Year,",
                "Team,,,2024,2025",
                "Blue,SUM,Points,16,1",
                "Blue,MAX,Fee,50,20",
                "red,SUM,Points,6,",
                "red,MAX,Fee,30,",
                ",SUM,Points,,8",
                ",MAX,Fee,,40",
            ],
        ),
        # With two fields there is one total, unless more are asked for.
        (
            "PIVOTBY(Sheet1!A2:B6,Sheet1!C2:C6,Sheet1!D2:D6,_xleta.SUM)",
            [
                ",,2024,2025,Total",
                "Blue,early,,1,1",
                "Blue,late,16,,16",
                "Red,early,2,,2",
                "Red,late,4,,4",
                ",late,,8,8",
                "Total,,22,9,31",
            ],
        ),
        # Rows sort by a result only beside a column of totals.
        (
            "PIVOTBY(Sheet1!A2:A6,Sheet1!C2:C6,Sheet1!D2:D6,_xleta.SUM,0,0,2,0)",
            [",2024,2025", "Blue,16,1", "red,6,", ",,8"],
        ),
        (
            "PIVOTBY(Sheet1!A2:A6,Sheet1!C2:C6,Sheet1!D2:D6,_xleta.SUM,0,0,2)",
            [",2024,2025,Total", "red,6,,6", ",,8,8", "Blue,16,1,17"],
        ),
        # What PERCENTOF divides by: 3 the column above, 4 the row above.
        (
            "PIVOTBY(Sheet1!A2:A6,Sheet1!C2:C6,Sheet1!D2:D6,_xleta.PERCENTOF,0,0,,0,,Sheet1!D2:D6<9,3)",
            [",2024,2025", "Blue,,1", "red,1,", ",,1"],
        ),
        # Totals of one function over several columns of values stand where Excel puts them.
        (
            'PIVOTBY(Sheet1!C2:C6,IF(Sheet1!C2:C6,"k"),Sheet1!D2:E6,_xleta.SUM,0,0)',
            [",k,k,Total,Total", "2024,22,90,90,", "2025,9,60,60,"],
        ),
    ],
)
def test_tables(formula: str, rows: list[str]) -> None:
    assert table(formula) == rows


@pytest.mark.parametrize(
    "formula",
    [
        "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,LAMBDA(x,x))",  # an array
        "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,_xleta.SUM,,,{1,1})",
        "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,_xleta.SUM,,,{1;2})",
        "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,_xleta.SUM,,,,Sheet1!D2:D6>99)",
        "GROUPBY(Sheet1!A2:A6,Sheet1!D2:E6,HSTACK(_xleta.SUM,_xleta.MAX,_xleta.MIN))",
        "GROUPBY(Sheet1!A2:A6,Sheet1!D2:D6,HSTACK(_xleta.SUM,1))",
        "GROUPBY({1;2},{5;6},_xleta.SUM,0,2)",
    ],
)
def test_refused(formula: str) -> None:
    assert computed(CELLS, {"A1": f"{{={formula}}}"})["Sheet2!A1"] == error("#VALUE!")


def test_functions_in_an_array_are_no_values() -> None:
    values = computed({"A1": "{=HSTACK(1,_xleta.SUM)}", "A2:B2": "{=HSTACK(1,_xleta.SUM)}"})
    assert values == {"A1": 1, "A2": 1, "B2": error("#CALC!")}


def test_more_columns_than_one_can_group_by_are_refused() -> None:
    cells = Arr(np.arange(2.0 * 201).reshape(2, 201))
    with pytest.raises(Unsupported, match="201 columns to group by, more than 200"):
        Fields.of(cells)
    fields = Fields.of(cells.take(slice(None), slice(0, 200)))
    assert fields.label(np.array([1]), 0, Order()) == 201.0
