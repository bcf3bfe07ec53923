"""Order and equality across types, as Excel's operators, MATCH and SORT see them.

Numbers come before text, text before logicals; text compares without case; an empty cell takes the other side's type.
Numbers are compared as Excel shows them, to 15 significant digits (``=0.1+0.2=0.3`` is TRUE).
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import numpy as np

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Mask, Numbers, Tags
from sheetrun.runtime.distinct import distinct
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.values import Arr, Scalar


def same_number(a: float, b: float) -> bool:
    """Equal to 15 significant digits."""
    if a == b:
        return True
    gap = abs(a - b)
    return gap < 1e-14 * abs(a) and gap <= 4e-15 * max(abs(a), abs(b)) and f"{a:.14e}" == f"{b:.14e}"


def sort_key(text: str) -> tuple[str, str]:
    """The order of texts: without case and, at first, without hyphens and apostrophes (Excel's word sort).

    Microsoft, "Sort data in a range or table": of texts that are the same but for a hyphen, the one with it comes last.
    """
    folded = pool.fold(text)
    last = folded.translate(_IGNORED_AT_FIRST)
    if folded.isascii():
        return folded.replace("-", "").replace("'", "").translate(_ORDER), last
    plain = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return plain.replace("-", "").replace("'", "").translate(_ORDER), last


_IGNORED_AT_FIRST: Final = {ord("-"): "\uffff", ord("'"): "\uffff"}

#: Punctuation comes before digits, digits before letters, in this order (Microsoft, "Sort data in a range or table",
#: whose list has the digits first; that ``"`` comes before ``_`` is measured).
_PUNCTUATION: Final = ' !"#$%&()*,./:;?@[\\]^_`{|}~+<=>'
_ORDER: Final = {ord(c): chr(i + 1) for i, c in enumerate(_PUNCTUATION)}


def rank(value: Scalar) -> int:
    """The place of a type in Excel's order: number 0, text 1, logical 2, error 3, empty 4 (sorts last)."""
    kind = type(value)
    if kind is float:
        return 0
    if kind is str:
        return 1
    if kind is bool:
        return 2
    if isinstance(value, ExcelError):
        return 3
    return 4


def compare(a: Scalar, b: Scalar) -> int:
    """-1, 0 or 1 for two scalars that are no errors; an empty one counts as 0, "" or FALSE."""
    if a is None:
        a = _empty_like(b)
    if b is None:
        b = _empty_like(a)
    kind = type(a)
    if kind is float and type(b) is float:
        if same_number(a, b):  # type: ignore[arg-type]
            return 0
        return -1 if a < b else 1  # type: ignore[operator]
    if kind is str and type(b) is str:
        return compare_texts(a, b)  # type: ignore[arg-type]
    if kind is bool and type(b) is bool:
        return int(a) - int(b)  # type: ignore[arg-type]
    return -1 if rank(a) < rank(b) else 1


def compare_texts(a: str, b: str) -> int:
    first, second = pool.fold(a), pool.fold(b)
    if first == second:
        return 0
    return -1 if sort_key(a) < sort_key(b) else 1


def _empty_like(other: Scalar) -> Scalar:
    if type(other) is str:
        return ""
    return False if type(other) is bool else 0.0


def equal_numbers(a: Numbers, b: Numbers) -> Mask:
    """``same_number`` for arrays."""
    same: Mask = a == b
    gap = np.abs(a - b)
    close = ~same & (gap <= 4e-15 * np.maximum(np.abs(a), np.abs(b)))
    if close.any():
        same = same.copy()
        left, right = np.broadcast_arrays(a, b)
        for at in zip(*np.nonzero(close), strict=True):
            same[at] = same_number(float(left[at]), float(right[at]))
    return same


#: All pairs that ``same_number`` may call equal are nearer than this part of either of them, and so are few others.
_NEAR: Final = 5e-15


def ordered_numbers(a: Numbers, b: Numbers, operation: Any, of_equals: bool) -> Mask:
    """``operation`` (``np.less`` …) for each pair of two arrays that broadcast; ``of_equals``: its answer where
    ``same_number``. Errors (NaN) give False."""
    with np.errstate(invalid="ignore"):
        holds: Mask = operation(a, b)
        gap = np.abs(a - b)
        if np.size(b) == 1 and gap.size and gap.min() > _NEAR * np.abs(b):  # with NaN it is not told so quickly
            return holds
        near = gap <= _NEAR * np.abs(a)
        if near.any():
            near &= a != b
    if near.any():
        left, right = np.broadcast_arrays(a, b)
        for at in zip(*np.nonzero(near), strict=True):
            if same_number(float(left[at]), float(right[at])):
                holds[at] = of_equals
    return holds


def compare_arrays(a: Arr, b: Arr) -> tuple[Numbers, Mask]:
    """(-1, 0, 1 for each pair, where either is an error). Shapes must be equal or broadcast."""
    left, right = np.broadcast_arrays(a.num, b.num)
    with np.errstate(invalid="ignore"):
        order = (left > right).astype(np.float64) - (left < right)
        order = np.where(equal_numbers(left, right), 0.0, order)
    if a.tag is None and b.tag is None:
        return order, np.isnan(left) | np.isnan(right)
    ltag, rtag = np.broadcast_to(a.tags(), left.shape), np.broadcast_to(b.tags(), right.shape)
    bad = (np.isnan(left) & (ltag == NUMBER)) | (np.isnan(right) & (rtag == NUMBER))
    lkind, rkind = _kinds(ltag), _kinds(rtag)
    lempty, rempty = ltag == EMPTY, rtag == EMPTY
    lkind = np.where(lempty, np.where(rempty, 0, rkind), lkind)
    rkind = np.where(rempty, lkind, rkind)
    order = np.where(lkind == rkind, order, np.sign(lkind - rkind))
    both = (lkind == 1) & (rkind == 1)
    if both.any():
        order = order.copy()
        order[both] = _compare_ids(_text_ids(ltag)[both], _text_ids(rtag)[both])
    return order, bad


def equal_arrays(a: Arr, b: Arr) -> tuple[Mask, Mask]:
    """(whether each pair is equal, where either is an error); without the order of texts, which costs most."""
    for many, one in ((a, b), (b, a)):
        if one.tag is not None and one.num.size == 1 and one.tag.item() >= TEXT and many.tag is not None:
            found = _equal_to_text(many.tag, one.tag.item())
            if found is not None:
                return found, np.isnan(many.num) & (many.tag == NUMBER)
    left, right = np.broadcast_arrays(a.num, b.num)
    with np.errstate(invalid="ignore"):
        same = equal_numbers(left, right)
    if a.tag is None and b.tag is None:
        return same, np.isnan(left) | np.isnan(right)
    ltag, rtag = np.broadcast_to(a.tags(), left.shape), np.broadcast_to(b.tags(), right.shape)
    bad = (np.isnan(left) & (ltag == NUMBER)) | (np.isnan(right) & (rtag == NUMBER))
    ltext, rtext = ltag >= TEXT, rtag >= TEXT
    if ltext.any() or rtext.any():
        texts = (ltext | (ltag == EMPTY)) & (rtext | (rtag == EMPTY)) & (ltext | rtext)
        same = np.where(texts, _text_ids(ltag) == _text_ids(rtag), same & ~(ltext | rtext))
    logical = (ltag == LOGICAL) != (rtag == LOGICAL)
    return same & ~(logical & (ltag != EMPTY) & (rtag != EMPTY)), bad


def _equal_to_text(tag: Tags, text: int) -> Mask | None:
    """Which cells are one text (given by its tag); None for the empty text, which is equal to an empty cell too."""
    empty = pool.intern("")  # first, for it may be new
    wanted = pool.folded()[text - TEXT]
    if wanted == pool.folded()[empty]:
        return None
    same = tag >= TEXT
    same[same] = pool.folded()[tag[same] - TEXT] == wanted
    return same


def _kinds(tag: Tags) -> Any:
    return np.where(tag >= TEXT, 1, np.where(tag == LOGICAL, 2, 0))


def _text_ids(tag: Tags) -> Any:
    """Folded ids; an empty cell counts as the empty text."""
    empty = pool.intern("")
    return pool.folded()[np.where(tag >= TEXT, tag - TEXT, empty)]


def _compare_ids(a: Any, b: Any) -> Numbers:
    used = distinct(np.concatenate([a, b]))
    ordered = sorted(used.tolist(), key=lambda i: sort_key(pool.text(i)))
    place = {id: i for i, id in enumerate(ordered)}
    lookup = np.array([place[i] for i in used.tolist()])
    left, right = lookup[np.searchsorted(used, a)], lookup[np.searchsorted(used, b)]
    order: Numbers = np.sign(left - right).astype(np.float64)
    return order
