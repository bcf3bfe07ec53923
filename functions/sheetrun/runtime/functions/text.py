"""Text functions: parts of a text, searching and replacing, case, joining, characters and their codes.

Lengths and positions count UTF-16 code units, as Excel does: a character outside the basic plane counts as two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from sheetrun.runtime import charset, pool
from sheetrun.runtime.coerce import to_text
from sheetrun.runtime.errors import NA, VALUE, ExcelError, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value

LONGEST: Final = 32767  #: characters that a cell holds


def narrow(text: str) -> bool:
    """Whether every character is one UTF-16 unit."""
    return text.isascii() or max(text, default="") < "\U00010000"


def units(text: str) -> bytes:
    """The text as UTF-16, two bytes a unit."""
    return text.encode("utf-16-le", "surrogatepass")


def of_units(data: bytes) -> str:
    return data.decode("utf-16-le", "surrogatepass")


def length(text: str) -> int:
    return len(text) if narrow(text) else len(units(text)) // 2


def part(text: str, start: int, count: int) -> str:
    """``count`` units from the 0-based ``start``."""
    if narrow(text):
        return text[start : start + count]
    return of_units(units(text)[2 * start : 2 * (start + count)])


def position(text: str, index: int) -> int:
    """A Python index as a count of units."""
    return index if narrow(text) else length(text[:index])


def limited(text: str) -> str:
    """The text, or #VALUE! when no cell could hold it."""
    if len(text) > LONGEST:
        raise Raised(VALUE)
    return text


def _plainly(text: Value, *counts: Value) -> bool:
    """Whether a text is ASCII and its counts are numbers, none below 0: nearly all are."""
    return type(text) is str and text.isascii() and all(type(count) is float and count >= 0.0 for count in counts)


def _left_directly(text: Value, count: Value = 1.0) -> Value:
    return text[: int(count)] if _plainly(text, count) else NotImplemented


def _right_directly(text: Value, count: Value = 1.0) -> Value:
    return text[max(len(text) - int(count), 0) :] if _plainly(text, count) else NotImplemented


def _mid_directly(text: Value, start: Value, count: Value) -> Value:
    if not _plainly(text, start, count) or start < 1.0:
        return NotImplemented
    return text[int(start) - 1 : int(start) - 1 + int(count)]


@excel("LEFT(text: text, [num_chars: integer = 1]) -> text", direct=_left_directly, also=("LEFTB",))
def left(text: str, count: int) -> str:
    """The first characters of a text."""
    if count < 0:
        raise Raised(VALUE)
    return part(text, 0, count)


@excel("RIGHT(text: text, [num_chars: integer = 1]) -> text", direct=_right_directly, also=("RIGHTB",))
def right(text: str, count: int) -> str:
    """The last characters of a text."""
    if count < 0:
        raise Raised(VALUE)
    return part(text, max(length(text) - count, 0), count)


@excel("MID(text: text, start_num: integer, num_chars: integer) -> text", direct=_mid_directly, also=("MIDB",))
def mid(text: str, start: int, count: int) -> str:
    """Characters from a position, which counts from 1."""
    if start < 1 or count < 0:
        raise Raised(VALUE)
    return part(text, start - 1, count)


@excel("LEN(text: text) -> number", also=("LENB",))
def len_(text: str) -> int:
    """How many characters a text has."""
    return length(text)


@excel("LOWER(text: text) -> text")
def lower(text: str) -> str:
    """A text in lower case."""
    return text.lower() if text.isascii() else "".join(_single(c, c.lower()) for c in text)


@excel("UPPER(text: text) -> text")
def upper(text: str) -> str:
    """A text in upper case (letters without a capital of one character stay: ß)."""
    return text.upper() if text.isascii() else "".join(_single(c, c.upper()) for c in text)


def _single(char: str, changed: str) -> str:
    return changed if len(changed) == 1 else char


@excel("PROPER(text: text) -> text")
def proper(text: str) -> str:
    """A capital at the start of each word: a letter that no letter stands before; the others small."""
    out = []
    inside = False
    for c in text:
        out.append(_single(c, c.lower()) if inside else _single(c, c.upper()))
        inside = c.isalpha()
    return "".join(out)


