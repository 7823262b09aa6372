"""HTML and SVG that cannot be broken out of: whatever is not markup already is escaped as it is put in."""

from __future__ import annotations

import html
from collections.abc import Iterable

from coffee_hooks.base.text import one_line, printable

_EMPTY = frozenset(("br", "col", "hr", "meta", "link", "circle", "line", "path", "rect", "use"))
"""Elements without a content, in either language."""


class Markup(str):
    """Text that is markup. Made by :func:`tag`, :func:`join`, :func:`plain` and for constants of ours alone."""

    __slots__ = ()


Content = Markup | str | None
Value = str | float | bool | None


def tag(name: str, /, *content: Content, **attributes: Value) -> Markup:
    """The element *name*. Content that is no `Markup` is escaped, None left out.

    Attributes are named as in Python, ``class_`` and ``aria_label``; None and False leave one out, True has no value.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY and not content:
        return Markup(f"<{name}{shown}/>")
    return Markup(f"<{name}{shown}>{join(content)}</{name}>")


def join(parts: Iterable[Content]) -> Markup:
    """*parts* one behind the other, escaped where they are no markup."""
    return Markup("".join(part if isinstance(part, Markup) else plain(part) for part in parts if part is not None))


def plain(text: str, length: int | None = None) -> Markup:
    """*text* as text: control and bidirectional characters are shown as escapes.

    With *length* it is cut to so many characters, on one line, without what would have to be escaped.
    """
    shown = printable(text) if length is None else one_line(text, length)
    return Markup(html.escape(shown, quote=True))


def number(value: float) -> str:
    """*value* for an attribute: at most three decimals, the same on every machine."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(value: float) -> str:
    """*value* as a share of the width."""
    return f"{number(value)}%"


def _attribute(key: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    shown = number(value) if isinstance(value, (int, float)) else plain(value)
    return f' {name}="{shown}"'
