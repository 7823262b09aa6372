"""Notifications on their way to the user's own program: each once, in order, and nobody waits for it."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest

from coffee_hooks.base import held
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.messages import Draft, Level
from coffee_hooks.base.process import reap
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.notify import courier, send
from coffee_hooks.notify.courier import handing_over, payload, variables
from coffee_hooks.state.facts import fact
from coffee_hooks.state.notices import Notification
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Sandbox

README = Path(__file__).resolve().parents[2] / "README.md"


class Post:
    """A repository whose notifications go somewhere."""

    def __init__(self, box: Sandbox) -> None:
        self.box, self.place = box, box.work.parent
        self.state_dir = box.work / ".git" / "coffee"

    def project(self, *command: str) -> Project:
        project = open_project(self.box.work)
        return replace(project, config=replace(project.config, hooks=replace(project.config.hooks, notify=command)))

    def send(self, project: Project, *titles: str, **changes: Any) -> None:
        """One round in which these are sent."""
        with open_store(self.state_dir) as store, handing_over(project, store):
            for title in titles:
                draft = Draft("orchestrator", title, "line 1\nline 2", Level.HIGH, "user_listener", **changes)
                send(store, draft, time.time())

    def quiet(self) -> None:
        """Wait until no courier is on the way."""
        deadline = time.monotonic() + 60
        while held.is_held(self.state_dir / "courier"):
            assert time.monotonic() < deadline, "it never came back"
            time.sleep(0.01)
        reap()

    def delivered(self) -> list[str]:
        """The titles that arrived, in order."""
        file = self.place / "box"
        lines = file.read_text().splitlines() if file.exists() else []
        return [str(json.loads(line)["title"]) for line in lines]


@pytest.fixture
def post(sandbox: Sandbox) -> Iterator[Post]:
    post = Post(sandbox)
    yield post
    post.quiet()


KEEPS = ("sh", "-c", 'cat >> "$COFFEE_ROOT/../box"')


def test_each_is_handed_over_once_and_in_order(post: Post) -> None:
    """Over several rounds; a round without news starts nothing."""
    project = post.project(*KEEPS)
    post.send(project, "a", "b", "c")
    post.quiet()
    post.send(project, "d")
    post.quiet()
    post.send(project)
    assert not held.is_held(post.state_dir / "courier")
    assert post.delivered() == ["a", "b", "c", "d"]


def test_what_was_there_before_the_hook_is_not_news(post: Post) -> None:
    """A hook that is configured later, or again, is not flooded with what is old."""
    none, project = post.project(), post.project(*KEEPS)
    post.send(none, "old")
    post.send(project, "new")
    post.quiet()
    post.send(none, "while it was gone")
    post.send(project, "newer")
    post.quiet()
    assert post.delivered() == ["new", "newer"]


def test_a_hook_that_fails_is_written_down_and_not_asked_again(post: Post) -> None:
    """The next notification is handed over all the same."""
    post.send(post.project("sh", "-c", 'cat >> "$COFFEE_ROOT/../box"; exit 3'), "a", "b")
    post.quiet()
    assert post.delivered() == ["a", "b"]
    log = (post.state_dir / "logs/hooks/notify.log").read_text()
    assert log.count("hooks.notify failed (sh: exit code 3)") == 2


def test_a_hook_that_hangs_holds_nobody_up(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender goes on at once; what comes meanwhile waits for its turn and is not lost."""
    monkeypatch.setattr(courier, "LONGEST_SECONDS", 1.0)
    script = 'cat >> "$COFFEE_ROOT/../box"; [ "$COFFEE_TITLE" != slow ] || sleep 600'
    project = post.project("sh", "-c", script)
    post.send(project, "slow")
    assert held.is_held(post.state_dir / "courier")
    post.send(project, "next")
    post.quiet()
    assert post.delivered() == ["slow", "next"]


def test_a_program_that_is_not_there_hurts_nobody(post: Post) -> None:
    """It is written down."""
    post.send(post.project("no-such-program"), "a")
    post.quiet()
    assert "'no-such-program' was not found" in (post.state_dir / "logs/hooks/notify.log").read_text()


