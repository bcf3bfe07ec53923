"""The shape of a row: its XML without values, as a function of the row's number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import chain
from typing import Final, NamedTuple

from sheetrun.records import dataclass
from sheetrun.workbook.formulas import Formulas
from sheetrun.workbook.references import column_index
from sheetrun.workbook.templates import Template

ROW = re.compile(rb'\s*<row r="([1-9][0-9]{0,6})"([^<>]*)>')

#: Groups: letters, row, style, type, other attributes, attributes of <f>, text of <f>, text of a bare <v>, text of a
#: <v> with xml:space, "" for <v/>, text of an inline string.
CELL = re.compile(
    rb'\s*<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"(?: s="([0-9]{1,6})")?(?: t="([A-Za-z]+)")?((?: (?:cm|vm)="[0-9]+")*)'
    rb"(?: ?/>|>"
    rb"(?:<f((?: [A-Za-z0-9]+=\"[^<>\"&]*\")*)(?: ?/>|>([^<]*)</f>))?"
    rb"(?:<v>([^<]*)</v>|<v xml:space=\"preserve\">([^<]*)</v>|<v ?/>()"
    rb"|<is><t(?: xml:space=\"preserve\")?>([^<]*)</t></is>)?"
    rb"</c>)"
)


class Place(NamedTuple):
    """One cell in a row's shape."""

    col: int
    style: int
    kind: str
    metadata: bytes | None
    key: int  #: the formula's number, -1 for a constant
    has_value: bool
    fixed: int  #: the tag of a cell without a value: EMPTY, or the empty text of ``<v/>``
    inline: bool = False  #: its value is the text of an ``<is>``


#: Rows of one shape after which a regular expression pays; with texts in the cells it is the only way.
_WORTH_A_PATTERN: Final = 128
_WORTH_A_PATTERN_INLINE: Final = 32
#: Rows that are matched before their numbers are compared, so that little is read twice.
_BATCH: Final = 1024

_ROW_END: Final = b"</row>"

Cell = tuple[bytes | None, ...]  #: the groups of ``CELL``
Columns = list[
    Sequence[bytes]
]  #: the values of some rows as they stand in the file, a sequence for each cell that has one


@dataclass(slots=True)
class RowShape:
    """What ``FastRows`` needs to read rows that differ from one another by values and row numbers alone."""

    number: int  #: the row that was read last, 1-based
    cols: list[int]
    styles: list[int]
    keys: list[int]  #: the formula's number, -1 for a constant
    kinds: list[str]  #: the ``t`` of the cells that have a value, in order
    with_value: list[int]  #: places in ``cols`` of the cells that have a value
    fixed: list[int]  #: tag by place in ``cols``, for cells without a value
    hidden: bool
    skeleton: _Skeleton
    pattern: _Pattern | None = None
    seen: int = 0  #: rows read so far

    def read(self, rows: list[bytes], index: int) -> Iterator[Columns]:
        """The values of ``rows[index:]``, some rows at a time, up to the first row that is not as predicted."""
        inline = self.skeleton.inline
        while index < len(rows):
            if self.pattern is None and self.seen < _WORTH_A_PATTERN and not inline:
                wanted = min(len(rows) - index, _WORTH_A_PATTERN)
                columns = self._read_by_text(rows[index : index + wanted])
            elif self.pattern is None and inline and len(rows) - index < _WORTH_A_PATTERN_INLINE:
                return
            else:
                if self.pattern is None:
                    self.pattern = _Pattern(self.skeleton)
                wanted = min(len(rows) - index, _BATCH)
                columns = self.pattern.read(rows[index : index + wanted], self.number + 1)
            count = len(columns[0]) if columns else 0
            if count:
                self.number += count
                self.seen += count
                yield columns
            if count < wanted:
                return
            index += count

    def _read_by_text(self, rows: list[bytes]) -> Columns:
        number = self.number + 1
        predict = self.skeleton.at
        length = 2 * len(self.with_value) + 1
        found: list[list[bytes]] = []  # of rows
        for row in rows:
            parts = row.replace(b"<v>", b"</v>").split(b"</v>")
            if len(parts) != length or b"</v>".join(parts[::2]) != predict(number):
                break
            values = parts[1::2]
            if b"<" in b"".join(values):  # a comment or CDATA
                break
            found.append(values)
            number += 1
        return list(zip(*found, strict=True))


#: In a skeleton: a place for a row number, as its offset from the row's own; a value in ``<v>``; a text in ``<is>``.
_VALUE: Final = "value"
_INLINE: Final = "inline"
_VALUE_PATTERN: Final = rb"<v>([^<]*)</v>"
_INLINE_PATTERN: Final = rb"(?: xml:space=\"preserve\")?>([^<]*)</t></is>"
_INLINE_TAG: Final = b"<is><t"


@dataclass(slots=True)
class _Skeleton:
    """A row's bytes with places for row numbers and values: ``at(n)`` fills in n plus each place's offset."""

    tokens: list[bytes | int | str] = field(default_factory=list)
    inline: bool = False
    _format: bytes = b""
    _offsets: tuple[int, ...] = ()

    def finish(self) -> None:
        """After the last token."""
        fixed = (b"%d" if isinstance(t, int) else b"</v>" if isinstance(t, str) else _percent(t) for t in self.tokens)
        self._format = b"".join(fixed)
        self._offsets = tuple(token for token in self.tokens if isinstance(token, int))
        self.inline = _INLINE in self.tokens

    def at(self, number: int) -> bytes:
        """The row without its values."""
        filled: bytes = self._format % tuple([number + offset for offset in self._offsets])
        return filled


