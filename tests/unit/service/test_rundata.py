"""A workbook as a run takes it: names, tables and formula texts only where a script asks for them; references of callers."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.address import Span
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.payload import BadPayload, RunInput, RunOutput
from sheetrun.service.rundata import InputErrors, check_request, find_cells, run_input
from sheetrun.workbook.model import Settings, Table, Workbook
from tests.unit.compiler.hostile import texts
from tests.unit.compiler.making import rect_of, workbook_of


def book() -> Workbook:
    return workbook_of(
        {"A1": 1, "B1:B3": "=_xlfn.XOR(A1,TRUE)", "C1": "{=SUM(A1:A3)}", "D1:D2": "#=A1:A2"},
        {"A1": "'text"},
        titles=["Main", "It's a"],
        names={
            "Rate": "Main!$A$1",
            "Moving": "Main!A1",
            "Number": "5",
            "Broken": "#REF!",
            (1, "Rate"): "'It''s a'!$A$1",
            (1, "Local"): "'It''s a'!$B$2:$C$3",
        },
        tables=[Table("Sales", 0, rect_of("F1:G4"), ("Qty", "Unit Price"), totals_rows=1)],
        settings=Settings(iterate=True, iterate_count=7, iterate_delta=0.5, date1904=True),
    )


def test_only_what_the_script_asks_for() -> None:
    plain = run_input(book(), "SUM(1)")
    assert plain.names == {}
    assert plain.formulas == []
    assert plain.tables.keys() == {"Sales"}
    assert (plain.iteration.on, plain.iteration.count, plain.iteration.delta) == (True, 7, 0.5)
    assert plain.date1904


def test_names_that_are_references_are_there_for_indirect() -> None:
    names = run_input(book(), "single(INDIRECT('x'))").names
    assert {name: (named.sheet, named.span) for name, named in names.items()} == {
        "Rate": (0, Span(1, 1, 1, 1)),
        "It's a!Rate": (1, Span(1, 1, 1, 1)),
        "It's a!Local": (1, Span(2, 2, 3, 3)),
    }


def test_texts_of_formulas() -> None:
    formulas = run_input(book(), "FORMULATEXT(s.ref['A1'])").formulas
    assert formulas == [
        (0, 1, 2, "=XOR(A1,TRUE)"),
        (0, 2, 2, "=XOR(A2,TRUE)"),
        (0, 3, 2, "=XOR(A3,TRUE)"),
        (0, 1, 3, "{=SUM(A1:A3)}"),
        (0, 1, 4, "=A1:A2"),
    ]


def test_the_input_survives_its_bytes() -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 1)
    source = run_input(book(), "INDIRECT(", inputs={"Rate": 2, "A2": None, "A3": "x", "B1": True}, now=moment, seed=9)
    again = RunInput.from_bytes(source.to_bytes())
    assert again.overrides == [(0, 1, 1, 2.0), (0, 2, 1, None), (0, 3, 1, "x"), (0, 1, 2, True)]
    assert (again.now, again.seed, again.names, again.tables) == (moment, 9, source.names, source.tables)
    assert [s.name for s in again.sheets] == ["Main", "It's a"]
    assert again.to_bytes() == source.to_bytes()


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 255))
def test_damaged_bytes_are_refused(junk: bytes, place: int, byte: int) -> None:
    """What comes out of a sandbox is data of a stranger: it is refused, or read as some output; nothing else happens."""
    good = RunOutput([], ["a"], [], [], []).to_bytes()
    changed = bytearray(good)
    changed[place % len(good)] = byte
    for data in (junk, good[: place % len(good)], bytes(changed), good[:7] + junk):
        try:
            RunOutput.from_bytes(data)
        except BadPayload:
            continue


@pytest.mark.parametrize(
    ("reference", "sheet", "address"),
    [
        ("A1", 0, "A1"),
        ("$A$1", 0, "A1"),
        ("a1:b2", 0, "A1:B2"),
        ("B2:A1", 0, "A1:B2"),
        ("=Main!A1", 0, "A1"),
        (" main!$a1 ", 0, "A1"),
        ("'Main'!A1", 0, "A1"),
        ("'It''s a'!C3:D4", 1, "C3:D4"),
        ("It's a!C3", 1, "C3"),
        ("IT'S A!C3", 1, "C3"),
        ("Rate", 0, "A1"),
        ("RATE", 0, "A1"),
        ("Local", 1, "B2:C3"),
        ("'It''s a'!Rate", 1, "A1"),
        ("Sales", 0, "F2:G3"),
        ("Sales[Qty]", 0, "F2:F3"),
        ("sales[unit price]", 0, "G2:G3"),
        ("Sales[#Headers]", 0, "F1:G1"),
        ("Sales[[#Totals],[Qty]]", 0, "F4"),
        ("XFD1048576", 0, "XFD1048576"),
        ("3:$5", 0, "A3:XFD5"),
        ("main!3:3", 0, "A3:XFD3"),
    ],
)
def test_references_of_callers(reference: str, sheet: int, address: str) -> None:
    assert find_cells(book(), reference) == (sheet, rect_of(address))


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("", "bad_reference"),
        ("A1:", "bad_reference"),
        ("'Main!A1", "bad_reference"),
        ("1", "unknown_reference"),
        ("SUM(A1)", "unknown_reference"),
        ("A1,B2", "unknown_reference"),
        ("C:C", "too_many_cells"),
        ("A1:XFD1048576", "too_many_cells"),
        ("Number", "unknown_name"),
        ("Broken", "unknown_name"),
        ("Nothing", "unknown_name"),
        ("XFE1", "bad_reference"),
        ("Other!A1", "unknown_sheet"),
        ("Main!Nothing", "unknown_name"),
        ("Main:Main!A1", "unknown_sheet"),
        ("[1]Main!A1", "unknown_sheet"),
        ("Sales[Nope]", "unknown_reference"),
        ("Nope[Qty]", "unknown_reference"),
        ("Sales[@Qty]", "unknown_reference"),
        ('"A1"', "unknown_reference"),
    ],
)
def test_what_is_no_reference(reference: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        find_cells(book(), reference)
    assert caught.value.code == code
    assert str(caught.value)


@given(texts)
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        sheet, rect = find_cells(book(), text)
    except InputError:
        return
    assert 0 <= sheet < 2
    assert rect.size >= 1


@given(st.from_regex(r"[A-Za-z$]{0,4}[0-9]{0,8}(:[A-Z]{0,3}[0-9]{0,4})?(!|\[|\]|#|@)?", fullmatch=True))
def test_near_references(text: str) -> None:
    try:
        find_cells(book(), text)
    except InputError:
        return


def test_inputs_by_range() -> None:
    def overrides(given: object) -> list[tuple[int, int, int, object]]:
        return [tuple(o) for o in run_input(book(), "", inputs={"C3:D4": given}).overrides]  # type: ignore[misc]

    assert overrides([[1, "a"], [None, False]]) == [(0, 3, 3, 1.0), (0, 3, 4, "a"), (0, 4, 3, None), (0, 4, 4, False)]
    assert [o[3] for o in overrides(7)] == [7.0] * 4
    for wrong in ([1, 2, 3], [[1, 2], 3], [[1, 2], [3]], [], [[]]):
        with pytest.raises(InputError) as caught:
            overrides(wrong)
        assert caught.value.code == "wrong_shape"
        assert "2 rows of 2" in str(caught.value)


def test_a_name_of_the_workbook_comes_before_those_of_sheets() -> None:
    workbook = book()
    workbook.names.reverse()
    assert find_cells(workbook, "Rate") == (0, rect_of("A1"))


def test_everything_that_a_request_names_wrongly_is_told_at_once() -> None:
    check_request(book(), {"Rate": 2, "Main!A1:B1": [[1, 2]]}, ["Sales[Qty]"])
    with pytest.raises(InputErrors) as caught:
        check_request(book(), {"Nope": 2, "Main!A1:B1": [[1]], "B1": 1}, ["Other!A1", "Rate"])
    found = [(error["cell"], error["code"]) for error in caught.value.errors]
    assert found == [("Nope", "unknown_name"), ("Main!A1:B1", "wrong_shape"), ("Other!A1", "unknown_sheet")]
    assert str(caught.value) == "3 of the inputs and outputs do not fit the workbook."