@excel("TRIM(text: text) -> text")
def trim(text: str) -> str:
    """Without spaces at the ends, and single ones within (only the space U+0020)."""
    return " ".join(p for p in text.split(" ") if p)


@excel("CLEAN(text: text) -> text")
def clean(text: str) -> str:
    """Without the control characters 0 to 31."""
    return "".join(c for c in text if c >= " ")


@excel("EXACT(text1: text, text2: text) -> logical")
def exact(first: str, second: str) -> bool:
    """Whether two texts are the same, case included."""
    return first == second


@excel("REPT(text: text, number_times: integer) -> text")
def rept(text: str, times: int) -> str:
    """A text repeated."""
    if times < 0 or length(text) * times > LONGEST:
        raise Raised(VALUE)
    return text * times


@excel("FIND(find_text: text, within_text: text, [start_num: integer = 1]) -> number", also=("FINDB",))
def find(wanted: str, within: str, start: int) -> int:
    """The position of a text in another, with case; #VALUE! when it is not there."""
    if not 1 <= start <= length(within) + 1:
        raise Raised(VALUE)
    first = _index(within, start - 1)
    found = within.find(wanted, first)
    if found < 0:
        raise Raised(VALUE)
    return position(within, found) + 1


def _index(text: str, unit: int) -> int:
    """A count of units as a Python index."""
    return unit if narrow(text) else len(of_units(units(text)[: 2 * unit]))


@lru_cache(maxsize=1024)
def _searcher(pattern: str) -> re.Pattern[str]:
    """A SEARCH pattern as an expression; each ``*`` takes as little as it can, once and for all (no backtracking)."""
    segments = [""]
    escaped = False
    for c in folded_text(pattern):
        if escaped:
            segments[-1] += re.escape(c if c in "*?~" else "~" + c)
            escaped = False
        elif c == "~":
            escaped = True
        elif c == "*":
            segments.append("")
        else:
            segments[-1] += "." if c == "?" else re.escape(c)
    if escaped:
        segments[-1] += "~"
    first, *others = segments
    return re.compile(first + "".join(f"(?>.*?{s})" for s in others if s), re.DOTALL)


def folded_text(text: str) -> str:
    """Without case, character for character."""
    return text.lower() if text.isascii() else "".join(_single(c, pool.fold(c)) for c in text)


_TILDE: Final = re.compile(r"~([^*?~]|\Z)")  #: before any other character it says nothing (measured)


@excel("SEARCH(find_text: text, within_text: text, [start_num: integer = 1]) -> number", also=("SEARCHB",))
def search(wanted: str, within: str, start: int) -> int:
    """The position of a text in another without case; ``?``, ``*`` and ``~`` are wildcards."""
    if not 1 <= start <= length(within) + 1:
        raise Raised(VALUE)
    found = _searcher(_TILDE.sub(r"\1", wanted)).search(folded_text(within), _index(within, start - 1))
    if found is None:
        raise Raised(VALUE)
    return position(within, found.start()) + 1


@excel("SUBSTITUTE(text: text, old_text: text, new_text: text, [instance_num: integer = None]) -> text")
def substitute(text: str, old: str, new: str, instance: int | None) -> str:
    """A text with another put in place of a part: everywhere, or where it stands for the n-th time."""
    if instance is not None and instance < 1:
        raise Raised(VALUE)
    if not old:
        return text
    if instance is None:
        return limited(text.replace(old, new))
    at = -len(old)
    for _ in range(instance):
        at = text.find(old, at + len(old))
        if at < 0:
            return text
    return limited(text[:at] + new + text[at + len(old) :])


@excel("REPLACE(old_text: text, start_num: integer, num_chars: integer, new_text: text) -> text", also=("REPLACEB",))
def replace(old: str, start: int, count: int, new: str) -> str:
    """A text with characters from a position on put in place of others."""
    if start < 1 or count < 0:
        raise Raised(VALUE)
    return limited(part(old, 0, start - 1) + new + part(old, start - 1 + count, LONGEST))


@excel("CONCATENATE(*text: text) -> text")
def concatenate(*texts: str) -> str:
    """Texts one after the other."""
    return limited("".join(texts))


