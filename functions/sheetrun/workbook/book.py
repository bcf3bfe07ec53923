"""The workbook part: sheets in order, defined names, settings, links to other workbooks; and who wrote the file."""

from __future__ import annotations

from collections import Counter
from dataclasses import field, replace

from sheetrun.records import dataclass
from sheetrun.workbook.archive import Limits
from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded
from sheetrun.workbook.markup import Attributes, is_true, parse, whole_number
from sheetrun.workbook.model import DefinedName, Settings
from sheetrun.workbook.package import Package, Relationship

_BUILT_IN = "_xlnm."
MOST_ITERATIONS = 32_767  #: Excel's own


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet as the workbook part lists it. ``kind``: worksheet, chartsheet, dialogsheet, or a macro sheet's."""

    name: str
    part: str
    kind: str
    visible: bool


@dataclass(slots=True)
class Book:
    sheets: list[SheetEntry] = field(default_factory=list)
    names: list[DefinedName] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    links: list[str] = field(default_factory=list)  #: parts of external links, in the order of their numbers


def read_book(package: Package, limits: Limits) -> Book:
    """Raises DamagedWorkbook (a sheet's part is missing, no sheets), LimitExceeded."""
    part = package.workbook
    relationships = package.relationships(part)
    book = Book()
    settings: dict[str, object] = {}
    name: list[Attributes] = []
    pieces: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "sheet":
            book.sheets.append(_sheet_entry(package, relationships, attributes))
            if len(book.sheets) > limits.sheets:
                raise LimitExceeded(f"More than {limits.sheets:,} sheets.", part=part, code="too_many_sheets")
        elif tag == "definedName":
            name[:] = [attributes]
            pieces.clear()
        elif tag == "externalReference":
            relationship = relationships.get(attributes.get("id", ""))
            book.links.append(relationship.target if relationship is not None else "")
        elif tag == "workbookPr":
            settings["date1904"] = is_true(attributes.get("date1904"))
        elif tag == "calcPr":
            settings.update(_calculation(attributes))

    def end(tag: str) -> None:
        if tag == "definedName" and name:
            book.names.append(_defined_name(name.pop(), "".join(pieces)))
            if len(book.names) > limits.names:
                raise LimitExceeded(f"More than {limits.names:,} defined names.", part=part, code="too_many_names")

    def text(data: str) -> None:
        if name:
            pieces.append(data)

    parse(package.chunks(part), part, start, end, text)
    if not book.sheets:
        raise DamagedWorkbook("The workbook has no sheets.", part=part, code="no_sheets")
    named = Counter(entry.name.casefold() for entry in book.sheets)
    twice = next((entry.name for entry in book.sheets if named[entry.name.casefold()] > 1), None)
    if twice is not None:
        raise DamagedWorkbook(f"Two sheets have the name {twice!r}.", part=part, code="sheet_twice")
    book.settings = replace(Settings(application=_application(package)), **settings)  # type: ignore[arg-type]
    return book


def _sheet_entry(package: Package, relationships: dict[str, Relationship], attributes: Attributes) -> SheetEntry:
    name = attributes.get("name", "")
    visible = attributes.get("state", "visible") == "visible"
    identifier = attributes.get("id", "")
    if not identifier:  # a macro module of Excel 5: it has a name and a place, and no part
        return SheetEntry(name, "", "module", visible)
    relationship = relationships.get(identifier)
    if relationship is None or relationship.external or not package.has(relationship.target):
        raise DamagedWorkbook(
            f"The sheet {name!r} is missing from the file.", part=package.workbook, code="missing_part"
        )
    return SheetEntry(name, relationship.target, relationship.kind, visible)


def _calculation(attributes: Attributes) -> dict[str, object]:
    defaults = Settings()
    return {
        "iterate": is_true(attributes.get("iterate")),
        "iterate_count": min(whole_number(attributes.get("iterateCount"), defaults.iterate_count), MOST_ITERATIONS),
        "iterate_delta": _decimal(attributes.get("iterateDelta"), defaults.iterate_delta),
        "manual": attributes.get("calcMode") == "manual",
        "full_precision": is_true(attributes.get("fullPrecision"), default=True),
        "calc_on_save": is_true(attributes.get("calcOnSave"), default=True),
        "calc_completed": is_true(attributes.get("calcCompleted"), default=True),
        "full_calc_on_load": is_true(attributes.get("fullCalcOnLoad")),
        "r1c1": attributes.get("refMode") == "R1C1",
    }


def _decimal(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _defined_name(attributes: Attributes, text: str) -> DefinedName:
    name = attributes.get("name", "")
    local = attributes.get("localSheetId")
    return DefinedName(
        name=name,
        text=text.strip(),
        sheet=whole_number(local) if local and local.isdigit() else None,
        hidden=is_true(attributes.get("hidden")) or name.lower().startswith(_BUILT_IN),
    )


def _application(package: Package) -> str:
    """``Microsoft Excel 16.0300``; "" when the file does not say."""
    part = package.related("", "extended-properties") or package.related("", "extendedProperties")
    if part is None:
        return ""
    found: dict[str, str] = {}
    inside: list[str] = []

    def start(tag: str, _: Attributes) -> None:
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    def text(data: str) -> None:
        if inside[-1] in ("Application", "AppVersion"):
            found[inside[-1]] = found.get(inside[-1], "") + data

    parse(package.chunks(part), part, start, end, text)
    return " ".join(found[key].strip() for key in ("Application", "AppVersion") if key in found)
