"""How far a job is: a bar that is drawn over itself on a terminal, plain lines when something changes in a pipe."""

from __future__ import annotations

import shutil
import sys
from typing import Self, TextIO

_FULL, _EMPTY = "█", "░"


class ProgressLine:
    """Use as a context manager; ``show`` may be called as often as there is news. Writes to stderr."""

    def __init__(self, stream: TextIO | None = None, *, terminal: bool | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self.terminal = self._stream.isatty() if terminal is None else terminal
        self._drawn = 0
        self._last = ""
        encoding = (getattr(self._stream, "encoding", None) or "ascii").lower()
        self._marks = (_FULL, _EMPTY) if encoding.startswith("utf") else ("#", ".")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, name: str, percent: float, text: str) -> None:
        """``percent`` 0..100; ``text`` is the stage or what happens in it."""
        if not self.terminal:
            self.line(f"{name}: {text}")
            return
        width = shutil.get_terminal_size().columns
        cells = max(10, min(30, width // 4))
        filled = round(max(0.0, min(100.0, percent)) / 100 * cells)
        bar = self._marks[0] * filled + self._marks[1] * (cells - filled)
        line = f"{bar} {percent:3.0f} %  {name}  {text}"[: width - 1]
        self._stream.write("\r" + line + " " * max(0, self._drawn - len(line)))
        self._stream.flush()
        self._drawn = len(line)

    def line(self, text: str) -> None:
        """A line that stays; the same one twice in a row is written once."""
        if text == self._last:
            return
        self._last = text
        self.clear()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Takes the bar away."""
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
            self._drawn = 0
