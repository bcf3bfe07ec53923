"""Workbooks that somebody damaged: bytes of the archive, bytes and attributes of its XML parts, whole parts.

Such a file is refused with an error of the workbook's room, or it is read and computed as any other.
"""

from __future__ import annotations

import csv
import io
import os
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import xlsxwriter

from sheetrun.compiler.script import compile_workbook
from sheetrun.runtime.payload import RunOutput
from sheetrun.service.cellvalues import written_grids
from sheetrun.service.local import _in_process
from sheetrun.service.proof import check_fits, prove
from sheetrun.service.rundata import run_input
from sheetrun.workbook.errors import WorkbookError
from sheetrun.workbook.reader import read
from sheetrun.workbook.writer import write_back

from .books import SECONDS, Hang, batch, deadline

_BESIDE: Final = Path(__file__).parents[3] / "shared" / "corpus" / "open"
CORPUS: Final = Path(os.environ.get("SHEETRUN_CORPUS", _BESIDE))
LARGEST: Final = 40_000  #: bytes of a file of the corpus
HOSTILE: Final = (
    *("", "0", "-1", "1", "99999999999999999999", "1e400", "NaN", "A1", "XFE1", "A1048577", "A1:XFD1048576", "B2:A1"),
    *(
        "true",
        "s",
        "str",
        "e",
        "array",
        "shared",
        "dataTable",
        "x" * 40000,
        "\U0001f600",
        "_x0041_",
        "#REF!",
        "'",
        "[1]",
    ),
    *("Sheet1!A1", "SUM(", "1+", "T[x]", "rId1", "rId999", "../../x", "&#65;", "4294967296", "2147483648", "\t"),
)

Parts = dict[str, bytes]


def _made(folded: int) -> bytes:
    """A workbook with what files have: formulas of all kinds, a table, names, formats, texts, a filter, merged cells."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet, other = book.add_worksheet("Sheet1"), book.add_worksheet("It's")
    percent = book.add_format({"num_format": "[>1]0%;[Red]-0.0;@"})
    for row in range(12):
        sheet.write_row(row, 0, [row * 1.5, f"text {row % 3}", row % 2 == 0, row / 7])
        sheet.write_formula(row, 4, f"=A{row + 1}*2+IF(C{row + 1},1,0)", percent, row)
        other.write_formula(row, 0, f"=SUM(Sheet1!$A$1:A{row + 1})", None, row)
    for row, text in enumerate(batch(f"file:{folded}", 8)):
        other.write_formula(row, 3, "=" + text.removeprefix("fill").strip("{}=#"), None, row)
    sheet.write_array_formula("G1:H2", "{=A1:B2&1}", None, "x")
    sheet.write_dynamic_array_formula("J1:J3", "=UNIQUE(B1:B12)", None, "text 0")
    sheet.add_table("L1:N5", {"name": "T", "columns": [{"header": h} for h in ("n", "s", "l")], "total_row": True})
    sheet.autofilter("A1:C12")
    sheet.merge_range("P1:Q2", "merged")
    sheet.data_validation("R1", {"validate": "list", "source": ["a", "b"]})
    sheet.set_row(5, None, None, {"hidden": True})
    book.define_name("Name", "=Sheet1!$A$1:$A$5")
    book.define_name("Sheet1!Local", "=OFFSET(Sheet1!$A$1,1,1)")
    book.close()
    return buffer.getvalue()


@cache
def _corpus() -> tuple[Path, ...]:
    """Small files of the open corpus, where it is there."""
    manifest = next((p for p in (CORPUS / "MANIFEST.tsv", CORPUS / "open" / "MANIFEST.tsv") if p.is_file()), None)
    if manifest is None:
        return ()
    with manifest.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return tuple(manifest.parent / row["file"] for row in rows if int(row["bytes"]) <= LARGEST)


@cache
def _source(index: int) -> bytes:
    corpus = _corpus()
    return corpus[index // 4 % len(corpus)].read_bytes() if corpus and index % 4 else _made(index)


SOURCES: Final = 160


def mutated(seed: str) -> bytes:
    """A damaged workbook; the seed alone says which (and whether the corpus is there)."""
    chance = random.Random(seed)
    source = _source(chance.randrange(SOURCES))
    if chance.random() < 0.1:
        return _bytes(chance, source)
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        parts: Parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(chance.choice((1, 1, 2, 5))):
        chance.choice(_DAMAGES)(chance, parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def _bytes(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.2 else changed)


def _part(chance: random.Random, parts: Parts) -> str:
    """A part; those that say what is computed more often."""
    names = sorted(parts)
    weights = [6 if "sheet" in name or "workbook" in name or "table" in name else 1 for name in names]
    return chance.choices(names, weights)[0]


def _flip(chance: random.Random, parts: Parts) -> None:
    name = _part(chance, parts)
    parts[name] = _bytes(chance, parts[name])


def _cut(chance: random.Random, parts: Parts) -> None:
    """Takes an element out, or puts it in twice."""
    name = _part(chance, parts)
    found = list(re.finditer(rb"<(\w+)[^<>]*?(?:/>|>[^<]*</\1>)", parts[name]))
    if found:
        one, data = chance.choice(found), parts[name]
        again = one.group() * chance.choice((0, 0, 2, 3))
        parts[name] = data[: one.start()] + again + data[one.end() :]


def _attribute(chance: random.Random, parts: Parts) -> None:
    name = _part(chance, parts)
    found = list(re.finditer(rb' \w[\w:]*="([^"]*)"', parts[name]))
    if found:
        _replace(chance, parts, name, chance.choice(found))


def _text(chance: random.Random, parts: Parts) -> None:
    name = _part(chance, parts)
    found = list(re.finditer(rb">([^<>]+)</", parts[name]))
    if found:
        _replace(chance, parts, name, chance.choice(found))


def _replace(chance: random.Random, parts: Parts, name: str, found: re.Match[bytes]) -> None:
    value = chance.choice(HOSTILE).encode()
    parts[name] = parts[name][: found.start(1)] + value + parts[name][found.end(1) :]


def _drop(chance: random.Random, parts: Parts) -> None:
    if len(parts) > 1:
        del parts[_part(chance, parts)]


def _swap(chance: random.Random, parts: Parts) -> None:
    a, b = _part(chance, parts), _part(chance, parts)
    parts[a], parts[b] = parts[b], parts[a]


_DAMAGES: Final[tuple[Callable[[random.Random, Parts], None], ...]] = (
    *(_attribute, _attribute, _attribute, _text, _text, _cut, _cut, _flip, _drop, _swap),
)


def file_faults(seed: str) -> list[str]:
    """What is wrong with how one damaged workbook is taken: nothing, or a line."""
    data = mutated(seed)
    try:
        with deadline(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("error")
            workbook = read(data, filename="damaged.xlsx")
            script = compile_workbook(workbook)
            output: RunOutput = _in_process(script.text, run_input(workbook, script.text).to_bytes())
            check_fits(workbook, output)
            prove(workbook, output, script.refused, script.volatile, script.needs)
            write_back(data, written_grids(workbook, output, {}), output.strings)
            return [f"{f.sheet}!{f.span}: {f.detail}" for f in output.failures if f.code == "internal_error"][:1]
    except WorkbookError:
        return []
    except Hang:
        return [f"a file that takes more than {SECONDS} s"]
    except Exception as error:
        return [f"{type(error).__name__}: {str(error)[:300]}"]
