"""Many scenarios at once give what each gives alone: random workbooks, random values of random inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sheetrun.compiler.lanes import NotLaned, compile_lanes
from sheetrun.compiler.script import compile_workbook
from sheetrun.formula.a1 import range_name
from sheetrun.runtime import scenarios as host
from sheetrun.runtime.address import Span
from sheetrun.runtime.cells import EMPTY, Numbers
from sheetrun.runtime.host import run_payload
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.lanes import LaneBook, Varies
from sheetrun.runtime.payload import RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.sandbox.allowlist import check
from sheetrun.sandbox.errors import Crashed
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits
from sheetrun.service.rundata import run_input
from sheetrun.service.scenarios import OWN, Table, run_scenarios
from sheetrun.workbook.model import Block, Kind, Settings, Workbook
from tests.support import whole

from .grids import workbooks
from .making import rect_of, run, workbook_of

ENTRIES = {"run_lanes": host.run_lanes, "run_in_turn": host.run_in_turn}


def in_process(job: Job, _limits: Limits, **_options: Any) -> Result:
    """A runner without a sandbox."""
    assert job.policy is not None
    check(job.script, job.policy)
    namespace: dict[str, Any] = {"__name__": "model", "__file__": "<model>"}
    exec(compile(job.script, "<model>", "exec"), namespace)
    found = ENTRIES[job.entry.partition(":")[2]](namespace, job.payload)
    return Result(whole(found), b"", b"", 0.0, 0.0, 0, (), {})


def scenarios(workbook: Workbook, inputs: Mapping[str, Sequence[Any]], outputs: Sequence[str], runner: Any) -> Table:
    script = compile_workbook(workbook).text
    namespace: dict[str, Any] = {"__name__": "model", "__file__": "<model>"}
    exec(compile(script, "<model>", "exec"), namespace)
    computed = RunOutput.from_bytes(run_payload(namespace, run_input(workbook, script).to_bytes()))
    return run_scenarios(workbook, script, computed, inputs, outputs, run=runner, limits=Limits())


def tabulated(workbook: Workbook, inputs: Mapping[str, Sequence[Any]], *outputs: str) -> dict[str, list[Any]]:
    table = scenarios(workbook, inputs, outputs, in_process)
    assert table.in_turn is None
    return {name: table.column(k) for k, name in enumerate(table.outputs)}


def one_by_one(workbook: Workbook, inputs: Mapping[str, Sequence[Any]], outputs: Sequence[str]) -> dict[str, list[Any]]:
    count = len(next(iter(inputs.values())))
    found: dict[str, list[Any]] = {name: [] for name in outputs}
    for i in range(count):
        done = run(workbook, {name: values[i] for name, values in inputs.items() if values[i] is not OWN})
        for name in outputs:
            found[name].append(done.get(name))
    return found


VALUES = st.one_of(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.integers(-5, 5),
    st.sampled_from(
        ["", "x", "12", "-3.5", True, False, None, {"error": "#N/A"}, {"error": "#DIV/0!"}, OWN, 0, 0.1, 0.3]
    ),
)


def constants_of(workbook: Workbook) -> list[str]:
    """The cells that hold no formula."""
    found = []
    for sheet in workbook.sheets:
        for grid in sheet.grids:
            for r in range(grid.num.shape[0]):
                for c in range(grid.num.shape[1]):
                    row, col = grid.top + r, grid.left + c
                    if grid.tag[r, c] != EMPTY and not any(b.rect.contains(row, col) for b in sheet.blocks):
                        found.append(f"{sheet.name}!{range_name(row, col, row, col)}")
    return found


def formulas_of(workbook: Workbook) -> list[str]:
    return [
        f"{sheet.name}!{range_name(row, col, row, col)}"
        for sheet in workbook.sheets
        for block in sheet.blocks
        for row in range(block.rect.top, block.rect.bottom + 1)
        for col in range(block.rect.left, block.rect.right + 1)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(workbooks(), st.data())
def test_in_lanes_as_one_by_one(workbook: Workbook, data: st.DataObject) -> None:
    check_lanes(workbook, data, st.integers(1, 4))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(workbooks(), st.data())
def test_on_a_tape_as_one_by_one(workbook: Workbook, data: st.DataObject) -> None:
    with narrow(known=data.draw(st.booleans())):
        check_lanes(workbook, data, st.integers(3, 8))


@contextmanager
def narrow(*, taped: bool = True, known: bool = False) -> Iterator[None]:
    """One lane at first, and a tape from the second turn on, or none at all. ``known``: it is thought through between which
    numbers all cells lie."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "_FIRST_LANES", 1)
        patch.setattr(host, "_TAPED_FROM", 1 if taped else 1 << 40)
        patch.setattr(host, "_KNOWN_FROM", 0 if known else 1 << 40)
        yield


