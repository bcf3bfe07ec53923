"""Work in processes of their own: crashes and hangs cost only themselves."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sheetrun.client.workers import each

FUNCTION = """
import os, sys, time
def work(item):
    print("noise on stdout")
    if item == "die": os._exit(3)
    if item == "abort": os.kill(os.getpid(), 9)
    if item == "hang": time.sleep(60)
    return {"file": item, "status": "ok", "pid": os.getpid()}
"""


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "worked_on.py").write_text(FUNCTION)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("SHEETRUN_DEBUG", raising=False)
    return "worked_on:work"


def test_a_crash_and_a_hang_are_results_like_others(function: str) -> None:
    begun = time.monotonic()
    items = ["a", "die", "b", "hang", "abort", "c", "ü\n"]
    results = {result["file"]: result for result in each(function, items, 2, 1.5)}
    assert {name: result["status"] for name, result in results.items()} == {
        "a": "ok",
        "b": "ok",
        "c": "ok",
        "ü\n": "ok",
        "die": "crashed",
        "abort": "crashed",
        "hang": "timed_out",
    }
    assert results["die"]["detail"] == "the process ended (exit code 3)"
    assert results["abort"]["detail"] == "the process ended (SIGKILL)"
    assert time.monotonic() - begun < 20


def test_a_worker_lives_for_many_items(function: str) -> None:
    assert len({result["pid"] for result in each(function, list("abcdef"), 1, 20)}) == 1


def test_leaving_early_leaves_no_process(function: str) -> None:
    begun = time.monotonic()
    for _ in each(function, ["a", "hang", "hang"], 2, 60):
        break
    assert time.monotonic() - begun < 10