def test_a_placeholder_in_it_is_a_mistake(post: Post) -> None:
    """A notification is about no branch: it is written down, and not asked again and again."""
    post.send(post.project("echo", "{branch}"), "a")
    post.quiet()
    assert "hooks.notify: unknown placeholder {branch}" in (post.state_dir / "logs/hooks/notify.log").read_text()
    post.send(post.project("echo", "{branch}"))
    assert not held.is_held(post.state_dir / "courier")


def test_a_killed_courier_hands_nothing_over_twice(post: Post) -> None:
    """kill -9 in the middle of one: the next courier goes on behind it."""
    script = 'cat >> "$COFFEE_ROOT/../box"; [ "$COFFEE_TITLE" != a ] || { kill -9 $PPID; sleep 0.2; }'
    project = post.project("sh", "-c", script)
    post.send(project, "a", "b")
    post.quiet()
    assert post.delivered() == ["a"]
    post.send(project)
    post.quiet()
    assert post.delivered() == ["a", "b"]


def test_several_senders_at_once(post: Post) -> None:
    """Four processes' worth of rounds at the same time: everything arrives once."""
    project = post.project(*KEEPS)
    post.send(project)
    threads = [threading.Thread(target=post.send, args=(project, f"{n}-a", f"{n}-b")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    post.quiet()
    post.send(project)
    post.quiet()
    assert sorted(post.delivered()) == sorted(f"{n}-{x}" for n in range(4) for x in "ab")


def test_a_database_that_was_deleted(post: Post) -> None:
    """Numbers begin anew, and so does what was handed over."""
    project = post.project(*KEEPS)
    post.send(project, "a", "b")
    post.quiet()
    for file in post.state_dir.glob("state.db*"):
        file.unlink()
    post.send(project, "c")
    post.quiet()
    assert post.delivered() == ["a", "b", "c"]


def test_nobody_is_asked_where_there_is_no_hook(post: Post) -> None:
    """No process and no fact."""
    post.send(post.project(), "a")
    with open_store(post.state_dir) as store:
        assert fact(store, "notified") is None
    assert not (post.state_dir / "courier").exists()


def test_hostile_words_are_data(tmp_path: Path) -> None:
    """No control character reaches a shell's variables, nothing is longer than a program may be told."""
    hostile = Notification(
        7, 1.5, None, None, Level.INFO, False, "-x\x1b[31m\n", "a\x00b\r\n" + "x" * 100_000, None, None
    )
    told = variables(hostile, tmp_path)
    assert told["COFFEE_TITLE"] == "-x\\x1b[31m\\n" and told["COFFEE_MESSAGE"].startswith("a\\x00b\nxxx")
    assert all(len(value) <= 4_000 and "\x1b" not in value and "\0" not in value for value in told.values())
    value = json.loads(payload(hostile, tmp_path))
    assert (value["schema"], value["hook"], value["id"], value["title"]) == (1, "notify", 7, hostile.title)


# --- the examples of the README -------------------------------------------------------------------


def example(word: str) -> tuple[str, ...]:
    """The hook of the README that uses a program."""
    blocks = re.findall(r"^```yaml\n(hooks:\n.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    (found,) = (hooks.notify for block in blocks if word in block and (hooks := parse_config(block.encode(), {}).hooks))
    return found


def stand_in(folder: Path, program: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / program).write_text(f"#!/bin/sh\n{script}\n")
    (folder / program).chmod(0o755)


def test_the_desktop_of_the_readme(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Title and message are one argument each."""
    stand_in(post.place / "bin", "notify-send", f'printf "<%s>" "$@" >> {post.place}/shown')
    monkeypatch.setenv("PATH", f"{post.place}/bin{os.pathsep}{os.environ['PATH']}")
    post.send(post.project(*example("notify-send")), "-Task blocked: US-104")
    post.quiet()
    assert (post.place / "shown").read_text() == "<--urgency=normal><--><-Task blocked: US-104><line 1\nline 2>"


@pytest.mark.skipif(which("curl") is None, reason="there is no curl here")
def test_the_webhook_of_the_readme(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server gets the JSON of what is high or critical, and of nothing else."""
    got: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        log_message: Callable[..., None] = lambda *_: None

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("no_proxy", "*")
    project = post.project(*example("curl"))
    post.send(project, "high")
    with open_store(post.state_dir) as store, handing_over(project, store):
        send(store, Draft("architect", "info", "m"), time.time())
    post.quiet()
    server.shutdown()
    server.server_close()
    assert [each["title"] for each in got] == ["high"]
