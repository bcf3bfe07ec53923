"""The defined names that are LAMBDAs, as functions of the script: for all steps, or within those that call them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.literal import comment
from sheetrun.compiler.steps import Step
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Shared:
    """LAMBDAs that look at nothing but their arguments. ``texts``: by key."""

    texts: Mapping[str, str]
    imports: frozenset[str]


def shared(formulas: Formulas, steps: Sequence[Step]) -> Shared:
    """What the steps call, directly or not, and stands once for the whole script."""
    texts: dict[str, str] = {}
    imports: set[str] = set()
    calls: dict[str, set[str]] = {}
    waiting = sorted({key for step in steps for key in step.names.lambdas})
    while waiting:
        key = waiting.pop()
        if key in calls:
            continue
        alone = formulas.scratch(0)
        text = formulas.function(alone, key)
        calls[key] = set(alone.names.lambdas)
        waiting.extend(sorted(calls[key] - set(calls)))
        if not alone.names.aliases and "book" not in text:
            texts[key] = text
            imports |= alone.names.imports
    while True:  # one that calls one that looks at cells does so too
        impure = [key for key in texts if not calls[key] <= set(texts)]
        if not impure:
            return Shared(dict(sorted(texts.items())), frozenset(imports))
        for key in impure:
            del texts[key]


def local(formulas: Formulas, step: Step, known: Shared) -> list[str]:
    """Those that a step calls and that look at cells, defined within it."""
    lines: list[str] = []
    done = set(known.texts)
    while set(step.names.lambdas) - done:
        for key, name in list(step.names.lambdas.items()):
            if key not in done:
                done.add(key)
                lines += definition(key, name, formulas.function(step, key))
    return lines


def definition(key: str, name: str, text: str) -> Iterator[str]:
    """The lines that define one."""
    yield ""
    yield f"# {comment(key.partition('!')[2])}"
    yield f"{name} = {text}"
