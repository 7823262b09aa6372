"""Notifications: who gets what, once, in silence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.messages import Draft, Level, ReadyWork, merge_complete, ready_for_merge
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.notify import (
    CFR009ViolationError,
    CFR013ViolationError,
    create_notification,
    get_notifications,
    received,
    send,
)
from coffee_hooks.state.notices import mark_read
from coffee_hooks.state.store import open_store


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that is the current folder."""
    git(tmp_path, "init", "-q", "repo")
    monkeypatch.chdir(tmp_path / "repo")
    return tmp_path / "repo"


def test_the_call_of_the_workflow_reaches_the_orchestrator(repository: Path) -> None:
    """The architect's call, word for word, is found by the orchestrator with all its fields."""
    number = create_notification(
        title="Merge Complete",
        message="roadmap-wt1 merged to roadmap (US-104)",
        level="info",
        sound=False,
        agent_id="architect",
    )
    (found,) = get_notifications(agent_id="orchestrator")
    assert (found.id, found.sender, found.recipient) == (number, "architect", None)
    assert (found.title, found.message) == ("Merge Complete", "roadmap-wt1 merged to roadmap (US-104)")
    assert (found.level, found.sound, found.read_at) == (Level.INFO, False, None)
    assert (repository / ".git/coffee/state.db").is_file()


@pytest.mark.usefixtures("repository")
def test_a_recipient_sees_its_own_and_what_is_for_everybody() -> None:
    """Messages to others stay with them; without a name everything is listed, oldest first."""
    for recipient in ("architect", "orchestrator", None):
        create_notification(title=str(recipient), message="m", agent_id="orchestrator", recipient=recipient)
    assert [n.title for n in get_notifications(agent_id="architect")] == ["architect", "None"]
    assert [n.title for n in get_notifications()] == ["architect", "orchestrator", "None"]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("agent", ["orchestrator", "architect", "code_developer", "", None])
def test_only_the_listener_makes_a_sound(agent: str | None) -> None:
    """CFR-009: a sound from a background agent is refused before anything is stored."""
    with pytest.raises(CFR009ViolationError):
        create_notification(title="t", message="m", sound=True, agent_id=agent)
    assert get_notifications() == []
    assert create_notification(title="t", message="m", sound=True, agent_id="user_listener")
    assert get_notifications()[0].sound is True


def test_the_store_variant_obeys_the_same_rule(tmp_path: Path) -> None:
    """There is no way around CFR-009 through the inner function."""
    with open_store(tmp_path) as store:
        with pytest.raises(CFR009ViolationError):
            send(store, Draft("architect", "t", "m", sound=True), 1.0)
        assert received(store, None) == []


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("level", ["loud", "", "HIGH"])
def test_an_unknown_level_is_a_usage_error(level: str) -> None:
    """The error names the levels that exist, and nothing is stored."""
    with pytest.raises(UsageError) as caught:
        create_notification(title="t", message="m", level=level, agent_id="architect")
    assert "info normal high critical" in caught.value.hint
    assert get_notifications() == []


@pytest.mark.usefixtures("repository")
def test_a_key_reaches_each_recipient_once() -> None:
    """The second message with a key is not stored; other recipients, other keys and no key are."""

    def tell(recipient: str | None, key: str | None) -> int | None:
        return create_notification(title="t", message="m", agent_id="a", recipient=recipient, dedupe_key=key)

    assert tell("architect", "k") is not None
    assert tell("architect", "k") is None
    others = [("orchestrator", "k"), ("architect", "k2"), ("architect", None), ("architect", None)]
    assert all(tell(recipient, key) is not None for recipient, key in others)
    assert tell(None, "k") is not None
    assert tell(None, "k") is None
    assert tell("", "k") is not None
    assert len(get_notifications()) == 7


def test_the_two_notices_of_the_workflow_are_sent_once_for_each_sha(tmp_path: Path) -> None:
    """A poll every 30 seconds does not repeat itself; a new commit is news again."""
    with open_store(tmp_path) as store:
        for sha in ("a" * 40, "a" * 40, "b" * 40):
            work = ReadyWork("roadmap-wt1", "roadmap", TaskId("US-104"), Sha(sha), 3, "feat")
            send(store, ready_for_merge(work), 1.0)
            send(store, merge_complete("roadmap-wt1", "roadmap", TaskId("US-104"), Sha(sha)), 2.0)
        assert len(received(store, "architect")) == 2
        assert len(received(store, "orchestrator")) == 2


def test_reading_is_remembered(repository: Path) -> None:
    """Unread, read and all are told apart; the first reading counts; an unknown number is an error."""
    first = create_notification(title="first", message="m", agent_id="a")
    create_notification(title="second", message="m", agent_id="a")
    assert first is not None
    with open_store(repository / ".git/coffee") as store:
        mark_read(store, first, 10.0)
        mark_read(store, first, 20.0)
        with pytest.raises(UsageError, match="999"):
            mark_read(store, 999, 10.0)
    assert [n.title for n in get_notifications(unread=True)] == ["second"]
    assert [(n.title, n.read_at) for n in get_notifications(unread=False)] == [("first", 10.0)]
    assert len(get_notifications()) == 2


def test_all_worktrees_share_one_box(
    repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent from a linked worktree is read in the main checkout, whatever GIT_DIR says."""
    git(repository, "commit", "-q", "--allow-empty", "-m", "start")
    git(repository, "worktree", "add", "-q", "../wt1")
    monkeypatch.chdir(repository.parent / "wt1")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    create_notification(title="from wt1", message="m", agent_id="code_developer")
    monkeypatch.chdir(repository)
    assert [n.title for n in get_notifications()] == ["from wt1"]


def test_outside_of_a_repository_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository: a usage error, and no file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="not a git repository"):
        create_notification(title="t", message="m", agent_id="a")
    assert list(tmp_path.iterdir()) == []


def test_both_rules_can_be_caught_from_here() -> None:
    """The public package exports the two errors of the rules."""
    assert {CFR009ViolationError.__name__, CFR013ViolationError.__name__} == {
        "CFR009ViolationError",
        "CFR013ViolationError",
    }


SENDER = """
from coffee_hooks.notify import create_notification
print(sum(create_notification(title="t", message="m", agent_id="a", dedupe_key=str(n)) is not None for n in range(20)))
"""


def test_eight_senders_deliver_each_key_once(repository: Path) -> None:
    """When eight processes tell the same news, exactly one of them is told that it was delivered."""
    command = [sys.executable, "-I", "-c", SENDER]
    senders = [subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert sum(int(sender.communicate()[0]) for sender in senders) == 20
    assert len(get_notifications()) == 20
