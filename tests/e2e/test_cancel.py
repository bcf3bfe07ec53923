"""Cancelling work that is under way, in each stage; the worker is free again afterwards."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from tests.e2e.conftest import SECONDS, Client, workbook

pytestmark = pytest.mark.e2e


def many_cells(times: int = 1) -> bytes:
    """A file that takes seconds to read: a million numbers."""
    rows = []
    for row in range(1, 50_000 * times + 1):
        cells = "".join(f'<c r="{column}{row}"><v>{row * 7919 % 99991}.{ord(column)}</v></c>' for column in COLUMNS)
        rows.append(f'<row r="{row}">{cells}</row>')
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as small,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, True, 1) as big,
    ):
        for name in small.namelist():
            text = small.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                text = text[: text.index("<sheetData")] + f"<sheetData>{''.join(rows)}</sheetData></worksheet>"
            big.writestr(name, text)
    return out.getvalue()


COLUMNS = "BCDEFGHIJKLMNOPQRSTU"


def many_formulas(times: int = 1) -> bytes:
    """A file whose script takes seconds to write: each formula has a text of its own, so none is compiled with another."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    for row in range(15_000 * times):
        sheet.write_number(row, 0, row)
        sheet.write_formula(row, 1, f'=A{row + 1}&"text {row}"&SUM(A$1:A{row // 7 + 1})')
    book.close()
    return out.getvalue()


def long_loop(times: int = 1) -> bytes:
    """A file whose script runs for minutes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    loop = "_xlfn.LAMBDA(_xlpm.a,_xlpm.x,_xlpm.a+SIN(_xlpm.x))"
    book.add_worksheet().write_dynamic_array_formula("A1", f"=_xlfn.REDUCE(0,_xlfn.SEQUENCE(1000000),{loop})")
    sheet = book.worksheets()[0]
    for row in range(1, 40 * times):
        sheet.write_dynamic_array_formula(f"A{row + 1}", f"=_xlfn.REDUCE(A{row},_xlfn.SEQUENCE(1000000),{loop})")
    book.close()
    return out.getvalue()


def caught(client: Client, state: str, made: Callable[[int], bytes]) -> dict[str, Any]:
    """A job while it is in a state; where the machine is so busy that it was over before we looked, a longer one."""
    for times in (1, 2, 4):
        job = client.submit({"filename": "model.xlsx", "priority": "high"})
        assert client.upload(job, made(times)).status_code == 204
        while True:
            now = client.job(job["id"], wait=5)
            if now["state"] == state:
                return now
            if not now["running"] or now["timestamps"].get(state):
                break
    raise AssertionError(f"never seen {state}")


@pytest.mark.parametrize(
    ("state", "made"), [("parsing", many_cells), ("generating", many_formulas), ("executing", long_loop)]
)
def test_running_work_is_cut_off(client: Client, state: str, made: Callable[[int], bytes]) -> None:
    job = caught(client, state, made)
    asked = time.monotonic()
    answer = client.call("POST", f"/v1/jobs/{job['id']}/cancel")
    assert answer.status_code == 202, answer.text
    ended = client.until(job["id"])
    print(f"cancelled while {state}: {time.monotonic() - asked:.2f} s")
    assert ended["state"] == "cancelled"
    story = client.call("GET", f"/v1/jobs/{job['id']}/events").json()["events"]
    assert story[-1]["data"]["was_running"] or answer.json()["state"] == "cancelled"
    assert story[-1]["type"] == "job.cancelled"
    after = client.submit({"filename": "model.xlsx", "priority": "high"})
    client.upload(after, workbook())
    client.until(after["id"], "succeeded")


def progress_of(client: Client, data: bytes) -> tuple[list[str], list[float]]:
    """What a job tells until the script is being written, or until its end when that was over before we looked."""
    job = client.submit({"filename": "model.xlsx", "priority": "high"})
    client.upload(job, data)
    told: list[str] = []
    percents: list[float] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        now = client.job(job["id"])
        percents.append(now["progress"]["percent"])
        told.append(now["progress"]["message"])
        if "Writing the script:" in told[-1] or not now["running"]:
            break
        time.sleep(0.05)
    client.call("POST", f"/v1/jobs/{job['id']}/cancel")
    return told, percents


def test_progress_is_told_in_the_units_of_each_stage(client: Client) -> None:
    for times in (1, 2, 4):
        told, percents = progress_of(client, many_formulas(times))
        assert percents == sorted(percents)
        if told[-1].endswith(f"of {15_000 * times:,} blocks"):
            return
    raise AssertionError(f"never seen: {told}")
