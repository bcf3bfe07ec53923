"""What goes into a sandboxed run, and what comes out."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from sheetrun.records import dataclass

from .allowlist import GENERATED, Policy

#: Imported before any foreign text is read, each with its whole package; a warm process has them already.
PRELOAD: Final = ("numpy", "sheetrun.runtime.api", "sheetrun.runtime.host")


@dataclass(frozen=True, slots=True)
class Job:
    """``script`` is text, ``payload`` is the host's own business (bytes in, bytes out)."""

    script: str
    payload: bytes = field(default=b"", repr=False)
    #: "module:function", called with (the script's namespace, payload, progress); or the name of a function of the
    #: script, called with (payload, progress). Either returns bytes.
    entry: str = "run_payload"
    #: The vocabulary that the script must keep to. None: anything goes, and only the other layers hold (for tests).
    policy: Policy | None = GENERATED
    preload: tuple[str, ...] = PRELOAD
    #: Layers (names of ``layers.LAYERS``) without which the script is not executed: ``NotIsolated``.
    require: frozenset[str] = frozenset()
    #: Layers that are left out, to see what the others hold. For tests and the probe.
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Result:
    payload: bytes | bytearray = field(repr=False)  #: as it came in: a copy of what is large takes time
    stdout: bytes  #: the first 64 KiB
    stderr: bytes  #: the last 64 KiB
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int  #: resident memory at its highest, with the interpreter
    layers: tuple[str, ...]  #: which held
    missing: dict[str, str]  #: which did not, and why
