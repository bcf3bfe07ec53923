"""Writes docs/functions.md from the registry: every Excel function, whether it is computed, and how it takes arrays.

python infra/functions_page.py            writes the page
python infra/functions_page.py --check    exit code 1 when the page is not what this would write
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import sheetrun.runtime.functions  # noqa: F401 (registers them)
from sheetrun.runtime.registry import Entry, entries
from sheetrun.runtime.signatures import LIFTED, Parameter

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "functions.md"

MATH: Final = "Math and trigonometry"
STATISTICS: Final = "Statistical"
ENGINEERING: Final = "Engineering"
FINANCE: Final = "Financial"
LOOKUP: Final = "Lookup and reference"
TEXT: Final = "Text"
DATES: Final = "Date and time"
LOGIC: Final = "Logical"
INFORMATION: Final = "Information"
WEB: Final = "Web"
COMPATIBILITY: Final = "Compatibility"

#: Microsoft's category of most functions of a module of ``runtime/functions``.
CATEGORIES: Final = {
    "aggregate": STATISTICS,
    "annuity": FINANCE,
    "bonds": FINANCE,
    "cashflow": FINANCE,
    "conditional": STATISTICS,
    "coupons": FINANCE,
    "database": "Database",
    "dates": DATES,
    "depreciation": FINANCE,
    "discrete": STATISTICS,
    "distributions": STATISTICS,
    "dynamic": LOOKUP,
    "engineering_bases": ENGINEERING,
    "engineering_bessel": ENGINEERING,
    "engineering_bits": ENGINEERING,
    "engineering_complex": ENGINEERING,
    "engineering_units": ENGINEERING,
    "grouping": LOOKUP,
    "information": INFORMATION,
    "lambdas": LOGIC,
    "logical": LOGIC,
    "lookup": LOOKUP,
    "math": MATH,
    "matrix": MATH,
    "normal": STATISTICS,
    "oddbonds": FINANCE,
    "outside": LOOKUP,
    "ranks": STATISTICS,
    "reference": LOOKUP,
    "regex": TEXT,
    "regression": STATISTICS,
    "rounding": MATH,
    "sampling": STATISTICS,
    "shaping": LOOKUP,
    "significance": STATISTICS,
    "smoothing": STATISTICS,
    "statistics": STATISTICS,
    "subtotal": MATH,
    "text": TEXT,
    "textformat": TEXT,
    "textsplit": TEXT,
    "treasury": FINANCE,
    "trig": MATH,
    "web": WEB,
    "workdays": DATES,
}

#: Those that Microsoft puts elsewhere than the rest of their module.
ELSEWHERE: Final = {
    COMPATIBILITY: "BETADIST BETAINV BINOMDIST CEILING CHIDIST CHIINV CHITEST CONFIDENCE COVAR CRITBINOM ECMA.CEILING "
    "EXPONDIST FDIST FINV FLOOR FTEST GAMMADIST GAMMAINV HYPGEOMDIST LOGINV LOGNORMDIST MODE NEGBINOMDIST NORMDIST "
    "NORMINV NORMSDIST NORMSINV PERCENTILE PERCENTRANK POISSON QUARTILE RANK STDEV STDEVP TDIST TINV TTEST VAR VARP "
    "WEIBULL ZTEST",
    MATH: "PRODUCT SUM SUMIF SUMIFS SUMSQ RANDARRAY SEQUENCE PERCENTOF",
    STATISTICS: "PERMUT PERMUTATIONA",
    INFORMATION: "ISOMITTED",
    LOOKUP: "CHOOSE",
    TEXT: "DETECTLANGUAGE TRANSLATE",
    WEB: "WEBSERVICE",
    FINANCE: "STOCKHISTORY",
    "Cube": "CUBEKPIMEMBER CUBEMEMBER CUBEMEMBERPROPERTY CUBERANKEDMEMBER CUBESET CUBESETCOUNT CUBEVALUE",
    "Add-in and Automation": "CALL EUROCONVERT REGISTER.ID",
    "AI": "COPILOT",
    "Python in Excel": "PY",
}
_ELSEWHERE: Final = {name: category for category, names in ELSEWHERE.items() for name in names.split()}

#: Functions that are part of the language: the compiler turns them into Python, so they have no entry.
LANGUAGE: Final = {
    "LAMBDA": (LOGIC, "A function of its parameters, called or handed to MAP, REDUCE and their kin."),
    "LET": (MATH, "Names for values inside of one formula."),
}

#: Modules whose functions all keep the cached value.
OUTSIDE: Final = {"outside", "smoothing"}

#: What some calls of a computed function cannot be.
PARTLY: Final = {
    "CELL": 'Styles of cells but for number formats, and the file\'s path ("filename"), are not computed.',
    "GETPIVOTDATA": "Of a pivot table whose definition is in the file; a number for a group of dates is not computed.",
    "INFO": "What tells of the machine that Excel ran on is not computed.",
}

#: Functions of Excel without an entry, each with its reason. Every function that Microsoft lists has one.
MISSING: Final[dict[str, str]] = {}

_ORDER: Final = (
    MATH,
    STATISTICS,
    COMPATIBILITY,
    LOOKUP,
    TEXT,
    LOGIC,
    DATES,
    INFORMATION,
    FINANCE,
    ENGINEERING,
    "Database",
    WEB,
    "Cube",
    "Add-in and Automation",
    "Python in Excel",
    "AI",
)

_INTRODUCTION: Final = """\
# Functions

