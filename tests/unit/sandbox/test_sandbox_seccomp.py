"""The filter program, interpreted here for both architectures: what it allows, and that nothing else passes."""

from __future__ import annotations

import errno
import mmap
import os
import struct

import pytest

from sheetrun.sandbox import seccomp

ALLOW = 0x7FFF0000
DENY = 0x00050000 | errno.EPERM
KILL = 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4242


def verdict(machine: str, number: int, *arguments: int, opening: seccomp.Opening = "read", audit: int = 0) -> int:
    """Runs the program as the kernel would (the five instructions that it uses) on a ``struct seccomp_data``."""
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("=iIQ6Q", number, audit or ARCHITECTURES[machine], 0, *(a & (2**64 - 1) for a in padded))
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine, PID, opening)))
    assert len(code) < 4096  # BPF_MAXINSNS
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x15:
            at += if_true if accumulator == operand else if_false
        elif operation == 0x45:
            at += if_true if accumulator & operand else if_false
        else:
            assert operation == 0x06
            return int(operand)


def numbers(machine: str) -> dict[str, int]:
    column = 0 if machine == "x86_64" else 1
    return {name: both[column] for name, both in seccomp._ALLOWED.items() if both[column] is not None}  # type: ignore[misc]


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_only_what_is_listed_passes(machine: str) -> None:
    column = 0 if machine == "x86_64" else 1
    listed = set(numbers(machine).values())
    names = ("_OPEN", "_OPENAT", "_MMAP", "_MPROTECT", "_TGKILL", "_PRLIMIT64", "_IOCTL", "_FCNTL")
    examined = {getattr(seccomp, name)[column] for name in names}
    for number in range(600):
        if number in listed:
            assert verdict(machine, number) == ALLOW
        elif number not in examined:
            assert verdict(machine, number) == DENY
    assert verdict(machine, 0x40000000 | min(listed)) == DENY
    assert verdict(machine, -1) == DENY
    other = next(audit for name, audit in ARCHITECTURES.items() if name != machine)
    assert verdict(machine, min(listed), audit=other) == KILL


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_arguments_are_looked_at(machine: str) -> None:
    column = 0 if machine == "x86_64" else 1

    def of(name: str, *arguments: int, opening: seccomp.Opening = "read") -> bool:
        number = getattr(seccomp, f"_{name}")[column]
        return verdict(machine, number, *arguments, opening=opening) == ALLOW

    read_only, writing, created = os.O_RDONLY | os.O_CLOEXEC, os.O_WRONLY, os.O_RDONLY | os.O_CREAT
    assert [of("OPENAT", 0, 1, flags) for flags in (read_only, writing, created, os.O_TMPFILE)] == [1, 0, 0, 0]
    assert [of("OPENAT", 0, 1, flags, opening="write") for flags in (read_only, writing, os.O_TMPFILE)] == [1, 1, 0]
    assert not of("OPENAT", 0, 1, read_only, opening="none")
    read, write, execute = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC
    assert [of("MMAP", 0, 1, p) for p in (read | write, read | execute, write | execute)] == [1, 1, 0]
    assert [of("MPROTECT", 0, 1, p) for p in (read | write, read | execute)] == [1, 0]
    assert [of("TGKILL", pid) for pid in (PID, PID + 1, 1, 2**32 - 1)] == [1, 0, 0, 0]
    assert [of("PRLIMIT64", 0, 7, new) for new in (0, 1, 2**32, 2**40 + 5)] == [1, 0, 0, 0]
    assert [of("IOCTL", 1, request) for request in (0x5401, 0x5412)] == [1, 0]  # TIOCSTI types into a terminal
    assert [of("FCNTL", 1, command) for command in (1, 8)] == [1, 0]  # F_SETOWN sends signals


def test_an_architecture_without_a_table() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64", PID, "read")