def bits(num: Numbers) -> bytes:
    """Of numbers, and of errors without their sign, which says nothing."""
    return np.where(np.isnan(num), np.copysign(num, 1.0), num).tobytes()


def check_lanes(workbook: Workbook, data: st.DataObject, counts: st.SearchStrategy[int]) -> None:
    for sheet in workbook.sheets:
        sheet.blocks = [b for b in sheet.blocks if b.kind is not Kind.TABLE]
    cells, outputs = constants_of(workbook), formulas_of(workbook)
    if not cells or not outputs:
        return
    chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1, max_size=3, unique=True))
    count = data.draw(counts)
    values = data.draw(st.sampled_from([VALUES, st.floats(-1e6, 1e6, allow_nan=False)]))
    inputs = {name: [data.draw(values) for _ in range(count)] for name in chosen}
    try:
        table = scenarios(workbook, inputs, outputs, in_process)
    except InputError as error:
        event(error.code)
        return
    event("in turn" if table.in_turn else "in lanes")
    with narrow(taped=False):
        untaped = scenarios(workbook, inputs, outputs, in_process)
    assert bits(untaped.num) == bits(table.num), "a tape gives the same bits"
    assert np.array_equal(untaped.tag, table.tag)
    wanted = one_by_one(workbook, inputs, outputs)
    for k, name in enumerate(outputs):
        assert same(table.column(k), wanted[name]), (name, table.column(k), wanted[name])


def same(ours: list[Any], theirs: list[Any]) -> bool:
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, dict) and isinstance(b, dict):
            continue  # which of several errors a call shows is not compared here
        if (
            type(a) is bool
            or type(b) is bool
            or isinstance(a, (str, dict, type(None)))
            or isinstance(b, (str, dict, type(None)))
        ):
            if a != b or type(a) is not type(b):
                return False
        elif abs(a - b) > 1e-12 * max(abs(a), abs(b)):
            return False
    return True


def test_what_a_script_of_lanes_looks_like() -> None:
    workbook = workbook_of({"A1": 2.0, "A2": 3.0, "B1:B2": "=A1*2", "C1": "=SUM(B1:B2)", "D1": "=A2+1", "E1": "=A9"})
    text = compile_lanes(workbook, [(0, rect_of("A1"))], [(0, rect_of("C1"))]).text
    assert "s['B1:B2'] = s.n['A1:A2'] * 2.0" in text.replace("sheet1", "s")
    assert "over(SUM, s.window('B1:B2', 1, 1))" in text.replace("sheet1", "s")
    assert "D1" not in text  # not on the way from the input to the output
    assert "E1" not in text


def test_every_kind_of_formula_has_its_way() -> None:
    workbook = workbook_of(
        {
            "A1": 2.0,
            "A2": -5.0,
            "A3": 4.0,
            "B1:B3": "=A1*$A$1",  # a block at once
            "C1": "=A1",
            "C2:C3": "=C1+B2",  # a recurrence
            "D1:D3": "=SUM(A$1:A1)",  # grows
            "E1:E2": "=AVERAGE(B1:B2)",  # slides
            "F1": "=IRR(B1:B3)",
            "F2": "=MIRR(B1:B3,0.1,0.1)",  # lane by lane
            "G1": '=IF(A1>2,"big",A1)',  # text in some lanes only
            "H1": "=VLOOKUP(A1,J1:K3,2)",
            "I1": "=VLOOKUP(3,A1:B3,2,FALSE)",  # the table varies
            "J1": 1.0, "J2": 2.0, "J3": 3.0, "K1": "one", "K2": "two", "K3": "three",
            "L1:L3": "{=A1:A3*TRANSPOSE(A1:A3)}",
            "M1:O3": "=$A1*A$1",  # a table of products: its rows meet its columns
            "P1": "=A1/(A1-2)",
        }
    )  # fmt: skip
    outputs = [name for name in formulas_of(workbook) if not name.endswith(("J1",))]
    inputs = {"Sheet1!A1": [2.0, 3.0, 0.5, "x", None, True, OWN], "Sheet1!A3": [4.0, 4.5, 4.0, 1.0, 2.0, OWN, OWN]}
    found = tabulated(workbook, inputs, *outputs)
    for name, values in one_by_one(workbook, inputs, outputs).items():
        assert same(found[name], values), name
    assert found["Sheet1!G1"] == [2, "big", 0.5, "big", 0, "big", 2]
    assert found["Sheet1!P1"][0] == {"error": "#DIV/0!"}


