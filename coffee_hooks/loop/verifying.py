"""``coffee verify`` as it is typed."""

from __future__ import annotations

from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import RuleError
from coffee_hooks.base.project import open_project
from coffee_hooks.base.text import one_line
from coffee_hooks.merge.verify import verify


def verify_for(start: Path, since: str | None) -> int:
    """Answer ``coffee verify``."""
    checked = verify(open_project(start), since)
    rows = [
        {
            "sha": c.sha,
            "tree": c.tree,
            "by": "other" if c.proof.value == "other" else "coffee",
            "verdict": c.proof.value,
        }
        for c in checked
    ]
    output.answer_json("verify", {"commits": rows})
    for c in checked:
        output.answer(f"{c.sha[:12]}  {c.proof.value:<10}  {one_line(c.subject, 80)}")
    bad = [c for c in checked if not c.good]
    if bad:
        raise RuleError(
            f"{len(bad)} commit(s) claim to be landings of ours but are not in the record as they are",
            hint=f"look at: git show {bad[0].sha[:12]}",
        )
    return 0
