"""How a reference is written, as one regular expression: what requests are checked by, and what OpenAPI says of them.

Loose on purpose: whether there is such a cell only the workbook can tell (``rundata.check_request``).
"""

from __future__ import annotations

import re
from typing import Final

#: ``Sheet!A1``, ``'Sheet with space'!A1:B9``, a name, ``Table[Column]``. Read the same way by Python and by ECMAScript.
PATTERN: Final = (
    r"^ *=?"
    r"('([^'\x00-\x1f]|'')+'!|[^'!\x00-\x20][^'!\x00-\x1f]*!)?"  # a sheet, in quotes or not
    r"[^ '!\"(),;+*\/&^%<>=@#{}\[\]\x00-\x1f\x7f]+"  # an address, a name, a table
    r"(\[[^\x00-\x1f]+\])? *$"  # a table's columns
)
_REFERENCE: Final = re.compile(PATTERN.removesuffix("$") + r"\Z")


def is_reference(text: str) -> bool:
    """Whether a text may name cells."""
    return _REFERENCE.match(text) is not None
