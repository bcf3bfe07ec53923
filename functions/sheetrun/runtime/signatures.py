"""The signature of an Excel function: ``ROUND(number: number, digits: integer) -> number``.

Kinds of parameter:

    number    float; empty 0, logical 1/0, text read or #VALUE!         lifted over arrays
    integer   int, truncated toward zero                                lifted
    text      str                                                       lifted
    logical   bool                                                      lifted
    scalar    any scalar but an error; None for an empty cell           lifted
    strict    as scalar, of what was once the Analysis ToolPak: in an array formula the compiler gives it
              #VALUE! for a range (measured: EDATE(A1:A3,1)), while an array that was computed is lifted
    any       any scalar, errors too                                    lifted
    array     Arr (a scalar becomes 1 × 1); errors stay inside, but an error alone is the result
    values    Arr when it came from a reference or an array, else the scalar itself (SUM tells them apart); with ``*``
    ref       Ref; anything else is #VALUE!
    raw       whatever it is
    lazy      a function of no arguments that computes the value (branches that may not be needed)
    host      not written by the user: a Ref to the cell that holds the formula; always the first parameter

``[x: kind = default]`` may be omitted (numbers, text in quotes, TRUE, FALSE, None or MISSING are defaults).
``[x: kind ~ default]`` takes the default also when the argument is left empty between commas; otherwise an empty
argument is an empty cell.
``*xs: kind`` takes the rest. After ``->``: number, text, logical, array, ref or any; what the compiler may rely on.
Errors in number, integer, text, logical and scalar arguments are the result (the first one wins).
"""

from __future__ import annotations

import ast
import re
from typing import Any, Final

from sheetrun.records import dataclass
from sheetrun.runtime.values import MISSING

LIFTED: Final = frozenset({"number", "integer", "text", "logical", "scalar", "strict", "any"})
KINDS: Final = LIFTED | {"array", "values", "ref", "raw", "lazy", "host"}
RETURNS: Final = frozenset({"number", "text", "logical", "array", "ref", "any"})

_SIGNATURE = re.compile(r"(?P<name>[A-Z][A-Z0-9_.]*)\((?P<params>.*)\)\s*->\s*(?P<returns>\w+)\Z", re.DOTALL)
_PARAMETER = re.compile(
    r"(?P<open>\[)?(?P<star>\*)?(?P<name>\w+):\s*(?P<kind>\w+)(?:\s*(?P<sign>[=~])\s*(?P<default>[^\]]+))?(?P<close>\])?\Z"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: str
    optional: bool = False
    default: Any = None
    empty_is_omitted: bool = False
    variadic: bool = False


def read_signature(signature: str) -> tuple[str, tuple[Parameter, ...], str]:
    match = _SIGNATURE.match(signature.strip())
    if not match or match["returns"] not in RETURNS:
        raise ValueError(f"not a signature: {signature}")
    parameters = tuple(_read_parameter(p.strip()) for p in _split(match["params"]))
    return match["name"], parameters, match["returns"]


def _split(text: str) -> list[str]:
    """Parameters by their commas; a comma in quotes belongs to a default."""
    return [p for p in re.findall(r'(?:"[^"]*"|[^,"])+', text) if p.strip()]


def _read_parameter(text: str) -> Parameter:
    match = _PARAMETER.match(text)
    if not match or match["kind"] not in KINDS or bool(match["open"]) != bool(match["close"]):
        raise ValueError(f"not a parameter: {text}")
    written = match["default"]
    default = None if written is None else _read_default(written.strip())
    return Parameter(
        match["name"], match["kind"], bool(match["open"]), default, match["sign"] == "~", bool(match["star"])
    )


def _read_default(written: str) -> Any:
    if written == "MISSING":
        return MISSING
    return ast.literal_eval({"TRUE": "True", "FALSE": "False"}.get(written, written))
