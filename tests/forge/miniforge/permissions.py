"""What the token of a job may do, by the rules of ``permissions``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Grants = Mapping[str, str]
"""Scope -> ``read`` or ``write``; what is not there is not allowed."""

_SCOPES = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models",
    "packages", "pages", "pull-requests", "security-events", "statuses",
)  # fmt: skip
_LEVELS = {"none": 0, "read": 1, "write": 2}

DEFAULTS: dict[str, Grants] = {
    "read": {"contents": "read", "packages": "read"},
    "write": {scope: "write" for scope in _SCOPES if scope != "id-token"},
}
"""The setting of a repository: what a workflow gets that asks for nothing."""


class StartupFailure(Exception):
    """GitHub would not start this run at all."""


def asked(value: Any) -> Grants | None:
    """The value of a ``permissions`` key, None where there is no such key."""
    if value is None:
        return None
    if isinstance(value, str):
        level = value.removesuffix("-all")
        if level not in ("read", "write") or not value.endswith("-all"):
            raise StartupFailure(f"permissions: {value}")
        return dict.fromkeys(_SCOPES, level)
    grants = {}
    for scope, level in value.items():
        if scope not in _SCOPES or level not in _LEVELS:
            raise StartupFailure(f"permissions: {scope}: {level}")
        if level != "none":
            grants[scope] = level
    return grants


def of_job(workflow: Mapping[str, Any], job: Mapping[str, Any], inherited: Grants) -> Grants:
    """What one job gets: its own word, else its workflow's, else what is *inherited* (of the repository or caller)."""
    own = [asked(place.get("permissions")) for place in (job, workflow)]
    return next((grants for grants in own if grants is not None), inherited)


def check_within(grants: Grants, ceiling: Grants, job: str) -> None:
    """A called workflow may not ask for more than the job that calls it has. Raises StartupFailure."""
    for scope, level in grants.items():
        allowed = ceiling.get(scope, "none")
        if _LEVELS[level] > _LEVELS[allowed]:
            raise StartupFailure(f"the job {job} asks for '{scope}: {level}', but is only allowed '{scope}: {allowed}'")


def allows(grants: Grants, scope: str, level: str) -> bool:
    """Whether *grants* reach *level* of *scope*."""
    return _LEVELS[grants.get(scope, "none")] >= _LEVELS[level]
