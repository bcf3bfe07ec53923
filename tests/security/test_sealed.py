"""Where the kernel has no Landlock, no file opens once the layers are on: late imports must be there already.

AWS Lambda's kernel may be such a place. The late imports of the runtime are read from its source, so that a new one
cannot be forgotten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sheetrun.runtime
from sheetrun.sandbox.allowlist import Policy
from sheetrun.sandbox.errors import Crashed
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.warm import WarmRunner

RUNTIME = Path(sheetrun.runtime.__file__).parent
#: Read at the command line by a person who runs the script, never in the sandbox.
STANDALONE = {"standalone.py"}

SEALED = frozenset({"landlock"})


def late_imports() -> Iterator[str]:
    for path in sorted(RUNTIME.rglob("*.py")):
        if path.name in STANDALONE:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import):
                        yield from (alias.name for alias in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module:
                        yield node.module


def test_late_imports_of_the_runtime_work_where_no_file_opens() -> None:
    names = sorted(set(late_imports()))
    assert names
    script = f"""
import importlib
def run_payload(payload, progress):
    missing = []
    for name in {names!r}:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return " ".join(missing).encode()
"""
    with WarmRunner() as warm:
        result = warm.run(Job(script, policy=None, without=SEALED))
    if "seccomp" in result.layers:
        assert result.payload == b"", "name them in server._STANDARD"
    else:
        assert "seccomp" in result.missing


def test_dates_numbers_and_text_work_where_no_file_opens() -> None:
    script = """
def run_payload(payload, progress):
    import numpy as np, datetime, decimal, fractions, unicodedata
    parts = [
        datetime.datetime.strptime("2024-02-29", "%Y-%m-%d").isoformat(),
        str(decimal.Decimal("0.1") + 1),
        unicodedata.name("x"),
        str(np.linalg.det(np.eye(3)) + 1),
        str(np.sort(np.array([2.0, 1.0]))[0]),
        f"{1234.5:,.2f}",
        "\\u0130".casefold(),
    ]
    return "|".join(parts).encode()
"""
    with WarmRunner() as warm:
        said = warm.run(Job(script, policy=None, without=SEALED)).payload.decode()
    assert said.startswith("2024-02-29T00:00:00|1.1|LATIN SMALL LETTER X|2.0|1.0|1,234.50|")


def test_an_import_that_comes_too_late_is_said_plainly(runner: WarmRunner) -> None:
    script = "def run_payload(payload, progress):\n    import wave\n    return b''"
    job = Job(script, policy=None, preload=(), without=SEALED)
    result = None
    try:
        result = runner.run(job)
    except Crashed as error:
        assert "ModuleNotFoundError" in str(error) or "PermissionError" in str(error)  # noqa: PT017 (or the result)
    assert result is None or "seccomp" in result.missing


@pytest.mark.parametrize("without", [frozenset[str](), SEALED])
def test_a_generated_script_runs(without: frozenset[str]) -> None:
    script = """from sheetrun.runtime.api import SUM, step

@step("Sheet1!A1")
def sheet1_a1(book):
    return SUM(1.0, 2.0)

def run_payload(payload, progress):
    return payload
"""
    policy = Policy(decorators=frozenset({"step"}))
    with WarmRunner() as warm:
        assert warm.run(Job(script, b"x", policy=policy, without=without)).payload == b"x"
