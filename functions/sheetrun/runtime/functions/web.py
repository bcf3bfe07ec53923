"""Functions of the web: ENCODEURL, FILTERXML (WEBSERVICE is in ``outside``)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Final
from urllib.parse import quote
from xml.parsers import expat

from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.errors import VALUE, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Arr, Scalar, Value


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


_STEP: Final = re.compile(r"(?P<axis>//|/)(?P<test>@?[\w.\-:*]+|\.\.?|text\(\))(?P<conditions>(?:\[[^\]]*\])*)")
_CONDITION: Final = re.compile(r"\[([^\]]*)\]")
_COMPARED: Final = re.compile(
    r"(@?[\w.\-:]+|\.|text\(\)|position\(\))\s*(=|!=|<=|>=|<|>)\s*(?:'([^']*)'|\"([^\"]*)\"|([-\d.]+))\Z"
)
_CALLED: Final = re.compile(
    r"(not\()?\s*(contains|starts-with)\(\s*(@?[\w.\-:]+|\.|text\(\))\s*,\s*(?:'([^']*)'|\"([^\"]*)\")\s*\)\s*\)?\Z"
)


class _Tree:
    """A document with its parents, and XPath's location paths on it (the part of XPath 1.0 that formulas use)."""

    def __init__(self, root: ET.Element) -> None:
        self.top = ET.Element("")
        self.top.append(root)
        self.parents = {child: parent for parent in self.top.iter() for child in parent}

    def select(self, path: str) -> list[ET.Element | str]:
        path = path.strip()
        if not path.startswith("/"):
            path = "/" + path
        nodes: list[ET.Element | str] = [self.top]
        at = 0
        while at < len(path):
            match = _STEP.match(path, at)
            if match is None:
                raise Raised(VALUE)
            nodes = self._step(nodes, match["axis"], match["test"], _CONDITION.findall(match["conditions"]))
            at = match.end()
        return nodes

    def _step(
        self, nodes: list[ET.Element | str], axis: str, test: str, conditions: list[str]
    ) -> list[ET.Element | str]:
        found: list[ET.Element | str] = []
        seen: set[int] = set()
        for node in nodes:
            if isinstance(node, str):
                continue
            starts = list(node.iter()) if axis == "//" else [node]
            for start in starts:
                chosen = self._test(start, test)
                for condition in conditions:
                    size = len(chosen)
                    chosen = [n for i, n in enumerate(chosen) if self._holds(n, condition.strip(), i + 1, size)]
                for n in chosen:
                    if isinstance(n, str) or id(n) not in seen:
                        seen.add(id(n))
                        found.append(n)
        return found

    def _test(self, node: ET.Element, test: str) -> list[ET.Element | str]:
        if test == ".":
            return [node]
        if test == "..":
            parent = self.parents.get(node)
            return [] if parent is None else [parent]
        if test == "text()":
            return [node.text] if node.text else []
        if test.startswith("@"):
            if test == "@*":
                return list(node.attrib.values())
            value = node.attrib.get(test[1:])
            return [] if value is None else [value]
        local = test.rpartition(":")[2]
        return [c for c in node if test == "*" or c.tag == test or (":" in test and c.tag.rpartition("}")[2] == local)]

    def _value(self, node: ET.Element | str, of: str) -> str | None:
        if isinstance(node, str):
            return node if of in (".", "text()") else None
        if of in (".", "text()"):
            return "".join(node.itertext())
        found = self._test(node, of)
        return None if not found else found[0] if isinstance(found[0], str) else "".join(found[0].itertext())

    def _holds(self, node: ET.Element | str, condition: str, place: int, size: int) -> bool:
        for word, combine in ((" and ", all), (" or ", any)):
            if word in condition:
                return combine(self._holds(node, c.strip(), place, size) for c in condition.split(word))
        if condition.isdigit():
            return place == int(condition)
        if condition.startswith("last()"):
            back = condition[6:].replace(" ", "")
            return place == size + (int(back) if back else 0)
        if match := _CALLED.match(condition):
            text = self._value(node, match[3]) or ""
            wanted = match[4] if match[4] is not None else match[5]
            held = wanted in text if match[2] == "contains" else text.startswith(wanted)
            return held != bool(match[1])
        if match := _COMPARED.match(condition):
            left = str(place) if match[1] == "position()" else self._value(node, match[1])
            right = next(g for g in match.groups()[2:] if g is not None)
            return left is not None and _compared(left, match[2], right, match[5] is not None)
        if re.match(r"@?[\w.\-:*]+\Z", condition):
            return self._value(node, condition) is not None
        raise Raised(VALUE)


def _compared(left: str, op: str, right: str, numeric: bool) -> bool:
    if op in ("=", "!=") and not numeric:
        return (left == right) == (op == "=")
    try:
        a, b = float(left), float(right)
    except ValueError:
        return op == "!="
    return {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


@excel("FILTERXML(xml: text, xpath: text) -> any")
def filterxml(xml: str, xpath: str) -> Value:
    """What an XPath finds in an XML text, down a column; numbers and dates in it are read as such."""
    root = _parse(xml)
    values: list[Scalar] = []
    for node in _Tree(root).select(xpath):
        text = node if isinstance(node, str) else "".join(node.itertext())
        number = number_in_text(text)
        values.append(number if number == number else text)
    if not values:
        raise Raised(VALUE)
    return values[0] if len(values) == 1 else Arr.column(values)
