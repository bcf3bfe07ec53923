"""Structured references: every form of the brackets, and how each is written again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.formula.nodes import Error, Node, Prefix, Structured
from sheetrun.formula.parser import parse
from sheetrun.formula.render import to_text
from sheetrun.formula.structured import escape_column

ROW = ("this row",)


@pytest.mark.parametrize(
    ("text", "tree", "canonical"),
    [
        ("T[]", Structured("T"), "T[]"),
        ("T[ ]", Structured("T"), "T[]"),
        ("T[Qty]", Structured("T", (), "Qty"), "T[Qty]"),
        ("T[Unit price]", Structured("T", (), "Unit price"), "T[Unit price]"),
        ("T[[Unit price]]", Structured("T", (), "Unit price"), "T[Unit price]"),
        ("T[[Total $]]", Structured("T", (), "Total $"), "T[[Total $]]"),
        ("T[[ x ]]", Structured("T", (), " x "), "T[[ x ]]"),
        ("T[[a\nb]]", Structured("T", (), "a\nb"), "T[[a\nb]]"),
        ("T[[A]:[B]]", Structured("T", (), "A", "B"), "T[[A]:[B]]"),
        ("T[ [A] : [B] ]", Structured("T", (), "A", "B"), "T[[A]:[B]]"),
        ("T[#All]", Structured("T", ("all",)), "T[#All]"),
        ("T[[#All]]", Structured("T", ("all",)), "T[#All]"),
        ("T[#Totals]", Structured("T", ("totals",)), "T[#Totals]"),
        ("T[#data]", Structured("T", ("data",)), "T[#Data]"),
        ("T[[#Headers],[#Data]]", Structured("T", ("headers", "data")), "T[[#Headers],[#Data]]"),
        ("T[[#Totals],[A]]", Structured("T", ("totals",), "A"), "T[[#Totals],[A]]"),
        (
            "T[[#Headers], [#Data], [A]:[B]]",
            Structured("T", ("headers", "data"), "A", "B"),
            "T[[#Headers],[#Data],[A]:[B]]",
        ),
        ("T[[#This Row],[Qty]]", Structured("T", ROW, "Qty"), "T[@Qty]"),
        ("T[[#This Row],Qty]", Structured("T", ROW, "Qty"), "T[@Qty]"),
        ("T[[#This Row],[A]:[B]]", Structured("T", ROW, "A", "B"), "T[@[A]:[B]]"),
        ("T[#This Row]", Structured("T", ROW), "T[@]"),
        ("T[@]", Structured("T", ROW), "T[@]"),
        ("T[@Qty]", Structured("T", ROW, "Qty"), "T[@Qty]"),
        ("T[@[Unit price]]", Structured("T", ROW, "Unit price"), "T[@[Unit price]]"),
        ("[@Qty]", Structured(None, ROW, "Qty"), "[@Qty]"),
        ("[Qty]", Structured(None, (), "Qty"), "[Qty]"),
        ("[[#This Row],[Qty]]", Structured(None, ROW, "Qty"), "[@Qty]"),
        ("[#Totals]", Structured(None, ("totals",)), "[#Totals]"),
        ("T[[#This Row],[a'[b']]]", Structured("T", ROW, "a[b]"), "T[@[a'[b']]]"),
        ("T['#Items]", Structured("T", (), "#Items"), "T[['#Items]]"),
        ("T[[it''s]]", Structured("T", (), "it's"), "T[[it''s]]"),
        ("T['@home]", Structured("T", (), "@home"), "T[['@home]]"),
        ("[1]!T[Qty]", Structured("T", (), "Qty", None, Prefix(book="1")), "[1]!T[Qty]"),
        ("Sheet1!T[Qty]", Structured("T", (), "Qty", None, Prefix("Sheet1")), "Sheet1!T[Qty]"),
        ("T[#REF!]", Error("#REF!"), "#REF!"),
        ("T[[#This Row],[#REF!]]", Error("#REF!"), "#REF!"),
        ("#REF![Qty]", Error("#REF!"), "#REF!"),
    ],
)
def test_brackets(text: str, tree: Node, canonical: str) -> None:
    assert parse(text, 0, 0) == tree
    assert to_text(tree, 0, 0) == canonical


@given(st.text(min_size=1))
def test_any_column_name_survives_its_escape(name: str) -> None:
    assert parse(f"T[[{escape_column(name)}]]", 0, 0) == Structured("T", (), name)
    assert parse(f"T[@[{escape_column(name)}]]", 0, 0) == Structured("T", ROW, name)
