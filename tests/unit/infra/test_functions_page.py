"""docs/functions.md says what the registry says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sheetrun.runtime import registry

ROOT = Path(__file__).parents[3]


def loaded(name: str) -> ModuleType:
    """A program of infra/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "infra" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return loaded("functions_page")


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    written = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    assert written == generator.page(), "run `make docs`"


def test_the_table_of_modules_is_up_to_date() -> None:
    module = loaded("function_modules")
    assert module.TABLE.read_text(encoding="utf-8") == module.table(), "run `make docs`"


def test_every_function_has_one_row(generator: ModuleType) -> None:
    page = generator.page()
    generator_names = {*generator.LANGUAGE, *(entry.name for entry in registry.entries())}
    for name in generator_names:
        assert page.count(f"| {name} |") == 1
    assert len(generator_names) >= 528


def test_what_the_mappings_name_exists(generator: ModuleType) -> None:
    known = {entry.name for entry in registry.entries()}
    assert set(generator._ELSEWHERE) <= known
    assert set(generator.PARTLY) <= known
    assert not set(generator.MISSING) & known
    assert {entry.category for entry in registry.entries()} == set(generator.CATEGORIES)


@pytest.mark.parametrize(
    ("name", "category", "status", "arrays"),
    [
        ("ROUND", "Math and trigonometry", "computed", "each"),
        ("NORMDIST", "Compatibility", "computed", "each"),
        ("CUBEVALUE", "Cube", "cached", ""),
        ("WEBSERVICE", "Web", "cached", ""),
        ("SUM", "Math and trigonometry", "computed", "whole"),
        ("LET", "Math and trigonometry", "computed", "whole"),
    ],
)
def test_rows(generator: ModuleType, name: str, category: str, status: str, arrays: str) -> None:
    rows = {row[1]: row for row in generator.rows()}
    assert rows[name][0] == category
    assert rows[name][2:4] == (status, arrays)
    assert rows[name][5]
