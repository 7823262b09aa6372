"""Definitions by the grammar of a language, where the extra ``predict`` is installed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tree_sitter import Node, Parser
    from tree_sitter_language_pack import SupportedLanguage

PACKAGE = "tree-sitter-language-pack"
DEEPEST = 8
"""How far below the top of a file a definition may be: a method of a class in a namespace, nothing inside of it."""

_LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript", "jsx": "javascript",
    "ts": "typescript", "tsx": "tsx", "go": "go", "rs": "rust", "java": "java", "kt": "kotlin", "scala": "scala",
    "rb": "ruby", "php": "php", "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "cs": "csharp",
    "swift": "swift", "lua": "lua", "ex": "elixir", "exs": "elixir", "hs": "haskell", "ml": "ocaml", "dart": "dart",
    "zig": "zig", "jl": "julia", "sh": "bash",
}  # fmt: skip
_DEFINES = ("definition", "declaration", "declarator", "item", "specifier", "spec", "class", "module", "method")


@cache
def grammars() -> str:
    """Which grammars there are, as a text that changes with them; empty without the extra."""
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return ""


def language_of(path: str) -> str:
    """The language of the file at *path*, empty where nobody here knows its grammar."""
    return _LANGUAGES.get(path.rpartition(".")[2].lower(), "") if grammars() else ""


def defined_names(language: str, data: bytes) -> set[str]:
    """The names that the bytes of a file define; none for a language that is empty."""
    return set(_names(_parser(language).parse(data).root_node)) if language else set()


@cache
def _parser(language: str) -> Parser:
    from tree_sitter_language_pack import get_parser  # 20 MB of grammars: only where it was asked for

    return get_parser(cast("SupportedLanguage", language))


def _names(root: Node) -> Iterator[str]:
    level = [root]
    for _ in range(DEEPEST + 1):
        below: list[Node] = []
        for node in level:
            if node.type.endswith(_DEFINES):
                name = node.child_by_field_name("name")
                if name is not None and name.text and not name.named_child_count and not name.text.split()[1:]:
                    yield name.text.decode("utf-8", "replace").strip()
            below += node.named_children
        level = below
