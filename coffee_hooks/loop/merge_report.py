"""A merge for programs and for people."""

from __future__ import annotations

import json
from typing import Any

from coffee_hooks.base import messages
from coffee_hooks.base.actions import annotation, table
from coffee_hooks.base.text import printable
from coffee_hooks.loop.landing import MergeReport
from coffee_hooks.merge.result import Result

_OF_A_REVERT = {"landed": "reverted", "already-landed": "nothing to do"}


def to_json(report: MergeReport) -> dict[str, Any]:
    """The object of ``merge --json``; ``changes`` only for a dry run."""
    return {
        "target": report.target,
        "before": report.before,
        "after": report.after,
        "pushed": report.pushed,
        "gate_runs": len(report.gates),
        "flaky": list(report.flaky),
        "results": [_result(result) for result in report.results],
        **({} if report.changes is None else {"changes": list(report.changes)}),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "branch": result.branch,
        "task": result.task,
        "sha": result.sha,
        "outcome": result.outcome,
        "merge_commit": result.merge_commit,
        "reason": result.reason,
        "conflicts": list(result.conflicts),
        "suspects": list(result.suspects),
        "log": str(result.log) if result.log else None,
        **({"reverts": list(result.reverts)} if result.reverts else {}),
    }


def to_text(report: MergeReport) -> str:
    """One line per branch, and below it why not and what to type next."""
    if not report.results:
        return "nothing is ready to merge"
    lines: list[str] = []
    for result in report.results:
        lines += result_lines(result)
    if report.changes is not None:
        return "\n".join([*lines, *(f"would {change}" for change in report.changes)])
    if any(result.reverts for result in report.results):
        return "\n".join(lines)
    count = sum(result.outcome in ("landed", "would-land") for result in report.results)
    verb = "would land" if any(result.outcome == "would-land" for result in report.results) else "landed"
    runs = f"{len(report.gates)} gate run{'' if len(report.gates) == 1 else 's'}"
    if report.flaky:
        lines.append(
            f"flaky: the gate disagreed with itself on a candidate of {', '.join(map(printable, report.flaky))}"
        )
    lines.append(f"{count} of {len(report.results)} {verb} on {report.target} ({runs})")
    return "\n".join(lines)


def result_lines(result: Result) -> list[str]:
    """How one branch ended, for people."""
    if result.outcome == "would-land":
        what = "the revert of " if result.reverts else ""
        return [*messages.check_passed(), f"{what}{printable(result.branch)} would land"]
    task = f" ({result.task})" if result.task else ""
    outcome = _OF_A_REVERT.get(result.outcome, result.outcome) if result.reverts else result.outcome
    lines = [f"{printable(result.branch)}{task}: {outcome}"]
    if result.merge_commit:
        lines[0] += f" as {result.merge_commit[:12]}"
    if result.reason:
        lines.append(f"    {printable(result.reason)}")
    lines += [f"    conflict in {printable(path)}" for path in result.conflicts]
    if result.hint:
        lines.append(f"    -> {printable(result.hint)}")
    return lines


def to_github(report: MergeReport) -> tuple[str, str]:
    """Lines for ``$GITHUB_OUTPUT`` (count of all, landed) and Markdown for ``$GITHUB_STEP_SUMMARY``."""
    landed = [result.branch for result in report.results if result.outcome == "landed"]
    outputs = f"count={len(report.results)}\nlanded={json.dumps(landed)}\n"
    if not report.results:
        return outputs, "Nothing is ready to merge.\n"
    rows = [
        [r.branch, r.task or "", r.outcome, (r.merge_commit or "")[:12], r.reason or "", _next(r)]
        for r in report.results
    ]
    counted = "\n" + to_text(report).splitlines()[-1] + "\n"
    return outputs, table("branch|task|outcome|commit|reason|next", rows) + counted


def to_annotations(report: MergeReport) -> str:
    """Workflow commands for stdout of a step: what landed, and why each of the others did not."""
    lines = []
    for result in report.results:
        named = {"title": result.branch}
        if result.good:
            where = f" as {result.merge_commit[:12]}" if result.merge_commit else ""
            lines.append(annotation("notice", f"{result.task or result.branch}: {result.outcome}{where}", **named))
            continue
        level = "error" if result.outcome in ("gate-failed", "error") else "warning"
        then = _next(result)
        text = f"{result.outcome}: {result.reason}" + (f". Next: {then}" if then else "")
        lines += [annotation(level, text, **named, file=path) for path in result.conflicts[:10]] or [
            annotation(level, text, **named)
        ]
    return "\n".join(lines)


def _next(result: Result) -> str:
    """What to do next, for somebody who does not sit at the machine that has the log."""
    return "read what the gate said, in the log of this job" if result.log else result.hint or ""
