"""The analysis script: readable, the same every time, inside its vocabulary whatever the columns are called."""

from __future__ import annotations

import ast
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.datasets import analyses
from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.schema import Column, Schema, Type, unique_names
from sheetrun.datasets.script import POLICY, TASKS, write_script
from sheetrun.sandbox.allowlist import check

SCHEMA = Schema("orders.csv", "csv", (Column("amount", Type.NUMBER, ","), Column("date", Type.DATE, "%d.%m.%Y")))


@pytest.mark.parametrize("task", ["profile", *TASKS])
def test_every_task_is_python_inside_the_vocabulary(task: str) -> None:
    script = write_script(SCHEMA, task)
    check(script, POLICY)
    assert script == write_script(SCHEMA, task)
    assert "'amount': 'number'," in script
    assert ("def outliers(" in script) == (task in ("profile", "outliers"))


def test_the_vocabulary_is_no_larger_than_the_analyses_need() -> None:
    used = {node.attr for node in ast.walk(ast.parse(inspect.getsource(analyses))) if isinstance(node, ast.Attribute)}
    assert used == POLICY.attributes
    dangerous = ("eval", "query", "read", "to_", "load", "save", "pickle", "ctypes", "io", "pipe", "apply", "map")
    allowed = {"to_numpy", "to_period"}
    assert not [name for name in used - allowed if name.startswith(dangerous)]


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="profile, statistical_summary"):
        write_script(SCHEMA, "nonsense")


@given(
    st.text(max_size=40),
    st.lists(st.text(max_size=30), min_size=1, max_size=6),
    st.sampled_from(list(Type)),
    st.text(max_size=3),
)
def test_no_name_leaves_its_literal(filename: str, names: list[str], kind: Type, delimiter: str) -> None:
    columns = tuple(Column(name, kind) for name in unique_names(names))
    script = write_script(Schema(filename, "csv", columns, delimiter, sheet=filename), "outliers")
    check(script, POLICY)
    tree = ast.parse(script)
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id != "TASKS"
    }
    assert values["COLUMNS"] == {column.name: kind.value for column in columns}
    assert values["READ"]["filename"] == filename
    assert values["READ"]["delimiter"] == delimiter
    plain = write_script(Schema("f", "csv", tuple(Column(f"c{n}", kind) for n, _ in enumerate(columns))), "outliers")
    assert [type(node) for node in tree.body] == [type(node) for node in ast.parse(plain).body]
