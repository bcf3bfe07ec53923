"""XML of a workbook's parts, streamed: expat with document types refused and namespaces taken off.

Strict and transitional OOXML differ in namespaces only as far as this reader is concerned, so elements are known by
their local name; an element of a namespace that is no part of SpreadsheetML is given as ``prefix-free`` name with a
leading ``~`` so that it is never taken for one of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from xml.parsers import expat

from sheetrun.workbook.errors import DamagedWorkbook

Attributes = dict[str, str]

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


def create_parser(part: str) -> expat.XMLParserType:
    """A namespace-aware parser that refuses document types (and with them entities)."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16

    def refuse(*_: object) -> None:
        raise DamagedWorkbook(
            "The part declares a document type or entities; workbooks never do.", part=part, code="xml_entities"
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def feed(parser: expat.XMLParserType, chunk: bytes, part: str, final: bool = False) -> None:
    """``Parse`` with expat's complaints as DamagedWorkbook."""
    try:
        parser.Parse(chunk, final)
    except expat.ExpatError as error:
        raise DamagedWorkbook(f"The part is not well-formed XML: {error}.", part=part, code="bad_xml") from None
    except (LookupError, ValueError) as error:
        if "encoding" not in str(error):
            raise
        raise DamagedWorkbook(f"The part cannot be decoded: {error}.", part=part, code="bad_xml") from None


def parse(
    chunks: Iterable[bytes],
    part: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Streams a part through handlers that get local names (see the module). Raises DamagedWorkbook."""
    names = Names()
    parser = create_parser(part)

    def on_start(name: str, attributes: Attributes) -> None:
        start(names[name], local_attributes(attributes, names))

    parser.StartElementHandler = on_start
    if end is not None:
        on_end = end
        parser.EndElementHandler = lambda name: on_end(names[name])
    if text is not None:
        parser.CharacterDataHandler = text
    for chunk in chunks:
        feed(parser, chunk, part)
    feed(parser, b"", part, final=True)


def local_attributes(attributes: Attributes, names: Names) -> Attributes:
    """Attributes by local name: ``r:id`` is "id" whatever the prefix (foreign ones keep their ``~``)."""
    return {(names[name] if " " in name else name): value for name, value in attributes.items()}


def read_elements(chunks: Iterable[bytes], part: str) -> Iterator[tuple[str, Attributes]]:
    """The start tags of a small part, in order."""
    found: list[tuple[str, Attributes]] = []
    parse(chunks, part, lambda name, attributes: found.append((name, attributes)))
    return iter(found)


def is_true(value: str | None, default: bool = False) -> bool:
    """An ``xsd:boolean`` attribute."""
    if value is None:
        return default
    return value.strip().lower() in ("1", "true", "on")