def test_more_scenarios_than_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_FIRST_LANES", 3)
    monkeypatch.setattr(host, "_MOST_LANES", 12)
    workbook = workbook_of({"A1": 1.0, "A2": "x", "B1": "=A1+1", "B2": '=A2&"y"', "C1": "=7"})
    inputs = {"Sheet1!A1": np.arange(100.0), "Sheet1!A2": [str(n) for n in range(100)]}
    found = tabulated(workbook, inputs, "Sheet1!B1", "Sheet1!B2", "Sheet1!C1", "Sheet1!A1")
    assert found["Sheet1!B1"] == list(range(1, 101))
    assert found["Sheet1!B2"] == [f"{n}y" for n in range(100)]
    assert found["Sheet1!C1"] == [7] * 100
    assert found["Sheet1!A1"] == list(range(100))


def test_an_input_may_be_a_formula_or_a_range() -> None:
    workbook = workbook_of({"A1": 1.0, "B1:B3": "=A1*10", "C1": "=SUM(B1:B3)"})
    inputs = {"Sheet1!A1": [1.0, 2.0], "Sheet1!B2:B3": [5.0, OWN]}
    assert tabulated(workbook, inputs, "Sheet1!C1", "Sheet1!B2") == {"Sheet1!C1": [20, 20], "Sheet1!B2": [5, 0]}


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"A1": 1.0, "B1": "=OFFSET(A1,0,0)", "C1": "=B1"}, "known only when it runs"),
        ({"A1": 1.0, "B1:B3": "#=SEQUENCE(A1)", "C1": "=SUM(B1:B3)"}, "another size"),
    ],
)
def test_what_only_the_run_can_tell_is_computed_in_turn(cells: dict[str, Any], why: str) -> None:
    workbook = workbook_of(cells)
    with pytest.raises(NotLaned, match=why):
        compile_lanes(workbook, [(0, rect_of("A1"))], [(0, rect_of("C1"))])
    inputs = {"Sheet1!A1": [1.0, 2.0, 3.0]}
    table = scenarios(workbook, inputs, ["Sheet1!C1"], in_process)
    assert table.in_turn is not None
    assert why in table.in_turn
    assert {"Sheet1!C1": table.column(0)} == one_by_one(workbook, inputs, ["Sheet1!C1"])


def test_precision_as_displayed_is_computed_in_turn() -> None:
    workbook = workbook_of({"A1": 1.0, "B1": "=A1/3"}, settings=Settings(full_precision=False))
    table = scenarios(workbook, {"Sheet1!A1": [1.0, 2.0]}, ["Sheet1!B1"], in_process)
    assert "precision as displayed" in str(table.in_turn)


def test_a_script_that_fails_in_lanes_is_computed_in_turn() -> None:
    workbook = workbook_of({"A1": 1.0, "B1": "=A1+1"})

    def failing(job: Job, limits: Limits, **options: Any) -> Result:
        if job.entry.endswith("run_lanes"):
            raise Crashed(1, "", "Varies: Sheet1 varies", 7)
        return in_process(job, limits, **options)

    table = scenarios(workbook, {"Sheet1!A1": [1.0, 2.0]}, ["Sheet1!B1"], failing)
    assert table.column(0) == [2, 3]
    assert table.in_turn == "the model failed at line 7 of the script: Varies: Sheet1 varies"


def test_a_varying_cell_is_never_read_as_if_it_had_one_value() -> None:
    book = LaneBook()
    sheet = book.add_sheet("Sheet1", [Area(1, 1, np.ones((2, 2)), np.zeros((2, 2), np.int32))])
    book.open(3, [(0, Span(1, 1, 2, 2))])
    assert sheet.cell(1, 1) == 1.0
    book.put((0, 1, 1), np.arange(3.0), np.zeros(3, np.int32))
    for read in (
        lambda: sheet.cell(1, 1),
        lambda: sheet.number(1, 1),
        lambda: sheet.arr["A1:B2"],
        lambda: sheet.ref["A1"].cell(),
    ):
        with pytest.raises(Varies):
            read()
    assert sheet["A1"].num.tolist() == [[0.0, 1.0, 2.0]]
    assert sheet.cell(2, 2) == 1.0


