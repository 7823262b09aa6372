"""Which branches there are, which commit of them counts, and what their commits say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.ready.branches import Branch, Where, count_ahead, infer_task

if TYPE_CHECKING:
    from conftest import Sandbox, Watch

Git = Callable[..., str]


def says_ready(message: str) -> bool:
    return Branch("roadmap-wt1", Sha("0" * 40), Where.LOCAL, message, False).says_ready


@pytest.mark.parametrize(
    ("message", "task"),
    [
        ("feat: Implement US-104 - Feature X", "US-104"),
        ("feat: Implement us-104 - Feature X", "US-104"),
        ("feat(US-104): x", "US-104"),
        ("US-104: x", "US-104"),
        ("feat: US-007 keeps its zeros", "US-007"),
        ("fix: STATUS-12 is no task", None),
        ("fix: cactus-7 is no task", None),
        ("fix: US-12x and US-12-foo are none", None),
        ("docs: US-24 - US-107 is an alias", "US-107"),
        ("feat: US-104 and US-105 together", None),
        ("feat: US-104, then US-104 again", "US-104"),
        ("feat: Implement PRIORITY 25 - x", "PRIORITY-25"),
        ("feat: PRIORITY-2.7", "PRIORITY-2.7"),
        ("T012 Create the card", "T012"),
        ("feat(cards): T012a create it", "T012a"),
        ("Create the card (T012)", "T012"),
        ("[T012] Create the card", "T012"),
        ("feat: Support T100 printers", None),
        ("feat: T12 and the t012 of others", None),
        ("T012 and (T013)", None),
        ("US-104: T012 is a part of it", "US-104"),
        ("feat: x\n\nCoffee-Task: T012", "T012"),
        ("feat: x\n\nPriority: t012", None),
        ("feat: nothing named", None),
        ("feat: nothing named\n\nUS-104 only in the body", None),
        ("feat: nothing named\n\nPriority: US-104", "US-104"),
        ("feat: nothing named\r\n\r\n  Priority: US-104\r\n", "US-104"),
        ("feat: US-99\n\nPriority: US-104", "US-104"),
        ("feat: US-99\n\nCoffee-Task: PRIORITY 25\n", "PRIORITY-25"),
        ("feat: US-99\n\nPriority: high", "US-99"),
        ("feat: US-99\n\nPriority:\n\nUS-104", "US-99"),
        ("", None),
    ],
)
def test_the_task_that_a_commit_names(message: str, task: str | None) -> None:
    """The traps of real histories: look-alikes, aliases, padding, body lines; several names are no name."""
    assert infer_task(message) == task


@pytest.mark.parametrize(
    "message",
    [
        "feat: X\n\nStatus: Ready for merge",
        "feat: X\n\nTests: All passing\nStatus: Ready for merge\n\nCo-Authored-By: A <a@b>",
        "feat: X\r\n\r\nStatus: Ready for merge\r\nSigned-off-by: A <a@b>\r\n",
        "feat: X\n\n    Status: Ready for merge  \n",
        "Status: ready for merge",
        "feat: X\n\nCoffee-Task: US-104\nStatus: Ready for merge\n",
    ],
)
def test_the_line_counts_anywhere_in_the_message(message: str) -> None:
    """As a body line, a trailer, indented, with CRLF, or as the subject."""
    assert says_ready(message)


@pytest.mark.parametrize(
    "message",
    [
        "feat: X",
        "feat: X\n\nStatus: Not ready for merge",
        "feat: X\n\nStatus: Ready for merge soon",
        "feat: X\n\nThe Status: Ready for merge",
        "feat: X\n\nStatus:\n\nReady for merge",
    ],
)
def test_only_that_very_line_counts(message: str) -> None:
    """A sentence that merely contains the words declares nothing."""
    assert not says_ready(message)


@given(st.text())
def test_no_message_breaks_the_reading(message: str) -> None:
    """Commit messages are written by anybody."""
    infer_task(message)
    says_ready(message)


def test_a_branch_checked_out_elsewhere_is_seen(watch: Watch) -> None:
    """`git branch` marks it with a plus, which once emptied the whole scan (R1)."""
    watch.branch("roadmap-wt1")
    watch.branch("roadmap-wt2")
    watch.worktree("roadmap-wt1")
    assert watch.listed == ["roadmap-wt1", "roadmap-wt2"]


def test_a_foreign_language_changes_nothing(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from git's prose, so French answers like English."""
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    monkeypatch.setenv("LANGUAGE", "fr")
    watch.branch()
    assert watch.codes() == []


