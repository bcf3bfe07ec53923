"""What generated scripts may say is accepted, quickly, and the policy is what decides."""

from __future__ import annotations

import ast
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.sandbox.allowlist import GENERATED, RESERVED, Policy, check, usable_name
from sheetrun.sandbox.errors import ForbiddenSyntax

SCRIPT = '''"""Budget.xlsx"""

from __future__ import annotations

from sheetrun.runtime.api import IF, SUM, main, step

RATE = 0.05
TABLE: dict = {"a": [1, -2.5, True, None], "b": (1, 2)}


@step("Sheet1!A1", needs=["other"])
def sheet1_a1(book, rate=RATE, *more, key: float = 1.0, **rest) -> float:
    """Sheet1."""
    sheet = book["Sheet1"]
    # A1: =SUM(B1:B9)
    sheet["A1"] = SUM(sheet["B1:B9"]) * rate ** 2 // 1
    total = 0.0
    for index, value in enumerate(zip(range(3), more)):
        if index > 1 and not value:
            continue
        elif index == 1:
            break
        else:
            pass
        total += sheet.n[index, 0:2:1] @ sheet.n[0]
    picked = [a for a in more if a], {a for a in more}, {a: b for a, b in rest}, SUM(*more, key=lambda x, y=1: x + y)
    return IF(total > 0, lambda: picked[0], lambda: -total if total else +total)


STEPS = [sheet1_a1]

if __name__ == "__main__":
    main(STEPS, __file__)
'''
POLICY = Policy(attributes=frozenset({"n"}), decorators=frozenset({"step"}))


def test_a_generated_script_is_accepted() -> None:
    check(SCRIPT, POLICY)


@pytest.mark.parametrize(
    ("policy", "detail"),
    [
        (Policy(decorators=frozenset({"step"})), "attribute n"),
        (Policy(attributes=frozenset({"n"})), "decorator"),
        (Policy(POLICY.nodes - {"For"}, attributes=POLICY.attributes, decorators=POLICY.decorators), "For"),
        (Policy(modules=frozenset(), attributes=POLICY.attributes, decorators=POLICY.decorators), "__future__"),
        (Policy(names=frozenset({"SUM"}), attributes=POLICY.attributes, decorators=POLICY.decorators), "import of IF"),
        (Policy(builtins=frozenset(), attributes=POLICY.attributes, decorators=POLICY.decorators), "dict"),
    ],
)
def test_each_set_of_a_policy_decides(policy: Policy, detail: str) -> None:
    with pytest.raises(ForbiddenSyntax, match=detail):
        check(SCRIPT, policy)


def test_an_alias_that_is_listed_is_accepted() -> None:
    script = "import numpy as np\nx = np.where\n"
    check(script, Policy(aliases=frozenset({"numpy as np"}), attributes=frozenset({"where"})))
    with pytest.raises(ForbiddenSyntax, match="import numpy"):
        check(script, Policy(attributes=frozenset({"where"})))


def test_a_package_with_a_star_means_what_is_below_it() -> None:
    policy = Policy(modules=frozenset({"package.*"}))
    assert policy.allows_module("package")
    assert policy.allows_module("package.one.two")
    assert not policy.allows_module("package_other")
    assert not policy.allows_module("")


def test_a_policy_travels_as_json() -> None:
    for policy in (GENERATED, POLICY, Policy(names=frozenset({"a"}))):
        assert Policy.from_json(policy.as_json()) == policy


def test_nodes_are_names_of_ast() -> None:
    assert all(issubclass(getattr(ast, name), ast.AST) for name in GENERATED.nodes)


@given(st.one_of(st.text(max_size=12), st.sampled_from([*sorted(RESERVED), *keyword.kwlist, *keyword.softkwlist])))
def test_a_usable_name_can_be_bound_and_no_other(name: str) -> None:
    try:
        check(f"def f({name}): return {name}\n")
        accepted = name.isidentifier() and ast.parse(name).body[0].value.id == name  # type: ignore[attr-defined]
    except ForbiddenSyntax:
        accepted = False
    if usable_name(name):
        assert accepted or name == "f" or not name.isascii()  # Python reads some letters as others (NFKC)
    elif name.isascii() and name.isidentifier() and name not in keyword.softkwlist:
        assert not accepted


@given(st.text(max_size=200))
def test_any_text_is_accepted_or_refused_and_nothing_else(text: str) -> None:
    try:
        check(text)
    except ForbiddenSyntax as error:
        assert error.line >= 1 and error.detail  # noqa: PT017, PT018 (either is fine)


@pytest.mark.parametrize("depth", [50, 5_000, 200_000])
def test_deep_nesting_never_exhausts_the_stack(depth: int) -> None:
    for text in ("-" * depth + "1", "[" * depth + "]" * depth, "1" + " + 1" * depth):
        try:
            check(f"x = {text}\n")
        except ForbiddenSyntax as error:
            assert "not Python" in error.detail  # noqa: PT017 (either is fine)


def test_a_long_script() -> None:
    block = (
        "def f{0}(book):\n    s = book['Sheet1']\n    s['A{0}'] = SUM(s['B1:B9'], 2.5) * 3 + s.n['C1']\n    return s\n"
    )
    script = "from sheetrun.runtime.api import SUM\n" + "".join(block.format(number) for number in range(2_500))
    check(script, POLICY)
    with pytest.raises(ForbiddenSyntax) as caught:
        check(script + "while 1: pass\n", POLICY)
    assert caught.value.line == 10_002
