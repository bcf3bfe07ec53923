"""Meets hostile files, each in a process forked for it, and says what came of it: code, peak memory, what it touched.

One JSON object per line: {"path", "kind", "seconds"} in, {"end", "code", "peak", "touched"} out. An audit hook notes
every socket, every process that is started and every file that is opened outside of Python's own and the sandbox's.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.", "ftplib.", "http.")


class Eye:
    """Notes what the process touches while it is open."""

    def __init__(self) -> None:
        self.open = False
        self.touched: list[str] = []
        self._own = tuple({sys.prefix, sys.base_prefix, str(Path(__file__).parents[3] / "functions")})
        sys.addaudithook(self._saw)

    def _saw(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.open:
            return
        if event.startswith(WATCHED):
            self.touched.append(event)
        elif event == "open" and isinstance(arguments[0], str) and not arguments[0].startswith(self._own):
            self.touched.append(f"open {arguments[0]}")


def meet(path: str, kind: str, seconds: float, eye: Eye) -> dict[str, Any]:
    """The three steps of a job; what the last of them runs in is the sandbox's own."""
    from sheetrun.service import analysis, compute

    data = Path(path).read_bytes()
    steps: Any = compute if kind == "workbook" else analysis.Analysis("profile")
    name = Path(path).name
    try:
        eye.open = kind == "workbook"
        parsed = steps.parse(data, name)
        generated = steps.generate(parsed.artefact)
        eye.open = False
        done = steps.execute(parsed.artefact, generated, data, timeout=seconds, memory=2**30)
    except Exception as error:
        eye.open = False
        code = getattr(error, "reason", None) or getattr(error, "code", None) or "internal_error"
        return {"end": "refused", "code": code, "detail": f"{type(error).__name__}: {error}"[:300]}
    codes = sorted({error["code"] for error in done.errors})
    values = json.loads(done.results["values"][1])["cells"] if kind == "workbook" else {}
    return {"end": "done", "code": ",".join(codes), "detail": str(values)[:300]}


def watched(request: dict[str, Any], eye: Eye) -> dict[str, Any]:
    """In a process of its own, which may die."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(int(request["hang"]))
        found = meet(request["path"], request["kind"], request["seconds"], eye)
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sandboxes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        found |= {"peak": own // 1024, "sandbox": sandboxes // 1024, "touched": eye.touched[:5]}
        os.write(writing, json.dumps(found).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read()
    _, status, used = os.wait4(child, 0)
    if not text:
        return {"end": "died", "code": str(status), "peak": used.ru_maxrss // 1024, "sandbox": 0, "touched": []}
    found = json.loads(text)
    return {**found, "seconds": round(used.ru_utime + used.ru_stime, 2)}


def main() -> None:
    import sheetrun.service.analysis
    import sheetrun.service.bundle
    import sheetrun.service.compute  # noqa: F401 - so that each fork has them already

    eye = Eye()
    assert threading.active_count() == 1
    for line in sys.stdin:
        print(json.dumps(watched(json.loads(line), eye)), flush=True)


if __name__ == "__main__":
    main()
