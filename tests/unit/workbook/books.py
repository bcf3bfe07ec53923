"""Small workbooks made by hand for tests: parts as text in, a zip out."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from sheetrun.runtime.cells import EMPTY, LOGICAL, TEXT, unbox
from sheetrun.workbook.model import Grid, Workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_RELS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def zip_of(parts: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def relationships(*targets: tuple[str, str, str], base: str = RELS) -> str:
    """(id, kind, target) each."""
    rows = "".join(
        f'<Relationship Id="{id_}" Type="{base}/{kind}" Target="{target}"'
        + (' TargetMode="External"' if "://" in target else "")
        + "/>"
        for id_, kind, target in targets
    )
    return (
        f'{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}'
        "</Relationships>"
    )


def sheet_xml(rows: str, before: str = "", after: str = "", main: str = MAIN) -> str:
    return f'{HEAD}<worksheet xmlns="{main}" xmlns:r="{RELS}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def parts_of(
    *sheets: str,
    strings: str | None = None,
    styles: str | None = None,
    workbook: str = "",
    metadata: str | None = None,
    extra: dict[str, str | bytes] | None = None,
    extra_rels: tuple[tuple[str, str, str], ...] = (),
    main: str = MAIN,
    rels: str = RELS,
) -> dict[str, str | bytes]:
    """The parts of a workbook with these sheets (XML of each), named S1, S2 …"""
    entries = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="s{n}"/>' for n in range(1, len(sheets) + 1))
    links = [(f"s{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": relationships(("w", "officeDocument", "xl/workbook.xml"), base=rels),
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{main}" xmlns:r="{rels}"><sheets>{entries}</sheets>'
        f"{workbook}</workbook>",
    }
    for number, sheet in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet
    for kind, content, name in (
        ("sharedStrings", strings, "sharedStrings.xml"),
        ("styles", styles, "styles.xml"),
        ("sheetMetadata", metadata, "metadata.xml"),
    ):
        if content is not None:
            links.append((kind, kind, name))
            parts["xl/" + name] = content
    parts["xl/_rels/workbook.xml.rels"] = relationships(*links, *extra_rels, base=rels)
    return parts | (extra or {})


def book_of(*rows: str) -> bytes:
    """A workbook with one sheet per argument: what stands inside of ``<sheetData>``."""
    return zip_of(parts_of(*(sheet_xml(row) for row in rows)))


def values(grids: list[Grid], strings: list[str]) -> dict[tuple[int, int], object]:
    """What is in the cells: floats, booleans, text, and errors as ("error", code)."""
    found: dict[tuple[int, int], object] = {}
    for grid in grids:
        for (row, col), tag in np.ndenumerate(grid.tag):
            number = float(grid.num[row, col])
            value: object
            if tag == EMPTY:
                continue
            if tag >= TEXT:
                value = strings[tag - TEXT]
            elif tag == LOGICAL:
                value = bool(number)
            else:
                value = ("error", unbox(number)) if number != number else number
            found[grid.top + row, grid.left + col] = value
    return found


def comparable(value: object) -> object:
    """A workbook as plain values that ``==`` compares exactly (NaN payloads included)."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    if isinstance(value, dict):
        return [(key, comparable(item)) for key, item in value.items()]
    slots = getattr(type(value), "__slots__", ())
    if slots:
        return (type(value).__name__, [comparable(getattr(value, name)) for name in slots])
    return value


def sheet_values(workbook: Workbook, index: int = 0) -> dict[tuple[int, int], object]:
    return values(workbook.sheets[index].grids, workbook.strings)
