"""The texts of a workbook: the shared strings part, and a pool that gives each text of a cell its number."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sheetrun.workbook.archive import Limits
from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded
from sheetrun.workbook.markup import Attributes, parse
from sheetrun.workbook.values import unescape

#: Texts whose bytes in the file are remembered: what is kept twice stays small.
_RAW_KEPT = 100_000


class Pool:
    """``texts`` starts with the shared strings, by their index; other texts are added once each."""

    def __init__(self, shared: list[str], limits: Limits) -> None:
        self.texts = shared
        self.shared = len(shared)
        self._ids: dict[str, int] = {}
        self._raw: dict[bytes, int] = {}
        self._limits = limits

    def add(self, text: str) -> int:
        """The text's number. Raises LimitExceeded."""
        number = self._ids.get(text)
        if number is None:
            number = self._ids[text] = len(self.texts)
            self.texts.append(text)
            if number >= self._limits.strings:
                raise LimitExceeded(f"More than {self._limits.strings:,} texts.", code="too_many_strings")
            if len(text) > self._limits.text_length:
                raise _too_long(len(text), self._limits, None)
        return number

    def add_raw(self, found: Iterable[bytes]) -> list[int]:
        """The numbers of texts as they stand between two tags, with entities and escapes: each different one is decoded
        once. Raises ValueError (not a text), LimitExceeded."""
        raws = list(found)
        known = self._raw
        if len(known) > _RAW_KEPT:
            known.clear()
        for raw in dict.fromkeys(raws):
            if raw not in known:
                known[raw] = self.add(unescape(xml_text(raw)))
        return [known[raw] for raw in raws]


class RichText:
    """Collects one ``<si>`` or ``<is>``: the runs' texts joined, phonetic hints left out."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._phonetic = 0
        self._inside = False

    def start(self, name: str) -> None:
        if name == "rPh":
            self._phonetic += 1
        elif name == "t":
            self._inside = not self._phonetic

    def end(self, name: str) -> None:
        if name == "rPh":
            self._phonetic -= 1
        elif name == "t":
            self._inside = False

    def text(self, text: str) -> None:
        if self._inside:
            self._pieces.append(text)

    def take(self) -> str:
        """The text so far; starts anew."""
        text = unescape("".join(self._pieces))
        self._pieces.clear()
        return text


def read_shared_strings(chunks: Iterable[bytes], part: str, limits: Limits) -> list[str]:
    """The texts in order. Raises DamagedWorkbook, LimitExceeded."""
    data = b"".join(chunks)
    if data.count(b"<si>") > limits.strings:  # before a text is made of any of them
        raise LimitExceeded(f"More than {limits.strings:,} texts.", part=part, code="too_many_strings")
    texts = _read_plain(data)
    if texts is None:
        texts = _read_rich(data, part, limits)
    longest = max(map(len, texts), default=0)
    if longest > limits.text_length:
        raise _too_long(longest, limits, part)
    return texts


def _too_long(length: int, limits: Limits, part: str | None) -> LimitExceeded:
    return LimitExceeded(
        f"A text has {length:,} characters; the limit is {limits.text_length:,} (Excel's is 32,767).",
        part=part,
        code="text_too_long",
    )


def _read_rich(data: bytes, part: str, limits: Limits) -> list[str]:
    texts: list[str] = []
    rich = RichText()

    def start(name: str, _: Attributes) -> None:
        rich.start(name)

    def end(name: str) -> None:
        rich.end(name)
        if name == "si":
            texts.append(rich.take())
            if len(texts) > limits.strings:
                raise LimitExceeded(f"More than {limits.strings:,} texts.", part=part, code="too_many_strings")

    parse((data,), part, start, end, rich.text, most=20 * limits.strings)
    return texts


_HEAD = re.compile(rb'\s*(?:<\?xml version="1\.0" encoding="(?:UTF|utf)-8"[^>]*\?>)?\s*<sst [^<>]*>')
_ITEM = re.compile(rb'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')
_ENTITY = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]+)|#x([0-9A-Fa-f]+));")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def _read_plain(data: bytes) -> list[str] | None:
    """The texts of a part that has nothing but ``<si><t>…</t></si>``, the usual case; None for any other part."""
    head = _HEAD.match(data)
    if head is None or b"\r" in data:
        return None
    found = _ITEM.findall(data, head.end())
    # Every byte must be accounted for: the items' own lengths add up to the part exactly when nothing else is there.
    plain = sum(map(len, found)) + len(found) * len(b"<si><t></t></si>")
    plain += data.count(b'<t xml:space="preserve">') * len(b' xml:space="preserve"')
    if head.end() + plain + len(b"</sst>") != len(data.rstrip()):
        return None
    try:
        texts = b"\0".join(found).decode("utf-8").split("\0") if found else []
        return [unescape(decode_entities(text)) if "&" in text or "_x" in text else text for text in texts]
    except (UnicodeDecodeError, ValueError):
        return None


def xml_text(raw: bytes) -> str:
    """The text between two tags of a part in UTF-8. Raises ValueError."""
    return decode_entities(raw.decode("utf-8"))


def decode_entities(text: str) -> str:
    """XML's five entities and numeric ones. Raises ValueError for any other ``&``."""
    if "&" not in text:
        return text
    decoded = _ENTITY.sub(_entity, text)
    if text.count("&") != len(_ENTITY.findall(text)):
        raise ValueError("an entity that XML does not have")
    return decoded


def _entity(match: re.Match[str]) -> str:
    name, decimal, hexadecimal = match.groups()
    if name:
        return _ENTITIES[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    if not (code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF):
        raise ValueError("not a character")
    return chr(code)


def shared_text(pool: Pool, index: int, where: str) -> int:
    """Checks a shared string's index. Raises DamagedWorkbook."""
    if not 0 <= index < pool.shared:
        raise DamagedWorkbook(f"The cell uses text {index}, which the file does not have.", part=where)
    return index
