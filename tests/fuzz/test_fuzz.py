"""A short run of the fuzzer: the long one is ``make fuzz``. Seeds are fixed, so that a failure is the code's."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sheetrun.formula.parser import parse
from sheetrun.runtime import calendar, reading

from .books import batch, faults
from .files import file_faults, mutated
from .formulas import FUNCTIONS, Grammar
from .texts import table_faults, text_faults


@pytest.fixture(autouse=True)
def dates_as_before() -> Iterator[None]:
    """Runs in this process set how it reads dates."""
    date1904, year = calendar.is_1904(), reading.current_year()
    yield
    calendar.settle(date1904=date1904, year=year)


@pytest.mark.parametrize("number", range(10))
def test_formulas_give_values_errors_or_reasons(number: int) -> None:
    seed = f"short:{number}"
    assert not faults(batch(seed, 200), date1904=number % 5 == 4), seed


@pytest.mark.parametrize("number", range(10))
def test_damaged_files_are_refused_or_computed(number: int) -> None:
    for one in range(30):
        seed = f"short:{number}:{one}"
        assert not file_faults(seed), seed


@pytest.mark.parametrize("number", range(4))
def test_mangled_texts_are_read_or_refused(number: int) -> None:
    for one in range(500):
        seed = f"short:{number}:{one}"
        assert not text_faults(seed), seed
        assert not table_faults(seed), seed


def test_every_function_is_called_with_arguments_of_every_kind() -> None:
    grammar = Grammar(random.Random("functions"))
    calls = ["=" + grammar.call(entry) for entry in FUNCTIONS for _ in range(3)]
    assert len(calls) > 1500
    for start in range(0, len(calls), 200):
        assert not faults(calls[start : start + 200])


def test_a_seed_names_its_formulas_and_files() -> None:
    assert batch("one", 5) == batch("one", 5) != batch("other", 5)
    assert mutated("one") == mutated("one") != mutated("other")


def test_what_the_grammar_makes_are_formulas() -> None:
    for text in batch("grammar", 200):
        array = text.startswith("{=")
        parse(text.partition("=")[2].removesuffix("}" if array else ""), 0, 0)


def test_what_the_long_run_has_found() -> None:
    found = [
        "=HSTACK(Data:Other!A1)*TAKE(Data:Other!A1:B3,Z50:Z60,G1:H12)",
        "=HSTACK(Data:Other!A1)*TRIMRANGE(Data!A1:B3,2)",
        '=HSTACK({1,2})*REGEXEXTRACT("12","[0-9]",1)',
        "=FORMULATEXT(VSTACK(1:1,LAMBDA(1)))",
        "=PIVOTBY(1:1,{0},XFD1048576,LAMBDA(Z99))",
        "fill=SCAN(0,Data!$B:$B,LAMBDA(p,q,{1,2;3,4}))",
        "{=ARRAYTOTEXT((A:C)>{1,2;3,4},{0})}",
        "{=INDIRECT(A:C,0)}",
    ]
    assert not faults(found)
