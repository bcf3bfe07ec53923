"""The steps of a workbook job as bytes: parse, generate, execute; what each gives and what it refuses."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sheetrun.formula.a1 import range_name
from sheetrun.runtime.address import Span
from sheetrun.runtime.failures import Failure
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.payload import RunInput, RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.sandbox.allowlist import check
from sheetrun.sandbox.errors import ProtocolError, TimedOut
from sheetrun.sandbox.job import Job, Result
from sheetrun.service import compute, scripts
from sheetrun.service.bundle import make_bundle
from sheetrun.service.local import open_model
from sheetrun.service.proof import check_fits
from sheetrun.service.rundata import run_input
from sheetrun.workbook.errors import NoFormulas, WorkbookError
from sheetrun.workbook.model import ExternalBook
from sheetrun.workbook.store import dump, load
from tests.unit.compiler.making import grid_of
from tests.unit.workbook.books import MAIN, RELS, parts_of, relationships, sheet_xml, zip_of

from .files import File


@pytest.fixture
def source(tmp_path: Path) -> bytes:
    file = File(tmp_path / "book.xlsx")
    cells = {"A1": 2, "B1": "=A1*2", "B2": "=A1*2+1", "C1": "=FOO(A1)", "D1": "=RAND()", "E1:E2": "#=SEQUENCE(A1)"}
    file.sheet("My Sheet", cells, {"B1": 4, "B2": 6, "C1": 7, "D1": 0.5, "E1:E2": 1})
    file.sheet("Other", {"A1": "='My Sheet'!B1&\"\""}, {"A1": "4"})
    file.book.close()
    return file.path.read_bytes()


def answers(make: Callable[[Job], bytes]) -> Callable[..., Result]:
    """A sandbox that answers with these bytes."""
    return lambda job, limits, **_: Result(make(job), b"", b"", 0.0, 0.0, 0, (), {})


def here(job: Job) -> bytes:
    """Runs the script in this process."""
    from sheetrun.runtime.host import run_payload

    namespace: dict[str, Any] = {"__name__": "model", "__file__": "model.py"}
    exec(compile(job.script, "model.py", "exec"), namespace)
    return run_payload(namespace, job.payload)


def executed(source: bytes, **options: Any) -> compute.Executed:
    parsed = compute.parse(source, "book.xlsx")
    options.setdefault("run", answers(here))
    return compute.execute(parsed.artefact, compute.generate(parsed.artefact), source, **options)


def values(done: compute.Executed) -> dict[str, Any]:
    kind, data = done.results["values"]
    assert kind == "application/json"
    cells: dict[str, Any] = json.loads(data)["cells"]
    return cells


def test_parse(source: bytes) -> None:
    seen: list[tuple[int, int, str]] = []
    parsed = compute.parse(source, "book.xlsx", progress=lambda *step: seen.append(step))
    assert (parsed.sheets, parsed.blocks) == (2, 6)
    assert parsed.formulas == 7
    assert load(parsed.artefact).filename == "book.xlsx"
    assert seen[-1][0] == seen[-1][1]
    assert seen[-1][2] == f"Reading the workbook: {parsed.cells} cells, Other"
    seen.clear()
    compute.generate(parsed.artefact, progress=lambda *step: seen.append(step))
    assert seen[-1] == (5, 5, "Writing the script: 5 of 5 blocks")


def test_a_workbook_with_links_to_others_is_executed() -> None:
    """The stored cells of another workbook go into a run as sheets of their own, and do not come out."""
    link = (
        f'<externalLink xmlns="{MAIN}"><externalBook xmlns:r="{RELS}" r:id="t"><sheetNames><sheetName val="Far"/>'
        '</sheetNames><sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1"><v>4</v></cell></row></sheetData>'
        "</sheetDataSet></externalBook></externalLink>"
    )
    parts = parts_of(
        sheet_xml('<row r="1"><c r="A1"><f>[1]Far!A1*2</f><v>8</v></c></row>'),
        workbook='<externalReferences><externalReference r:id="x1"/></externalReferences>',
        extra={
            "xl/externalLinks/e1.xml": link,
            "xl/externalLinks/_rels/e1.xml.rels": relationships(("t", "externalLinkPath", "file:///C:/Far.xlsx")),
        },
        extra_rels=(("x1", "externalLink", "externalLinks/e1.xml"),),
    )
    done = executed(zip_of(parts))
    assert values(done) == {"'S1'!A1": 8}
    assert done.report["matched"] == 1


def test_parse_refuses(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError):
        compute.parse(b"PK\x03\x04 nonsense", "x.xlsx")
    file = File(tmp_path / "none.xlsx")
    file.sheet("Sheet1", {"A1": 1})
    file.book.close()
    with pytest.raises(NoFormulas):
        compute.parse(file.path.read_bytes(), "none.xlsx")


def test_generate(source: bytes) -> None:
    generated = compute.generate(compute.parse(source, "book.xlsx").artefact)
    check(generated.script, scripts.SCRIPT_POLICY)
    assert generated.unsupported == (
        {"cell": "'My Sheet'!C1", "code": "unknown_function", "detail": "the function FOO is not known"},
    )
    refused, volatile, needs = compute.read_plan(generated.line_map)
    assert [r.text for r in refused] == ["FOO(A1)"]
    assert [range_name(*rect) for _, rect in volatile] == ["D1"]
    other = next(reads for (sheet, _), reads in needs.items() if sheet == 1)
    assert [(sheet, range_name(*rect)) for sheet, rect in other] == [(0, "B1")]
    assert generated == compute.generate(compute.parse(source, "book.xlsx").artefact)


def test_execute(source: bytes) -> None:
    done = executed(source)
    got = values(done)
    assert {c: got[c] for c in got if not c.endswith("D1")} == {
        "'My Sheet'!B1": 4,
        "'My Sheet'!B2": 5,
        "'My Sheet'!C1": 7,
        "'My Sheet'!E1": 1,
        "'My Sheet'!E2": 2,
        "Other!A1": "4",
    }
    report = done.report
    assert (report["formulas"], report["volatile"], report["unsupported"]) == (7, 1, 1)
    # XlsxWriter stores 0 in all but the first cell of a spill
    assert sorted(m["cell"] for m in report["mismatches"]) == ["'My Sheet'!B2", "'My Sheet'!E2"]
    assert done.errors == (
        {"cell": "'My Sheet'!C1", "code": "unknown_function", "detail": "the function FOO is not known"},
    )
    assert set(done.results) >= {"values", "workbook", "script", "report", "graph"}
    assert done.results["report"][1].startswith(b"<!")
    assert b"<svg" in done.results["graph"][1][:200]
    for _, data in done.results.values():
        assert isinstance(data, bytes)


def test_execute_with_inputs_and_outputs(source: bytes, tmp_path: Path) -> None:
    done = executed(source, inputs={"a1": 3}, outputs=["Other!A1", "e1:e3", "'my sheet'!B1"])
    assert values(done) == {"Other!A1": "6", "e1:e3": [[1], [2], [3]], "'my sheet'!B1": 6}
    assert done.report["inputs_changed"] is True
    (tmp_path / "out.xlsx").write_bytes(done.results["workbook"][1])
    again = open_model(tmp_path / "out.xlsx")
    assert again.run(sandboxed=False).get("B1") == 6


def test_wrong_references_are_found_before_anything_runs(source: bytes) -> None:
    def never(*_: object, **__: object) -> Result:
        raise AssertionError("nothing may run")

    for options in ({"inputs": {"Nope!A1": 1}}, {"outputs": ["Nope"]}, {"inputs": {"A1": [1]}}):
        with pytest.raises(InputError):
            executed(source, run=never, **options)


def test_the_sandbox_gets_what_it_needs(source: bytes) -> None:
    jobs: list[tuple[Job, Any]] = []

    def keep(job: Job, limits: Any, **_: Any) -> Result:
        jobs.append((job, limits))
        return answers(here)(job, limits)

    executed(source, run=keep, inputs={"A1": 2}, timeout=3.0, memory=2**28)
    ((job, limits),) = jobs
    assert job.policy == scripts.SCRIPT_POLICY
    assert (limits.wall_seconds, limits.memory_bytes) == (3.0, 2**28)
    assert [s.name for s in RunInput.from_bytes(job.payload).sheets] == ["My Sheet", "Other"]


def test_errors_of_the_sandbox_go_through(source: bytes) -> None:
    def late(*_: object, **__: object) -> Result:
        raise TimedOut("wall", 1.0)

    with pytest.raises(TimedOut):
        executed(source, run=late)


def area_with(tag: int) -> list[Area]:
    grid = grid_of({}, [], 2, 5)
    grid.tag[0, 1] = tag
    return [Area(1, 1, grid.num, grid.tag)]


@pytest.mark.parametrize(
    "answer",
    [
        RunOutput([], [], [], [], []),
        RunOutput([area_with(0)], [], [], [], []),
        RunOutput([area_with(0)] * 3, [], [], [], []),
        RunOutput([area_with(16), area_with(0)], [], [], [], []),
        RunOutput([area_with(999), area_with(0)], ["a"], [], [], []),
        RunOutput([area_with(-1), area_with(0)], ["a"], [], [], []),
        RunOutput([area_with(0)] * 2, [], [Failure("Nope", Span(1, 1, 1, 1), "x", "y")], [], []),
        RunOutput([area_with(0)] * 2, [], [Failure("Other", Span(0, 1, 1, 1), "x", "y")], [], []),
        RunOutput([area_with(0)] * 2, [], [Failure("Other", Span(3, 1, 1, 1), "x", "y")], [], []),
        RunOutput([area_with(0)] * 2, [], [], [], [(0, Span(1, 1, 1048576, 16384))]),
        RunOutput([area_with(0)] * 2, [], [], [], [(2, Span(1, 1, 1, 1))]),
        RunOutput([area_with(0)] * 2, [], [], [], [(-1, Span(1, 1, 1, 1))]),
    ],
)
def test_outputs_that_no_run_gives_are_refused(source: bytes, answer: RunOutput) -> None:
    with pytest.raises(ValueError):
        check_fits(load(compute.parse(source, "book.xlsx").artefact), answer)


@pytest.mark.parametrize("data", [b"", b"SHRUN1\n", b"nonsense", b"SHRUN1\n\xff\xff\xff\xff{}"])
def test_an_answer_that_is_none(source: bytes, data: bytes) -> None:
    with pytest.raises(ProtocolError):
        executed(source, run=answers(lambda _: data))


def test_an_answer_for_another_workbook(source: bytes) -> None:
    with pytest.raises(ProtocolError):
        executed(source, run=answers(lambda _: RunOutput([], [], [], [], []).to_bytes()))


def test_a_run_is_given_the_sheets_of_linked_workbooks_and_keeps_them_to_itself(source: bytes) -> None:
    workbook = load(compute.parse(source, "book.xlsx").artefact)
    far = grid_of({}, [], 2, 5)
    workbook.externals = [ExternalBook(1, "far.xlsx", {"Far": [far], "Farther": [far]})]
    artefact = dump(workbook)
    done = compute.execute(artefact, compute.generate(artefact), source, run=answers(here))
    assert done.report["compared"] == 5
    with pytest.raises(ProtocolError):
        executed(source, run=answers(lambda _: RunOutput([area_with(0)] * 4, [], [], [], []).to_bytes()))


def test_the_bundle_computes_the_same(source: bytes) -> None:
    data = executed(source).results["bundle"][1]
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        names = set(bundle.namelist())
        assert {"model.py", "formulas.py", "model.data", "test_model.py", "requirements.txt", "README.md"} <= names
        assert bundle.testzip() is None


def test_the_front_of_a_bundle_lists_what_goes_in_and_out_and_nothing_of_it_is_code(source: bytes) -> None:
    hostile = '\'"""; raise SystemExit\n#\'!A1'
    fields = [
        {"reference": "Inputs!B2", "name": "Rate", "label": "rate\nimport os", "type": "number", "value": 0.07},
        {"reference": hostile, "label": '"""', "type": "text", "value": "x\ny"},
    ]
    workbook = load(compute.parse(source, '"""\n{0}.xlsx').artefact)
    script = compute.generate(dump(workbook)).script
    given = run_input(workbook, script)
    data = make_bundle(workbook.filename, script, given, {}, inputs=fields, outputs=fields[:1])
    assert make_bundle(workbook.filename, script, given, {}, inputs=fields, outputs=fields[:1]) == data
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        front = bundle.read("model.py").decode()
    assert "'Inputs!B2': float,  # Rate, rate import os, 0.07\n" in front
    assert "'Inputs!B2': float | CellError,  # Rate" in front
    tree = ast.parse(front)
    assert [type(node).__name__ for node in tree.body] == [
        "Expr", *["ImportFrom"] * 7, "Assign", "Assign", "Assign", "FunctionDef", "FunctionDef", "If",
    ]  # fmt: skip
    assert ast.literal_eval(tree.body[8].value.args[1].keys[1]) == hostile  # type: ignore[attr-defined]


def test_in_a_real_sandbox(source: bytes) -> None:
    parsed = compute.parse(source, "book.xlsx")
    seen: list[tuple[int, int, str]] = []
    done = compute.execute(
        parsed.artefact,
        compute.generate(parsed.artefact),
        source,
        inputs={"A1": 5},
        outputs=["Other!A1"],
        progress=lambda *step: seen.append(step),
    )
    assert values(done) == {"Other!A1": "10"}
    assert [text for *_, text in seen[-3:]] == [
        "Computing: 5 of 5 blocks",
        "Comparing with Excel's values.",
        "Writing the results.",
    ]
    parts = [done / total for done, total, _ in seen]
    assert parts == sorted(parts)
    assert parts[-1] < 1
