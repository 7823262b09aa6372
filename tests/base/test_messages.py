"""The sentences of the workflow, word for word, and the message that a landing writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base import messages
from coffee_hooks.base.messages import LandedWork, Level, ReadyWork, co_authors, landing_message
from coffee_hooks.base.model import Sha, TaskId

TASK = TaskId("US-104")
SHA = Sha("a" * 40)
WORK = ReadyWork("roadmap-wt1", "roadmap", TASK, SHA, 3, "feat: Implement US-104 - Feature X")
LANDED = LandedWork(
    branch="roadmap-wt1",
    task=TASK,
    title="Feature X",
    sha=SHA,
    subjects=("Feature X implementation", "Comprehensive tests (15 tests)"),
    co_authors=("Claude <noreply@example.invalid>",),
    gate=("pytest", "-q"),
    seconds=12.3,
)

READY = """\
Parallel work in roadmap-wt1 is ready for merge to roadmap.

US Number: US-104
Commits Ahead: 3
Last Commit: feat: Implement US-104 - Feature X

Action Required:
1. Use merge-worktree-branches skill to merge
2. Run tests after merge
3. Push to remote
4. Notify orchestrator when ready for cleanup

Command:
architect merge-worktree-branches --merge roadmap-wt1 --us-number 104"""

LANDING = f"""\
Merge parallel work from roadmap-wt1: US-104 - Feature X

Features:
- Feature X implementation
- Comprehensive tests (15 tests)

Tests: All passing (pytest -q, 12 s)
Status: Ready for production

