"""Errors of the sandbox keep their code, their retryability and their values on their way through a pickle."""

from __future__ import annotations

import pickle
import signal

import pytest

from sheetrun.sandbox import errors
from sheetrun.sandbox.limits import Limits

CASES = [
    (errors.ForbiddenSyntax(3, "While is not allowed"), "forbidden_syntax", False, "line 3: While"),
    (errors.TimedOut("wall", 1.5), "timed_out", False, "within 1.5 s of time"),
    (errors.TimedOut("cpu", 60.0), "timed_out", False, "within 60 s of processor time"),
    (errors.OutOfMemory(64 * 2**20), "out_of_memory", False, "64 MiB"),
    (errors.OutputTooLarge("result", 1000), "output_too_large", False, "result went over the limit of 1000"),
    (errors.Killed(signal.SIGKILL), "killed", True, "SIGKILL"),
    (errors.Killed(signal.SIGSEGV), "killed", False, "SIGSEGV"),
    (errors.Killed(99), "killed", False, "signal 99"),
    (errors.Crashed(3, "tail"), "crashed", False, "exit code 3"),
    (errors.Crashed(1, "tail", "ValueError: no", 7), "crashed", False, "at line 7 of the script: ValueError: no"),
    (errors.ProtocolError("gone"), "sandbox_protocol", True, "gone"),
    (errors.NotIsolated({"seccomp": "the kernel has none"}), "not_isolated", False, "seccomp (the kernel has none)"),
    (errors.Cancelled(), "cancelled", False, "cancelled"),
]


@pytest.mark.parametrize(("error", "code", "retryable", "text"), CASES)
def test_error(error: errors.SandboxError, code: str, retryable: bool, text: str) -> None:
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert isinstance(each, errors.SandboxError)
        assert (each.code, each.retryable) == (code, retryable)
        assert text in str(each)
        assert each.args == error.args
        assert vars(each) == vars(error)


def test_every_class_of_the_tree_is_in_the_table() -> None:
    assert {type(error) for error, *_ in CASES} == set(errors.SandboxError.__subclasses__())


@pytest.mark.parametrize(
    "values",
    [{"wall_seconds": 0}, {"cpu_seconds": -1}, {"memory_bytes": 100}, {"output_bytes": -1}, {"files": 3}]
    + [{name: -1} for name in ("scratch_bytes", "scratch_files", "processes")],
)
def test_limits_that_make_no_sense(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Limits(**values)
