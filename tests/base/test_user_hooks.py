"""One hook of the user: what it is told, how long it may take, and what its end means."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from coffee_hooks.base.config import Hooks, Seconds
from coffee_hooks.base.process import End, Ended, alive, identify
from coffee_hooks.base.user_hooks import LONGEST_LOG, HookFailure, Occasion, Point, conclude, payload, run_hook


def occasion(folder: Path, **changes: object) -> Occasion:
    values = {
        "root": folder, "task": "US-104", "branch": "roadmap-wt1", "sha": "a" * 40, "base": None, "worktree": None,
        "log": folder / "logs" / "hooks" / "x.log", **changes,
    }  # fmt: skip
    return Occasion(**values)  # type: ignore[arg-type]


def test_a_hook_reads_json_and_runs_where_it_is_said(tmp_path: Path) -> None:
    """Stdin holds one object with the schema and the hook's name; the environment and the placeholders say the same."""
    place = tmp_path / "tree"
    place.mkdir()
    script = 'cat > told; echo "$0 $COFFEE_TASK_ID $COFFEE_BRANCH [$GITHUB_TOKEN] $PWD" > words'
    hooks = Hooks(before_merge=("sh", "-c", script, "{task}/{branch}"))
    told = occasion(tmp_path, worktree=place, cwd=place, more={"target": "roadmap"})
    assert run_hook(hooks, Point.BEFORE_MERGE, told) is None
    assert json.loads((place / "told").read_text()) == {
        "schema": 1, "hook": "before-merge", "task": "US-104", "branch": "roadmap-wt1", "sha": "a" * 40, "base": None,
        "worktree": str(place), "root": str(tmp_path), "target": "roadmap",
    }  # fmt: skip
    assert (place / "words").read_text() == f"US-104/roadmap-wt1 US-104 roadmap-wt1 [] {place}\n"


def test_a_token_of_the_forge_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for the gate: only what the user set for everything."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("WEBHOOK", "kept")
    hooks = Hooks(after_merge=("sh", "-c", 'echo "[$GITHUB_TOKEN] $WEBHOOK" > said'))
    assert run_hook(hooks, Point.AFTER_MERGE, occasion(tmp_path)) is None
    assert (tmp_path / "said").read_text() == "[] kept\n"


def test_nothing_configured_does_nothing(tmp_path: Path) -> None:
    """No process, no log."""
    assert run_hook(Hooks(), Point.NOTIFY, occasion(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "words", "answered"),
    [
        (("false",), "hooks.before-merge failed (false: exit code 1)", True),
        (("sh", "-c", "kill -9 $$"), "hooks.before-merge failed (sh: exit code -9)", False),
        (("no-such-hook",), "hooks.before-merge: the command 'no-such-hook' was not found", False),
        (("echo", "{prompt}"), "hooks.before-merge: unknown placeholder {prompt} in '{prompt}'", False),
        ((sys.executable, "-c", "while True: pass"), "(", False),
    ],
)
def test_a_failure_has_its_reason(tmp_path: Path, command: tuple[str, ...], words: str, answered: bool) -> None:
    """Whether it said no or could not be asked, with what to do next."""
    failure = run_hook(Hooks(before_merge=command, timeout=Seconds(0.5)), Point.BEFORE_MERGE, occasion(tmp_path))
    assert failure is not None and failure.hint
    assert words in failure.what and failure.answered is answered


def test_a_hook_that_hangs_and_forks_is_ended(tmp_path: Path) -> None:
    """What it started goes with it, and nobody waits for either."""
    script = f"sleep 600 & echo $! > {tmp_path}/child; wait"
    failure = run_hook(
        Hooks(after_merge=("sh", "-c", script), timeout=Seconds(0.5)), Point.AFTER_MERGE, occasion(tmp_path)
    )
    assert failure == HookFailure(
        "hooks.after-merge failed (sh: timed-out)", f"read {tmp_path}/logs/hooks/x.log", False
    )
    child = identify(int((tmp_path / "child").read_text()))
    assert child is None or not alive(child)


def test_a_hook_need_not_read(tmp_path: Path) -> None:
    """A program that closes stdin, told more than a pipe holds, is fine."""
    told = occasion(tmp_path, more={"message": "x" * 1_000_000})
    assert run_hook(Hooks(notify=("sh", "-c", "exec <&-; exit 0")), Point.NOTIFY, told) is None


def test_names_that_are_no_text_are_told_all_the_same(tmp_path: Path) -> None:
    """A byte of a path that is not UTF-8, and control characters, are escapes in the JSON."""
    data = payload(Point.NOTIFY, occasion(tmp_path, branch="roadmap-\udce9\x1b[31m"))
    assert data.isascii() and json.loads(data)["branch"] == "roadmap-\udce9\x1b[31m"


def test_the_log_of_hooks_does_not_grow_for_ever(tmp_path: Path) -> None:
    """What is longer than it may be begins anew; an agent's log never does."""
    for folder, kept in (("hooks", False), ("agents", True)):
        log = tmp_path / folder / "x.log"
        log.parent.mkdir()
        log.write_bytes(b"x" * (LONGEST_LOG + 1))
        assert run_hook(Hooks(notify=("echo", "hello")), Point.NOTIFY, occasion(tmp_path, log=log)) is None
        assert log.read_text().endswith("hello\n") and (log.stat().st_size > LONGEST_LOG) is kept


def test_a_log_that_cannot_be_written_is_a_failure_not_a_crash(tmp_path: Path) -> None:
    """The place of its folder is taken by a file."""
    (tmp_path / "logs").write_text("")
    failure = run_hook(Hooks(notify=("true",)), Point.NOTIFY, occasion(tmp_path))
    assert failure is not None and "could not be run" in failure.what


def test_a_program_with_a_hostile_name_is_harmless() -> None:
    """No control sequence reaches a terminal by it."""
    failure = conclude(Point.NOTIFY, "\x1b[31mrm\n-rf", Ended(End.EXITED, 3, 0.1), Path("/log"))
    assert failure is not None and failure.what == "hooks.notify failed (rm -rf: exit code 3)"
