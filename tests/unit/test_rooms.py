"""Imports go one way. The rooms of the house and the doors between them, as in docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sheetrun

LIBRARY = Path(sheetrun.__file__).parent

#: Room -> rooms of ours that it may import at all, besides ``records``, by which all of them make their values.
DOORS = {
    "jobs": {"jobs"},
    "formula": {"formula"},
    "sandbox": {"sandbox"},
    "aws": {"aws", "jobs", "service"},
}
#: Packages from outside that a room must not know.
CLOSED = {
    "jobs": {"boto3", "botocore", "numpy", "time", "random", "os"},
    "service": {"boto3", "botocore", "moto"},
    "formula": {"boto3", "botocore", "openpyxl"},
}


def imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


@pytest.mark.parametrize("room", sorted(DOORS))
def test_a_room_imports_only_through_its_doors(room: str) -> None:
    for file in (LIBRARY / room).rglob("*.py"):
        ours = {name.split(".")[1] for name in imports(file) if name.startswith("sheetrun.")}
        assert ours <= DOORS[room] | {"records"}, f"{file}: {ours - DOORS[room]}"


@pytest.mark.parametrize("room", sorted(CLOSED))
def test_a_room_does_not_know_what_is_not_its_business(room: str) -> None:
    for file in (LIBRARY / room).rglob("*.py"):
        outside = {name.split(".")[0] for name in imports(file)}
        assert not outside & CLOSED[room], f"{file}: {outside & CLOSED[room]}"


def test_entry_points_are_short() -> None:
    for app in LIBRARY.parent.glob("*/app.py"):
        assert len(app.read_text().splitlines()) <= 30, app
