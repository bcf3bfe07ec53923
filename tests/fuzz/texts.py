"""Foreign text: formulas that somebody mangled, and tables of data likewise. A tree or a schema, or a typed reason."""

from __future__ import annotations

import json
import random
from typing import Final

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.sniff import csv_schema, find_format, jsonl_schema
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.parser import parse

from .books import SECONDS, Hang, deadline
from .formulas import Grammar

PIECES: Final = (
    *("(", ")", "{", "}", "[", "]", '"', "'", ",", ";", ":", "!", "@", "#", "%", "&", "^", "$", "~", "\\", "|", "`"),
    *("#REF!", "#SPILL!", "TRUE", "1E+999", "1.7976931348623157E+308", ".", "..", "R1C1", "RC[-1]", "A1048577", "XFE1"),
    *(
        "[1]Sheet!A1",
        "T[[#All],[x]:[y]]",
        "T[@]",
        "LET(",
        "LAMBDA(",
        "_xlfn.",
        "_xlpm.",
        "\0",
        "\r\n",
        "\u2028",
        "\udc80",
    ),
    *("\u202e", "ß", "İ", "😀", "'It''s'!", "Sheet1:Sheet3!", "((((((((", "--------", "%%%%", '""""'),
)


def mangled(seed: str) -> str:
    """A formula by the grammar, with pieces put in, taken out, doubled and turned round."""
    chance = random.Random(seed)
    text = Grammar(chance).formula()
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        how = chance.randrange(4)
        if how == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif how == 1:
            text = text[:at] + text[end:]
        elif how == 2:
            text = text[:end] + text[at:end] * chance.choice((1, 1, 40)) + text[end:]
        else:
            text = text[:at] + text[at:end][::-1] + text[end:]
        text = text[:20_000]
    return text


def text_faults(seed: str) -> list[str]:
    """What is wrong with how one mangled formula is read: nothing, or a line."""
    text = mangled(seed)
    try:
        with deadline(SECONDS):
            parse(text, 0, 0)
    except FormulaError as error:
        return [] if 0 <= error.position <= len(text) else [f"{text[:200]!r}: an error outside of the text"]
    except Hang:
        return [f"{text[:200]!r}: takes more than {SECONDS} s"]
    except Exception as error:
        return [f"{text[:200]!r}: {type(error).__name__}: {str(error)[:200]}"]
    return []


def table(seed: str) -> bytes:
    """CSV or JSON lines that somebody damaged."""
    chance = random.Random(seed)
    values = ("1", "-2.5", "x", "", "2024-01-31", "true", "1,5", '"a', 'b"', "NaN", "007", "1e999", "\0", "é", "=1+1")
    rows = [[chance.choice(values) for _ in range(4)] for _ in range(chance.randint(0, 30))]
    if chance.random() < 0.5:
        lines = [json.dumps(dict(zip("abcd", row, strict=True))) for row in rows]
    else:
        lines = [chance.choice(",;\t|").join(row) for row in rows]
    data = bytearray("\n".join(lines).encode(chance.choice(("utf-8", "utf-16", "cp1252"))))
    for _ in range(chance.choice((0, 1, 5))):
        if data:
            at = chance.randrange(len(data))
            data[at : at + chance.choice((0, 1, 9))] = bytes([chance.randrange(256)]) * chance.choice((0, 1, 40))
    return bytes(data)


def table_faults(seed: str) -> list[str]:
    """What is wrong with how one damaged table is looked at: nothing, or a line."""
    data = table(seed)
    try:
        with deadline(SECONDS):
            form = find_format(data, "data.csv")
            if form in ("csv", "jsonl"):
                (jsonl_schema if form == "jsonl" else csv_schema)(data, "data")
    except DatasetError:
        return []
    except Hang:
        return [f"{data[:200]!r}: takes more than {SECONDS} s"]
    except Exception as error:
        return [f"{data[:200]!r}: {type(error).__name__}: {str(error)[:200]}"]
    return []
