"""The states of a job and the steps of its pipeline, as names; what may follow what.

::

    awaiting_upload ──upload arrived──► queued ──claim parse──► parsing ──claim──► generating ──claim──► executing
          │                               │ ▲                      │                   │                     │
          │ no upload in time             │ └───── client retry ───┴───────────────────┴──── of failed,      │
          │ or deadline                   │        (from the stage that failed)              timed_out       │
          ▼                               ▼                                                                  ▼
       expired                    cancelled (at once)          succeeded · partially_succeeded · failed · timed_out

    A step that a worker holds (a lease) is cancelled in two moves: cancelling, then cancelled, when the worker lets
    go or its lease runs out. A step that nobody holds is cancelled at once.

A queued job stands in its client's line until it is *admitted*: it then has a place among the running jobs, which it
keeps until its end, and the message to its step is sent.

Two numbers keep late and doubled deliveries out:

- ``dispatch`` is the number on the one message that may start the next step. A message with another number is stale.
- ``epoch`` grows by one with every claim. Whoever writes for a step names the epoch of its claim; a worker that was
  given up for dead, and comes back, is told so by the first write that it tries.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PARSING = "parsing"
    GENERATING = "generating"
    EXECUTING = "executing"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self in ENDED


ENDED = frozenset(
    {
        State.SUCCEEDED,
        State.PARTIALLY_SUCCEEDED,
        State.FAILED,
        State.TIMED_OUT,
        State.CANCELLED,
        State.EXPIRED,
    }
)
#: What ``retry`` may resume.
RETRYABLE = frozenset({State.FAILED, State.TIMED_OUT})


class Step(StrEnum):
    """A unit of work with a queue of its own, in the order in which a job passes them."""

    PARSE = "parse"
    GENERATE = "generate"
    EXECUTE = "execute"

    @property
    def state(self) -> State:
        return _STATE_OF[self]

    @property
    def place(self) -> int:
        return _ORDER.index(self)

    @property
    def following(self) -> Step | None:
        after = self.place + 1
        return _ORDER[after] if after < len(_ORDER) else None


_ORDER: tuple[Step, ...] = (Step.PARSE, Step.GENERATE, Step.EXECUTE)
_STATE_OF = {Step.PARSE: State.PARSING, Step.GENERATE: State.GENERATING, Step.EXECUTE: State.EXECUTING}
STEPS = _ORDER


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


#: How many times the aging each class stands back in its client's line: a job of low priority is passed by those of
#: high priority that come within two times the aging after it, and by no later ones. So none waits for ever.
STANDS_BACK = {Priority.HIGH: 0, Priority.NORMAL: 1, Priority.LOW: 2}


class Kind(StrEnum):
    WORKBOOK = "workbook"
    DATASET = "dataset"
    SCENARIOS = "scenarios"  #: of a model; made by a route of its own


#: The tasks of each kind; the first is the default.
TASKS: dict[Kind, tuple[str, ...]] = {
    Kind.WORKBOOK: ("recalculate",),
    Kind.DATASET: (
        "profile",
        "statistical_summary",
        "data_quality",
        "correlations",
        "distributions",
        "outliers",
    ),
    Kind.SCENARIOS: ("scenarios",),
}

#: States from which each state may be entered. The transitions hold to it (a test walks every pair).
ALLOWED: dict[State, frozenset[State]] = {
    State.AWAITING_UPLOAD: frozenset(),
    State.QUEUED: frozenset({State.AWAITING_UPLOAD, *RETRYABLE}),
    State.PARSING: frozenset({State.QUEUED, State.PARSING}),
    State.GENERATING: frozenset({State.PARSING, State.GENERATING, State.QUEUED}),
    State.EXECUTING: frozenset({State.GENERATING, State.EXECUTING, State.QUEUED}),
    State.CANCELLING: frozenset({State.PARSING, State.GENERATING, State.EXECUTING}),
    State.SUCCEEDED: frozenset({State.EXECUTING}),
    State.PARTIALLY_SUCCEEDED: frozenset({State.EXECUTING}),
    State.FAILED: frozenset(
        {State.AWAITING_UPLOAD, State.QUEUED, State.PARSING, State.GENERATING, State.EXECUTING, State.CANCELLING}
    ),
    State.TIMED_OUT: frozenset({State.QUEUED, State.PARSING, State.GENERATING, State.EXECUTING}),
    State.CANCELLED: frozenset(
        {
            State.AWAITING_UPLOAD,
            State.QUEUED,
            State.PARSING,
            State.GENERATING,
            State.EXECUTING,
            State.CANCELLING,
        }
    ),
    State.EXPIRED: frozenset({State.AWAITING_UPLOAD, State.QUEUED}),
}
