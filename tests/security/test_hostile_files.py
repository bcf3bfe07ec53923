"""Every hostile file is refused with a clear code, or bounded: in memory, in time, and in what it makes us touch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sheetrun.workbook import archive, reader
from sheetrun.workbook.errors import LimitExceeded
from tests.security.evil import books, datasets, formulas
from tests.unit.workbook.books import parts_of, sheet_xml, zip_of

MOST = 300  #: MiB that a process may take while it meets a hostile file, Python and its libraries included
HANG = 100  #: seconds after which a process is taken for one that would never end

Meet = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def meet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meet]:
    """Gives a file to a process of its own, and tells what came of it."""
    folder = tmp_path_factory.mktemp("evil")
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.security.evil.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def meeting(data: bytes, *, kind: str = "workbook", suffix: str = "xlsx", seconds: float = 4) -> dict[str, Any]:
            path = folder / f"evil.{suffix}"
            path.write_bytes(data)
            request = {"path": str(path), "kind": kind, "seconds": seconds, "hang": HANG}
            print(json.dumps(request), file=child.stdin, flush=True)
            found: dict[str, Any] = json.loads(child.stdout.readline())
            return found

        yield meeting
        child.stdin.close()


def bounded(met: dict[str, Any], codes: frozenset[str]) -> None:
    assert met["end"] in ("done", "refused"), met
    assert set(met["code"].split(",")) <= codes, met
    assert met["peak"] < MOST, met
    assert met["sandbox"] < MOST, met
    assert met["touched"] == [], met


@pytest.mark.parametrize("name", formulas.CASES)
def test_a_hostile_workbook_is_refused_or_bounded(meet: Meet, name: str) -> None:
    case = books.CASES[name]
    bounded(meet(case.make()), case.codes)


@pytest.mark.parametrize("name", datasets.CASES)
def test_a_hostile_dataset_is_refused_or_bounded(meet: Meet, name: str) -> None:
    case = datasets.CASES[name]
    bounded(meet(case.make(), kind="dataset", suffix=case.suffix, seconds=20), case.codes)


def test_what_is_touched_would_be_seen(meet: Meet) -> None:
    """The watch itself: a file of Python's own is not noted, any other is."""
    code = "from tests.security.evil.child import Eye; e = Eye(); e.open = True; open('/etc/hosts').close()\n"
    code += "import socket; socket.socket().close(); import os; os.system('true'); print(len(e.touched))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "3"


# ---- what takes too long to make at its true size: with smaller limits, the same code -------------------------------------


def test_more_cells_than_may_be_are_counted_before_any_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty million cells took 161 MiB to refuse when this was written; here it is the order of things that counts."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 2000))

    def kept(*_: Any, **__: Any) -> None:
        raise AssertionError("a sheet was read")

    monkeypatch.setattr(reader, "read_sheet", kept)
    with pytest.raises(LimitExceeded) as caught:
        reader.read(books.one_sheet(rows), limits=archive.Limits(cells=1000))
    assert caught.value.reason == "too_many_cells"


def test_texts_are_refused_by_their_size_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(*_: Any, **__: Any) -> None:
        raise AssertionError("the texts were read")

    monkeypatch.setattr(reader, "read_shared_strings", kept)
    with pytest.raises(LimitExceeded) as caught:
        reader.read(zip_of(parts_of(sheet_xml(""), strings="x" * 1000)), limits=archive.Limits(string_bytes=999))
    assert caught.value.reason == "too_many_strings"


def test_macros_and_their_like_are_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    chunks = archive.Archive.chunks

    def noted(self: archive.Archive, entry: archive.Entry) -> Iterator[bytes]:
        opened.append(entry.name)
        return chunks(self, entry)

    monkeypatch.setattr(archive.Archive, "chunks", noted)
    foreign = {"xl/vbaProject.bin", "xl/activeX/activeX1.bin", "xl/embeddings/oleObject1.bin", "customUI/customUI.xml"}
    reader.read(zip_of(parts_of(sheet_xml(books.ONE_CELL), extra=dict.fromkeys(foreign, b"x"))))
    assert "xl/workbook.xml" in opened
    assert foreign.isdisjoint(opened)
