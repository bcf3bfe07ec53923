"""Datasets from the file to the report, through the sandbox, in every format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import openpyxl
import pandas as pd
import pytest

from sheetrun.datasets import steps
from sheetrun.datasets.errors import DatasetError
from sheetrun.sandbox.warm import WarmRunner
from sheetrun.workbook.errors import WorkbookError

FRAME = pd.DataFrame(
    {
        "id": range(1, 41),
        "amount": [float(n % 7) + 0.5 for n in range(39)] + [900.0],
        "twice": [2 * (float(n % 7) + 0.5) for n in range(39)] + [1800.0],
        "region": ["North", "South"] * 20,
        "when": pd.date_range("2026-01-01", periods=40, freq="D"),
        "good": [True, False, True, True] * 10,
    }
)

Analyze = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def runner() -> Iterator[WarmRunner]:
    with WarmRunner(preload=steps.PRELOAD) as warm:
        yield warm


@pytest.fixture
def analyze(runner: WarmRunner) -> Analyze:
    def run(data: bytes, filename: str, task: str = "profile") -> dict[str, Any]:
        parsed = steps.parse(data, filename, run=runner.run)
        done = steps.execute(
            parsed.artefact, steps.generate(parsed.artefact, task=task), data, memory=2 * 2**30, run=runner.run
        )
        results: dict[str, Any] = json.loads(done.results["results"][1])
        return {**results, "report": dict(done.report), "files": done.results}

    return run


def as_csv() -> bytes:
    return FRAME.to_csv(index=False).encode()


def as_jsonl() -> bytes:
    text: str = FRAME.assign(when=FRAME["when"].dt.strftime("%Y-%m-%d")).to_json(orient="records", lines=True)
    return text.encode()


def as_parquet() -> bytes:
    out = io.BytesIO()
    FRAME.to_parquet(out)
    return out.getvalue()


def as_xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Orders of the year"])
    sheet.append([])
    sheet.append(list(FRAME.columns))
    for row in FRAME.itertuples(index=False):
        sheet.append([value.to_pydatetime() if isinstance(value, datetime) else value for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "filename"),
    [(as_csv, "o.csv"), (as_jsonl, "o.jsonl"), (as_parquet, "o.parquet"), (as_xlsx, "o.xlsx")],
)
def test_every_format_gives_the_same_results(analyze: Analyze, make: Callable[[], bytes], filename: str) -> None:
    found = analyze(make(), filename)
    assert found["dataset"]["rows"] == 40
    types = found["dataset"]["columns"]
    assert types.pop("twice") in ("integer", "number"), "a text 3 is an integer, a stored 3.0 is not"
    assert types == {"id": "integer", "amount": "number", "region": "category", "when": "date", "good": "logical"}
    summary = found["statistical_summary"]
    assert summary["amount"]["max"] == 900
    assert summary["amount"]["median"] == FRAME["amount"].median()
    assert summary["region"]["top"] == [["North", 20], ["South", 20]]
    assert (summary["when"]["first"], summary["when"]["last"], summary["when"]["days"]) == (
        "2026-01-01",
        "2026-02-09",
        39,
    )
    assert summary["good"]["top"] == [["True", 30], ["False", 10]]
    best = found["correlations"]["strongest"][0]
    assert {best["first"], best["second"]} == {"amount", "twice"}
    assert best["pearson"] == pytest.approx(1)
    assert found["outliers"]["amount"]["far outside"] == 1
    assert found["outliers"]["amount"]["farthest"][0]["row"] == 40
    assert sum(found["distributions"]["amount"]["counts"]) == 40
    assert found["data_quality"]["issues"] == []
    assert found["report"]["rows"] == 40
    names = set(found["files"])
    assert {"results", "script", "report", "plots/correlations.png"} <= names
    assert found["files"]["plots/distribution_01.png"][1].startswith(b"\x89PNG")


def test_what_is_wrong_with_a_file_is_found(analyze: Analyze) -> None:
    rows = ["name;value;when;flat", *(f"n{n % 3};{n},5;0{1 + n % 9}.01.2026;x" for n in range(60))]
    rows += [" n1;abc;31.02.2026;x", "N1;;;x", "1;2;3;4;5", "n0;0,5;01.01.2026;x", "n0;0,5;01.01.2026;x"]
    found = analyze("\n".join(rows).encode("cp1252"), "bad.csv", "data_quality")
    assert found["dataset"]["delimiter"] == ";"
    assert found["dataset"]["rows"] == 64
    issues = {(one["column"], one["issue"]): one["count"] for one in found["data_quality"]["issues"]}
    assert issues == {
        ("value", "values that are no number"): 1,
        ("when", "values that are no date"): 1,
        ("", "lines left out, too many fields"): 1,
        ("flat", "constant"): 64,
        ("name", "same but for case or spaces"): 1,
        ("name", "spaces around"): 1,
        ("", "rows that are there twice"): 2,
    }
    assert list(found)[1] == "data_quality"


def test_strange_numbers_and_names_become_json_and_plots(analyze: Analyze) -> None:
    text = 'a$x^2$,"b\n<script>",c\n1e308,1,\n-1e308,1,\n1e308,2,\n3,2,\n4,2,\n5,3,\n'
    found = analyze(text.encode(), "strange.csv")
    assert set(found["dataset"]["columns"].values()) == {"number", "integer", "empty"}
    page = found["files"]["report"][1].decode()
    assert "<script" not in page


def test_one_row_and_one_column_are_enough(analyze: Analyze) -> None:
    found = analyze(b"x\n1\n", "one.csv")
    assert found["statistical_summary"]["x"]["sd"] is None
    assert found["outliers"] == {}


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"", "x.csv", "empty_file"),
        (b"PAR1" + bytes(50) + b"PAR1", "x.parquet", "bad_parquet"),
        (b"PK\x03\x04nonsense", "x.xlsx", None),
        (b'{"a": 1}\n' * 6000 + b"nope\n", "x.jsonl", "bad_json"),
    ],
)
def test_damaged_files_are_refused(analyze: Analyze, data: bytes, filename: str, code: str | None) -> None:
    with pytest.raises((DatasetError, WorkbookError)) as caught:
        analyze(data, filename)
    if code is not None:
        assert getattr(caught.value, "code", None) == code
