"""Rich values that are errors: Excel stores #SPILL!, #CALC! and younger errors as #VALUE! for older readers.

The cell's ``vm`` leads through the metadata to a rich value (``richData/rdrichvalue.xml``), whose structure
(``rdrichvaluestructure.xml``) says that it is an ``_error`` and where its ``errorType`` is ([MS-XLSX] 2.3.6).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sheetrun.runtime.cells import ERROR_NAMES, box
from sheetrun.workbook.markup import Attributes, parse
from sheetrun.workbook.metadata import Metadata, read_metadata
from sheetrun.workbook.package import Package

#: ``errorType`` counts as ERROR.TYPE does, from 0 (8 is #SPILL!, 13 is #CALC!). Excel does not read numbers above
#: 13 back as what it showed, so the stand-in stays there.
_LAST: Final = 13


def read_cell_metadata(package: Package) -> tuple[Metadata, dict[int, float]]:
    """The workbook's metadata, and the error in NaN form that each ``vm`` stands for. Raises DamagedWorkbook."""
    part = package.related(package.workbook, "sheetMetadata")
    if part is None:
        return Metadata(), {}
    metadata = read_metadata(package.chunks(part), part)
    return metadata, _errors_by_vm(package, metadata) if metadata.rich else {}


def _errors_by_vm(package: Package, metadata: Metadata) -> dict[int, float]:
    shapes, values = (package.related(package.workbook, kind) for kind in ("rdRichValueStructure", "rdRichValue"))
    if shapes is None or values is None:
        return {}
    places = read_error_places(package.chunks(shapes), shapes)
    errors = read_errors(package.chunks(values), values, places)
    return {vm: errors[index] for vm, index in metadata.rich.items() if index in errors}


def read_error_places(chunks: Iterable[bytes], part: str) -> dict[int, int]:
    """Number of a structure that is an error -> the place of its ``errorType`` among the values."""
    found: dict[int, int] = {}
    number, place, is_error = -1, 0, False

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal number, place, is_error
        local = tag.lstrip("~")
        if local == "s":
            number, place, is_error = number + 1, 0, attributes.get("t") == "_error"
        elif local == "k":
            if is_error and attributes.get("n") == "errorType":
                found[number] = place
            place += 1

    parse(chunks, part, start)
    return found


def read_errors(chunks: Iterable[bytes], part: str, places: dict[int, int]) -> dict[int, float]:
    """Number of a rich value that is an error -> the NaN that carries the error."""
    found: dict[int, float] = {}
    number, place, wanted = -1, 0, -1
    pieces: list[str] | None = None

    def start(tag: str, attributes: Attributes) -> None:
        nonlocal number, place, wanted, pieces
        local = tag.lstrip("~")
        if local == "rv":
            structure = attributes.get("s", "")
            number, place = number + 1, 0
            wanted = places.get(int(structure), -1) if structure.isascii() and structure.isdigit() else -1
        elif local == "v":
            pieces = [] if place == wanted else None
            place += 1

    def text(data: str) -> None:
        if pieces is not None:
            pieces.append(data)

    def end(tag: str) -> None:
        nonlocal pieces
        if tag.lstrip("~") != "v" or pieces is None:
            return
        kind = "".join(pieces).strip()
        pieces = None
        if kind.isascii() and kind.isdigit() and len(kind) < 4 and int(kind) <= _LAST:
            found[number] = box(ERROR_NAMES[int(kind) + 1])

    parse(chunks, part, start, end, text)
    return found
