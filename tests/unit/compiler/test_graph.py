"""Which block reads which, and in what order: always compared with the cells one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheetrun.compiler.graph import components, link
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Loop, Part, Solve, schedule, units_of
from sheetrun.compiler.units import Unit, make_units
from sheetrun.formula.a1 import range_name
from sheetrun.workbook.model import Rect, Workbook

from .grids import Reference, rectangles
from .making import Cells, workbook_of

Cell = tuple[int, int, int]  #: sheet, row, column


def units_in(workbook: Workbook) -> tuple[list[Unit], Scope]:
    scope = Scope.of(workbook)
    units, refused = make_units(workbook, scope)
    assert not refused
    return units, scope


def cells_of(unit: Unit) -> Iterator[Cell]:
    top, left, bottom, right = unit.rect
    for row in range(top, bottom + 1):
        for col in range(left, right + 1):
            yield unit.sheet, row, col


def read_by(unit: Unit, cell: Cell) -> Iterator[Cell]:
    """The cells that the formula of one cell reads (an array formula reads them all for its first)."""
    _, row, col = cell if unit.scalar else (0, unit.rect.top, unit.rect.left)
    for read in unit.reads:
        top, left, bottom, right = read.at(row, col)
        ends = (read.sheet, read.sheet if read.last_sheet is None else read.last_sheet)
        for sheet in range(min(ends), max(ends) + 1):
            for r in range(top, bottom + 1):
                for c in range(left, right + 1):
                    yield sheet, r, c


@st.composite
def layouts(draw: st.DrawFn) -> Workbook:
    """Two sheets with blocks of sums over any ranges."""
    sheets: list[dict[str, str]] = []
    back = draw(st.booleans())
    for sheet in range(2):
        taken: list[Rect] = []
        formulas: dict[str, str] = {}
        for _ in range(draw(st.integers(0, 6))):
            rect = draw(rectangles())
            if any(rect.overlaps(other) for other in taken):
                continue
            taken.append(rect)
            reference = Reference(draw, sheet, rect, back)
            reads = [draw(st.sampled_from([reference.cell, reference.area]))() for _ in range(draw(st.integers(0, 3)))]
            mark = draw(st.sampled_from(["=", "=", "=", "{=", "#="]))
            formulas[range_name(*rect)] = f"{mark}SUM({','.join(['1', *reads])})" + ("}" if mark == "{=" else "")
        sheets.append(formulas)
    return workbook_of(*sheets)


relaxed = settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(layouts())
def test_needs_are_what_the_cells_need(workbook: Workbook) -> None:
    units, scope = units_in(workbook)
    link(units, scope)
    owner = {cell: unit.index for unit in units for cell in cells_of(unit)}
    for unit in units:
        exact = {owner[read] for cell in cells_of(unit) for read in read_by(unit, cell) if read in owner}
        assert unit.needs == exact, unit.block.text


@relaxed
@given(layouts())
def test_components_are_circles_of_units_in_order(workbook: Workbook) -> None:
    units, scope = units_in(workbook)
    link(units, scope)
    reach = {u.index: set(u.needs) for u in units}
    for _ in units:
        for index, seen in reach.items():
            reach[index] = seen.union(*(reach[other] for other in seen))
    parts = components(units)
    assert sorted(i for part in parts for i in part) == [u.index for u in units]
    place = {i: k for k, part in enumerate(parts) for i in part}
    for unit in units:
        for other in unit.needs:
            assert place[other] <= place[unit.index]
        for other in place:
            together = other == unit.index or (other in reach[unit.index] and unit.index in reach[other])
            assert (place[other] == place[unit.index]) == together


def turns(part: Part) -> Iterator[tuple[Unit, set[Cell]]]:
    """The cells of a part in the order in which its code computes them; a set is computed in one go."""
    if not isinstance(part, Loop):
        return
    first = min(u.rect.top if part.by_row else u.rect.left for u in part.units)
    last = max(u.rect.bottom if part.by_row else u.rect.right for u in part.units)
    for turn in range(first, last + 1) if part.forward else range(last, first - 1, -1):
        for unit in part.units:
            cells = [c for c in cells_of(unit) if c[1 if part.by_row else 2] == turn]
            if not part.inner_forward.get(unit.index, True):
                cells.reverse()
            for cell in cells:
                yield unit, {cell}


@relaxed
@given(layouts())
def test_every_part_reads_only_what_is_computed_before(workbook: Workbook) -> None:
    units, scope = units_in(workbook)
    parts = schedule(units, scope)
    assert sorted(u.index for part in parts for u in units_of(part)) == [u.index for u in units]
    formulas = {cell for unit in units for cell in cells_of(unit)}
    done: set[Cell] = set()
    for part in parts:
        members = units_of(part)
        own = {cell for unit in members for cell in cells_of(unit)}
        if isinstance(part, Loop):
            for unit, cells in turns(part):
                for cell in cells:
                    missing = (set(read_by(unit, cell)) & formulas) - done
                    assert not missing, (unit.block.text, cell, missing)
                done |= cells
            assert own <= done
            continue
        allowed = done | own if isinstance(part, Solve) else done
        for unit in members:
            for cell in cells_of(unit):
                assert set(read_by(unit, cell)) & formulas <= allowed, unit.block.text
        done |= own


def test_the_order_does_not_depend_on_sets() -> None:
    """Ties follow the order in the file: the same workbook gives the same order."""
    cells = {f"A{n}": f"=B{n}+1" for n in range(1, 30, 2)}
    units, scope = units_in(workbook_of(cells))
    assert [u.rect.top for part in schedule(units, scope) for u in units_of(part)] == list(range(0, 29, 2))


def plan(*sheets: Cells) -> list[str]:
    """The parts of a schedule in short: ``Loop rows A2:A9``."""
    units, scope = units_in(workbook_of(*sheets))
    return [_short(part) for part in schedule(units, scope)]


def _short(part: Part) -> str:
    where = " ".join(range_name(*u.rect) for u in units_of(part))
    if not isinstance(part, Loop):
        return f"{type(part).__name__} {where}"
    way = "rows" if part.by_row else "columns"
    return f"Loop {way}{'' if part.forward else ' back'} {where}"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"B1:B9": "=A1*2"}, ["Whole B1:B9"]),
        ({"B1:B9": "=SUM(A$1:A1)"}, ["Whole B1:B9"]),
        ({"A2:A9": "=A1+1"}, ["Loop rows A2:A9"]),
        ({"A2:A9": "=SUM(A$1:A1)"}, ["Loop rows A2:A9"]),
        ({"B1:I1": "=A1+1"}, ["Loop columns B1:I1"]),
        ({"A1:A9": "=A2+1"}, ["Loop rows back A1:A9"]),
        ({"A1:A9": "=SUM(A2:A$20)"}, ["Loop rows back A1:A9"]),
        ({"A1:H1": "=B1+1"}, ["Loop columns back A1:H1"]),
        ({"A2:A9": "=B1+1", "B2:B9": "=A2*2"}, ["Loop rows A2:A9 B2:B9"]),
        ({"A2:A9": "=B2+1", "B2:B9": "=A1*2"}, ["Loop rows B2:B9 A2:A9"]),
        ({"A3:A9": "=B1+1", "B2:B9": "=A2*2"}, ["Loop rows A3:A9 B2:B9"]),
        ({"A2:A9": "=B2+1", "B2:B9": "=A2*2"}, ["Solve A2:A9 B2:B9"]),
        ({"A2:A9": "=A2+1"}, ["Solve A2:A9"]),
        ({"A1:A9": "=SUM(A$1:A$9)"}, ["Solve A1:A9"]),
        ({"B2:F6": "=A2+B1"}, ["Loop rows B2:F6"]),
        ({"A2:E6": "=A1+B2"}, ["Loop rows A2:E6"]),  # from right to left within a row
        ({"B1": "=OFFSET(A1,1,0)", "C1": "=B1", "D1": "=A1"}, ["Solve B1", "Solve C1", "Whole D1"]),
        ({"B1": "=ROWS(OFFSET(A1,1,0))"}, ["Solve B1"]),
        ({"B1:B3": "#=A1:A3*2", "C1": "=SUM(B1#)"}, ["Whole B1:B3", "Whole C1"]),
        ({"A1": "=A1"}, ["Solve A1"]),
        ({"A1": "=ROW(A1)"}, ["Whole A1"]),  # looks at the place, not at the value
        ({"A1": "=B1", "B1": "=C1", "C1": "=1"}, ["Whole C1", "Whole B1", "Whole A1"]),
    ],
)
def test_plans(cells: Cells, expected: list[str]) -> None:
    assert plan(cells) == expected


def test_parts_stay_on_a_sheet_as_long_as_they_can() -> None:
    plans = plan({"A1": "=1", "A2": "=Sheet2!A1", "A3": "=2"}, {"A1": "=Sheet1!A1", "A2": "=3"})
    assert plans == ["Whole A1", "Whole A3", "Whole A1", "Whole A2", "Whole A2"]


def test_wide_ranges_find_their_units() -> None:
    """More cells than the owner map is searched for: the rectangles are compared instead."""
    units, scope = units_in(workbook_of({"A1": "=SUM(B:Z)", "A2": "=SUM(B1:C60000)", "Z900": "=1", "C50000": "=2"}))
    link(units, scope)
    texts = {u.block.text: sorted(units[n].block.text for n in u.needs) for u in units}
    assert texts["SUM(B:Z)"] == ["1", "2"]
    assert texts["SUM(B1:C60000)"] == ["2"]


def test_many_units_are_found_across_tiles() -> None:
    cells = {f"{column}{row}": "=1" for column in ("A", "IV", "IW") for row in (255, 256, 257, 258)}
    units, scope = units_in(workbook_of({**cells, "C1": "=SUM(A256:IW257)", "C2": "=SUM(IV257,A258)"}))
    link(units, scope)
    needs = {u.block.text: {tuple(units[n].rect[:2]) for n in u.needs} for u in units}
    assert needs["SUM(A256:IW257)"] == {(row, col) for row in (255, 256) for col in (0, 255, 256)}
    assert needs["SUM(IV257,A258)"] == {(256, 255), (257, 0)}


@st.composite
def many_units(draw: st.DrawFn) -> tuple[list[Rect], Rect]:
    """Rectangles that do not overlap, over several tiles, and one to look up."""
    rects: list[Rect] = []
    for _ in range(draw(st.integers(1, 12))):
        top, left = draw(st.integers(0, 600)), draw(st.integers(0, 300))
        rect = Rect(top, left, top + draw(st.integers(0, 300)), left + draw(st.integers(0, 3)))
        if not any(rect.overlaps(other) for other in rects):
            rects.append(rect)
    top, left = draw(st.integers(0, 900)), draw(st.integers(0, 310))
    return rects, Rect(top, left, top + draw(st.integers(0, 80)), left + draw(st.integers(0, 60)))


@relaxed
@given(many_units())
def test_lookup_of_owners(case: tuple[list[Rect], Rect]) -> None:
    rects, asked = case
    if any(rect.overlaps(Rect(0, 400, 0, 400)) for rect in rects):
        return
    cells = {range_name(*rect): "=1" for rect in rects} | {"OK1": f"=SUM({range_name(*asked)})"}
    units, scope = units_in(workbook_of(cells))
    link(units, scope)
    reader = next(u for u in units if u.rect == Rect(0, 400, 0, 400))
    assert {units[n].rect for n in reader.needs} == {rect for rect in rects if rect.overlaps(asked)}
