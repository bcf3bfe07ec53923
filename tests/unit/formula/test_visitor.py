"""Walking and rewriting trees, however deep."""

from __future__ import annotations

from hypothesis import given, settings

from sheetrun.formula.nodes import Binary, Call, Name, Node, Number
from sheetrun.formula.parser import parse
from sheetrun.formula.render import to_text
from sheetrun.formula.visitor import children, map_children, transform, walk, with_children

from .trees import HOST_COL, HOST_ROW, trees


def test_walk_goes_from_the_top_and_from_the_left() -> None:
    tree = parse("SUM(A1,-2)+LAMBDA(x,x)(3)%", 0, 0)
    kinds = [type(node).__name__ for node in walk(tree)]
    assert kinds == ["Binary", "Call", "Cell", "Unary", "Number", "Percent", "Invoke", "Call", "Name", "Name", "Number"]


@given(trees)
@settings(deadline=None)
def test_nothing_changed_is_the_same_object(tree: Node) -> None:
    assert transform(tree, lambda node: node) is tree
    assert map_children(tree, lambda node: node) is tree
    assert with_children(tree, children(tree)) == tree
    assert len(list(walk(tree))) == 1 + sum(len(list(walk(child))) for child in children(tree))


def _rename(node: Node) -> Node:
    return Name("rate") if node == Name("Rate") else node


def test_transform_reaches_every_node() -> None:
    texts = ["Rate+1", "-Rate", "Rate%", "(Rate)", "SUM(1,Rate)", "@Rate", "Rate#", "Rate:A1", "Rate A1", "(A1,Rate)"]
    for text in [*texts, "LAMBDA(x,Rate)(Rate)"]:
        changed = transform(parse(text, 0, 0), _rename)
        assert to_text(changed, 0, 0) == text.replace("Rate", "rate")


def test_map_children_stops_one_level_down() -> None:
    tree = parse("Rate+SUM(Rate)", 0, 0)
    changed = map_children(tree, _rename)
    assert changed == Binary("+", Name("rate"), Call("SUM", (Name("Rate"),)))


def test_transform_works_from_the_leaves_up() -> None:
    def fold(node: Node) -> Node:
        match node:
            case Binary("+", Number(left), Number(right)):
                return Number(left + right)
            case _:
                return node

    assert transform(parse("+".join(["1"] * 4096), 0, 0), fold) == Number(4096.0)


def test_a_long_sum_is_written_again() -> None:
    text = "+".join(["1"] * 4096)
    assert to_text(parse(text, HOST_ROW, HOST_COL), HOST_ROW, HOST_COL) == text
