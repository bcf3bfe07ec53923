"""What is measured: which lines of the log are metrics, and the text that Prometheus reads.

A line of the log becomes a metric by CloudWatch's embedded format (docs.aws.amazon.com, "EMF specification"): the line
itself holds the values, and ``_aws`` says which of its fields they are. So nothing is measured that cannot be looked up,
and measuring costs no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sheetrun.records import dataclass

NAMESPACE = "Sheetrun"


@dataclass(frozen=True, slots=True)
class Metric:
    """``dimensions`` are fields of the line beside the stage; ``values``: field -> unit."""

    dimensions: tuple[str, ...]
    values: Mapping[str, str]


#: Event of the log -> its metric. ``count`` is added where a line has no number of its own.
METRICS: Mapping[str, Metric] = {
    "request": Metric(("route",), {"ms": "Milliseconds"}),
    "turned_away": Metric(("answer",), {"count": "Count"}),
    "request_failed": Metric(("code",), {"count": "Count"}),
    "request_bug": Metric(("kind",), {"count": "Count"}),
    "step_done": Metric(("step",), {"duration_ms": "Milliseconds"}),
    "step_failed": Metric(("step", "code"), {"count": "Count"}),
    "step_faulted": Metric(("step", "code"), {"count": "Count"}),
    "job_ended": Metric(("state",), {"seconds": "Seconds"}),
    "delivery_attempted": Metric(("outcome",), {"duration_ms": "Milliseconds"}),
    "delivery_failed": Metric(("why",), {"count": "Count"}),
    "webhook_disabled": Metric(("why",), {"count": "Count"}),
    "dead_letter": Metric(("source",), {"count": "Count"}),
    "swept": Metric((), {"changed": "Count", "deleted": "Count", "sent": "Count"}),
}


def measured(line: dict[str, Any], milliseconds: int) -> dict[str, Any]:
    """The line, with what makes a metric of it when its event is one."""
    metric = METRICS.get(str(line["event"]))
    if metric is None:
        return line
    dimensions = [name for name in metric.dimensions if isinstance(line.get(name), str)]
    declared = [{"Name": name, "Unit": unit} for name, unit in metric.values.items()]
    counted = {"count": 1} if "count" in metric.values else {}
    return {
        **line,
        **counted,
        "_aws": {
            "Timestamp": milliseconds,
            "CloudWatchMetrics": [
                {"Namespace": NAMESPACE, "Dimensions": [["stage", "event", *dimensions]], "Metrics": declared}
            ],
        },
    }


class Counters(Protocol):
    """Numbers that only grow, of the whole service."""

    def add(self, amounts: Mapping[str, float]) -> None: ...

    def totals(self) -> Mapping[str, float]: ...


#: Counters by name: (help, label). A counter's key is ``name`` or ``name:value of the label``.
COUNTED: Mapping[str, tuple[str, str]] = {
    "sheetrun_jobs_ended_total": ("Jobs that came to their end, by state.", "state"),
    "sheetrun_job_seconds_total": ("Seconds from creation to end of the jobs that ended, by state.", "state"),
    "sheetrun_stage_seconds_total": ("Seconds that stages worked on the jobs that ended, by stage.", "stage"),
    "sheetrun_stage_runs_total": ("Stages done of the jobs that ended, by stage.", "stage"),
    "sheetrun_webhook_attempts_total": ("Webhook requests, by outcome.", "outcome"),
    "sheetrun_webhook_seconds_total": ("Seconds that receivers of webhooks took, by outcome.", "outcome"),
    "sheetrun_dead_letters_total": ("Messages that were given up, by source.", "source"),
}

Sample = tuple[Mapping[str, str], float]


def counters_text(totals: Mapping[str, float]) -> list[str]:
    """Every counter that is known, with what was counted."""
    lines: list[str] = []
    for name, (text, label) in COUNTED.items():
        found: list[Sample] = [
            ({label: key.partition(":")[2]}, value)
            for key, value in sorted(totals.items())
            if key.partition(":")[0] == name
        ]
        lines += family(name, "counter", text, found)
    return lines


def family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> list[str]:
    """One metric in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats)."""
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *(_sample(name, *sample) for sample in samples)]


def gauge(name: str, text: str, value: float) -> list[str]:
    return family(name, "gauge", text, [({}, value)])


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    number = f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{name}{{{told}}} {number}" if told else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def text_of(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
