"""XML of a workbook's parts, streamed: expat with document types refused and namespaces taken off.

Strict and transitional OOXML differ in namespaces only as far as this reader is concerned, so elements are known by
their local name; an element of a namespace that is no part of SpreadsheetML is given as ``prefix-free`` name with a
leading ``~`` so that it is never taken for one of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded

Attributes = dict[str, str]

LONGEST_TAG = 4 * 2**20
MOST_ELEMENTS = 1_000_000  #: of a part that is no worksheet and not the shared strings
MOST_RELATIONSHIPS = 200_000

_FOREIGN = "~"
_KNOWN = (
    "http://schemas.openxmlformats.org/",
    "http://purl.oclc.org/ooxml/",
)


class Names(dict[str, str]):
    """Expat's "uri name" -> the local name, ``~name`` of a foreign namespace. Fills itself; few names occur."""

    def __missing__(self, name: str) -> str:
        uri, space, local = name.rpartition(" ")
        if space and not uri.startswith(_KNOWN):
            local = _FOREIGN + local
        self[name] = local
        return local


class Feeder:
    """A namespace-aware parser that refuses document types (and with them entities), fed piece by piece."""

    def __init__(self, part: str) -> None:
        self.expat = expat.ParserCreate(namespace_separator=" ")
        self.expat.buffer_text = True
        self.expat.buffer_size = 1 << 16
        self.expat.StartDoctypeDeclHandler = self._refuse
        self.expat.EntityDeclHandler = self._refuse
        self._part = part
        self._pending = 0  #: bytes since the last that expat could make something of

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """``Parse`` with expat's complaints as DamagedWorkbook. Raises LimitExceeded for a tag without end.

        Expat before 2.6 looks at an unfinished tag from its start again with every piece, so that its time grows with
        the square of the tag's length (CVE-2023-52425).
        """
        before = self.expat.CurrentByteIndex
        try:
            self.expat.Parse(chunk, final)
        except expat.ExpatError as error:
            raise DamagedWorkbook(
                f"The part is not well-formed XML: {error}.", part=self._part, code="bad_xml"
            ) from None
        except (LookupError, ValueError) as error:
            if "encoding" not in str(error):
                raise
            raise DamagedWorkbook(f"The part cannot be decoded: {error}.", part=self._part, code="bad_xml") from None
        self._pending = 0 if self.expat.CurrentByteIndex != before else self._pending + len(chunk)
        if self._pending > LONGEST_TAG:
            raise LimitExceeded(
                f"A tag or comment is longer than {LONGEST_TAG:,} bytes.", part=self._part, code="token_too_long"
            )

    def _refuse(self, *_: object) -> None:
        raise DamagedWorkbook(
            "The part declares a document type or entities; workbooks never do.", part=self._part, code="xml_entities"
        )


def parse(
    chunks: Iterable[bytes],
    part: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    *,
    most: int = MOST_ELEMENTS,
) -> None:
    """Streams a part through handlers that get local names (see the module). Raises DamagedWorkbook, LimitExceeded."""
    names = Names()
    left = most
    feeder = Feeder(part)
    parser = feeder.expat

    def on_start(name: str, attributes: Attributes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise LimitExceeded(f"The part has more than {most:,} elements.", part=part, code="too_many_elements")
        start(names[name], local_attributes(attributes, names))

    parser.StartElementHandler = on_start
    if end is not None:
        on_end = end
        parser.EndElementHandler = lambda name: on_end(names[name])
    if text is not None:
        parser.CharacterDataHandler = text
    for chunk in chunks:
        feeder.feed(chunk)
    feeder.feed(b"", final=True)


def local_attributes(attributes: Attributes, names: Names) -> Attributes:
    """Attributes by local name: ``r:id`` is "id" whatever the prefix (foreign ones keep their ``~``)."""
    return {(names[name] if " " in name else name): value for name, value in attributes.items()}


def read_elements(chunks: Iterable[bytes], part: str) -> Iterator[tuple[str, Attributes]]:
    """The start tags of a small part, in order. Raises DamagedWorkbook, LimitExceeded."""
    found: list[tuple[str, Attributes]] = []

    def start(name: str, attributes: Attributes) -> None:
        found.append((name, attributes))

    parse(chunks, part, start, most=MOST_RELATIONSHIPS)
    return iter(found)


def is_true(value: str | None, default: bool = False) -> bool:
    """An ``xsd:boolean`` attribute."""
    if value is None:
        return default
    return value.strip().lower() in ("1", "true", "on")


def whole_number(value: str | None, default: int = 0) -> int:
    """An attribute that is a small number of something; anything else is ``default``."""
    if value is None or len(value) > 15 or not (value.isascii() and value.isdigit()):
        return default
    return int(value)
