"""The arithmetic of infra/cost.py, and that the page says what it computes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from infra import cost

from sheetrun.local.deploying import load_template

FACTS = cost.load()


def test_a_job_costs_the_sum_of_what_it_uses() -> None:
    prices = dict.fromkeys(FACTS.prices, 0.0) | {"lambda_gb_second": 2.0, "lambda_request": 0.5, "store_gb_month": 30.0}
    facts = replace(
        FACTS, prices=prices, memory={"execute": 2048}, requests=dict.fromkeys(FACTS.requests, 0.0) | {"functions": 3.0}
    )
    book = cost.Book("x", 1, source=400_000_000, kept=600_000_000, seconds={"execute": 10.0})
    found = cost.job_cost(replace(facts, days_kept=1), book)
    assert found["functions"] == pytest.approx(10 * 2 * 2.0 + 3 * 0.5)
    assert found["storage"] == pytest.approx(1.0)  # one GB for a thirtieth of a month
    assert sum(found.values()) == pytest.approx(42.5)
    assert set(found) == set(cost.PARTS)


def test_every_price_and_every_request_counts() -> None:
    book = FACTS.books[0]
    whole = sum(cost.job_cost(FACTS, book).values())
    for name in FACTS.prices:
        dearer = replace(FACTS, prices={**FACTS.prices, name: FACTS.prices[name] * 1000})
        assert sum(cost.job_cost(dearer, book).values()) > whole, name
    for name in FACTS.requests:
        more = replace(FACTS, requests={**FACTS.requests, name: FACTS.requests[name] * 1000})
        assert sum(cost.job_cost(more, book).values()) > whole, name


def test_scenarios_cost_by_their_number() -> None:
    (seconds, dollars), (twice, double) = (cost.scenarios_cost(FACTS, "finance", count) for count in (1000, 2000))
    assert (twice, double) == pytest.approx((2 * seconds, 2 * dollars))


def test_memory_is_what_the_template_gives() -> None:
    template = load_template()
    for name, megabytes in FACTS.memory.items():
        said = template["Resources"][f"{name.capitalize()}Function"]["Properties"]["MemorySize"]
        default = template["Parameters"][said["Ref"]]["Default"] if isinstance(said, dict) else said
        assert default == megabytes, name


def test_as_many_alarms_are_paid_for_as_there_are() -> None:
    resources = load_template()["Resources"].values()
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    read = sum(sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in alarms)
    assert [one["units"] for one in FACTS.idle if "alarms" in one["what"]] == [read]


def test_the_page_says_what_is_computed() -> None:
    page = cost.PAGE.read_text(encoding="utf-8")
    assert cost.BEGIN in page
    assert cost.written(page, FACTS) == page, "python -m infra.cost"
