"""Real workbooks, where they are at hand: all are read, both ways alike, and written back unchanged."""

from __future__ import annotations

import csv
import os
import zipfile
from pathlib import Path

import pytest

from sheetrun.workbook.reader import read
from sheetrun.workbook.store import dump, load
from sheetrun.workbook.writer import write_back

from .books import comparable

CORPUS = Path(os.environ.get("SHEETRUN_CORPUS", Path(__file__).parents[4] / "shared" / "corpus")) / "open"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "MANIFEST.tsv").exists(), reason="the open corpus is not beside the project"),
]
SAMPLE = 30  #: files of up to 300 kB


def sample() -> list[dict[str, str]]:
    if not (CORPUS / "MANIFEST.tsv").exists():
        return []
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if int(row["bytes"]) < 300_000]
    return rows[:: max(1, len(rows) // SAMPLE)]


@pytest.mark.parametrize("row", sample(), ids=lambda row: row["file"])
def test_read_and_kept(row: dict[str, str]) -> None:
    path = CORPUS / row["file"]
    source = path.read_bytes()
    book = read(source)
    assert comparable(read(source, fast=False)) == comparable(book)
    assert comparable(load(dump(book))) == comparable(book)
    assert write_back(source, {n: sheet.grids for n, sheet in enumerate(book.sheets)}, book.strings) == source
    # The manifest counts <f> elements; those of a volatile spill (<f ca="1"/>) have no formula of their own.
    blocks = [block for sheet in book.sheets for block in sheet.blocks]
    formulas = sum(block.rect.size if block.per_cell else 1 for block in blocks)
    with zipfile.ZipFile(path) as archive:
        empty = sum(archive.read(n).count(b'<f ca="1"/>') for n in archive.namelist() if "sheets/sheet" in n)
    assert formulas == int(row["formula_cells"]) - empty
