"""The answers of cleanup and restore as JSON values, without the envelope."""

from __future__ import annotations

import os
from typing import Any

from coffee_hooks.cleanup.restore import Restored
from coffee_hooks.cleanup.values import CleanupReport, Removal
from coffee_hooks.state.graveyard import Grave


def cleanup_json(report: CleanupReport) -> dict[str, Any]:
    """``{"results": [{branch, worktree, outcome, detail, backup}]}``, and ``changes`` after a dry run.

    Where outdated verdicts were looked for, ``forgotten`` lists the refs that went.
    """
    value: dict[str, Any] = {"results": [_result(result) for result in report.results]}
    if report.forgotten is not None:
        value["forgotten"] = list(report.forgotten)
    return value if report.changes is None else {**value, "changes": list(report.changes)}


def _result(result: Removal) -> dict[str, Any]:
    return {
        "branch": result.branch,
        "worktree": os.fspath(result.worktree) if result.worktree else None,
        "outcome": result.outcome.value,
        "detail": result.detail,
        "backup": result.backup,
    }


def parked_json(graves: tuple[Grave, ...]) -> dict[str, Any]:
    """``{"parked": [{branch, number, sha, backup, refs}]}``; *refs* maps every ref of the burial to its commit."""
    return {
        "parked": [
            {
                "branch": grave.branch,
                "number": grave.number,
                "sha": next(iter(grave.kept.values())),
                "backup": next(iter(grave.kept)),
                "refs": dict(grave.kept),
            }
            for grave in graves
        ]
    }


def restored_json(restored: Restored) -> dict[str, Any]:
    """``{"restored": {branch, sha, worktree, backup, detail}}``."""
    return {
        "restored": {
            "branch": restored.branch,
            "sha": restored.sha,
            "worktree": os.fspath(restored.worktree),
            "backup": restored.backup,
            "detail": restored.detail,
        }
    }
