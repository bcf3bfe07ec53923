"""Every formula of the open corpus is read, written and read again, and told apart by its key."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from sheetrun.formula.a1 import parse_cell
from sheetrun.formula.nodes import Node
from sheetrun.formula.parser import parse
from sheetrun.formula.r1c1 import relative_key
from sheetrun.formula.render import to_text

_BESIDE = Path(__file__).parents[4] / "shared" / "corpus"
CORPUS = Path(os.environ.get("SHEETRUN_CORPUS", _BESIDE))

# The files were written by Excel, so a pattern reads them well enough; the product's reader is not under test here.
_CELL = re.compile(rb'<c [^>]*?\br="([A-Z]+[0-9]+)"[^>]*?>\s*<f\b[^>/]*>([^<]+)</f>')
_NAME = re.compile(rb"<definedName\b[^>]*>([^<]+)</definedName>")


def _formulas(path: Path) -> Iterator[tuple[str, int, int]]:
    """(text, row, column) of each formula that is spelled out in a file, and of its defined names."""
    with zipfile.ZipFile(path) as book:
        for part in book.namelist():
            if part.startswith("xl/worksheets/"):
                for reference, text in _CELL.findall(book.read(part)):
                    yield unescape(text.decode()), *parse_cell(reference.decode())
            elif part == "xl/workbook.xml":
                for text in _NAME.findall(book.read(part)):
                    yield unescape(text.decode()), 0, 0


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus: set SHEETRUN_CORPUS to the folder that holds it")
def test_every_formula_of_the_corpus() -> None:
    trees: dict[str, Node] = {}
    for path in sorted(CORPUS.rglob("*.xls[xm]")):
        for text, row, col in _formulas(path):
            key = relative_key(text, row, col)
            if key in trees:
                continue
            tree = trees[key] = parse(text, row, col)
            assert parse(to_text(tree, row, col), row, col) == tree, (path.name, text)
    assert len(trees) > 1000