Made by `make docs` from the registry of the runtime; do not edit it by hand.

{computed} of Excel's {all} functions are computed. The other {outside} need something that is not in the file (a server,
an add-in, a picture) or follow a rule that is not published; a cell that uses one keeps the value that Excel stored, is
counted as unsupported, and says why.

| column | says |
|---|---|
| status | *computed*, or *cached*: the cell keeps Excel's value |
| arrays | *each*: an array in any argument gives an array of results; *each of …*: only in these arguments; \
*whole*: ranges and arrays are taken as they are |
| volatile | computed anew on every calculation, so its cells cannot be compared with Excel's |
"""


def category_of(entry: Entry) -> str:
    return _ELSEWHERE.get(entry.name) or CATEGORIES[entry.category]


def is_computed(entry: Entry) -> bool:
    return entry.category not in OUTSIDE


def arrays_of(entry: Entry) -> str:
    """How arguments take arrays, in words."""
    if not is_computed(entry):
        return ""
    written = [p for p in entry.parameters if p.kind != "host"]
    each = [p for p in written if p.kind in LIFTED]
    if not written:
        return ""
    if len(each) == len(written):
        return "each"
    return f"each of {_listed(each)}; else whole" if each else "whole"


def _listed(parameters: Sequence[Parameter]) -> str:
    return ", ".join(p.name + ("…" if p.variadic else "") for p in parameters)


def rows() -> Iterable[tuple[str, str, str, str, str, str]]:
    """(category, name, status, arrays, volatile, notes) of every function."""
    for entry in entries():
        status = "computed" if is_computed(entry) else "cached"
        notes = " ".join(one for one in (entry.summary, PARTLY.get(entry.name, "")) if one)
        yield (
            category_of(entry),
            entry.name,
            status,
            arrays_of(entry),
            "yes" if entry.volatile else "",
            notes.replace("|", "\\|"),
        )
    for name, (category, notes) in LANGUAGE.items():
        yield category, name, "computed", "whole", "", notes


def page() -> str:
    """The whole page as Markdown."""
    found = sorted(rows(), key=lambda row: (_ORDER.index(row[0]), row[1]))
    computed = sum(row[2] == "computed" for row in found)
    whole = len(found) + len(MISSING)
    parts = [_INTRODUCTION.format(computed=computed, all=whole, outside=whole - computed)]
    for category in _ORDER:
        inside = [row for row in found if row[0] == category]
        if inside:
            parts.append(f"\n## {category} ({len(inside)})\n\n{_table(inside)}")
    parts.append(f"\n## Not there\n\n{_missing()}\n")
    return "".join(parts)


def _table(inside: Iterable[Sequence[str]]) -> str:
    lines = ["| function | status | arrays | volatile | notes |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(row[1:])} |".replace("  ", " ") for row in inside]
    return "\n".join(lines) + "\n"


def _missing() -> str:
    if not MISSING:
        return "Every function that Microsoft lists has a row above."
    return "\n".join(f"- {name}: {reason}" for name, reason in sorted(MISSING.items()))


def main(arguments: Sequence[str]) -> int:
    text = page()
    if "--check" in arguments:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/functions.md is not up to date: run `make docs`", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
