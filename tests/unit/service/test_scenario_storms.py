"""Scenarios in bad weather: workers die at any call, messages are lost and doubled; each scenario counts once."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sheetrun.jobs.errors import StepRetryable
from sheetrun.service import fanout
from sheetrun.service.steps import Message
from tests.unit.service.served import Served, sample

COUNT = 70
SEEDS = range(10)


class Killed(BaseException):
    """A worker's end, in the middle of whatever it did."""


class Weather:
    """A port that kills whoever calls it, before or after it did its work, or does not answer; as chance will have it."""

    def __init__(self, port: Any, chance: random.Random, storm: list[float]) -> None:
        self._port, self._chance, self._storm = port, chance, storm

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*parts: Any, **options: Any) -> Any:
            dice = self._chance.random()
            if dice < self._storm[0]:
                raise Killed
            if dice < 1.5 * self._storm[0] and name != "writing":
                raise StepRetryable("unavailable", "no answer")
            found = method(*parts, **options)
            if dice > 1 - self._storm[0]:
                raise Killed
            return found

        return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storms")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_scenario_counts_once(folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "_CELLS", 40)
    (folder / str(seed)).mkdir()
    bench = Served(folder / str(seed), max_attempts=10, retry_delays=(1,))
    job = bench.scenarios(sample(COUNT, outputs=["Model!B2", "Model!B3", "Model!B4"]))
    chance, storm = random.Random(seed), [0.02]
    calm = bench.world
    bench.world = replace(
        calm,
        **{name: Weather(getattr(calm, name), chance, storm) for name in ("ledger", "chunks", "blobs", "queues")},
    )
    old: list[Message] = []
    for _ in range(60):
        turn(bench, chance, old)
    storm[0] = 0.0
    for _ in range(60):
        if not bench.job(job["id"])["running"]:
            break
        bench.clock.advance(61)
        bench.sweeper().sweep(seconds=10)
        bench.run_all()
    done = bench.job(job["id"])
    assert done["state"] == "succeeded", done["error"]
    assert bench.table.tally(job["id"]).scenarios == COUNT
    table = bench.table_of(job["id"])
    assert table["scenario"] == list(range(1, COUNT + 1))
    assert table["Model!B2"] == pytest.approx([10 * value for value in table["Model!B1"]])
    for message in old:  # and nothing that comes late changes it
        bench.step(message)
    assert bench.table_of(job["id"]) == table


def turn(bench: Served, chance: random.Random, old: list[Message]) -> None:
    """One thing happens."""
    what = chance.random()
    if what < 0.1:
        bench.clock.advance(chance.choice([1, 20, 61, 100]))
        try:
            bench.sweeper().sweep(seconds=10)
        except (Killed, StepRetryable):
            return
    message = chance.choice(old) if old and what > 0.8 else bench.next_message()
    if message is None:
        return
    old.append(message)
    if what < 0.15:  # lost
        return
    try:
        bench.step(message)
    except (Killed, StepRetryable):
        bench.clock.advance(chance.choice([0, 5]))
