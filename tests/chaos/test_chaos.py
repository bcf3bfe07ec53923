"""Two thousand schedules in which functions die, and whoever waits for a job notices nothing but time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sheetrun.service import watch
from tests.chaos.choosers import Backwards, Lossy, Overtaken, Planned
from tests.chaos.customers import Customer
from tests.chaos.schedules import one_job, overtakings, play, single_faults, storm

STORMS = 1000
OVERTAKINGS = 700


@pytest.fixture(autouse=True)
def _no_clock_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch's thread asks in real time, which no schedule could say anything about; work is stopped where it reports."""
    monkeypatch.setattr(watch, "EVERY", 1e6)


def test_on_a_fine_day_a_job_is_done_at_once_and_told_once() -> None:
    simulation = play(Planned(), one_job())
    assert simulation.chooser.harm == 0
    assert len(simulation.receiver.posted) == 1


def test_one_fault_at_any_point_costs_nobody_a_job() -> None:
    """Killed before and after each write; a call refused, or its answer lost; standing still until long replaced."""
    for number, fault in single_faults():
        assert play(Planned(number, fault), one_job()).chooser.harm == 1


def test_a_worker_that_comes_back_in_the_middle_of_its_successors_work_changes_nothing() -> None:
    for number, gap in overtakings(OVERTAKINGS):
        play(Overtaken(number, gap), one_job())


def test_lost_notifications_and_doubled_messages_in_any_order() -> None:
    play(Lossy(), one_job())
    customers = [Customer("one", "acme"), Customer("two", "acme"), Customer("three", "globex", file="broken")]
    play(Backwards(), customers, max_running=1)


@pytest.mark.parametrize("tenth", range(10))
def test_storms(tenth: int) -> None:
    for seed in _seeds(tenth):
        storm(seed)


def _seeds(tenth: int) -> Iterator[int]:
    return iter(range(tenth * STORMS // 10, (tenth + 1) * STORMS // 10))
