"""A specification as a value, and which specification belongs to an item of the roadmap."""

from __future__ import annotations

from collections.abc import Iterable

from coffee_hooks.base.model import Notice, Spec
from coffee_hooks.sources.dependencies import read_dependencies
from coffee_hooks.sources.markdown import Document, decode, scan
from coffee_hooks.sources.scope import named_paths
from coffee_hooks.sources.spec_choice import find_spec
from coffee_hooks.sources.symbols import named_symbols

__all__ = ["find_spec", "parse_spec"]


def parse_spec(data: bytes, path: str) -> Spec:
    """A spec with everything it names. Never raises.

    Bytes that are not UTF-8 text give ``readable=False`` and no paths or symbols: its scope is unknown.
    """
    text, readable = decode(data)
    document = scan(text)
    title = next((heading.text for heading in document.headings), "")
    if not readable:
        notice = Notice("undecodable", "not UTF-8 text: its scope is unknown", path)
        return Spec(path, title, text, readable=False, warnings=(notice,))
    return Spec(
        path,
        title,
        text,
        paths=named_paths(document),
        symbols=named_symbols(document),
        depends_on=read_dependencies(document, 1, len(document.lines)).depends_on,
        warnings=tuple(_unclosed(document, path)),
    )


def _unclosed(document: Document, path: str) -> Iterable[Notice]:
    for fence in document.fences:
        if not fence.closed and fence.end == len(document.lines):
            yield Notice("unclosed-fence", "this code fence is never closed", path, fence.start)
