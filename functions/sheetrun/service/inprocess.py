"""A generated script in this very process: for programs that open workbooks of their own, where a sandbox would cost
more than the call. The script has been checked against its vocabulary; its time and memory are the program's."""

from __future__ import annotations

import linecache
from typing import Any

from sheetrun.sandbox.allowlist import check
from sheetrun.service.scripts import SCRIPT_POLICY


def executed(script: str, name: str = "<model>") -> dict[str, Any]:
    """The names that a script leaves, its ``STEPS`` among them. Raises ForbiddenSyntax.

    ``name``: where its source is kept for those who ask for it; a statement that fails is told from the others by it.
    """
    check(script, SCRIPT_POLICY)
    linecache.cache[name] = (len(script), None, script.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "model", "__file__": name}
    code = compile(script, name, "exec")
    exec(code, namespace)  # what it may say was checked  # nosec B102
    return namespace
