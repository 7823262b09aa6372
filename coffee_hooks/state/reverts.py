"""What the landing record says of work that was taken back again. Pure but for :func:`any_reverts`."""

from __future__ import annotations

from collections.abc import Iterable

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.state.landings import REVERT, Landing, Member

_RECORDS = ("--glob=refs/coffee/landing[s]", "--glob=refs/coffee-remote/*/landings")


def in_force(landings: Iterable[Landing], target: str) -> tuple[Member, ...]:
    """The members that landed on *target* and were not taken back, the oldest first."""
    members = _members(landings, target)
    gone = {sha for member in members for sha in member.reverts}
    return tuple(member for member in members if not member.reverts and member.merge_commit not in gone)


def taken_back(landings: Iterable[Landing], target: str) -> dict[str, Sha]:
    """The branches of whose landings on *target* none is in force, each with the commit that took the last one back."""
    members = _members(landings, target)
    standing = {member.branch for member in in_force(landings, target)}
    return {m.branch: m.merge_commit for m in members if m.reverts and m.branch not in standing}


def _members(landings: Iterable[Landing], target: str) -> list[Member]:
    return [member for landing in landings if landing.target == target for member in landing.members]


def any_reverts(repo: Repo) -> bool:
    """Whether the record may hold one: one quick process, for those who would read all of it only for that."""
    said = repo.objects("log", "-1", "--format=%H", f"--grep=^{REVERT} ", *_RECORDS, "--", ok=(0, 128))
    return said.rc != 0 or bool(said.text)
