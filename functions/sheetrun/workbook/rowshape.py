"""The shape of a row: its XML without values, as a function of the row's number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

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


#: Rows of one shape after which a regular expression pays.
_WORTH_A_PATTERN = 128
#: Rows that are matched before their numbers are compared, so that little is read twice.
_BATCH = 512

Cell = tuple[bytes | None, ...]  #: the groups of ``CELL``


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
    pattern: Callable[[bytes], re.Match[bytes] | None] | None = None
    seen: int = 0  #: rows read so far

    @property
    def width(self) -> int:
        """Values in a row."""
        return len(self.with_value)

    def read(self, rows: list[bytes], index: int) -> list[bytes]:
        """The values of ``rows[index:]``, up to the first row that is not as predicted."""
        values: list[bytes] = []
        if self.seen >= _WORTH_A_PATTERN:
            self._read_by_pattern(rows, index, values)
        else:
            stop = min(len(rows), index + _WORTH_A_PATTERN)
            self._read_by_text(rows, index, stop, values)
            if stop < len(rows) and len(values) == (stop - index) * self.width:
                self._read_by_pattern(rows, stop, values)
        self.seen += len(values) // self.width
        return values

    def _read_by_text(self, rows: list[bytes], index: int, stop: int, values: list[bytes]) -> None:
        number = self.number + 1
        predict = self.skeleton.at
        length = 2 * self.width + 1
        for place in range(index, stop):
            parts = rows[place].replace(b"<v>", b"</v>").split(b"</v>")
            if len(parts) != length or b"</v>".join(parts[::2]) != predict(number):
                return
            values += parts[1::2]
            number += 1

    def _read_by_pattern(self, rows: list[bytes], index: int, values: list[bytes]) -> None:
        """The same by a regular expression, which takes a millisecond to make and half the time per row."""
        if self.pattern is None:
            self.pattern = self.skeleton.pattern().fullmatch
        match = self.pattern
        groups = self.skeleton.number_groups
        for start in range(index, len(rows), _BATCH):
            number = self.number + 1 + len(values) // self.width
            found: list[bytes] = []
            for row in rows[start : start + _BATCH]:
                fields = match(row)
                if fields is None:
                    break
                found += fields.groups()
            width = self.width + len(groups)
            count = len(found) // width
            for offset, group in groups:
                wanted = range(number + offset, number + offset + count)
                count = _agreeing(found[group - 1 : count * width : width], wanted)
            del found[count * width :]
            for _, group in sorted(groups, key=lambda item: -item[1]):
                del found[group - 1 :: width]
                width -= 1
            values += found
            if count < _BATCH:
                return


def _agreeing(numbers: list[bytes], wanted: range) -> int:
    """How many of the first numbers are the wanted ones."""
    expected = [b"%d" % number for number in wanted]
    if numbers == expected:
        return len(numbers)
    return next(at for at, (one, other) in enumerate(zip(numbers, expected, strict=True)) if one != other)


class _Skeleton:
    """Bytes with places for row numbers: ``at(n)`` fills in n plus each place's offset."""

    def __init__(self, pieces: list[bytes], offsets: list[int]) -> None:
        self._pieces = pieces
        self._offsets = offsets
        self.number_groups: list[tuple[int, int]] = []  #: (offset, group in ``pattern``)
        self._distinct = sorted(set(offsets))
        if len(self._distinct) > 1:
            self._format = b"%b".join(piece.replace(b"%", b"%%") for piece in pieces)
            places = {offset: place for place, offset in enumerate(self._distinct)}
            self._pick = itemgetter(*(places[offset] for offset in offsets))

    def at(self, number: int) -> bytes:
        if len(self._distinct) == 1:
            return (b"%d" % (number + self._distinct[0])).join(self._pieces)
        filled: bytes = self._format % self._pick([b"%d" % (number + offset) for offset in self._distinct])
        return filled

    def pattern(self) -> re.Pattern[bytes]:
        """Matches rows of this shape. Equal offsets are one group, so their numbers are equal; which they are must be
        compared with ``number_groups``."""
        text = b""
        groups: dict[int, int] = {}
        count = 0
        for offset, piece in zip((None, *self._offsets), self._pieces, strict=True):
            if offset is not None and offset in groups:
                text += b"(?:\\%d)" % groups[offset]
            elif offset is not None:
                count += 1
                groups[offset] = count
                text += b"([0-9]+)"
            first, *others = piece.split(b"</v>")
            text += re.escape(first)
            for other in others:
                count += 1
                text += b"<v>([^<]*)</v>" + re.escape(other)
        self.number_groups = sorted(groups.items())
        return re.compile(text)


def make_shape(
    row: bytes,
    number: int,
    shape: list[Place],
    formulas: Formulas,
) -> RowShape | None:
    """The shape of a row whose upper neighbour has the same; None when its text cannot be predicted."""
    pieces: list[bytes] = []
    offsets: list[int] = []
    head = ROW.match(row)
    if head is None:
        return None
    current = row[: head.start(1)]
    at = head.end(1)
    pieces.append(current)
    offsets.append(0)
    templates = {place.col: formulas.template(place.col, place.key) for place in shape if place.key >= 0}
    current = b""
    for match in CELL.finditer(row, head.end()):
        pieces.append(current + row[at : match.start(2)])
        offsets.append(0)
        at = match.end(2)
        current = b""
        if match[7]:
            template = templates.get(column_index(match[1].decode("ascii")))
            if template is None:
                return None
            texts = _escape_pieces(template, number, match[7])
            if texts is None:
                return None
            texts[0] = row[at : match.start(7)] + texts[0]
            pieces += texts[:-1]
            offsets += template.offsets
            current = texts[-1]
            at = match.end(7)
        if match.start(8) >= 0:
            current += row[at : match.start(8) - len(b"<v>")] + b"</v>"
            at = match.end(8) + len(b"</v>")
    pieces.append(current + row[at:])
    made = RowShape(
        number=number,
        cols=[place.col for place in shape],
        styles=[place.style for place in shape],
        keys=[place.key for place in shape],
        kinds=[place.kind for place in shape if place.has_value],
        with_value=[index for index, place in enumerate(shape) if place.has_value],
        fixed=[place.fixed for place in shape],
        hidden=b' hidden="1"' in head[2] or b' hidden="true"' in head[2],
        skeleton=_Skeleton(pieces, offsets),
    )
    parts = row.replace(b"<v>", b"</v>").split(b"</v>")
    if made.width == 0 or len(parts) != 2 * made.width + 1 or made.skeleton.at(number) != b"</v>".join(parts[::2]):
        return None
    return made


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
