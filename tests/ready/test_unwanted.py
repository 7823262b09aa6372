"""Secrets and large files wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.config import Bytes
from coffee_hooks.ready.judge import Code, Reason

if TYPE_CHECKING:
    from conftest import Watch

SECRET = "its commits hold .env, which is copied here because git is not to have it"


def reasons(watch: Watch, name: str = "roadmap-wt1") -> tuple[Reason, ...]:
    """What stands in the way of a branch, twice: worked out, then remembered."""
    found = watch.candidate(name).reasons
    assert watch.candidate(name).reasons == found
    return found


def test_a_committed_secret_waits_for_a_person(watch: Watch) -> None:
    """Also where a later commit takes it away again: a landing publishes every commit."""
    watch.branch("roadmap-wt1", {".env": "KEY=secret", "a.py": ""})
    watch.branch("roadmap-wt1", {".env": None})
    watch.branch("roadmap-wt2", {"b.py": ""})
    assert reasons(watch) == (Reason(Code.NEEDS_HUMAN, SECRET, "coffee merge roadmap-wt1"),)
    assert reasons(watch, "roadmap-wt2") == ()


def test_a_secret_that_a_merge_adds_waits_for_a_person(watch: Watch) -> None:
    """git shows nothing of a merge unasked."""
    watch.branch("roadmap-wt1", {"a.py": ""})
    watch.branch("topic", {"b.py": ""})
    tree = watch.worktree("roadmap-wt1")
    watch.git(tree, "merge", "-q", "--no-ff", "--no-commit", "topic")
    (tree / ".env").write_text("KEY=secret")
    watch.git(tree, "add", "-f", ".env")
    watch.git(tree, "commit", "-qm", "feat: Merge")
    assert reasons(watch) == (Reason(Code.NEEDS_HUMAN, SECRET, "coffee merge roadmap-wt1"),)


def test_a_secret_that_was_on_a_side_of_a_branch_waits_for_a_person(watch: Watch) -> None:
    """git leaves out a side that changes nothing in the end, and the landing would publish it."""
    watch.branch("roadmap-wt1", {"a.py": ""})
    watch.branch("topic", {".env": "KEY=secret", "b.py": ""})
    watch.branch("topic", {".env": None})
    watch.git(watch.worktree("roadmap-wt1"), "merge", "-q", "--no-ff", "-m", "feat: Merge", "topic")
    assert reasons(watch) == (Reason(Code.NEEDS_HUMAN, SECRET, "coffee merge roadmap-wt1"),)


def test_a_secret_under_another_name_waits_for_a_person(watch: Watch) -> None:
    """A copy that an agent made to be safe, and added with everything else; an example that the target has is none."""
    (watch.box.work / ".env").write_text("KEY=secret-of-the-kettle\n")
    watch.branch("roadmap-wt1", {"conf/.env.bak": "KEY=secret-of-the-kettle\n", "a.py": ""})
    watch.branch("roadmap-wt2", {"b.py": "KEY=secret\n"})
    (reason,) = reasons(watch)
    assert reason.code is Code.NEEDS_HUMAN and "hold conf/.env.bak, which is copied here" in reason.detail
    assert reasons(watch, "roadmap-wt2") == ()
    watch.box.commit({".env.example": "KEY=secret-of-the-kettle\n"})
    assert reasons(watch) == ()


def test_the_case_of_a_name_hides_no_secret(watch: Watch) -> None:
    """On some disks it is the very file."""
    watch.branch("roadmap-wt1", {".ENV": "KEY=secret"})
    (reason,) = reasons(watch)
    assert reason.code is Code.NEEDS_HUMAN


def test_what_the_target_has_is_no_secret(watch: Watch) -> None:
    """A repository that keeps its ``.env`` in git may change it; that of a folder is another file."""
    watch.box.commit({".gitignore": ""})
    watch.box.commit({".env": "MODE=test"})
    watch.branch("roadmap-wt1", {".env": "MODE=live", "sub/.env": "KEY=x"})
    assert reasons(watch) == ()


@pytest.mark.parametrize("pattern", ["*.key", "conf/**", "conf/[p]rivate ü.key", "conf/private ü.key"])
def test_whatever_is_copied_is_a_secret(watch: Watch, pattern: str) -> None:
    """By the patterns of ``worktrees.copy``, as git reads them there."""
    watch.configure("worktrees", copy=(pattern,))
    watch.branch("roadmap-wt1", {"conf/private ü.key": "x", "top.key": "x"})
    (reason,) = reasons(watch)
    assert reason.code is Code.NEEDS_HUMAN


def test_a_large_file_waits_for_a_person(watch: Watch) -> None:
    """Hosts refuse them, and nobody gets them out of the history; what was there before says nothing."""
    watch.box.commit({"old.bin": "x" * 101})
    watch.configure("merge", largest=Bytes(100))
    watch.branch("roadmap-wt1", {"new ü.bin": "x" * 101, "small": "x" * 100, "old.bin": "y"})
    (reason,) = reasons(watch)
    assert (reason.code, reason.detail) == (Code.NEEDS_HUMAN, "adds large files: new ü.bin")
    watch.configure("merge", largest=None)
    assert reasons(watch) == ()


def test_where_nothing_is_wrong_it_costs_two_processes(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many branches there are, and none when nothing has moved since."""
    for number in range(1, 6):
        watch.branch(f"roadmap-wt{number}", {f"{number}.py": ""})
    seen: list[str] = []
    monkeypatch.setattr(gate, "trace", [lambda argv: seen.append(" ".join(argv))])
    watch.look()
    asked = [argv for argv in seen if "--diff-filter=A" in argv or "objectsize" in argv]
    assert len(asked) == 2
    seen.clear()
    watch.look()
    assert not [argv for argv in seen if "--diff-filter=A" in argv or "objectsize" in argv]
