"""Errors of Excel as inputs: what the wire contract writes as ``{"error": "#N/A"}`` can be set like any value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sheetrun.runtime.inputs import InputError

from .files import model_of


def test_an_error_is_set_like_any_value(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": 1, "A2": 2, "B1": "=A1+A2", "B2": "=IFERROR(A1,7)", "B3": "=ISNA(A1)"})
    done = model.run({"A1": {"error": "#N/A"}})
    assert [done.get(f"Sheet1!B{row}") for row in (1, 2, 3)] == [{"error": "#N/A"}, 7, True]


@pytest.mark.parametrize("value", [{"error": "#FOO"}, {"error": 1}, {"error": []}, {"fault": "#N/A"}, {}, object()])
def test_what_is_no_value_is_refused(tmp_path: Path, value: Any) -> None:
    model = model_of(tmp_path, {"A1": 1, "B1": "=A1"})
    with pytest.raises(InputError) as caught:
        model.run({"A1": value})
    assert (caught.value.code, caught.value.reference) == ("bad_value", "A1")
