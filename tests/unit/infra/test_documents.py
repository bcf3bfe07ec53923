"""What documents and docstrings name is there, under the name that it has today."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "functions" / "sheetrun"
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FOLDERS = ("functions", "tests", "infra", "docs", "events", "examples")
_FILE = re.compile(r"`([\w./-]+\.(?:py|md|yaml))(?:::\w+)?`")
_LINK = re.compile(r"\]\(([\w./-]+\.\w+)(?:#[\w-]*)?\)")
_MODULE = re.compile(r"``(?:sheetrun\.)?(\w+)\.(\w+)(?:\.(\w+))?``")
#: Rooms whose names begin a module's name in docstrings (``client.webhooks`` is the SDK's object).
_ROOMS = (
    "aws",
    "compiler",
    "datasets",
    "formula",
    "jobs",
    "local",
    "report",
    "runtime",
    "sandbox",
    "service",
    "workbook",
)


@cache
def endings() -> frozenset[str]:
    """Each file's path, and whatever its path ends in: documents name files by room, or by name alone."""
    paths = [path.relative_to(ROOT) for folder in _FOLDERS for path in (ROOT / folder).rglob("*.*")]
    paths += [path.relative_to(ROOT) for path in ROOT.iterdir()]
    return frozenset("/".join(path.parts[k:]) for path in paths for k in range(len(path.parts)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_of_a_document(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    missing = [name for name in _FILE.findall(text) if name not in endings()]
    missing += [link for link in _LINK.findall(text) if not (document.parent / link).exists()]
    assert not missing


def test_modules_of_docstrings() -> None:
    missing = []
    for path in sorted(LIBRARY.rglob("*.py")):
        for room, module, name in _MODULE.findall(path.read_text(encoding="utf-8")):
            if room not in _ROOMS:
                continue
            place = LIBRARY / room / module
            source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
            if not source.exists() or (name and not re.search(rf"\b{name}\b", source.read_text(encoding="utf-8"))):
                missing.append(f"{path.relative_to(ROOT)}: {room}.{module}.{name}")
    assert not missing
