"""One workbook, checked: what ``sheetrun check`` does in each of its worker processes."""

from __future__ import annotations

import time
from typing import Any

from sheetrun.client.console import code_of, describe

_KEPT = 200  # mismatches and errors kept per file: the counts stay exact


def check_file(path: str) -> dict[str, Any]:
    """``{file, status, seconds, report | code, detail}``; whatever goes wrong with the file is data, never raised."""
    begun = time.monotonic()
    try:
        from sheetrun.service import local

        report = dict(local.open_model(path).run(None, explain=True).report)
    except Exception as error:
        code = code_of(error)
        refused = code is not None or isinstance(error, OSError)
        return {
            "file": path,
            "status": "refused" if refused else "crashed",
            "code": code or type(error).__name__,
            "detail": describe(error).message.removesuffix(f" [{code}]"),
            "seconds": time.monotonic() - begun,
        }
    for name in ("mismatches", "set_apart", "errors"):
        if name in report:
            report[name] = list(report[name])[:_KEPT]
    status = "mismatch" if report.get("mismatched") else "ok"
    return {"file": path, "status": status, "seconds": time.monotonic() - begun, "report": report}
