"""The workbook model as an artefact: bytes that another process can load at once. Versioned, compact, no pickle.

    magic "SHRB" · version u16 · flags u16 · header length u32 · adler32 of the rest u32
    then deflated (level 1): JSON header · arrays, little-endian, 8-byte aligned

The header holds everything but arrays and texts; an array is named in it by ``[offset, count, type]``.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sheetrun.runtime.pivots import Pivot
from sheetrun.workbook.errors import WorkbookError
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
    Validation,
    Workbook,
)

VERSION: Final = 3
_HEAD = struct.Struct("<4sHHLL")
_MAGIC = b"SHRB"
_KINDS = tuple(Kind)


class BadArtefact(WorkbookError):
    """The bytes are not an artefact that this version wrote, or they were changed on the way."""

    code = "bad_artefact"


def dump(workbook: Workbook) -> bytes:
    """The workbook as bytes; the same workbook gives the same bytes."""
    arrays = _Writer()
    header = {
        "sheets": [_dump_sheet(sheet, arrays) for sheet in workbook.sheets],
        "strings": arrays.texts(workbook.strings),
        "names": [[name.name, name.text, name.sheet, name.hidden] for name in workbook.names],
        "tables": [
            [table.name, table.sheet, table.rect, table.columns, table.header_rows, table.totals_rows]
            for table in workbook.tables
        ],
        "externals": [_dump_external(book, arrays) for book in workbook.externals],
        "pivots": [pivot.to_json() for pivot in workbook.pivots],
        "settings": asdict(workbook.settings),
        "number_formats": workbook.number_formats,
        "filename": workbook.filename,
    }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-len(text) % 8)
    packer = zlib.compressobj(1)
    body = b"".join([packer.compress(text), *(packer.compress(piece) for piece in arrays.pieces), packer.flush()])
    return _HEAD.pack(_MAGIC, VERSION, 0, len(text), zlib.adler32(body)) + body


def load(artefact: bytes) -> Workbook:
    """The workbook that ``dump`` was given. Raises BadArtefact."""
    if len(artefact) < _HEAD.size or not artefact.startswith(_MAGIC):
        raise BadArtefact("This is no workbook artefact.")
    _, version, flags, length, checksum = _HEAD.unpack_from(artefact)
    if version != VERSION or flags:
        raise BadArtefact(f"The artefact has version {version}; this program reads version {VERSION}.")
    packed = memoryview(artefact)[_HEAD.size :]
    if zlib.adler32(packed) != checksum:
        raise BadArtefact("The artefact is cut off or changed (checksum).")
    try:
        body = memoryview(zlib.decompress(packed))
        header = json.loads(bytes(body[:length]))
        return _load_workbook(header, _Reader(body[length:]))
    except (zlib.error, ValueError, TypeError, KeyError, IndexError) as error:
        raise BadArtefact(f"The artefact is damaged: {error}.") from None


class _Writer:
    """Arrays one after the other; each ``add`` returns what the header says of it."""

    def __init__(self) -> None:
        self.pieces: list[bytes | memoryview] = []
        self._offset = 0

    def add(self, array: NDArray[Any]) -> list[Any]:
        kind = array.dtype.newbyteorder("<")
        data = np.ascontiguousarray(array, dtype=kind)
        place = [self._offset, data.size, kind.str]
        raw = data.tobytes()
        raw += b"\0" * (-len(raw) % 8)
        self.pieces.append(raw)
        self._offset += len(raw)
        return place

    def texts(self, texts: list[str]) -> list[Any]:
        """Lengths in bytes, and all texts joined. Lone surrogates, which Excel can hold, survive."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        return [self.add(lengths), self.add(np.frombuffer(b"".join(encoded), dtype=np.uint8))]

    def rects(self, rects: list[Rect]) -> list[Any]:
        return self.add(np.array(rects, dtype=np.int32).reshape(-1, 4))


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self._data = data

    def get(self, place: list[Any]) -> NDArray[Any]:
        offset, count, kind = place
        dtype = np.dtype(kind)
        if dtype.kind not in "iuf" or offset < 0 or count < 0 or offset + count * dtype.itemsize > len(self._data):
            raise ValueError("an array is out of bounds")
        return np.frombuffer(self._data, dtype=dtype, count=count, offset=offset).astype(dtype.newbyteorder("="))

    def texts(self, place: list[Any]) -> list[str]:
        lengths = self.get(place[0])
        joined = self.get(place[1]).tobytes()
        ends = np.cumsum(lengths)
        if len(ends) and int(ends[-1]) != len(joined):
            raise ValueError("texts do not have the length that they should")
        if joined.isascii():
            text = joined.decode("ascii")
            starts = [0, *ends.tolist()]
            return [text[start:end] for start, end in pairwise(starts)]
        starts = [0, *ends.tolist()]
        return [joined[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(starts)]

    def rects(self, place: list[Any]) -> list[Rect]:
        return [Rect(*corner) for corner in self.get(place).reshape(-1, 4).tolist()]


def _dump_grids(grids: list[Grid], arrays: _Writer) -> list[Any]:
    return [[grid.top, grid.left, *grid.num.shape, arrays.add(grid.num), arrays.add(grid.tag)] for grid in grids]


def _load_grids(found: list[Any], arrays: _Reader) -> list[Grid]:
    return [
        Grid(top, left, arrays.get(num).reshape(height, width), arrays.get(tag).reshape(height, width))
        for top, left, height, width, num, tag in found
    ]


def _dump_sheet(sheet: Sheet, arrays: _Writer) -> dict[str, Any]:
    return {
        "name": sheet.name,
        "visible": sheet.visible,
        "grids": _dump_grids(sheet.grids, arrays),
        "rects": arrays.rects([block.rect for block in sheet.blocks]),
        "kinds": arrays.add(np.array([_KINDS.index(block.kind) for block in sheet.blocks], dtype=np.uint8)),
        "filled": [number for number, block in enumerate(sheet.blocks) if block.filled],
        "formulas": arrays.texts([block.text for block in sheet.blocks]),
        "data_tables": {
            number: asdict(block.table) for number, block in enumerate(sheet.blocks) if block.table is not None
        },
        "uncached": arrays.rects(sheet.uncached),
        "hidden_rows": arrays.add(np.array(sorted(sheet.hidden_rows), dtype=np.int32)),
        "filtered": sheet.filtered,
        "filtered_rows": arrays.add(np.array(sorted(sheet.filtered_rows), dtype=np.int32)),
        "hidden_columns": sorted(sheet.hidden_columns),
        "column_widths": list(sheet.column_widths.items()),
        "formats": [[style, arrays.rects(rects)] for style, rects in sheet.formats.items()],
        "validations": [
            [v.kind, v.operator, v.first, v.second, v.blank, arrays.rects(list(v.rects))] for v in sheet.validations
        ],
        "is_chart": sheet.is_chart,
    }


def _load_sheet(found: dict[str, Any], arrays: _Reader) -> Sheet:
    tables = {int(number): _load_data_table(table) for number, table in found["data_tables"].items()}
    filled = frozenset(found["filled"])
    blocks = zip(
        arrays.rects(found["rects"]), arrays.texts(found["formulas"]), arrays.get(found["kinds"]).tolist(), strict=True
    )
    return Sheet(
        name=found["name"],
        visible=found["visible"],
        grids=_load_grids(found["grids"], arrays),
        blocks=[
            Block(rect, text, _KINDS[kind], tables.get(number), number in filled)
            for number, (rect, text, kind) in enumerate(blocks)
        ],
        uncached=arrays.rects(found["uncached"]),
        hidden_rows=frozenset(arrays.get(found["hidden_rows"]).tolist()),
        filtered=found["filtered"],
        filtered_rows=frozenset(arrays.get(found["filtered_rows"]).tolist()),
        hidden_columns=frozenset(found["hidden_columns"]),
        column_widths=dict(map(tuple, found["column_widths"])),
        formats={style: arrays.rects(rects) for style, rects in found["formats"]},
        validations=[
            Validation(kind, operator, first, second, blank, tuple(arrays.rects(place)))
            for kind, operator, first, second, blank, place in found["validations"]
        ],
        is_chart=found["is_chart"],
    )


def _load_data_table(found: dict[str, Any]) -> DataTable:
    def cell(place: list[int] | None) -> tuple[int, int] | None:
        return None if place is None else (place[0], place[1])

    return DataTable(found["two_inputs"], found["by_row"], cell(found["first_input"]), cell(found["second_input"]))


def _dump_external(book: ExternalBook, arrays: _Writer) -> dict[str, Any]:
    sheets = [[name, _dump_grids(grids, arrays)] for name, grids in book.sheets.items()]
    return {
        "index": book.index,
        "target": book.target,
        "sheets": sheets,
        "names": book.names,
        "lost": sorted(book.lost),
    }


def _load_workbook(header: dict[str, Any], arrays: _Reader) -> Workbook:
    return Workbook(
        sheets=[_load_sheet(sheet, arrays) for sheet in header["sheets"]],
        strings=arrays.texts(header["strings"]),
        names=[DefinedName(*name) for name in header["names"]],
        tables=[
            Table(name, sheet, Rect(*rect), tuple(columns), headers, totals)
            for name, sheet, rect, columns, headers, totals in header["tables"]
        ],
        externals=[
            ExternalBook(
                index=book["index"],
                target=book["target"],
                sheets={name: _load_grids(grids, arrays) for name, grids in book["sheets"]},
                names=book["names"],
                lost=frozenset(book["lost"]),
            )
            for book in header["externals"]
        ],
        pivots=[Pivot.from_json(pivot) for pivot in header["pivots"]],
        settings=Settings(**header["settings"]),
        number_formats=header["number_formats"],
        filename=header["filename"],
    )
