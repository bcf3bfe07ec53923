"""What the functions write down of a whole run holds no key, no signature, no receiver's secret and nothing from a cell."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
import requests

from tests.e2e.conftest import SECONDS, Client
from tests.e2e.receiver import receiving
from tests.e2e.test_expiry import until
from tests.elsewhere import Service

pytestmark = pytest.mark.e2e

#: Words that stand in cells, sheet names, defined names, formulas, inputs and file names, and nowhere else.
CELL, SHEET, NAME, FORMULA, INPUT = "Zaphod-Salary", "Quuxsheet", "frobname", "Wibbletext", "Plughvalue"


def telling_workbook(*, broken: bool) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet["A1"] = CELL
    sheet["B1"] = f'=A1&"{FORMULA}"' if not broken else f'=NOSUCHFUNCTION("{FORMULA}",A1)'
    sheet["C1"] = f"={NAME}+1"
    book.defined_names[NAME] = openpyxl.workbook.defined_name.DefinedName(NAME, attr_text=f"{SHEET}!$A$1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def lines(aws: Any) -> str:
    """All that all functions have logged so far."""
    logs, found = aws("logs"), []
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/sheetrun-")["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        found += [event["message"] for page in pages for event in page["events"]]
    return "\n".join(found)


def test_the_logs_of_a_whole_run_hold_nothing_of_anybodys(client: Client, service: Service, aws: Any) -> None:
    with receiving() as receiver:
        made = []
        for broken in (False, True):
            inputs = {f"{SHEET}!D1": INPUT}
            job = client.submit({"filename": "a.xlsx", "inputs": inputs, "webhook_url": receiver.url + "/Xyzzyhook"})
            client.upload(job, telling_workbook(broken=broken))
            client.until(job["id"])
            made.append(job)
        damaged = client.submit({"filename": "b.xlsx"})
        client.upload(damaged, b"PK\x03\x04" + CELL.encode())
        client.until(damaged["id"], "failed")
        receiver.wait(2, "/Xyzzyhook")
        secret = next(
            client.call("GET", f"/v1/webhooks/{one['id']}/secret").json()["secret"]
            for one in client.call("GET", "/v1/webhooks").json()["webhooks"]
        )
        link = client.call("GET", f"/v1/jobs/{made[0]['id']}/results/values").headers["Location"]
        assert CELL in requests.get(link, timeout=SECONDS).text
    client.call("GET", "/v1/jobs", headers={"x-api-key": "sr_wrong_Wrongkey"})
    until(lambda: made[1]["id"] in lines(aws), "nothing was logged")
    said = lines(aws)
    assert "step_done" in said
    for word in (CELL, SHEET, NAME, FORMULA, INPUT, "Xyzzyhook", "Wrongkey", client.key, secret, "whsec_"):
        assert word not in said, word
    for word in ("X-Amz-Signature", "x-amz-signature", "Policy=", "AWSAccessKeyId"):
        assert word not in said, word
