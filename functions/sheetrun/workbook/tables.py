"""Tables (ListObjects): their place, column names, header and totals rows; and the rows that their filter hides."""

from __future__ import annotations

from sheetrun.workbook.errors import DamagedWorkbook
from sheetrun.workbook.markup import Attributes, parse
from sheetrun.workbook.model import Rect, Table
from sheetrun.workbook.package import Package
from sheetrun.workbook.references import parse_rect
from sheetrun.workbook.values import unescape


def read_tables(package: Package, sheet_part: str, sheet: int) -> tuple[list[Table], list[Rect]]:
    """The tables of a sheet, and the ranges of those whose filter has criteria. Raises DamagedWorkbook."""
    tables: list[Table] = []
    filtered: list[Rect] = []
    for relationship in package.relationships(sheet_part).values():
        if relationship.kind == "table" and not relationship.external:
            table, rect = _read_table(package, relationship.target, sheet)
            tables.append(table)
            filtered.extend(rect)
    return tables, filtered


def _read_table(package: Package, part: str, sheet: int) -> tuple[Table, list[Rect]]:
    head: Attributes = {}
    columns: list[str] = []
    ranges: list[str] = []
    filtered: list[Rect] = []

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "table":
            head.update(attributes)
        elif tag == "tableColumn":
            columns.append(unescape(attributes.get("name", "")))
        elif tag == "autoFilter":
            ranges[:] = [attributes.get("ref", "")]
        elif tag == "filterColumn" and ranges:
            filtered[:] = [parse_rect(ranges[0])]

    try:
        parse(package.chunks(part), part, start)
        table = Table(
            name=unescape(head.get("displayName") or head.get("name", "")),
            sheet=sheet,
            rect=parse_rect(head.get("ref", "")),
            columns=tuple(columns),
            header_rows=int(head.get("headerRowCount", "1")),
            totals_rows=int(head.get("totalsRowCount", "0")),
        )
    except ValueError as error:
        raise DamagedWorkbook(f"The table is damaged: {error}.", part=part, code="bad_table") from None
    return table, filtered
