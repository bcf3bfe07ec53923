"""Where a script meets its data: runs the steps of a script's namespace on a book."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sheetrun.runtime.alone import AloneBook
from sheetrun.runtime.book import Book
from sheetrun.runtime.payload import RunInput, RunOutput, book_from
from sheetrun.runtime.steps import Step

Progress = Callable[[int, int, str], None]


def run_payload(namespace: Mapping[str, Any], payload: bytes, progress: Progress | None = None) -> bytes:
    """Computes a workbook: input bytes and the executed script in, output bytes out (see ``payload``)."""
    source = RunInput.from_bytes(payload)
    own = len(source.sheets) - source.externals
    if source.alone:
        alone = _alone(source)
        alone.wanted = source.wanted
        alone.run(namespace["STEPS"], progress)
        return RunOutput.of(alone.results, own, 0.0).to_bytes()
    book, seconds = run_steps(namespace["STEPS"], source, progress)
    return RunOutput.of(book, own, seconds).to_bytes()


def run_steps(steps: list[Step], source: RunInput, progress: Progress | None = None) -> tuple[Book, float]:
    """The computed book and how long the steps took, in seconds."""
    book = source.book()
    started = time.perf_counter()
    book.run(steps, progress)
    return book, time.perf_counter() - started


def _alone(source: RunInput) -> AloneBook:
    if source.displayed:
        from sheetrun.runtime.displayed import DisplayedAloneBook

        return book_from(source, DisplayedAloneBook)
    return book_from(source, AloneBook)
