"""The listener shows what is new, once, and rings once for it."""

from __future__ import annotations

from pathlib import Path

from coffee_hooks.base.messages import Draft, Level
from coffee_hooks.notify import received, send
from coffee_hooks.notify.listen import described, listen, news
from coffee_hooks.state.notices import Notification
from coffee_hooks.state.store import open_store


def note(number: int, recipient: str | None = None, read_at: float | None = None) -> Notification:
    """Notification *number*."""
    return Notification(number, 1.0, "orchestrator", recipient, Level.HIGH, False, "t", "m", None, read_at)


def test_at_the_start_only_what_waits_for_the_user_is_news() -> None:
    """Old messages between agents and what was read are not repeated when somebody starts to listen."""
    mine = note(3, "user_listener")
    old = [note(1), note(2, "architect"), mine, note(4, "user_listener", read_at=5.0)]
    assert news(old, None) == ([mine], 4)
    assert news([], None) == ([], 0)


def test_later_everything_new_is_news_once() -> None:
    """Whoever it is for, a notification is shown when it appears and never again."""
    box = [note(1), note(2, "architect"), note(3)]
    assert news(box, 1) == (box[1:], 3)
    assert news(box, 3) == ([], 3)


def test_a_deleted_state_starts_again() -> None:
    """When numbers fall back, what is there is new instead of hidden below the last one seen."""
    assert news([note(1)], 40) == ([note(1)], 1)
    assert news([], 40) == ([], 0)


def test_the_loop_shows_rings_and_remembers(tmp_path: Path) -> None:
    """One ring for each lot with news, none for silence; what was for the user is read afterwards."""
    heard: list[str] = []
    later = iter([("second", None), ("third", "architect"), None])

    def tell(title: str, recipient: str | None) -> None:
        with open_store(tmp_path) as store:
            send(store, Draft("orchestrator", title, "m", recipient=recipient), 1.0)

    def pause() -> None:
        heard.append("pause")
        if arriving := next(later):
            tell(*arriving)

    tell("old", None)
    tell("first", "user_listener")
    listen(
        tmp_path,
        show=lambda text: heard.append(text.splitlines()[0].rpartition(" ")[2]),
        ring=lambda: heard.append("ring"),
        stop=lambda: heard.count("pause") == 3,
        pause=pause,
    )
    assert heard == ["first", "ring", "pause", "second", "ring", "pause", "third", "ring", "pause"]
    with open_store(tmp_path) as store:
        assert [n.title for n in received(store, None) if n.read_at is not None] == ["first"]


def test_silence_rings_no_bell(tmp_path: Path) -> None:
    """Looking at an empty box makes no sound."""
    heard: list[str] = []
    listen(
        tmp_path,
        show=heard.append,
        ring=lambda: heard.append("ring"),
        stop=lambda: len(heard) == 2,
        pause=lambda: heard.append("pause"),
    )
    assert heard == ["pause", "pause"]


def test_a_hostile_notification_stays_text() -> None:
    """Escape sequences in title, message or names reach the terminal as visible text only."""
    evil = Notification(
        7, 1.0, "a\x1b[2J", None, Level.CRITICAL, False, "t\a\nforged", "one\n\x1b]0;x\x07two", None, None
    )
    assert described(evil) == ("#7 [critical] a\\x1b[2J -> everybody: t\\x07\\nforged\n    one\n    \\x1b]0;x\\x07two")
