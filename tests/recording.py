"""What the emulator runs in tests before it becomes MiniStack: every decision about a role's rights is written down.

A line per decision in ``decisions.jsonl`` in the emulator's folder: who, what, on which resource, and what was decided.
It is handed over as text, as ``sheetrun.local.launching`` is, which runs after it.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any


def watch(judge: Any, book: Path) -> None:
    """Puts a pen into the emulator's judge."""
    decide = judge.evaluate
    out = book.open("a", buffering=1, encoding="utf-8")

    def noted(context: Any, *policies: Any) -> Any:
        result = decide(context, *policies)
        line = {"who": context.principal_arn, "action": context.action, "resource": context.resource_arn}
        out.write(json.dumps({**line, "decision": result.decision}) + "\n")
        return result

    judge.evaluate = noted


def launcher(launching: Path, folder: Path) -> Path:
    """A program of this text and that one."""
    texts = [Path(__file__).read_text(encoding="utf-8"), launching.read_text(encoding="utf-8")]
    program = folder / "launcher.py"
    program.write_text("".join(f"exec(compile({text!r}, '<launcher>', 'exec'))\n" for text in texts))
    return program


if __name__ == "__main__":
    watch(import_module("ministack.core.iam_evaluator"), Path("decisions.jsonl"))