def test_only_names_that_the_rule_allows_are_listed(watch: Watch, git: Git) -> None:
    """The target, look-alikes, subfolders of others and unicode names are left alone."""
    sha = watch.branch("roadmap-wt1")
    for name in ("x/roadmap-y", "roadmapx", "roadmap-é", "roadmap-a/b", "feature"):
        git(watch.box.work, "update-ref", f"refs/heads/{name}", sha)
    git(watch.box.work, "update-ref", "refs/tags/roadmap-tag", sha)
    assert watch.listed == ["roadmap-wt1"]


def test_a_branch_that_is_only_on_the_remote_is_seen(watch: Watch, git: Git) -> None:
    """Work that was pushed from elsewhere once waited eleven hours."""
    watch.branch("roadmap-038")
    watch.box.push("roadmap-038")
    git(watch.box.work, "branch", "-D", "roadmap-038")
    candidate = watch.candidate("roadmap-038")
    assert (candidate.branch.where, candidate.ready) == (Where.REMOTE, True)


def test_the_newer_of_both_places_counts(watch: Watch, git: Git) -> None:
    """Local ahead of the remote, and the remote ahead of local: the commit that contains the other."""
    old = watch.branch()
    watch.box.push("roadmap-wt1")
    new = watch.branch(files={"b.py": "1\n"})
    assert (watch.candidate().branch.tip, watch.candidate().branch.where) == (new, Where.BOTH)
    watch.box.push("roadmap-wt1")
    git(watch.box.work, "update-ref", "refs/heads/roadmap-wt1", old)
    assert (watch.candidate().branch.tip, watch.candidate().commits_ahead) == (new, 2)


def test_two_places_with_work_of_their_own_have_diverged(watch: Watch, git: Git) -> None:
    """Choosing one would lose the other."""
    watch.branch()
    watch.box.push("roadmap-wt1")
    git(watch.box.work, "branch", "-f", "roadmap-wt1", "roadmap")
    watch.branch(files={"other.py": "1\n"})
    assert watch.codes() == ["diverged"]


def test_what_has_landed_already_does_not_count_as_diverged(watch: Watch, git: Git) -> None:
    """A remote branch that lags behind with work that is in the target asks nobody for anything."""
    watch.branch()
    watch.box.push("roadmap-wt1")
    git(watch.box.work, "merge", "-q", "--no-ff", "--no-edit", "roadmap-wt1")
    git(watch.box.work, "branch", "-f", "roadmap-wt1", "roadmap~1")
    watch.branch(files={"other.py": "1\n"})
    watch.box.push("roadmap")
    assert watch.codes() == []


def test_counting_is_exact_with_merges(watch: Watch, git: Git) -> None:
    """As many as `rev-list --count` says, for branches that merged the target and each other."""
    work = watch.box.work
    watch.branch("roadmap-wt1")
    watch.branch("roadmap-wt2")
    watch.box.commit({"on-target.py": "1\n"})
    tree = watch.worktree("roadmap-wt1")
    git(tree, "merge", "-q", "--no-edit", "roadmap")
    git(tree, "merge", "-q", "--no-edit", "roadmap-wt2")
    tips = [Sha(git(work, "rev-parse", name)) for name in ("roadmap-wt1", "roadmap-wt2", "roadmap")]
    repo = Repo(work / ".git", work, work)
    target = tips[2]
    expected = {tip: int(git(work, "rev-list", "--count", f"{target}..{tip}")) for tip in tips}
    assert count_ahead(repo, target, tips) == expected
    assert sorted(expected.values()) == [0, 1, 4]


def test_a_remote_that_is_not_wanted_is_not_looked_at(sandbox: Sandbox, git: Git) -> None:
    """With `remote: null` only local branches count."""
    sandbox.branch("roadmap-wt1", {"a.py": "1\n"})
    sandbox.push("roadmap-wt1")
    git(sandbox.work, "branch", "-D", "roadmap-wt1")
    asked = sandbox.coffee("--json", "detect-ready", env={"COFFEE_REMOTE": "null"})
    assert asked.json["worktrees"] == []
