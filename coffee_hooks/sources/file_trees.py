"""Directory trees drawn with ``├──`` lines, read back into paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from coffee_hooks.base.model import PathKind
from coffee_hooks.sources.paths import classify

_BRANCH = re.compile(r"(?:[├└]|\|--|`--|\+--)[─-]*\s*(?P<name>[^\s#]+)")
_ENTRY = re.compile(r"(?P<lines>[\s│├└─|`+-]*)(?P<name>[^\s│├└─|`#(][^\s#(]*)(?P<note>.*)$")
_FOLDER = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*/?")
_SHARE = 0.6
"""Share of the branches that must look like files or folders: flow charts are drawn with the same lines."""


def is_tree(lines: Sequence[str]) -> bool:
    """Whether the lines of a fence draw a directory tree of at least two branches."""
    drawn = [line for line in lines if "├" in line or "└" in line or "--" in line]
    names = [match["name"].rstrip(":,") for line in drawn if (match := _BRANCH.search(line))]
    files = sum(1 for name in names if name.endswith("/") or _is_file(name))
    return files > 1 and files >= _SHARE * len(names)


def tree_paths(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Each file of the tree: offset of its line, its path from the drawn root, and the note beside it."""
    above: list[tuple[int, str]] = []
    for offset, line in enumerate(lines):
        match = _ENTRY.match(line)
        if match is None:
            continue
        column, name = match.start("name"), match["name"].rstrip(":,")
        above = [(at, folder) for at, folder in above if at < column]
        if _is_file(name):
            path = "".join(folder for _, folder in above) + name.removeprefix("./")
            if classify(path):
                yield offset, path, match["note"]
        elif name in (".", "./"):
            above.append((column, ""))
        elif _FOLDER.fullmatch(name) and (name.endswith("/") or not match["note"].strip(" #")):
            above.append((column, name.strip("/") + "/"))


def _is_file(name: str) -> bool:
    return not name.endswith("/") and classify(name) in (PathKind.BARE, PathKind.FILE)
