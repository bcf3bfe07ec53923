"""What every run of a generated script has in common: its vocabulary, where it is entered, what is imported beforehand,
and what is told of it."""

from __future__ import annotations

from typing import Any, Final

from sheetrun.runtime.payload import RunOutput
from sheetrun.sandbox.allowlist import Policy
from sheetrun.service.findings import Proof
from sheetrun.workbook.errors import NoFormulas
from sheetrun.workbook.model import Workbook

#: What a generated script may say (see ``sandbox.allowlist``).
SCRIPT_POLICY: Final = Policy(
    modules=frozenset({"sheetrun.runtime.api"}),
    attributes=frozenset(
        {
            "n",
            "arr",
            "ref",
            "window",
            "growing",
            "spill",
            "define",
            "define_array",
            "define_spill",
            "live",
            "span",
            "data_table",
            "track",
            "track_n",
            "keep",
        }
    ),
    decorators=frozenset({"step", "solve"}),
    builtins=frozenset(),
)
ENTRY: Final = "sheetrun.runtime.host:run_payload"
#: What a sandbox imports before it is sealed: for one run, and for a process that stays.
ONCE_PRELOAD: Final = ("numpy", "sheetrun.runtime.api", "sheetrun.runtime.host")
PRELOAD: Final[tuple[str, ...]] = (*ONCE_PRELOAD, "sheetrun.runtime.everything")


def need_formulas(workbook: Workbook) -> None:
    """Raises NoFormulas when there is nothing to compile."""
    if not any(sheet.blocks for sheet in workbook.sheets):
        raise NoFormulas("the workbook has no formulas: there is nothing to compute")


def make_report(workbook: Workbook, proof: Proof, output: RunOutput, *, changed: bool) -> dict[str, Any]:
    """The report of a run (API: "report"). ``changed``: inputs were set, so stored values need not match."""
    return {
        **proof.counts(),
        "inputs_changed": changed,
        "circular": len(output.circular),
        "manual_calculation": workbook.settings.manual,
        "precision_as_displayed": not workbook.settings.full_precision,
        "application": workbook.settings.application,
        "mismatches": [
            {"cell": m.cell, "formula": m.formula, "ours": m.ours, "excel": m.excel, "root": m.root}
            for m in proof.mismatches[:200]
        ],
        "set_apart": [
            {"cell": m.cell, "formula": m.formula, "ours": m.ours, "excel": m.excel, "reason": m.reason}
            for m in proof.apart[:200]
        ],
        "errors": proof.errors[:200],
    }
