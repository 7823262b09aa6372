"""What GitHub Actions reads from a step: two files that it names, and commands among the lines of stdout."""

from __future__ import annotations

import os
from pathlib import Path

from coffee_hooks.base.text import one_line


def tell_actions(outputs: str, summary: str) -> None:
    """Append to the files that Actions names; without them there is nobody to tell."""
    for variable, text in (("GITHUB_OUTPUT", outputs), ("GITHUB_STEP_SUMMARY", summary)):
        if path := os.environ.get(variable):
            with Path(path).open("a", encoding="utf-8", errors="replace") as file:
                file.write(text)


def annotation(level: str, text: str, **properties: str) -> str:
    """A workflow command: *level* is ``notice``, ``warning`` or ``error``; *properties* as ``title file line``.

    Escaped as the runner reads them: ``%``, line ends, and in properties ``:`` and ``,`` too.
    """
    shown = ",".join(
        f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in properties.items()
    )
    return f"::{level} {shown}::{_escaped(text)}"


def table(head: str, rows: list[list[str]]) -> str:
    """Markdown with the columns that *head* names, separated by bars; the cells may hold anything."""
    columns = head.split("|")
    lines = [columns, ["---"] * len(columns), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _cell(text: str) -> str:
    """*text* as plain text in a cell of a Markdown table."""
    return "".join(f"&#{ord(char)};" if char in "\\`*_{}[]<>()#|!&~$@" else char for char in one_line(text, 300))
