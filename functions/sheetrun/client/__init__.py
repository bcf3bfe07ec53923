"""The Python client of a Sheetrun service, and the command line (``sheetrun.client.cli``).

>>> from sheetrun.client import Client
>>> client = Client("http://127.0.0.1:4566/v1", key="sr_…")
>>> job = client.wait(client.submit("model.xlsx", inputs={"Inputs!B2": 0.07}))
>>> values = client.values(job)

Names are imported when they are first used: a command that needs no service does not pay for one.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in ``typing``, which every command would have to import first
if TYPE_CHECKING:
    from sheetrun.client.api import Client
    from sheetrun.client.batches import Batch, BatchItem
    from sheetrun.client.errors import (
        ApiError,
        AtCapacity,
        BadAnswer,
        ConnectionFailed,
        JobFailed,
        NotConfigured,
        QuotaExceeded,
        RequestRejected,
        SheetrunError,
        UploadRejected,
        WaitTimeout,
    )
    from sheetrun.client.letters import DeadLetter, Redriven
    from sheetrun.client.operator import ApiKey, Operator
    from sheetrun.client.receivers import Attempt, Delivery, Endpoint, Secrets
    from sheetrun.client.retrying import RetryPolicy
    from sheetrun.client.transport import HttpTransport, MockTransport, Request, Response, Transport
    from sheetrun.client.values import Calculation, CellError, Event, Failure, Goal, Job, Progress, Report, Tables
    from sheetrun.client.webhooks import verify_webhook

_HOME = {
    "ApiError": "errors",
    "ApiKey": "operator",
    "AtCapacity": "errors",
    "Attempt": "receivers",
    "BadAnswer": "errors",
    "Batch": "batches",
    "BatchItem": "batches",
    "Calculation": "values",
    "CellError": "values",
    "Client": "api",
    "ConnectionFailed": "errors",
    "DeadLetter": "letters",
    "Delivery": "receivers",
    "Endpoint": "receivers",
    "Event": "values",
    "Failure": "values",
    "Goal": "values",
    "HttpTransport": "transport",
    "Job": "values",
    "JobFailed": "errors",
    "MockTransport": "transport",
    "NotConfigured": "errors",
    "Operator": "operator",
    "Progress": "values",
    "QuotaExceeded": "errors",
    "Redriven": "letters",
    "Report": "values",
    "Request": "transport",
    "RequestRejected": "errors",
    "Response": "transport",
    "RetryPolicy": "retrying",
    "Secrets": "receivers",
    "SheetrunError": "errors",
    "Tables": "values",
    "Transport": "transport",
    "UploadRejected": "errors",
    "WaitTimeout": "errors",
    "verify_webhook": "webhooks",
}

__all__ = [
    "ApiError",
    "ApiKey",
    "AtCapacity",
    "Attempt",
    "BadAnswer",
    "Batch",
    "BatchItem",
    "Calculation",
    "CellError",
    "Client",
    "ConnectionFailed",
    "DeadLetter",
    "Delivery",
    "Endpoint",
    "Event",
    "Failure",
    "Goal",
    "HttpTransport",
    "Job",
    "JobFailed",
    "MockTransport",
    "NotConfigured",
    "Operator",
    "Progress",
    "QuotaExceeded",
    "Redriven",
    "Report",
    "Request",
    "RequestRejected",
    "Response",
    "RetryPolicy",
    "Secrets",
    "SheetrunError",
    "Tables",
    "Transport",
    "UploadRejected",
    "WaitTimeout",
    "verify_webhook",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
