"""CFR-013 for pushes, over plain values."""

from __future__ import annotations

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.guard.cfr_013 import CFR013ViolationError
from coffee_hooks.guard.push import RefUpdate, check_push, from_framework, parse_pre_push, parse_pre_receive

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40


def contained(_old: str, _new: str) -> bool:
    return True


def rewritten(_old: str, _new: str) -> bool:
    return False


def unasked(_old: str, _new: str) -> bool:
    raise AssertionError("history is looked at for the target only")


@pytest.mark.parametrize(
    "update",
    [
        RefUpdate("refs/heads/roadmap-wt1", ZERO, NEW),
        RefUpdate("refs/heads/roadmap-wt1", OLD, NEW),
        RefUpdate("refs/heads/roadmap-wt1", OLD, ZERO),
        RefUpdate("refs/heads/roadmap", ZERO, NEW),
        RefUpdate("refs/tags/v1", ZERO, NEW),
        RefUpdate("refs/tags/main", OLD, ZERO),
        RefUpdate("refs/coffee/landings", OLD, NEW),
    ],
)
def test_allowed_branches_and_other_refs_pass(update: RefUpdate) -> None:
    """A task branch may be made, rewritten and deleted, the target made, and tags and our own refs do as they like."""
    check_push([update], "roadmap", unasked)


@pytest.mark.parametrize("old", [ZERO, OLD])
@pytest.mark.parametrize("new", [ZERO, NEW])
@pytest.mark.parametrize("branch", ["main", "roadmap-", "roadmapx", "x/roadmap-y", "roadmap-$(touch x)"])
def test_other_branches_are_refused(branch: str, old: str, new: str) -> None:
    """Making, moving and deleting any other branch is refused by name."""
    if old != new:
        with pytest.raises(CFR013ViolationError) as caught:
            check_push([RefUpdate(f"refs/heads/{branch}", old, new)], "roadmap", unasked)
        assert f"branch {branch} may not be pushed" in caught.value.what


def test_the_target_moves_forward_only() -> None:
    """A fast-forward of the target passes; deleting it and any other move are refused."""
    forward = RefUpdate("refs/heads/roadmap", OLD, NEW)
    check_push([forward], "roadmap", contained)
    with pytest.raises(CFR013ViolationError, match="only moves forward"):
        check_push([forward], "roadmap", rewritten)
    with pytest.raises(CFR013ViolationError, match="never deleted"):
        check_push([RefUpdate("refs/heads/roadmap", OLD, ZERO)], "roadmap", contained)


def test_one_bad_ref_refuses_the_push_and_all_are_named() -> None:
    """A push of several refs is refused as a whole, wherever the bad ones stand."""
    names = ["roadmap-wt1", "zmain", "roadmap-wt2", "feature"]
    with pytest.raises(CFR013ViolationError) as caught:
        check_push([RefUpdate(f"refs/heads/{name}", ZERO, NEW) for name in names], "roadmap", contained)
    assert "zmain" in caught.value.what
    assert "feature" in caught.value.what
    assert "wt" not in caught.value.what


def test_pre_push_lines_are_read_from_the_right() -> None:
    """The local side is whatever was typed and may hold spaces; the remote side is what is judged."""
    data = f"HEAD^{{/a b}} {NEW} refs/heads/x {OLD}\n(delete) {ZERO} refs/heads/y {OLD}\n".encode()
    assert parse_pre_push(data) == (RefUpdate("refs/heads/x", OLD, NEW), RefUpdate("refs/heads/y", OLD, ZERO))
    assert parse_pre_push(b"") == ()


def test_pre_receive_lines_are_read() -> None:
    """A server's lines are old, new, ref; SHA-256 names are as good."""
    old, new = "c" * 64, "d" * 64
    assert parse_pre_receive(f"{old} {new} refs/heads/x\n".encode()) == (RefUpdate("refs/heads/x", old, new),)


@pytest.mark.parametrize(
    "line", ["x", "refs/heads/x sha refs/heads/x sha", f"{OLD} {NEW}", f"a --x refs/heads/b {OLD}"]
)
def test_a_malformed_line_is_refused(line: str) -> None:
    """What is not git's own form is wrong usage, never a push that passes."""
    with pytest.raises(UsageError):
        parse_pre_push(line.encode())
    with pytest.raises(UsageError):
        parse_pre_receive(line.encode())


def test_the_frameworks_variables_name_the_remote_side() -> None:
    """REMOTE_BRANCH is judged whatever LOCAL_BRANCH says; without FROM_REF the ref is taken as new."""
    names = {"PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main", "PRE_COMMIT_LOCAL_BRANCH": "HEAD"}
    assert from_framework(names) == (RefUpdate("refs/heads/main", "0", "HEAD"),)
    moved = {**names, "PRE_COMMIT_FROM_REF": OLD, "PRE_COMMIT_TO_REF": NEW}
    assert from_framework(moved) == (RefUpdate("refs/heads/main", OLD, NEW),)
    assert from_framework({}) == ()
