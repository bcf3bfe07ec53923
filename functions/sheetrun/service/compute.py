"""The computing of a workbook job as four pure steps: parse, generate, execute, prove. No AWS, no job state.

The pipeline's functions and the command line both call these; artefacts are bytes, so that each step can run in
another process on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Progress = Callable[[int, int, str], None]  #: (done, total, message); may raise to cancel


@dataclass(frozen=True, slots=True)
class Parsed:
    """``artefact`` holds the workbook model (see ``workbook.store``)."""

    artefact: bytes
    sheets: int
    cells: int
    formulas: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Generated:
    """The script, the map from its lines to cells, and what could not be compiled (cell or range, code, detail)."""

    script: str
    line_map: bytes
    unsupported: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Executed:
    """``results``: name -> (content type, bytes) for values, workbook, script, report, graph, bundle."""

    results: Mapping[str, tuple[str, bytes]]
    report: Mapping[str, Any]  #: formulas, compared, matched, mismatched, volatile, unsupported
    errors: tuple[dict[str, str], ...] = field(default=())  #: {cell, code, detail} of what could not be computed


def parse(source: bytes, filename: str, *, progress: Progress | None = None) -> Parsed:
    """Raises ``WorkbookError`` for a file that cannot be used."""
    raise RuntimeError("assembled when reader, compiler and runtime stand")


def generate(artefact: bytes, *, progress: Progress | None = None) -> Generated:
    """Raises ``WorkbookError`` (no formulas). What cannot be compiled is listed, never raised."""
    raise RuntimeError("assembled when reader, compiler and runtime stand")


def execute(
    artefact: bytes,
    generated: Generated,
    source: bytes,
    *,
    inputs: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    timeout: float = 60.0,
    memory: int = 1024 * 2**20,
    progress: Progress | None = None,
) -> Executed:
    """Runs the script in the sandbox and proves it. Raises ``InputError`` (unknown cell or name), ``SandboxError``."""
    raise RuntimeError("assembled when reader, compiler and runtime stand")
