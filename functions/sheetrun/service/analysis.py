"""The computing of a dataset job, shaped as ``compute`` is for workbooks: what ``work`` calls for jobs of that kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sheetrun.datasets import steps
from sheetrun.datasets.steps import PRELOAD
from sheetrun.records import dataclass
from sheetrun.service.compute import Executed, Generated, Parsed, Progress

__all__ = ["PRELOAD", "Analysis"]


@dataclass(frozen=True, slots=True)
class Analysis:
    """``task`` is one of the analyses, or profile: all of them. Every method raises DatasetError and SandboxError."""

    task: str

    def parse(self, source: bytes, filename: str, *, progress: Progress | None = None) -> Parsed:
        found = steps.parse(source, filename, progress=progress)
        return Parsed(found.artefact, found.sheets, found.cells, found.formulas, found.blocks)

    def generate(
        self,
        artefact: bytes,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Generated:
        found = steps.generate(artefact, task=self.task, progress=progress)
        return Generated(found.script, found.line_map, found.unsupported)

    def execute(
        self,
        artefact: bytes,
        generated: Generated,
        source: bytes,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | None = None,
        timeout: float = 60.0,
        memory: int = 1024 * 2**20,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        run: Callable[..., Any] | None = None,
        before: Mapping[str, float] | None = None,
    ) -> Executed:
        done = steps.execute(
            artefact,
            steps.Generated(generated.script, generated.line_map, generated.unsupported),
            source,
            timeout=timeout,
            memory=memory,
            progress=progress,
            cancelled=cancelled,
            run=run,
        )
        return Executed(done.results, done.report, done.errors)