def every_text(values: tuple[Value, ...]) -> Iterator[str]:
    """Each value of arguments as text; raises the first error."""
    for value in values:
        cells = value if isinstance(value, Arr) else (None if value is MISSING else value,)
        for cell in cells:
            yield text_of(cell)


def text_of(value: Scalar) -> str:
    found = to_text(value)
    if isinstance(found, ExcelError):
        raise Raised(found)
    return found


@excel("CONCAT(*text: values) -> text")
def concat(*texts: Value) -> str:
    """All texts of arguments and ranges, one after the other."""
    return limited("".join(every_text(texts)))


@excel("TEXTJOIN(delimiter: values, [ignore_empty: logical ~ TRUE], *text: values) -> text")
def textjoin(delimiter: Value, ignore_empty: bool, *texts: Value) -> str:
    """Texts with a delimiter between them (several delimiters take turns)."""
    delimiters = list(every_text((delimiter,)))
    parts = [t for t in every_text(texts) if t or not ignore_empty]
    if len(delimiters) == 1:
        return limited(delimiters[0].join(parts))
    out = []
    for i, text in enumerate(parts):
        out.append((delimiters[(i - 1) % len(delimiters)] if i else "") + text)
    return limited("".join(out))


@excel("CHAR(number: integer) -> text")
def char(number: int) -> str:
    """The character with a code of the code page of Windows (in files of Excel for Mac: of the Macintosh), 1 to 255."""
    if not 1 <= number <= 255:
        raise Raised(VALUE)
    return charset.character(number)


@excel("CODE(text: text) -> number")
def code(text: str) -> int:
    """The code of the first character in that code page; 63 (?) where it has none."""
    if not text:
        raise Raised(VALUE)
    found = charset.code_of(text[0])
    return 63 if found is None else found


@excel("UNICHAR(number: integer) -> text")
def unichar(number: int) -> str:
    """The Unicode character of a number."""
    if not 1 <= number <= 0x10FFFF:
        raise Raised(VALUE)
    if 0xD800 <= number <= 0xDFFF or number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF:
        raise Raised(NA)
    return chr(number)


@excel("UNICODE(text: text) -> number")
def unicode_(text: str) -> int:
    """The Unicode number of the first character."""
    if not text:
        raise Raised(VALUE)
    return ord(text[0])


@excel("T(value: any) -> text")
def t(value: Scalar) -> Scalar:
    """The value when it is text, else the empty text; errors stay."""
    return value if isinstance(value, str | ExcelError) else ""


@excel("PHONETIC(reference: values) -> text")
def phonetic(reference: Value) -> str:
    """The reading of a text; a text without one reads as itself, what is no text as nothing."""
    cells = list(reference) if isinstance(reference, Arr) else [reference]
    return "".join(c for c in cells if isinstance(c, str))


_HALF_KANA: Final = "｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ"
_FULL_KANA: Final = (
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソ"
    "タチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜"
)
_TO_FULL: Final = {**{i: i + 0xFEE0 for i in range(0x21, 0x7F)}, 0x20: 0x3000} | {
    ord(h): ord(f) for h, f in zip(_HALF_KANA, _FULL_KANA, strict=True)
}


def _voiced() -> dict[str, str]:
    """Half-width kana with a voicing mark -> the one full-width kana."""
    import unicodedata

    out = {}
    for h, f in zip(_HALF_KANA, _FULL_KANA, strict=True):
        for mark, combining in (("ﾞ", "゙"), ("ﾟ", "゚")):
            joined = unicodedata.normalize("NFC", f + combining)
            if len(joined) == 1:
                out[h + mark] = joined
    return out


_VOICED: Final = _voiced()
_TO_HALF: Final = {v: chr(k) for k, v in _TO_FULL.items()} | {ord(v): k for k, v in _VOICED.items()}


@excel("ASC(text: text) -> text")
def asc(text: str) -> str:
    """Full-width characters as half-width ones."""
    return text.translate(_TO_HALF)


@excel("DBCS(text: text) -> text", also=("JIS",))
def dbcs(text: str) -> str:
    """Half-width characters as full-width ones."""
    for half, full in _VOICED.items():
        text = text.replace(half, full)
    return text.translate(_TO_FULL)
