"""Readiness for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from coffee_hooks.base.actions import annotation, table
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.ready.escaped import Escaped, Evidence
from coffee_hooks.ready.judge import listed
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.radar import Outside, Overlap, Radar

_WHY = {
    Evidence.LOG: "the log names it there",
    Evidence.TOUCHED: "the branch changes it too",
    Evidence.FOOTPRINT: "the spec foresees changes there",
}


def to_json(readiness: Readiness, radar: Radar) -> dict[str, Any]:
    """The object of ``detect-ready --json``."""
    return {
        "target": readiness.target,
        "target_sha": readiness.target_sha,
        "worktrees": [_candidate(candidate) for candidate in readiness.candidates],
        **radar_json(radar),
    }


def radar_json(radar: Radar) -> dict[str, Any]:
    """What the radar shows: ``overlaps``, ``outside`` and ``escaped``."""
    return {
        "overlaps": [{"a": o.a, "b": o.b, "paths": list(o.paths), "conflict": o.conflict} for o in radar.overlaps],
        "outside": [{"branch": o.branch, "task": o.task, "paths": list(o.paths)} for o in radar.outside],
        "escaped": [
            {"path": e.path, "task": e.task, "branch": e.branch, "changed": e.changed,
             "evidence": e.evidence.name.lower()}
            for e in radar.escaped
        ],
    }  # fmt: skip


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


def to_text(readiness: Readiness, radar: Radar) -> str:
    """A few lines per branch: what it is, and what stands in its way; then what the radar shows."""
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
    return "\n".join([*lines, *radar_lines(radar)])


def radar_lines(radar: Radar) -> list[str]:
    """What the radar shows, for people."""
    return [
        *map(overlap_line, radar.overlaps),
        *map(outside_line, radar.outside),
        *map(escaped_line, escaped_groups(radar.escaped)),
    ]


def overlap_line(overlap: Overlap) -> str:
    """One pair of branches for people."""
    word = "conflict" if overlap.conflict else "overlap"
    return f"{word}: {printable(overlap.a)} and {printable(overlap.b)} both change {listed(overlap.paths)}"


def outside_line(outside: Outside) -> str:
    """One branch outside of its footprint, for people."""
    return f"outside: {printable(outside.branch)} changes {listed(outside.paths)}, not foreseen for {outside.task}"


def escaped_groups(escaped: Sequence[Escaped]) -> list[list[Escaped]]:
    """Those of one branch together, in the order of their first path."""
    groups: dict[str | None, list[Escaped]] = {}
    for each in escaped:
        groups.setdefault(each.branch, []).append(each)
    return list(groups.values())


def escaped_line(group: Sequence[Escaped]) -> str:
    """Edits in the main checkout that go together, for people."""
    task, paths = group[0].task, listed([each.path for each in group])
    whose = f"{task} ran, and may have escaped from its worktree"
    if task is None:
        whose = "several tasks ran, and may have escaped from one of their worktrees"
    why = " or ".join(_WHY[evidence] for evidence in sorted({each.evidence for each in group}, reverse=True))
    return f"escaped: {paths} changed in the main checkout while {whose} ({why})"


def to_github(readiness: Readiness, radar: Radar) -> tuple[str, str]:
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
    shown = table("branch|task|commits|ready|reason|next", rows)
    if lines := radar_lines(radar):
        shown += "\n" + table("while they work", [[line] for line in lines])
    return "\n".join(outputs) + "\n", shown


def to_annotations(readiness: Readiness, radar: Radar) -> str:
    """Workflow commands for stdout of a step: a notice for each ready branch, a warning for each of the others.

    The warning of a conflict stands at the first file that conflicts. Then what the radar shows: a warning for each
    conflict between two branches, else a notice.
    """
    lines = []
    for c in readiness.candidates:
        level, text = "notice", f"{c.task or c.branch.name} is ready at {c.branch.tip[:12]}"
        if c.reasons:
            level = "warning"
            text = "; ".join(f"{r.code.value}: {r.detail}. Next: {r.hint}" for r in c.reasons)
        place = {"file": c.conflicts[0]} if c.conflicts else {}
        lines.append(annotation(level, text, title=c.branch.name, **place))
    for overlap in radar.overlaps:
        level = "warning" if overlap.conflict else "notice"
        names = f"{overlap.a}, {overlap.b}"
        lines.append(annotation(level, overlap_line(overlap), title=names, file=overlap.paths[0]))
    for outside in radar.outside:
        lines.append(annotation("notice", outside_line(outside), title=outside.branch, file=outside.paths[0]))
    lines += [annotation("notice", escaped_line(group), title="escaped") for group in escaped_groups(radar.escaped)]
    return "\n".join(lines)
