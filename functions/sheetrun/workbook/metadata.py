"""Cell metadata: which numbers of the ``cm`` attribute say "this formula is a dynamic array" ([MS-XLSX] 2.3.10)."""

from __future__ import annotations

from collections.abc import Iterable

from sheetrun.workbook.markup import Attributes, parse

_DYNAMIC = "XLDAPR"


def read_dynamic_metadata(chunks: Iterable[bytes], part: str) -> frozenset[int]:
    """Values of ``cm`` (1-based) that mark dynamic arrays. Raises DamagedWorkbook."""
    types: list[str] = []
    inside: list[str] = []
    future = ""  # the future metadata block that is being read
    entries: dict[str, list[bool]] = {}
    cells: list[tuple[int, int]] = []

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal future
        parent = inside[-1] if inside else ""
        if tag == "metadataType":
            types.append(attributes.get("name", ""))
        elif tag == "futureMetadata":
            future = attributes.get("name", "")
        elif tag == "bk" and parent == "futureMetadata":
            entries.setdefault(future, []).append(False)
        elif tag.lstrip("~") == "dynamicArrayProperties" and entries.get(future):
            entries[future][-1] = attributes.get("fDynamic") in ("1", "true")
        elif tag == "rc" and "cellMetadata" in inside:
            cells.append((_integer(attributes.get("t")), _integer(attributes.get("v"))))
        elif tag == "bk" and parent == "cellMetadata":
            blocks.append(len(cells))
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    blocks: list[int] = []  # index into ``cells`` where each block of cell metadata begins
    parse(chunks, part, start, end)
    dynamic = [False] * len(cells)
    for position, (kind, value) in enumerate(cells):
        if 1 <= kind <= len(types) and types[kind - 1] == _DYNAMIC:
            flags = entries.get(_DYNAMIC, [])
            dynamic[position] = 0 <= value < len(flags) and flags[value]
    bounds = [*blocks, len(cells)]
    return frozenset(number + 1 for number in range(len(blocks)) if any(dynamic[bounds[number] : bounds[number + 1]]))


def _integer(text: str | None) -> int:
    return int(text) if text and text.isdigit() else -1
