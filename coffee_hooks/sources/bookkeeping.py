"""Files that every task may touch without being in another's way: change logs, lock and author files, the roadmap."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?:roadmap|changes|history|news|release[-_]notes)(?:\.(?:md|rst|txt|adoc))?"
    r"|changelog(?:[\w*-]*|[\w.*-]*\.(?:md|rst|txt|adoc))"
    r"|(?:authors|contributors|thanks|credits)(?:\.(?:md|rst|txt|adoc))?"
    r"|[\w.*-]+\.lock|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.ya?ml|go\.sum",
    re.IGNORECASE,
)
_FRAGMENTS = frozenset({"changelog.d", "changes.d", "newsfragments", "whatsnew", ".changeset", ".changes"})


def is_bookkeeping(path: str) -> bool:
    """Whether *path*, a file, a pattern or (with a slash at its end) a folder, is nobody's in particular. Pure."""
    *folders, name = path.split("/")
    return not _FRAGMENTS.isdisjoint((*folders, name)) or bool(_NAME.fullmatch(name))
