"""SWITCH compares with types: what an empty cell equals was measured."""

from __future__ import annotations

from typing import Any

import pytest
from calls import NA, call


@pytest.mark.parametrize(
    ("value", "case", "same"),
    [
        (None, 0.0, True),
        (0.0, None, True),
        (None, None, True),
        (False, None, False),
        (None, "", False),
        (0.0, "", False),
        ("", "", True),
        (True, 1.0, False),
        (False, False, True),
        ("lower", "Lower", True),
    ],
)
def test_what_equals_what(value: Any, case: Any, same: bool) -> None:
    assert call("SWITCH", value, lambda: case, lambda: "match") == ("match" if same else NA)
