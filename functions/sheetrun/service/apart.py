"""Differences that are not errors of the computation: values that Excel did not calculate, and what rounding becomes.

Every rule is about files in general (see docs/fidelity.md), and every cell that one sets apart is listed with it:

    not_calculated       the file itself says that it was saved without a full calculation
    circular             the cell hangs on a circular reference while iteration is off: Excel does not calculate it
    unknown_to_writer    #NAME?, for a function that is younger than the program which saved the file
    day_first            with 3/4/2026 read as the third of April and 0,5 as a half, as outside of the United States, it
                         is Excel's value
    rounding             from Excel's own inputs the formula gives Excel's value, and what it hangs on is all the same
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sheetrun.runtime.failures import Failure
from sheetrun.workbook.model import Rect, Settings, Workbook

Place = tuple[int, Rect]  #: sheet index and rectangle of a block
Needs = Mapping[Place, Sequence[Place]]

#: Functions that a file names with the prefix ``_xlfn.`` ([MS-XLSX] 2.2.2, future functions). Without it the program
#: that saved the file took the name for one of the user's.
_FUTURE: Final = frozenset(
    " ".join(
        (
            "ACOT ACOTH AGGREGATE ARABIC ARRAYTOTEXT BASE BETA.DIST BETA.INV BINOM.DIST BINOM.DIST.RANGE BINOM.INV BITAND",
            "BITLSHIFT BITOR BITRSHIFT BITXOR BYCOL BYROW CEILING.MATH CEILING.PRECISE CHISQ.DIST CHISQ.DIST.RT CHISQ.INV",
            "CHISQ.INV.RT CHISQ.TEST CHOOSECOLS CHOOSEROWS COMBINA CONCAT CONFIDENCE.NORM CONFIDENCE.T COT COTH",
            "COVARIANCE.P COVARIANCE.S CSC CSCH DAYS DECIMAL DROP ENCODEURL ERF.PRECISE ERFC.PRECISE EXPAND EXPON.DIST",
            "F.DIST F.DIST.RT F.INV F.INV.RT F.TEST FILTER FILTERXML FLOOR.MATH FLOOR.PRECISE FORECAST.ETS",
            "FORECAST.ETS.CONFINT FORECAST.ETS.SEASONALITY FORECAST.ETS.STAT FORECAST.LINEAR FORMULATEXT GAMMA GAMMA.DIST",
            "GAMMA.INV GAMMALN.PRECISE GAUSS GROUPBY HSTACK HYPGEOM.DIST IFNA IFS IMAGE IMCOSH IMCOT IMCSC IMCSCH IMSEC",
            "IMSECH IMSINH IMTAN ISFORMULA ISOMITTED ISOWEEKNUM LAMBDA LET LOGNORM.DIST LOGNORM.INV MAKEARRAY MAP MAXIFS",
            "MINIFS MODE.MULT MODE.SNGL MUNIT NEGBINOM.DIST NORM.DIST NORM.INV NORM.S.DIST NORM.S.INV NUMBERVALUE",
            "PDURATION PERCENTILE.EXC PERCENTILE.INC PERCENTOF PERCENTRANK.EXC PERCENTRANK.INC PERMUTATIONA PHI PIVOTBY",
            "POISSON.DIST QUARTILE.EXC QUARTILE.INC RANDARRAY RANK.AVG RANK.EQ REDUCE REGEXEXTRACT REGEXREPLACE REGEXTEST",
            "RRI SCAN SEC SECH SEQUENCE SHEET SHEETS SKEW.P SORT SORTBY STDEV.P STDEV.S STOCKHISTORY SWITCH T.DIST",
            "T.DIST.2T T.DIST.RT T.INV T.INV.2T T.TEST TAKE TEXTAFTER TEXTBEFORE TEXTJOIN TEXTSPLIT TOCOL TOROW TRANSLATE",
            "TRIMRANGE UNICHAR UNICODE UNIQUE VALUETOTEXT VAR.P VAR.S VSTACK WEBSERVICE WEIBULL.DIST WRAPCOLS WRAPROWS",
            "XLOOKUP XMATCH XOR Z.TEST",
        )
    ).split()
)
_DAY_AND_MONTH: Final = re.compile(r"\s*\d{1,2}[/\-]\d{1,2}[/\-]\d{2,4}\b")
_COMMA: Final = re.compile(r"\s*[<>=]{0,2}-?\d[\d.]*,\d+\s*\Z")
_QUOTED_COMMA: Final = re.compile(r'"[<>=]{0,2}-?\d[\d.]*,\d+"')
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_CALL: Final = re.compile(r"(?<![\w.])([A-Za-z][A-Za-z0-9.]*)\(")


def may_be_day_first(workbook: Workbook) -> bool:
    """Whether there is a text that is one date with the month first and another, or only one, with the day first, or
    a number with a decimal comma (also in a formula: ``">0,01"``)."""
    return any(_DAY_AND_MONTH.match(text) or _COMMA.match(text) for text in workbook.strings) or any(
        _QUOTED_COMMA.search(block.text) for sheet in workbook.sheets for block in sheet.blocks
    )


def not_calculated(settings: Settings) -> bool:
    """Whether the file says of itself that its values were not calculated when it was saved (ECMA-376 18.2.2)."""
    return settings.full_calc_on_load or not settings.calc_completed or (settings.manual and not settings.calc_on_save)


def unknown_to_writer(formula: str) -> bool:
    """Whether a formula as stored calls a young function by a name without its prefix."""
    return any(name.upper() in _FUTURE for name in _CALL.findall(_QUOTED.sub("", formula)))


def hanging_on(origins: Iterable[Place], needs: Needs) -> set[Place]:
    """The blocks that read from some blocks, directly or through others, and those blocks themselves."""
    found = set(origins)
    if not found:
        return found
    readers: dict[Place, list[Place]] = {}
    for place, reads in needs.items():
        for read in reads:
            readers.setdefault(read, []).append(place)
    left = list(found)
    while left:
        for reader in readers.get(left.pop(), ()):
            if reader not in found:
                found.add(reader)
                left.append(reader)
    return found


def circular_blocks(workbook: Workbook, failures: Iterable[Failure]) -> set[Place]:
    """Blocks with cells that were found to need themselves while iteration is off."""
    by_name = {sheet.name: index for index, sheet in enumerate(workbook.sheets)}
    spans: dict[int, list[Rect]] = {}
    for failure in failures:
        if failure.code == "circular_reference":
            top, left, bottom, right = failure.span
            spans.setdefault(by_name[failure.sheet], []).append(Rect(top - 1, left - 1, bottom - 1, right - 1))
    return {
        (index, block.rect)
        for index, rects in spans.items()
        for block in workbook.sheets[index].blocks
        if any(block.rect.overlaps(rect) for rect in rects)
    }
