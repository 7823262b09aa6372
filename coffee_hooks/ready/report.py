"""Readiness for programs and for people."""

from __future__ import annotations

import json
from typing import Any

from coffee_hooks.base.actions import annotation, table
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.ready.judge import listed
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.radar import Overlap


def to_json(readiness: Readiness) -> dict[str, Any]:
    """The object of ``detect-ready --json``."""
    return {
        "target": readiness.target,
        "target_sha": readiness.target_sha,
        "worktrees": [_candidate(candidate) for candidate in readiness.candidates],
        "overlaps": [overlap_json(overlap) for overlap in readiness.overlaps],
    }


def overlap_json(overlap: Overlap) -> dict[str, Any]:
    """One pair of branches that meet."""
    return {"a": overlap.a, "b": overlap.b, "paths": list(overlap.paths), "conflict": overlap.conflict}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    task = candidate.task
    return {
        "branch": candidate.branch.name,
        "sha": candidate.branch.tip,
        "commits_ahead": candidate.commits_ahead,
        "last_commit_msg": candidate.branch.subject,
        "us_number": task[3:] if task and task.startswith("US-") else None,
        "task": task,
        "where": candidate.branch.where.value,
        "worktree": str(candidate.worktree) if candidate.worktree else None,
        "ready": candidate.ready,
        "reasons": [{"code": r.code.value, "detail": r.detail, "hint": r.hint} for r in candidate.reasons],
        "conflicts": list(candidate.conflicts),
    }


def to_text(readiness: Readiness) -> str:
    """A few lines per branch: what it is, and what stands in its way."""
    if not readiness.candidates:
        return "no open roadmap-* branches"
    lines: list[str] = []
    for candidate in readiness.candidates:
        state = "ready" if candidate.ready else candidate.reasons[0].code.value
        commits = f"{candidate.commits_ahead} commit{'' if candidate.commits_ahead == 1 else 's'}"
        lines.append(
            f"{printable(candidate.branch.name)}  {candidate.task or '-'}  {state}  ({commits})  "
            f"{one_line(candidate.branch.subject, 70)}"
        )
        for reason in candidate.reasons:
            lines += [f"    {reason.code.value}: {reason.detail}", f"      -> {reason.hint}"]
    for overlap in readiness.overlaps:
        lines.append(overlap_line(overlap))
    return "\n".join(lines)


def overlap_line(overlap: Overlap) -> str:
    """One pair of branches for people."""
    word = "conflict" if overlap.conflict else "overlap"
    return f"{word}: {printable(overlap.a)} and {printable(overlap.b)} both change {listed(overlap.paths)}"


def to_github(readiness: Readiness) -> tuple[str, str]:
    """Lines for ``$GITHUB_OUTPUT`` (count, ready, matrix) and Markdown for ``$GITHUB_STEP_SUMMARY``."""
    ready = [candidate for candidate in readiness.candidates if candidate.ready]
    matrix = {"include": [{"branch": c.branch.name, "task": c.task, "sha": c.branch.tip} for c in ready]}
    outputs = [
        f"count={len(ready)}",
        f"ready={json.dumps([c.branch.name for c in ready])}",
        f"matrix={json.dumps(matrix)}",
    ]
    rows = []
    for c in readiness.candidates:
        why, then = (c.reasons[0].detail, c.reasons[0].hint) if c.reasons else ("", "")
        rows.append([c.branch.name, c.task or "", str(c.commits_ahead), "yes" if c.ready else "no", why, then])
    return "\n".join(outputs) + "\n", table("branch|task|commits|ready|reason|next", rows)


def to_annotations(readiness: Readiness) -> str:
    """Workflow commands for stdout of a step: a notice for each ready branch, a warning for each of the others.

    The warning of a conflict stands at the first file that conflicts.
    """
    lines = []
    for c in readiness.candidates:
        level, text = "notice", f"{c.task or c.branch.name} is ready at {c.branch.tip[:12]}"
        if c.reasons:
            level = "warning"
            text = "; ".join(f"{r.code.value}: {r.detail}. Next: {r.hint}" for r in c.reasons)
        place = {"file": c.conflicts[0]} if c.conflicts else {}
        lines.append(annotation(level, text, title=c.branch.name, **place))
    return "\n".join(lines)