def _percent(literal: bytes) -> bytes:
    return literal.replace(b"%", b"%%")


class _Pattern:
    """The skeleton as a regular expression, which takes a millisecond to make and a fraction of the time per row.

    Equal offsets are one group, so their numbers are equal; which they are is compared for many rows at once.
    """

    def __init__(self, skeleton: _Skeleton) -> None:
        text = b"("  # the first group is the whole row: rows are found one after another when their lengths add up
        self._numbers: list[tuple[int, int]] = []  #: offset -> group
        self._values: list[int] = []  #: groups
        groups: dict[int, int] = {}
        count = 1
        for token in skeleton.tokens:
            if isinstance(token, bytes):
                text += re.escape(token)
            elif isinstance(token, int) and token in groups:
                text += b"(?:\\%d)" % groups[token]
            else:
                count += 1
                if isinstance(token, int):
                    groups[token] = count
                    text += b"([0-9]+)"
                else:
                    self._values.append(count - 1)
                    text += _VALUE_PATTERN if token is _VALUE else _INLINE_PATTERN
        self._numbers = [(offset, group - 1) for offset, group in groups.items()]
        self._compiled = re.compile(text + _ROW_END + b")")

    def read(self, rows: list[bytes], number: int) -> Columns:
        """The values of the first rows, of which the first must have this number, as far as they are of this shape."""
        data = _ROW_END.join(rows) + _ROW_END
        fields = list(zip(*self._compiled.findall(data), strict=True))
        if not fields or sum(map(len, fields[0])) != len(data):
            fields = list(zip(*self._one_by_one(data), strict=True))
            if not fields:
                return []
        count = len(fields[0])
        lowest = min(offset for offset, _ in self._numbers)
        highest = max(offset for offset, _ in self._numbers)
        expected = [b"%d" % n for n in range(number + lowest, number + highest + count)]
        for offset, group in self._numbers:
            count = _agreeing(fields[group][:count], expected[offset - lowest : offset - lowest + count])
        return [fields[group][:count] for group in self._values]

    def _one_by_one(self, data: bytes) -> Iterator[tuple[bytes, ...]]:
        at = 0
        for match in self._compiled.finditer(data):
            if match.start() != at:
                return
            at = match.end()
            yield match.groups()


def _agreeing(numbers: Sequence[bytes], wanted: list[bytes]) -> int:
    """How many of the first numbers are the wanted ones."""
    if list(numbers) == wanted:
        return len(numbers)
    return next(at for at, (one, other) in enumerate(zip(numbers, wanted, strict=True)) if one != other)


def make_shape(
    row: bytes,
    number: int,
    shape: list[Place],
    formulas: Formulas,
) -> RowShape | None:
    """The shape of a row whose upper neighbour has the same; None when its text cannot be predicted."""
    head = ROW.match(row)
    if head is None or not any(place.has_value for place in shape):
        return None
    skeleton = _Skeleton([row[: head.start(1)], 0])
    add = skeleton.tokens.append
    at = head.end(1)
    templates = {place.col: formulas.template(place.col, place.key) for place in shape if place.key >= 0}
    for match in CELL.finditer(row, head.end()):
        add(row[at : match.start(2)])
        add(0)
        at = match.end(2)
        if match[7]:
            template = templates.get(column_index(match[1].decode("ascii")))
            texts = None if template is None else _escape_pieces(template, number, match[7])
            if template is None or texts is None:
                return None
            add(row[at : match.start(7)])
            skeleton.tokens.extend(chain.from_iterable(zip(texts, template.offsets, strict=False)))
            add(texts[-1])
            at = match.end(7)
        if match.start(8) >= 0:
            add(row[at : match.start(8) - len(b"<v>")])
            add(_VALUE)
            at = match.end(8) + len(b"</v>")
        elif match.start(11) >= 0:
            add(row[at : row.rindex(_INLINE_TAG, at, match.start(11)) + len(_INLINE_TAG)])
            add(_INLINE)
            at = match.end(11) + len(b"</t></is>")
    add(row[at:])
    skeleton.finish()
    return RowShape(
        number=number,
        cols=[place.col for place in shape],
        styles=[place.style for place in shape],
        keys=[place.key for place in shape],
        kinds=[place.kind for place in shape if place.has_value],
        with_value=[index for index, place in enumerate(shape) if place.has_value],
        fixed=[place.fixed for place in shape],
        hidden=b' hidden="1"' in head[2] or b' hidden="true"' in head[2],
        skeleton=skeleton,
    )


def _escape_pieces(template: Template, number: int, raw: bytes) -> list[bytes] | None:
    """The template's pieces as they stand in the file; None when no usual way of escaping gives ``raw``."""
    for escape in (_escape_least, _escape_quotes):
        pieces = [escape(piece).encode("utf-8") for piece in template.pieces]
        text = pieces[0]
        for offset, piece in zip(template.offsets, pieces[1:], strict=True):
            text += b"%d" % (number + offset) + piece
        if text == raw:
            return pieces
    return None


def _escape_least(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_quotes(text: str) -> str:
    return _escape_least(text).replace('"', "&quot;")
