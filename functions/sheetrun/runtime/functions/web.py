"""Functions of the web: ENCODEURL, FILTERXML (WEBSERVICE is in ``outside``)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from urllib.parse import quote
from xml.parsers import expat

from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.errors import VALUE, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Arr, Scalar, Value
from sheetrun.runtime.xmlnodes import document
from sheetrun.runtime.xpath import XPathError, select


@excel("ENCODEURL(text: text) -> text")
def encodeurl(text: str) -> str:
    """A text as part of an address on the web: UTF-8, percent-encoded."""
    try:
        return quote(text, safe="-_.")
    except UnicodeEncodeError as error:
        raise Raised(VALUE) from error


class _Declares(Exception):
    """The XML declares entities or a document type."""


def _parse(xml: str) -> ET.Element:
    """The document's root. Declarations of types and entities are refused: they can expand without end."""
    parser = expat.ParserCreate(namespace_separator="}")
    builder = ET.TreeBuilder()

    def refuse(*_: object) -> None:
        raise _Declares

    def name(text: str) -> str:
        return "{" + text if "}" in text else text

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda tag, attrs: builder.start(name(tag), {name(k): v for k, v in attrs.items()})
    parser.EndElementHandler = lambda tag: builder.end(name(tag))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(xml.encode("utf-8"), True)
    except (expat.ExpatError, _Declares, UnicodeEncodeError) as error:
        raise Raised(VALUE) from error
    return builder.close()


@excel("FILTERXML(xml: text, xpath: text) -> any")
def filterxml(xml: str, xpath: str) -> Value:
    """What an XPath finds in an XML text, down a column; numbers and dates in it are read as such."""
    root = _parse(xml)
    try:
        found = select(document(root), xpath)
    except (XPathError, RecursionError) as error:
        raise Raised(VALUE) from error
    values: list[Scalar] = []
    for node in found:
        text = node.value()
        number = number_in_text(text)
        values.append(number if number == number else text)
    if not values:
        raise Raised(VALUE)
    return values[0] if len(values) == 1 else Arr.column(values)
