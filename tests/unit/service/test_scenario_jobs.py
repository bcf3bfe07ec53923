"""Scenarios over the API: plan, chunks, merge; each scenario once, whatever is delivered twice, lost, or killed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sheetrun.jobs.chunks import Fan, missing
from sheetrun.jobs.errors import StepRetryable
from sheetrun.service import fanout
from sheetrun.service.fanout import plan
from sheetrun.service.steps import Again, Done, Message
from sheetrun.settings import Settings
from tests.support import run_here
from tests.unit.service.files import File
from tests.unit.service.served import Served, sample


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(fanout, "_CELLS", 40)  # of one input and three outputs: ten scenarios
    return Served(tmp_path)


def test_a_list_with_every_type_of_value(bench: Served) -> None:
    rows = [{"Model!B1": 1}, {"model!b1": 5, "Model!A1": "x"}]
    bench.scenarios({"scenarios": rows}, 422)  # the same cell under two names
    job = bench.scenarios({"scenarios": [{"Model!B1": 1}, {}, {"Model!B1": 3}, {"Model!B1": 4}]})
    assert (job["kind"], job["state"], job["model"]) == ("scenarios", "queued", bench.model)
    bench.run_all()
    done = bench.job(job["id"])
    assert done["state"] == "succeeded"
    assert done["progress"] == {"stage": "succeeded", "done": 4, "total": 4, "percent": 100.0, "message": "Done."}
    assert done["report"]["failed"] == 1
    table = bench.table_of(job["id"])
    assert table == {
        "scenario": [1, 2, 3, 4],
        "Model!B1": [1, None, 3, 4],
        "Model!B2": [10, 20, 30, 40],
        "Model!B3": [-0.5, -1, None, 1],
        "Model!B4": ["low", "low", "high", "high"],
        "failure": [None, None, "Model!B3: #DIV/0!", None],
    }
    lines = bench.result(job["id"], "csv").decode().splitlines()
    assert lines[0] == '"scenario","Model!B1","Model!B2","Model!B3","Model!B4","failure"'
    assert lines[3] == '3,3,30,,"high","Model!B3: #DIV/0!"'
    assert b"<h1>scenarios.json</h1>" in bench.result(job["id"], "report")


def test_a_grid_is_every_combination(bench: Served) -> None:
    job = bench.scenarios({"grid": {"Model!B1": [1, 2], "Model!B5": ["a", "b", None]}, "outputs": ["Model!B2"]})
    bench.run_all()
    table = bench.table_of(job["id"])
    assert table["Model!B1"] == [1, 1, 1, 2, 2, 2]
    assert table["Model!B5"] == ["a", "b", None] * 2
    assert table["Model!B2"] == [10, 10, 10, 20, 20, 20]


def test_a_sample_in_chunks_is_the_same_as_in_one(bench: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.scenarios(sample(95))
    bench.run_all()
    stored = bench.table.get(job["id"])
    assert stored is not None
    assert stored.fan == Fan(count=95, size=10, chunks=10, window=2)
    many = bench.table_of(job["id"])
    assert many["scenario"] == list(range(1, 96))
    np.testing.assert_array_equal(np.array(many["Model!B2"]), 10 * np.array(many["Model!B1"]))
    summary = json.loads(bench.result(job["id"], "summary"))
    assert summary["scenarios"] == 95
    assert summary["outputs"]["Model!B2"]["mean"] == pytest.approx(np.mean(many["Model!B2"]))
    assert summary["outputs"]["Model!B2"]["sd"] == pytest.approx(np.std(many["Model!B2"], ddof=1))
    assert summary["outputs"]["Model!B2"]["percentiles"]["p50"] == pytest.approx(np.median(many["Model!B2"]))
    assert summary["tornado"]["Model!B2"][0]["correlation"] == pytest.approx(1)
    assert sum(summary["outputs"]["Model!B2"]["histogram"]["counts"]) == 95
    monkeypatch.setattr(fanout, "_CELLS", 4000)
    whole = bench.scenarios(sample(95))
    bench.run_all()
    assert bench.table_of(whole["id"]) == many
    assert bench.result(whole["id"], "csv") == bench.result(job["id"], "csv")


def test_an_uploaded_table(bench: Served) -> None:
    job = bench.scenarios({"filename": "mine.csv", "outputs": ["Model!B2", "Model!B4"]})
    assert job["state"] == "awaiting_upload"
    assert job["upload"]["method"] == "POST"
    rows = "".join(f"{n / 10},x\n" for n in range(25))
    bench.upload(job, f"Model!B1,Model!B5\n{rows},\n".encode())
    bench.run_all()
    table = bench.table_of(job["id"])
    assert table["Model!B2"] == pytest.approx([*range(25), 20])
    assert table["Model!B1"][-1] is None
    bad = bench.scenarios({"filename": "mine.csv"})
    bench.upload(bad, b"Model!B1,Nope!A1\n1,2\n")
    bench.run_all()
    done = bench.job(bad["id"])
    assert (done["state"], done["error"]["code"]) == ("failed", "unknown_sheet")


def test_progress_is_in_scenarios(bench: Served) -> None:
    job = bench.scenarios(sample(40))
    seen = []
    while (message := bench.next_message()) is not None:
        bench.clock.advance(2)
        bench.step(message)
        seen.append(bench.job(job["id"])["progress"])
    assert [one["done"] for one in seen] == [0, 10, 20, 30, 30, 40]
    assert seen[1]["message"] == "10 of 40 scenarios"
    assert seen[1]["percent"] == 25.0


def test_everything_delivered_twice_counts_once(bench: Served) -> None:
    job = bench.scenarios(sample(60))
    before: list[Message] = []
    while (message := bench.next_message()) is not None:
        bench.step(message)
        before.append(message)
        for old in before:
            bench.step(old)
    assert bench.job(job["id"])["state"] == "succeeded"
    assert bench.table_of(job["id"])["scenario"] == list(range(1, 61))
    assert bench.table.tally(job["id"]).scenarios == 60
    assert json.loads(bench.result(job["id"], "summary"))["scenarios"] == 60


def test_lost_messages_are_found_by_the_sweep(bench: Served) -> None:
    job = bench.scenarios(sample(60))
    bench.step(bench.message())
    assert sorted(bench.chunk_messages()) == [0, 1]
    bench.queues.messages.clear()
    bench.clock.advance(61)
    bench.sweeper().sweep(seconds=10)
    bench.run_all()
    assert bench.job(job["id"])["state"] == "succeeded"
    assert bench.table_of(job["id"])["scenario"] == list(range(1, 61))


def test_a_worker_that_dies_loses_its_chunk_to_another_and_its_late_result_is_refused(bench: Served) -> None:
    job = bench.scenarios(sample(60))
    bench.step(bench.message())
    bench.message()  # a worker takes it
    worker = bench.fanout()
    stored = bench.table.get(job["id"])
    assert stored is not None
    mine = worker._claim(stored, 0, 30.0)  # and here it hangs
    assert mine is not None
    bench.run_all()
    assert bench.table.tally(job["id"]).chunks == 3  # the other line is done, this one stands
    for _ in range(3):
        bench.clock.advance(61)
        bench.sweeper().sweep(seconds=10)
        bench.run_all()
    assert bench.job(job["id"])["state"] == "succeeded"
    late = worker.opener.open(stored, None, now=bench.clock.now(), seconds=9.0, cancelled=lambda: False)
    settled = fanout.Settled.from_bytes(bench.blobs.get(stored.artefacts["settled"]))
    tally = bench.table.tally(job["id"])
    worker._finish(stored, mine, late.piece(settled, 0, 10, run=run_here, limits=worker._limits(9.0)))
    assert bench.table.tally(job["id"]) == tally
    assert bench.table_of(job["id"])["scenario"] == list(range(1, 61))


def test_a_worker_that_dies_between_its_last_write_and_the_next_message(bench: Served) -> None:
    job = bench.scenarios(sample(20))
    bench.step(bench.message())
    bench.queues.down = True
    for message in [bench.message(), bench.message()]:
        assert bench.step(message) == Done()
    bench.queues.down = False
    assert bench.table.tally(job["id"]).chunks == 2
    bench.clock.advance(61)
    bench.sweeper().sweep(seconds=10)
    bench.run_all()
    assert bench.job(job["id"])["state"] == "succeeded"


def test_a_fault_of_a_dependency_is_tried_again(bench: Served) -> None:
    bench.scenarios(sample(40))
    bench.step(bench.message())
    message = bench.message()

    def failing(*_: Any, **__: Any) -> Any:
        raise StepRetryable("store_unavailable", "the store does not answer")

    bench.sandbox = failing
    assert isinstance(bench.step(message), Again)
    bench.sandbox = run_here
    assert bench.step(message) == Done()
    assert bench.table.tally(message.job_id).chunks == 1


def test_what_fails_again_and_again_ends_the_job_and_a_retry_does_only_what_is_missing(bench: Served) -> None:
    job = bench.scenarios(sample(60))
    bench.step(bench.message())
    first, second = bench.message(), bench.message()
    bench.step(second)
    stored = bench.table.get(job["id"])
    assert stored is not None
    for _ in range(3):
        assert bench.fanout()._claim(stored, 0, 1.0) is not None  # and is killed
        bench.clock.advance(30)
    bench.step(first)
    done = bench.job(job["id"])
    assert (done["state"], done["error"]["code"], done["error"]["retryable"]) == ("failed", "attempts_exhausted", True)
    bench.run_all()
    counted = bench.table.tally(job["id"]).chunks
    assert counted == 1
    runs: list[int] = []

    def counting(*parts: Any, **options: Any) -> Any:
        runs.append(1)
        return run_here(*parts, **options)

    bench.sandbox = counting
    status, _, body = bench.call("POST", f"/v1/jobs/{job['id']}/retry")
    assert (status, body["state"]) == (202, "queued")
    bench.run_all()
    assert bench.job(job["id"])["state"] == "succeeded"
    assert len(runs) == 6 - counted
    assert bench.table_of(job["id"])["scenario"] == list(range(1, 61))


def test_cancelling_stops_chunks(bench: Served) -> None:
    job = bench.scenarios(sample(60))
    bench.step(bench.message())
    first, second = bench.message(), bench.message()
    stopped: list[bool] = []

    def cancelling(*parts: Any, cancelled: Any, **options: Any) -> Any:
        assert bench.call("POST", f"/v1/jobs/{job['id']}/cancel")[0] == 202
        bench.clock.advance(2)
        stopped.append(cancelled())
        from sheetrun.sandbox.errors import Cancelled

        raise Cancelled

    bench.sandbox = cancelling
    bench.step(first)
    assert stopped == [True]
    bench.sandbox = run_here
    bench.step(second)
    assert bench.job(job["id"])["state"] == "cancelled"
    assert bench.table.tally(job["id"]).chunks == 0
    assert bench.next_message() is None


def test_the_deadline_ends_it(bench: Served) -> None:
    job = bench.scenarios(sample(60, deadline_seconds=100))
    bench.step(bench.message())
    bench.clock.advance(101)
    assert bench.job(job["id"])["state"] == "timed_out"
    bench.run_all()
    assert bench.table.tally(job["id"]).chunks == 0


def test_what_expires_leaves_nothing_behind(bench: Served) -> None:
    job = bench.scenarios(sample(30, retain_seconds=100))
    bench.run_all()
    bench.clock.advance(101)
    bench.sweeper().sweep(seconds=10)
    assert bench.table.get(job["id"]) is None
    assert bench.table.chunks(job["id"]) == {}
    assert not [key for key in bench.blobs.objects if job["id"] in key]


def test_a_model_that_is_gone(bench: Served) -> None:
    job = bench.scenarios(sample(30))
    model = bench.table.get(bench.model)
    assert model is not None
    bench.table.delete(model)
    bench.run_all()
    assert bench.job(job["id"])["error"]["code"] == "model_gone"


def test_a_workbook_that_cannot_be_laned_is_computed_one_after_another(tmp_path: Path) -> None:
    bench = Served(tmp_path)
    file = File(tmp_path / "other.xlsx")
    file.sheet("Model", {"B1": 2, "A9": 7, "B2": '=INDIRECT("A"&(B1+7))'}, {"B2": 7})
    file.book.close()
    job = bench.submit()
    bench.upload(job, file.path.read_bytes())
    bench.run_all()
    bench.model = str(job["id"])
    made = bench.scenarios({"scenarios": [{"Model!B1": 2}, {"Model!B1": 3}], "outputs": ["Model!B2"]})
    bench.run_all()
    assert bench.job(made["id"])["report"]["in_turn"] is not None
    assert bench.table_of(made["id"])["Model!B2"] == [7, 0]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "$"),
        ([], "$"),
        ({"scenarios": [], "outputs": ["A1"]}, "scenarios"),
        ({"scenarios": [{"A1": 1}], "grid": {"A1": [1]}}, "$"),
        ({"scenarios": [{"A1": object}]}, "scenarios[0].A1"),
        ({"scenarios": [{"a b": 1}]}, "scenarios.a b"),
        ({"scenarios": [{}]}, "scenarios"),
        ({"grid": {"A1": []}}, "grid.A1"),
        ({"grid": {"A1": 3}}, "grid.A1"),
        ({"grid": {"A1": [1]}, "count": 3}, "count"),
        ({"sample": {"A1": {"normal": [0, 1]}}}, "count"),
        ({"sample": {"A1": {"normal": [0, -1]}}, "count": 1}, "sample.A1"),
        ({"sample": {"A1": {"uniform": [2, 1]}}, "count": 1}, "sample.A1"),
        ({"sample": {"A1": {"triangular": [1, 2]}}, "count": 1}, "sample.A1"),
        ({"sample": {"A1": {"discrete": [[1, 0]]}}, "count": 1}, "sample.A1"),
        ({"sample": {"A1": {"poisson": [1]}}, "count": 1}, "sample.A1"),
        ({"sample": {"A1": {"normal": [0, 1]}}, "count": 0}, "count"),
        ({"sample": {"A1": {"normal": [0, 1]}}, "count": 10**12}, "count"),
        ({"sample": {"A1": {"normal": [0, 1]}}, "count": 2, "seed": -1}, "seed"),
        ({"sample": {"A1": {"normal": [0, 1]}}, "count": 2, "correlations": [["A1", "B1", 0.5]]}, "correlations[0]"),
        ({"filename": "a.xlsx"}, "filename"),
        ({"filename": "a.csv", "count": 3}, "count"),
        ({"scenarios": [{"A1": 1}], "outputs": ["B1", "b1"]}, "outputs"),
        ({"scenarios": [{"A1": 1}], "version": 0}, "version"),
        ({"scenarios": [{"A1": 1}], "bogus": 1}, "bogus"),
    ],
)
def test_what_is_refused(tmp_path: Path, body: Any, path: str) -> None:
    from sheetrun.jobs.errors import Unprocessable
    from sheetrun.service.scenario_requests import scenario_request

    with pytest.raises(Unprocessable) as refused:
        scenario_request(body, Settings())
    assert path in [error["path"] for error in refused.value.errors]


def test_correlations_that_contradict_each_other() -> None:
    from sheetrun.jobs.errors import Unprocessable
    from sheetrun.service.scenario_requests import scenario_request

    normal = {"normal": [0, 1]}
    body = {"sample": {"A1": normal, "B1": normal, "C1": normal}, "count": 9}
    good = [["A1", "B1", 0.5], ["B1", "C1", -0.5]]
    assert scenario_request({**body, "correlations": good}, Settings()).count == 9
    with pytest.raises(Unprocessable):
        scenario_request(
            {**body, "correlations": [["A1", "B1", 0.9], ["B1", "C1", 0.9], ["A1", "C1", -0.9]]}, Settings()
        )


def test_models_that_are_not_there(bench: Served) -> None:
    status, _, body = bench.call("POST", "/v1/models/job_none/scenarios", sample(3))
    assert (status, body["code"]) == (404, "model_not_found")
    rival = bench.access.create("rival")
    status, _, _ = bench.call("POST", f"/v1/models/{bench.model}/scenarios", sample(3), key=rival)
    assert status == 404


@pytest.mark.parametrize(
    ("count", "rate", "largest", "wanted"),
    [
        (1, 1e9, 10**6, Fan(count=1, size=1, chunks=1, window=1)),
        (1_000_000, 50_000, 10**6, Fan(count=1_000_000, size=200_000, chunks=5, window=5)),
        (10**9, 50_000, 10**6, Fan(count=10**9, size=749_626, chunks=1334, window=50)),
        (100, 0.5, 10**6, Fan(count=100, size=2, chunks=50, window=50)),
        (1000, 0.01, 10**6, Fan(count=1000, size=1, chunks=1000, window=50)),
    ],
)
def test_plans(count: int, rate: float, largest: int, wanted: Fan) -> None:
    fan = plan(count, rate, largest, Settings())
    assert fan == wanted
    spans = [fan.span(number) for number in (0, fan.chunks - 1)]
    assert spans[0][0] == 0
    assert spans[-1][0] < spans[-1][1] == count


def test_what_is_missing_is_the_head_of_each_line(bench: Served) -> None:
    from sheetrun.jobs.chunks import Chunk

    fan = Fan(count=70, size=10, chunks=7, window=3)
    now = bench.clock.now()
    done = {n: Chunk(job_id="j", number=n, done=True) for n in (0, 3, 1)}
    assert missing(fan, {}, now) == (0, 1, 2)
    assert missing(fan, done, now) == (6, 4, 2)
    held = replace(done[0], number=2, done=False, lease_until=now.replace(year=2099))
    assert missing(fan, {**done, 2: held}, now) == (6, 4)
