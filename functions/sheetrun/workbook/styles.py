"""Number formats: from ``styles.xml``, one format code per cell style."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sheetrun.workbook.archive import Limits
from sheetrun.workbook.errors import LimitExceeded
from sheetrun.workbook.markup import Attributes, parse, whole_number
from sheetrun.workbook.values import unescape

GENERAL: Final = "General"

#: Codes that a file names by number only, as Excel shows them in the United States (ECMA-376 part 1, 18.8.30;
#: 5 to 8, 14, 22 and 37 to 44 as Excel itself writes them where the standard's table is locale-free).
BUILT_IN: Final = {
    0: GENERAL,
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: '"$"#,##0_);\\("$"#,##0\\)',
    6: '"$"#,##0_);[Red]\\("$"#,##0\\)',
    7: '"$"#,##0.00_);\\("$"#,##0.00\\)',
    8: '"$"#,##0.00_);[Red]\\("$"#,##0.00\\)',
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "m/d/yyyy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yyyy h:mm",
    37: "#,##0_);(#,##0)",
    38: "#,##0_);[Red](#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)",
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}


def read_number_formats(chunks: Iterable[bytes], part: str, limits: Limits) -> list[str]:
    """Format code by style index (``cellXfs``). Raises DamagedWorkbook, LimitExceeded."""
    codes = dict(BUILT_IN)
    styles: list[int] = []
    inside: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        if name == "numFmt" and inside[-1:] == ["numFmts"]:
            codes[whole_number(attributes.get("numFmtId"))] = unescape(attributes.get("formatCode", GENERAL))
        elif name == "xf" and inside[-1:] == ["cellXfs"]:
            styles.append(whole_number(attributes.get("numFmtId")))
            if len(styles) > limits.styles:
                raise LimitExceeded(f"More than {limits.styles:,} cell styles.", part=part, code="too_many_styles")
        inside.append(name)

    def end(_: str) -> None:
        inside.pop()

    parse(chunks, part, start, end)
    return [codes.get(number, GENERAL) or GENERAL for number in styles]
