"""Metadata of cells and values: which ``cm`` says "dynamic array", which ``vm`` stands for which rich value.

Sources: ECMA-376 part 1, 18.9 (metadata); [MS-XLSX] 2.3.10 (dynamic arrays) and 2.3.6 (rich values).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from sheetrun.records import dataclass
from sheetrun.workbook.markup import Attributes, parse, whole_number

_DYNAMIC = "XLDAPR"
_RICH = "XLRICHVALUE"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Both are 1-based, as the attributes of cells are."""

    dynamic: frozenset[int] = frozenset()  #: values of ``cm`` that mark dynamic arrays
    rich: dict[int, int] = field(default_factory=dict)  #: ``vm`` -> index of the rich value


def read_metadata(chunks: Iterable[bytes], part: str) -> Metadata:
    """Raises DamagedWorkbook for what is no XML; entries that point nowhere say nothing."""
    types: list[str] = []
    inside: list[str] = []
    future = ""  # the future metadata block that is being read
    entries: dict[str, list[int]] = {_DYNAMIC: [], _RICH: []}
    # for each <bk> its (type, index) pairs
    records: dict[str, list[list[tuple[int, int]]]] = {"cellMetadata": [], "valueMetadata": []}

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal future
        parent = inside[-1] if inside else ""
        local = tag.lstrip("~")
        found = entries.get(future)
        if tag == "metadataType":
            types.append(attributes.get("name", ""))
        elif tag == "futureMetadata":
            future = attributes.get("name", "")
        elif tag == "bk" and parent == "futureMetadata" and found is not None:
            found.append(-1 if future == _RICH else 0)
        elif tag == "bk" and parent in records:
            records[parent].append([])
        elif local == "dynamicArrayProperties" and future == _DYNAMIC and found:
            found[-1] = int(attributes.get("fDynamic") in ("1", "true"))
        elif local == "rvb" and future == _RICH and found:
            found[-1] = whole_number(attributes.get("i"), -1)
        elif tag == "rc" and len(inside) > 1 and inside[-2] in records and records[inside[-2]]:
            pair = (whole_number(attributes.get("t"), -1), whole_number(attributes.get("v"), -1))
            records[inside[-2]][-1].append(pair)
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    parse(chunks, part, start, end)

    def values(pairs: list[tuple[int, int]], name: str) -> list[int]:
        known = entries[name]
        return [
            known[value]
            for kind, value in pairs
            if 1 <= kind <= len(types) and types[kind - 1] == name and 0 <= value < len(known)
        ]

    dynamic = frozenset(
        number for number, pairs in enumerate(records["cellMetadata"], 1) if any(values(pairs, _DYNAMIC))
    )
    rich = {}
    for number, pairs in enumerate(records["valueMetadata"], 1):
        for index in values(pairs, _RICH):
            if index >= 0:
                rich[number] = index
    return Metadata(dynamic, rich)