@pytest.mark.parametrize(
    ("inputs", "outputs", "code"),
    [
        ({"Nowhere!A1": [1.0]}, ["Sheet1!B1"], "unknown_sheet"),
        ({"Sheet1!A1": [float("inf")]}, ["Sheet1!B1"], "bad_value"),
        ({"Sheet1!A1": np.array([np.nan])}, ["Sheet1!B1"], "bad_value"),
        ({"Sheet1!A1": [1.0], "Sheet1!A2": [1.0, 2.0]}, ["Sheet1!B1"], "wrong_shape"),
        ({"Sheet1!A1": [1.0]}, ["Sheet1!A1:B1"], "not_a_cell"),
    ],
)
def test_bad_tables(inputs: dict[str, Any], outputs: list[str], code: str) -> None:
    workbook = workbook_of({"A1": 1.0, "A2": 2.0, "B1": "=A1+A2"})
    with pytest.raises(InputError) as caught:
        scenarios(workbook, inputs, outputs, in_process)
    assert caught.value.code == code


def test_a_dynamic_array_formula_that_was_filled_is_not_for_lanes() -> None:
    workbook = workbook_of({"A1": 1, "A2": 2, "A3": 3, "C1": 5, "C2": 6})
    block = Block(rect_of("D1:D2"), "TREND($A$1:$A$2,$A$2:$A$3,C1)", Kind.DYNAMIC, filled=True)
    workbook.sheets[0].blocks.append(block)
    values = [1.0, 4.0, 7.0]
    table = scenarios(workbook, {"A1": values}, ["D1", "D2"], in_process)
    assert table.in_turn is not None
    expected = one_by_one(workbook, {"A1": values}, ["D1", "D2"])
    assert {name: table.column(k) for k, name in enumerate(table.outputs)} == expected


def test_a_dynamic_array_formula_of_one_value_is_for_lanes() -> None:
    workbook = workbook_of({"A1": 1, "A2": 2, "A3": 3, "D1": "#=SUM(A1:A3*2)", "E1": "=D1+D1#"})
    values = [1.0, 4.0, 7.0]
    table = scenarios(workbook, {"A1": values}, ["D1", "E1"], in_process)
    assert table.in_turn is None
    assert {name: table.column(k) for k, name in enumerate(table.outputs)} == {"D1": [12, 18, 24], "E1": [24, 36, 48]}


def test_whole_columns_have_all_their_rows_in_every_scenario() -> None:
    cells = {"A1": 1.0, "A2": 2.0, "B1": 5.0, "C1": '=SUMPRODUCT(--(A:A=""))', "D1": "=SUMPRODUCT((A:A=B1)+1)"}
    found = tabulated(workbook_of(cells), {"A2": [5.0, None]}, "C1", "D1")
    assert found == {"C1": [1_048_574, 1_048_575], "D1": [1_048_577, 1_048_576]}


def lanes_taken(seconds: Callable[[int], float], calls: int, most: int = 4096) -> list[int]:
    """How many lanes are taken one turn after another, where a turn of so many takes so long."""
    width, taken = host._Width(most), []
    for _ in range(40):
        if not taken or taken[-1] != width.lanes:
            taken.append(width.lanes)
        width.learn(seconds(width.lanes), calls)
    return taken


def test_more_lanes_are_taken_as_long_as_that_is_faster() -> None:
    cached = lambda lanes: 1e-5 * lanes * (1 if lanes <= 64 else 2)  # noqa: E731
    assert lanes_taken(lambda n: 1e-4 + cached(n), 10) == [16, 32, 64, 128, 64]
    assert lanes_taken(lambda n: 2e-3 + 1e-5 * n, 2000, most=700) == [16, 64, 256, 700], "calls take most of the time"
    assert lanes_taken(lambda n: 1e-4 * n, 10) == [16, 32, 16]
    assert lanes_taken(lambda n: 1e-4, 10, most=5) == [5]


def test_flows_that_are_the_same_in_all_scenarios() -> None:
    """Only the rate, or the guess, varies."""
    cells = {f"B{row}": flow for row, flow in enumerate((-3.0, 1.0, 1.0, 2.0, 1.0), 1)}
    workbook = workbook_of(
        {**cells, "A1": 0.1, "C1": "=NPV(A1,B1:B5)", "C2": "=IRR(B1:B5,A1)", "C3": "=NPV(A1,B2:B5)+B1"}
    )
    inputs = {"Sheet1!A1": [0.1, 0.2, 0.0, -0.5, "x", -1.0]}
    outputs = formulas_of(workbook)
    wanted = one_by_one(workbook, inputs, outputs)
    for taped in (False, True):
        with narrow(taped=taped):
            table = scenarios(workbook, inputs, outputs, in_process)
        assert table.in_turn is None
        assert all(same(table.column(k), wanted[name]) for k, name in enumerate(outputs))
