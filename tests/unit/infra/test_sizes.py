"""Budgets of functions: what is over is told."""

from __future__ import annotations

from tests.bench.start import LARGEST, Start, over, table


def test_what_is_over_its_budget_is_told_and_all_else_is_not() -> None:
    good = [
        Start("api", 100, 140, 20),
        Start("execute", 200, 300, LARGEST - 1),
        Start("(boto3 alone)", 120, None, None),
    ]
    assert over(good) == []
    bad = [Start("api", 100, 160, 26), Start("execute", 200, 300, LARGEST + 1)]
    assert [line.partition(":")[0] for line in over(bad)] == ["api", "api", "execute"]
    assert all(line.count("|") == 7 for line in table(good))
