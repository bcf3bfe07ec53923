"""The artefact brings back the very same workbook, and refuses bytes that were changed."""

from __future__ import annotations

import pytest

from sheetrun.workbook.model import (
    Block,
    DataTable,
    DefinedName,
    ExternalBook,
    Grid,
    Kind,
    Rect,
    Settings,
    Sheet,
    Table,
    Workbook,
)
from sheetrun.workbook.reader import read
from sheetrun.workbook.store import BadArtefact, dump, load

from .books import book_of, comparable


def full_workbook() -> Workbook:
    data = read(
        book_of(
            '<row r="3"><c r="B3"><f>1</f><v>2</v></c><c r="C3" t="e"><v>#NUM!</v></c><c r="D3" t="str"><v>é</v></c></row>'
        )
    )
    grid = data.sheets[0].grids[0]
    block = Block(Rect(0, 0, 1, 1), "", Kind.TABLE, DataTable(True, False, (1, 2), None))
    return Workbook(
        sheets=[
            data.sheets[0],
            Sheet(
                "Ünicode 'n' more", False, [grid, Grid(90, 0, grid.num.copy(), grid.tag.copy())],
                [block, Block(Rect(5, 5, 5, 5), "A1#", Kind.DYNAMIC)], [Rect(0, 0, 3, 3)],
                frozenset({1, 5}), True, frozenset({5}), frozenset({7}), {3: 8.43, 4: 0.1}, {2: [Rect(1, 1, 2, 2)]},
            ),
            Sheet("Chart", is_chart=True),
        ],
        strings=["", "a", "é", "x" * 1000, "\ud800"],
        names=[DefinedName("N", "1+1", 0, True), DefinedName("M", "A1")],
        tables=[Table("T", 0, Rect(0, 0, 4, 1), ("a", "b"), 1, 1)],
        externals=[ExternalBook(1, "file.xlsx", {"S": [grid], "Empty": []}, {"n": "S!A1"})],
        settings=Settings(date1904=True, iterate=True, iterate_delta=1e-9, application="Excel"),
        number_formats=["General", "0.00"],
        filename="é.xlsx",
    )  # fmt: skip


def test_round_trip_is_exact() -> None:
    workbook = full_workbook()
    artefact = dump(workbook)
    assert comparable(load(artefact)) == comparable(workbook)
    assert dump(load(artefact)) == artefact


def test_loaded_grids_can_be_written() -> None:
    load(dump(full_workbook())).sheets[0].grids[0].num[0, 0] = 5


def test_any_changed_or_missing_byte_is_a_clean_error() -> None:
    artefact = dump(full_workbook())
    for position in range(0, len(artefact), 7):
        changed = bytearray(artefact)
        changed[position] ^= 0x41
        with pytest.raises(BadArtefact):
            load(bytes(changed))
        with pytest.raises(BadArtefact):
            load(artefact[:position])


def test_other_version_is_named() -> None:
    artefact = bytearray(dump(full_workbook()))
    artefact[4] = 99
    with pytest.raises(BadArtefact, match="version 99"):
        load(bytes(artefact))
