"""Schedules: clients, a chooser, and the name under which one can be run again."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.chaos.choosers import Planned, Storm
from tests.chaos.customers import Customer
from tests.chaos.expecting import check, nothing_left
from tests.chaos.points import Fault
from tests.chaos.simulation import Simulation


def play(chooser: Planned, customers: list[Customer], **settings: int) -> Simulation:
    """One schedule to its end, checked. The error tells what had been done."""
    simulation = Simulation(chooser, customers, **settings)
    try:
        simulation.run()
        check(simulation)
        nothing_left(simulation)
    except AssertionError as error:
        error.add_note("\n".join(simulation.trace[-60:]))
        raise
    return simulation


def one_job() -> list[Customer]:
    return [Customer("one", "acme")]


def storm(seed: int) -> Simulation:
    """A few clients with orders of all kinds, few places, and a seeded storm."""
    chance = random.Random(-seed - 1)
    customers = [
        Customer(
            name=f"c{number}",
            client=chance.choice(("acme", "acme", "globex")),
            file=chance.choice(("good", "good", "good", "good", "broken", "none")),
            webhook=chance.random() < 0.8,
            cancels=chance.random() < 0.1,
            retries=chance.random() < 0.5,
            announces=chance.random() < 0.3,
            due=chance.choice((0.0, 0.0, 1.0, 40.0)),
        )
        for number in range(chance.choice((1, 1, 2, 3)))
    ]
    return play(Storm(seed), customers, max_running=chance.choice((1, 2, 100)))


def single_faults() -> Iterator[tuple[int, Fault]]:
    """Every point of a job's way, with everything that may happen there."""
    for number, point in enumerate(play(Planned(), one_job()).way, 1):
        for fault in point.faults:
            yield number, fault


def overtakings(count: int) -> Iterator[tuple[int, int]]:
    """(point at which a worker stands still, calls of others after which it goes on): a sample by a fixed seed."""
    points = play(Planned(), one_job()).points
    chance = random.Random(1)
    for _ in range(count):
        yield chance.randint(1, points), chance.randint(1, 100)
