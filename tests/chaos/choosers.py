"""Who runs next and what goes wrong: one planned fault, everything twice and backwards, or a seeded storm."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from tests.chaos.points import Fault, Point

#: Longer than any message is invisible: whoever stands still for so long was given up and replaced.
LONG = 1300.0


class Planned:
    """All in order, and one fault at one point (counted from 1; 0: none)."""

    def __init__(self, number: int = 0, fault: Fault = Fault.KILL) -> None:
        self.number, self.fault = number, fault
        self.harm = 0  #: how much went wrong so far

    def at(self, number: int, point: Point) -> Fault | None:
        if number != self.number:
            return None
        self.harm += 1
        return self.fault

    def wakes(self, number: int) -> bool:
        """Whether all that stands still goes on at this point, before whoever is there."""
        return False

    def pick(self, candidates: Sequence[Any]) -> int:
        return 0

    def thaw(self) -> float:
        return LONG

    def tick(self) -> float:
        return 0.0

    def skew(self) -> float:
        return 0.0

    def doubled(self) -> bool:
        """Whether a message is handed out once more while the first is being worked on."""
        return False

    def kept(self) -> bool:
        """Whether a message that was worked off comes again."""
        return False

    def lost(self) -> bool:
        """Whether a notification never arrives."""
        return False

    def restarts(self) -> bool:
        return False

    def receiver_fails(self) -> bool:
        return False


class Overtaken(Planned):
    """One worker stands still at a point, and goes on when others have made ``gap`` more calls: in the middle of theirs."""

    def __init__(self, number: int, gap: int) -> None:
        super().__init__(number, Fault.FREEZE)
        self._wake = number + gap

    def wakes(self, number: int) -> bool:
        return number == self._wake

    def thaw(self) -> float:
        return 10 * LONG


class Lossy(Planned):
    """No notification of the bucket arrives."""

    def lost(self) -> bool:
        return True


class Backwards(Planned):
    """Every message is handed out twice and comes a third time when it is done; the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = 0

    def pick(self, candidates: Sequence[Any]) -> int:
        return len(candidates) - 1

    def doubled(self) -> bool:
        self._seen += 1
        return self._seen % 2 == 1

    def kept(self) -> bool:
        self._seen += 1
        return self._seen % 3 == 0


class Storm(Planned):
    """Anything, by a seed. ``most`` faults; after them the weather is fine, so that everything must come to its end."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._left = self._random.choice((1, 2, 2, 4, 8, 16))
        self._often = self._random.choice((0.01, 0.03, 0.1))
        self._yields = self._random.choice((0.0, 0.05, 0.3))

    def _strikes(self, chance: float) -> bool:
        if self._left <= 0 or self._random.random() >= chance:
            return False
        self._left -= 1
        self.harm += 1
        return True

    def at(self, number: int, point: Point) -> Fault | None:
        if self._strikes(self._often):
            return self._random.choice(point.faults)
        return Fault.YIELD if self._random.random() < self._yields else None

    def pick(self, candidates: Sequence[Any]) -> int:
        return self._random.randrange(len(candidates))

    def thaw(self) -> float:
        return self._random.choice((2.0, 70.0, 400.0, LONG))

    def tick(self) -> float:
        """Seconds that pass while another runs."""
        if self._random.random() > 0.05:
            return 0.0
        return self._random.choice((0.5, 2.0, 8.0)) if not self._strikes(0.3) else 65.0

    def skew(self) -> float:
        return self._random.choice((0.0, 0.0, -3.0, 3.0, -0.2))

    def doubled(self) -> bool:
        return self._strikes(self._often)

    def kept(self) -> bool:
        return self._strikes(self._often)

    def lost(self) -> bool:
        return self._strikes(0.2)

    def restarts(self) -> bool:
        return self._strikes(0.003)

    def receiver_fails(self) -> bool:
        return self._strikes(0.2)
