"""Numbers through digit placeholders: ``#,##0.00``, ``0.0E+00``, ``# ?/?``, ``000-00-0000``, ``0.0,,``, and General.

Rounding is half away from zero on the 15 significant digits that Excel sees: 1.005 under ``0.00`` is 1.01.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Final, Protocol

from sheetrun.records import dataclass

_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)


class TokenLike(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Digits:
    """A number section taken apart. Parts are sequences of (is a placeholder, its character or the literal)."""

    whole: tuple[tuple[bool, str], ...]
    fraction: tuple[tuple[bool, str], ...]
    tail: tuple[tuple[bool, str], ...]  #: after the exponent sign
    point: bool
    thousands: bool
    scale: int  #: how many times to divide by a thousand
    percents: int
    exponent: str  #: "", "E+", "E-" (or with e)
    division: tuple[tuple[tuple[bool, str], ...], tuple[tuple[bool, str], ...]] | None  #: numerator, denominator
    separator: str = ""  #: what stands between the whole number and its fraction

    @property
    def decimals(self) -> int:
        return sum(1 for slot, _ in self.fraction if slot)


@lru_cache(maxsize=2048)
def compile_digits(tokens: tuple[TokenLike, ...]) -> Digits:
    """Reads the tokens of a number section."""
    items = [t for t in tokens if t.kind != "fill"]
    percents = sum(1 for t in items if t.kind == "percent")
    slash = next((i for i, t in enumerate(items) if t.kind == "slash" and _divides(items, i)), None)
    if slash is not None:
        return _compile_division(items, slash, percents)
    exponent = next((i for i, t in enumerate(items) if t.kind == "exponent"), len(items))
    mantissa, tail = items[:exponent], items[exponent + 1 :]
    point = next((i for i, t in enumerate(mantissa) if t.kind == "point"), None)
    left = mantissa if point is None else mantissa[:point]
    right = [] if point is None else mantissa[point + 1 :]
    thousands, scale = _commas(left, right)
    return Digits(
        _slots(left),
        _slots(right),
        _slots(tail),
        point is not None,
        thousands,
        scale,
        percents,
        items[exponent].text if exponent < len(items) else "",
        None,
    )


def _divides(items: Sequence[TokenLike], at: int) -> bool:
    """A slash is a fraction when digits stand on both sides of it."""
    before = any(t.kind == "digit" for t in items[:at])
    return before and any(t.kind == "digit" or t.text.isdigit() for t in items[at + 1 :])


def _commas(left: Sequence[TokenLike], right: Sequence[TokenLike]) -> tuple[bool, int]:
    """(thousands are separated, how many commas follow the last placeholder: each divides by 1000)."""
    last = max((i for i, t in enumerate(left) if t.kind == "digit"), default=-1)
    thousands = any(_before(left, i) == "digit" and left[i + 1].kind == "digit" for i in _comma_places(left[:last]))
    scale = 0
    for t in left[last + 1 :]:
        if t.kind != "comma":
            break
        scale += 1
    last = max((i for i, t in enumerate(right) if t.kind == "digit"), default=-1)
    for t in right[last + 1 :]:
        if t.kind != "comma":
            break
        scale += 1
    return thousands, scale


def _comma_places(items: Sequence[TokenLike]) -> list[int]:
    return [i for i, t in enumerate(items) if t.kind == "comma"]


def _before(items: Sequence[TokenLike], comma: int) -> str:
    """The kind of what stands before a comma, or before the commas that it is one of; "" at the start."""
    return next((t.kind for t in reversed(items[:comma]) if t.kind != "comma"), "")


def _slots(items: Sequence[TokenLike]) -> tuple[tuple[bool, str], ...]:
    """A comma that follows no placeholder, but a literal, stands for itself (measured: ``#x,0``)."""
    shown = {i for i in _comma_places(items) if _before(items, i) in ("literal", "")}
    return tuple((t.kind == "digit", t.text) for i, t in enumerate(items) if t.kind != "comma" or i in shown)


def _compile_division(items: Sequence[TokenLike], slash: int, percents: int) -> Digits:
    start = slash
    while start > 0 and items[start - 1].kind == "digit":
        start -= 1
    if start == slash:  # a literal stands between the numerator and the slash
        start = max(i for i, t in enumerate(items[:slash]) if t.kind == "digit")
        while start > 0 and items[start - 1].kind == "digit":
            start -= 1
    end = slash + 1
    while end < len(items) and not (items[end].kind == "digit" or items[end].text.isdigit()):
        end += 1
    while end < len(items) and (items[end].kind == "digit" or items[end].text.isdigit()):
        end += 1
    whole = items[:start]
    last = max((i for i, t in enumerate(whole) if t.kind == "digit"), default=len(whole) - 1)
    return Digits(
        _slots(whole[: last + 1]),
        (),
        _slots(items[end:]),
        False,
        any(t.kind == "comma" for t in whole),
        0,
        percents,
        "",
        (_slots(items[start:slash]), _slots(items[slash + 1 : end])),
        "".join(t.text for t in whole[last + 1 :]),
    )


def decimal_of(value: float) -> Decimal:
    """A number as Excel sees it: 15 significant digits."""
    return Decimal(f"{value:.14e}")


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half away from zero at a decimal place."""
    return value.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def format_digits(value: float, digits: Digits, sign: str) -> str:
    """A number that is not negative, with its sign put in front."""
    number = decimal_of(value)
    if digits.exponent:
        return sign + _format_scientific(number, digits)
    if digits.percents:
        number = number.scaleb(2 * digits.percents, _EXACT)
    if digits.scale:
        number = number.scaleb(-3 * digits.scale, _EXACT)
    if digits.division is not None:
        return sign + _format_division(number, digits)
    shown = rounded(number, digits.decimals)
    return (sign if shown else "") + _format_fixed(shown, digits)  # measured: TEXT(-0.001,"0.00") is 0.00


def _format_fixed(number: Decimal, digits: Digits, zeros: str = "") -> str:
    """``zeros``: what is written for a whole part of 0, where placeholders would show nothing."""
    text = f"{number:f}"
    whole, _, fraction = text.partition(".")
    whole = whole.lstrip("0") or zeros
    out = _fill_whole(digits.whole, whole, digits.thousands, always=not digits.point)
    if digits.point:
        out += "." + _fill_fraction(digits.fraction, fraction)
    return out


def _fill_whole(slots: tuple[tuple[bool, str], ...], digits: str, thousands: bool, *, always: bool = True) -> str:
    """Digits into placeholders from the right; what is left over goes before the first one."""
    count = sum(1 for slot, _ in slots if slot)
    if count == 0:
        if digits and not always:
            return "".join(t for _, t in slots) + digits
        return "".join(t for _, t in slots)
    padded = digits.rjust(count, "\0") if len(digits) < count else digits
    extra = len(padded) - count
    out: list[str] = []
    at = 0
    size = len(padded)

    def place(ch: str, filler: str) -> None:
        nonlocal at
        left = size - at - 1  # digits that follow
        blank = ch == "\0"
        shown = {"0": "0", "?": " "}.get(filler, "") if blank else ch
        out.append(shown)
        if thousands and left % 3 == 0 and left > 0 and shown:
            out.append(" " if shown == " " else ",")
        at += 1

    first = True
    for slot, text in slots:
        if not slot:
            out.append(text)
            continue
        if first:
            for ch in padded[:extra]:
                place(ch, text)
            first = False
        place(padded[at], text)
    return "".join(out)


def _fill_fraction(slots: tuple[tuple[bool, str], ...], digits: str) -> str:
    """Digits into placeholders from the left; zeros at the end only where a ``0`` stands there or later."""
    placeholders = "".join(t for slot, t in slots if slot)
    shown = max(len(digits.rstrip("0")), placeholders.rfind("0") + 1)
    out: list[str] = []
    at = 0
    for slot, text in slots:
        if not slot:
            out.append(text)
            continue
        out.append(digits[at] if at < shown else " " if text == "?" else "")
        at += 1
    return "".join(out)


def _format_scientific(number: Decimal, digits: Digits) -> str:
    width = max(1, sum(1 for slot, _ in digits.whole if slot))
    exponent = 0
    if number:
        exponent = number.adjusted()
        if width > 1:
            exponent = math.floor(exponent / width) * width
        mantissa = rounded(number.scaleb(-exponent, _EXACT), digits.decimals)
        if mantissa and mantissa.adjusted() >= width:  # 9.99 rounded up to 10.0
            exponent += width
            mantissa = rounded(number.scaleb(-exponent, _EXACT), digits.decimals)
    else:
        mantissa = rounded(number, digits.decimals)
    body = _format_fixed(mantissa, digits, "" if number else "0" * width)
    sign = "-" if exponent < 0 else "+" if digits.exponent[1] == "+" else ""
    first = next((i for i, (slot, _) in enumerate(digits.tail) if slot), len(digits.tail))
    between = "".join(text for _, text in digits.tail[:first])  # the sign stands before the digits
    return f"{body}{digits.exponent[0]}{between}{sign}{_fill_whole(digits.tail[first:], str(abs(exponent)), False)}"


def _format_division(number: Decimal, digits: Digits) -> str:
    """A fraction. What shows of a whole 0 or a numerator 0 was measured for each kind of placeholder."""
    if digits.division is None:
        raise ValueError("the section has no fraction")
    upper, lower = digits.division
    mixed = any(slot for slot, _ in digits.whole)
    whole = int(number) if mixed else 0
    top, bottom, below = _division_parts(float(number - whole), lower)
    if mixed and top == bottom:
        whole, top = whole + 1, 0
    tail = "".join(t for _, t in digits.tail)
    fraction = _fill_whole(upper, str(top), False) + "/" + below
    if not mixed:
        return "".join(t for _, t in digits.whole) + digits.separator + fraction + tail
    left, over, under = (_placeholders(part) for part in (digits.whole, upper, lower))
    if top == 0 and "0" not in over:
        head = _fill_whole(digits.whole, str(whole), digits.thousands)
        width = len(digits.separator) + sum(len(t) for _, t in (*upper, *lower)) + 1
        return head + (" " * width if "?" in left + over + under else "") + tail
    hidden = whole == 0 and "0" not in left and not (top == 0 and "?" in left)
    head = _fill_whole(digits.whole, "" if hidden else str(whole), digits.thousands)
    separator = digits.separator
    if hidden:
        separator = " " * len(separator) if "?" in left + over else ""
    return head + separator + fraction + tail


def division_value(number: float, digits: Digits) -> float:
    """What a number of 0 or more is when it is written as a fraction."""
    if digits.division is None:
        raise ValueError("the section has no fraction")
    scaled = number * 100.0**digits.percents
    whole = math.floor(scaled) if any(slot for slot, _ in digits.whole) else 0
    top, bottom, _ = _division_parts(scaled - whole, digits.division[1])
    return (whole + top / bottom) / 100.0**digits.percents


def _placeholders(slots: tuple[tuple[bool, str], ...]) -> str:
    return "".join(t for slot, t in slots if slot)


def _division_parts(rest: float, lower: tuple[tuple[bool, str], ...]) -> tuple[int, int, str]:
    """(numerator, denominator, the denominator as written) for a denominator that is fixed or has so many digits."""
    fixed = "".join(t for _, t in lower).strip()
    if fixed.isdigit() and int(fixed):
        return math.floor(rest * int(fixed) + 0.5), int(fixed), fixed
    width = len(_placeholders(lower))
    top, bottom = nearest_fraction(rest, 10 ** min(width, 9) - 1)
    if "0" in _placeholders(lower):
        return top, bottom, _fill_whole(lower, str(bottom), False)
    left = iter(str(bottom))  # from the left, so that fractions stand below each other
    written = [next(left, " " if t == "?" else "") if slot else t for slot, t in lower]
    return top, bottom, "".join(written)


def nearest_fraction(value: float, largest: int) -> tuple[int, int]:
    """(numerator, denominator) nearest to a number, the denominator at most ``largest``."""
    from fractions import Fraction

    found = Fraction(value).limit_denominator(max(largest, 1))
    return found.numerator, found.denominator


def general_display(value: float) -> str:
    """General as a cell shows it: 11 characters at most, so 1/3 is 0.333333333 and 123456789012 is 1.23457E+11."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    number = decimal_of(abs(value))
    exponent = number.adjusted()
    if -5 <= exponent <= 10:
        room = 10 - max(exponent, 0) - 1 if exponent < 10 else 0
        if exponent < 0:
            room = 9
        text = f"{rounded(number, max(room, 0)):f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if exponent == -5 and len(f"{number.normalize():f}") > 11:
            return sign + _short_scientific(number)
        if len(text) <= 11:
            return sign + text
    elif -10 < exponent < -5:
        text = f"{number.normalize():f}"
        if len(text) <= 11:
            return sign + text
    return sign + _short_scientific(number)


def _short_scientific(number: Decimal) -> str:
    exponent = number.adjusted()
    mantissa = rounded(number.scaleb(-exponent), 5)
    if mantissa >= 10:
        exponent, mantissa = exponent + 1, mantissa / 10
    text = f"{mantissa:f}".rstrip("0").rstrip(".") if "." in f"{mantissa:f}" else f"{mantissa:f}"
    return f"{text}E{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
