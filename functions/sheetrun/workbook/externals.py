"""Links to other workbooks: what the file has cached of their cells and names."""

from __future__ import annotations

from sheetrun.workbook.errors import DamagedWorkbook
from sheetrun.workbook.gather import Context, Gatherer
from sheetrun.workbook.markup import Attributes, parse, whole_number
from sheetrun.workbook.model import ExternalBook
from sheetrun.workbook.package import Package
from sheetrun.workbook.references import parse_cell


def read_external(package: Package, part: str, index: int, context: Context) -> ExternalBook:
    """One external link part. A DDE or OLE link has no sheets. Raises DamagedWorkbook, LimitExceeded."""
    book = ExternalBook(index=index, target="")
    if not part or not package.has(part):
        return book
    relationships = package.relationships(part)
    names: list[str] = []
    gatherers: dict[int, Gatherer] = {}
    lost: set[str] = set()
    state = _State()

    def start(tag: str, attributes: Attributes) -> None:
        if tag == "externalBook":
            relationship = relationships.get(attributes.get("id", ""))
            book.target = relationship.target if relationship is not None else ""
        elif tag == "sheetName":
            names.append(attributes.get("val", ""))
        elif tag == "definedName":
            book.names[attributes.get("name", "")] = attributes.get("refersTo", "").removeprefix("=")
        elif tag == "sheetData":
            number = whole_number(attributes.get("sheetId"))
            name = names[number] if number < len(names) else ""
            if attributes.get("refreshError") in ("1", "true"):
                lost.add(name)
            state.sheet = name
            state.gatherer = gatherers.setdefault(number, Gatherer(f"[{index}]{name}", context))
        elif tag == "cell":
            state.cell = attributes
            state.value = None
        elif tag == "v" and state.cell is not None:
            state.value = ""

    def text(data: str) -> None:
        if state.value is not None:
            state.value += data

    def end(tag: str) -> None:
        if tag == "cell" and state.cell is not None and state.gatherer is not None:
            try:
                row, col = parse_cell(state.cell.get("r", ""))
            except ValueError as error:
                raise DamagedWorkbook(f"{error}.", part=part, code="bad_reference") from None
            state.gatherer.cell(row, col, 0, state.cell.get("t", "n"), state.value, None)
            state.cell = state.value = None
            lost.discard(state.sheet)  # it could not be refreshed, and Excel goes on with what it has (measured)

    parse(package.chunks(part), part, start, end, text)
    book.sheets = {name: [] for name in names}
    book.lost = frozenset(lost)
    for number, gatherer in gatherers.items():
        if number < len(names):
            book.sheets[names[number]] = gatherer.finish_grids()
    return book


class _State:
    """Where in the part we are."""

    def __init__(self) -> None:
        self.sheet = ""
        self.gatherer: Gatherer | None = None
        self.cell: Attributes | None = None
        self.value: str | None = None
