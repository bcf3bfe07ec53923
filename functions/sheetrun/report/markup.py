"""Text into HTML and SVG: every string is escaped here, unless it was made here.

What comes from a workbook is hostile: it may hold tags, quotes, control characters, and marks that turn the direction
of writing. ``tag`` takes strings (escaped) and ``Markup`` (as it is), so forgetting to escape is not possible.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

_BOX = chr(0xFFFD)
#: Controls but tab and newline, and non-characters: XML 1.0 forbids them. Marks that embed or override the direction
#: of writing: they could show a formula in another order than it has.
_UNSHOWABLE = dict.fromkeys(
    [
        *range(0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        0xFFFE,
        0xFFFF,
    ],
    _BOX,
)
_VOID = frozenset({"meta", "br", "img", "hr"})


class Markup(str):
    """Text that is HTML or SVG already."""

    __slots__ = ()


def clean(text: object, limit: int | None = None) -> str:
    """What can be shown of a text: at most ``limit`` characters, with a box for each that cannot."""
    shown = str(text).translate(_UNSHOWABLE).encode("utf-8", "replace").decode()  # half of a surrogate pair becomes "?"
    return shown if limit is None or len(shown) <= limit else f"{shown[: limit - 1]}…"


def escape(text: object) -> Markup:
    """Text as content or as a quoted attribute."""
    return text if isinstance(text, Markup) else Markup(html.escape(clean(text), quote=True))


def tag(name: str, /, *children: object, **attributes: Any) -> Markup:
    """An element. ``class_`` is class, other ``_`` become ``-``; None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[object], separator: str = "") -> Markup:
    """Parts one after another; None and False are left out."""
    return Markup(separator.join(escape(part) for part in parts if part is not None and part is not False))
