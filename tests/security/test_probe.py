"""The probe says what holds on this machine, and notices when a layer does not."""

from __future__ import annotations

import sys

import pytest

from sheetrun.sandbox import probe as probing
from sheetrun.sandbox.layers import LAYERS
from sheetrun.sandbox.probe import Layer
from sheetrun.sandbox.warm import WarmRunner


def test_every_layer_is_reported_with_a_reason(probed: dict[str, Layer]) -> None:
    assert list(probed)[: len(LAYERS)] == list(LAYERS)
    for layer in probed.values():
        assert layer.detail, layer.name
        assert layer.purpose, layer.name


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of these")
def test_what_every_linux_gives_holds(probed: dict[str, Layer]) -> None:
    names = ("core", "file_size", "cpu", "memory", "capabilities", "parent_death", "undumpable", "no_new_privs")
    more = ("open_files", "wall_clock", "leftovers", "parent_environment", "parent_memory")
    assert [name for name in (*names, *more) if not probed[name].holds] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of these")
def test_a_machine_with_both_kernel_layers_is_closed(probed: dict[str, Layer]) -> None:
    if probed["landlock"].holds and probed["seccomp"].holds:
        assert [layer.name for layer in probed.values() if layer.name.startswith("all:") and not layer.holds] == []
    else:  # then the report must say what is missing, in words
        assert all(layer.detail for layer in probed.values() if not layer.holds)


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("cpu", "memory")])
def test_a_layer_that_is_not_there_is_seen(runner: WarmRunner, name: str) -> None:
    """Each trial, run without its layer: what the script itself finds must be told from being stopped."""
    trial = next(trial for trial in probing._trials("/etc/hostname") if trial.name == name)
    without = frozenset(LAYERS) - {"core"} if name != "core" else frozenset(LAYERS)
    job = probing.Job(probing._FRAME + trial.script, trial.payload.encode(), policy=None, preload=(), without=without)
    said = runner.run(job, trial.limits).payload.decode()
    unprivileged = name == "capabilities" and "Operation not permitted" in said  # as any user but root
    set_before = name == "core" and said.startswith("held")  # a machine that writes no core files at all
    inherited = name == "undumpable" and said.startswith("held")  # from the server, which is closed as well
    assert said.startswith("open") or unprivileged or set_before or inherited