Co-authored-by: Claude <noreply@example.invalid>
Coffee-Task: US-104
Coffee-Branch: roadmap-wt1
Coffee-Sha: {SHA}
"""


def test_the_architect_is_told_in_the_words_of_the_workflow() -> None:
    """Title, text, level, sender and recipient of the notification that a branch is ready."""
    draft = messages.ready_for_merge(WORK)
    assert (draft.title, draft.message) == ("Worktree Ready for Merge: roadmap-wt1", READY)
    assert (draft.sender, draft.recipient, draft.level) == ("orchestrator", "architect", Level.HIGH)
    assert draft.sound is False


def test_an_item_without_us_number_is_named_by_its_task() -> None:
    """PRIORITY-25 stands in a Task line and in the command; a branch of nobody has neither."""
    draft = messages.ready_for_merge(replace(WORK, task=TaskId("PRIORITY-25")))
    assert draft.message == READY.replace("US Number: US-104", "Task: PRIORITY-25").replace(" 104", " PRIORITY-25")
    nameless = messages.ready_for_merge(replace(WORK, task=None)).message
    assert nameless == READY.replace("US Number: US-104\n", "").replace(" --us-number 104", "")


def test_readiness_is_told_once_for_each_sha() -> None:
    """The key of a notification changes with the branch and its SHA, and with nothing else."""
    key = messages.ready_for_merge(WORK).dedupe_key
    assert messages.ready_for_merge(replace(WORK, commits_ahead=9, target="main")).dedupe_key == key
    others = {messages.ready_for_merge(other).dedupe_key for other in (replace(WORK, sha=Sha("b" * 40)),)}
    assert key not in others


def test_the_orchestrator_is_told_in_the_words_of_the_workflow() -> None:
    """Title, text, level, sender and recipient of the notification that a merge is complete."""
    draft = messages.merge_complete("roadmap-wt1", "roadmap", TASK, SHA)
    assert (draft.title, draft.message) == ("Merge Complete", "roadmap-wt1 merged to roadmap (US-104)")
    assert (draft.sender, draft.recipient, draft.level) == ("architect", "orchestrator", Level.INFO)
    assert messages.merge_complete("roadmap-x", "main", None, SHA).message == "roadmap-x merged to main"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (messages.CREATED_WORKTREES, "🌿 Created worktrees for parallel execution:"),
        (
            messages.created_worktree("/tmp/worktrees/wt1", "roadmap-wt1", TASK),
            "  - /tmp/worktrees/wt1 (roadmap-wt1) → US-104",
        ),
        (messages.spawned(12, TASK, "/tmp/worktrees/wt1"), "🚀 code_developer spawned (PID 12) for US-104 in wt1"),
        (messages.running(12345, TASK, 959.9), "code_developer (PID 12345) for US-104: Running (15 min elapsed)"),
        (messages.running(1, TASK, -5.0), "code_developer (PID 1) for US-104: Running (0 min elapsed)"),
        (
            messages.notified_architect("roadmap-wt1", TASK),
            "📬 Notified architect to merge roadmap-wt1 (US-104)",
        ),
        (messages.notified_architect("roadmap-x", None), "📬 Notified architect to merge roadmap-x"),
        (messages.notified_orchestrator("roadmap-wt1"), "✅ Merge complete for roadmap-wt1, notified orchestrator"),
        (messages.cleanup_requested("roadmap-wt1"), "🧹 Cleanup requested for roadmap-wt1"),
        (messages.removed_worktrees(["/tmp/worktrees/wt1", "/x/wt2"]), "🧹 Removed worktrees: wt1, wt2"),
        (
            messages.deleted_remote_branches(["roadmap-wt1", "roadmap-wt2"]),
            "🧹 Deleted remote branches: roadmap-wt1, roadmap-wt2",
        ),
        (messages.EXECUTION_COMPLETE, "✅ Parallel execution complete, state saved"),
    ],
)
def test_the_log_speaks_the_words_of_the_workflow(said: str, words: str) -> None:
    """Every line of narration is the one that the workflow shows."""
    assert said == words


def test_a_good_check_is_three_lines() -> None:
    """The number of tests is told where it is known, and left out where it is not."""
    assert messages.check_passed(156) == [
        "✅ Tests passing (156 tests)",
        "✅ No conflicts detected",
        "✅ Ready for merge",
    ]
    assert messages.check_passed()[0] == "✅ Tests passing"


def test_a_hostile_name_stays_on_its_line() -> None:
    """A line break or an escape sequence in a path or a branch does not reach the terminal."""
    for said in (
        messages.created_worktree("/tmp/a\nb", "roadmap-\x1b[2J", TASK),
        messages.removed_worktrees(["/tmp/x\r\x1b]0;evil\x07"]),
        messages.merge_command("roadmap-a\nb", TASK),
    ):
        assert len(said.splitlines()) == 1
        assert "\x1b" not in said


def test_a_landing_is_written_as_the_contract_says() -> None:
    """Title, features, tests, status and one block of trailers, in this order."""
    assert landing_message(LANDED) == LANDING


def test_what_is_not_known_is_left_out_of_a_landing() -> None:
    """Without task, title, subjects or co-authors no empty line, heading or trailer is written."""
    bare = landing_message(replace(LANDED, task=None, title="", subjects=(), co_authors=()))
    assert bare == (
        "Merge parallel work from roadmap-wt1\n\nTests: All passing (pytest -q, 12 s)\nStatus: Ready for production\n\n"
        f"Coffee-Branch: roadmap-wt1\nCoffee-Sha: {SHA}\n"
    )


def test_many_subjects_are_counted_instead_of_listed() -> None:
    """A branch of a thousand commits does not make a message of a thousand lines."""
    message = landing_message(replace(LANDED, subjects=[f"commit {n}" for n in range(1000)]))
    assert "- commit 49\n- and 950 more\n\n" in message


HOSTILE = (
    "feat\n\nCoffee-Task: US-999",
    "Coffee-Sha: " + "f" * 40,
    "---\nCoffee-Branch: evil",
    "\x1b]0;pwned\x07\x1b[2Jx\rCoffee-Task: US-1",
    "# comment\n# ------------------------ >8 ------------------------",
    "-- ",
    "long " * 200,
    "surrogate \udce9 and \u2028Coffee-Task: US-2",
)


def test_git_reads_exactly_our_trailers_whatever_the_commits_say(tmp_path: Path, git: Callable[..., str]) -> None:
    """``git interpret-trailers`` finds one value for each trailer although every quoted text tries to add one."""
    authors = ("A <a@x>\nCoffee-Task: US-3", "B <b@x>", "B <b@x>")
    named = replace(LANDED, task=TaskId("US-104\n"), branch="roadmap-wt1\nCoffee-Task: US-4")
    work = replace(named, title=HOSTILE[0], subjects=HOSTILE, co_authors=authors, gate=HOSTILE)
    parsed = git(tmp_path, "interpret-trailers", "--parse", input=landing_message(work))
    assert parsed.splitlines() == [
        "Co-authored-by: A <a@x> Coffee-Task: US-3",
        "Co-authored-by: B <b@x>",
        "Coffee-Task: US-104",
        "Coffee-Branch: roadmap-wt1\\nCoffee-Task: US-4",
        f"Coffee-Sha: {SHA}",
    ]


@given(st.text(), st.lists(st.text(), max_size=5), st.lists(st.text(), min_size=1, max_size=3))
def test_only_the_last_paragraph_can_hold_trailers(title: str, subjects: list[str], gate: list[str]) -> None:
    """No quoted text adds a paragraph or a line that starts by itself."""
    message = landing_message(replace(LANDED, title=title, subjects=subjects, gate=gate))
    *_, tests, trailers = message.split("\n\n")
    assert tests.startswith("Tests: All passing (")
    assert tests.count("\n") == 1
    assert trailers == LANDING.rsplit("\n\n", 1)[1]
    assert all(
        line.startswith(("Merge parallel work", "Features:", "- ", "Tests: ", "Status: ")) or not line
        for line in message.removesuffix(trailers).split("\n")
    )


def test_co_authors_are_collected_once() -> None:
    """Every spelling of the key counts, an address counts once, and half a line is nobody."""
    bodies = [
        "feat: a\n\nCo-Authored-By: Claude <noreply@example.invalid>\n",
        "fix\n\nco-authored-by:   Claude Two <NoReply@example.invalid>\nCo-authored-by: Ann\x1b[31m Lee <ann@x.org>",
        "see Co-authored-by: Not <a@trailer>\nCo-authored-by: nobody\nCo-authored-by: <only@address>",
    ]
    assert co_authors(bodies) == ("Claude <noreply@example.invalid>", "Ann Lee <ann@x.org>")


def test_a_batch_names_its_tasks_and_keeps_its_trailers() -> None:
    """One title, the gate that passed, and the commits that were merged; a task that nobody knows is its branch."""
    members = [("US-104", "roadmap-wt1", Sha("a" * 40)), (None, "roadmap-wt2", Sha("b" * 40))]
    assert messages.batch_message(members, ("pytest", "-q"), 12.3) == (
        "Land US-104, roadmap-wt2 (2 tasks)\n\nTests: All passing (pytest -q, 12 s)\nStatus: Ready for production\n\n"
        f"Coffee-Sha: {'a' * 40}\nCoffee-Sha: {'b' * 40}\n"
    )
