"""Reading notifications: listed, acknowledged, or as they come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from coffee_hooks.base.messages import Draft, Level
from coffee_hooks.notify import send
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Completed, Sandbox


def tell(box: Sandbox, title: str, recipient: str | None, level: Level = Level.INFO) -> None:
    """Send one notification."""
    with open_store(box.work / ".git" / "coffee") as store:
        send(store, Draft("orchestrator", title, "the message\nsecond line", level, recipient), time.time())


def rows(asked: Completed) -> list[dict[str, Any]]:
    """The notifications of a JSON answer that is valid by the schema that ships."""
    schema = json.loads(files("coffee_hooks").joinpath("schemas/notifications.json").read_text())
    Draft202012Validator(schema).validate(asked.json)
    found = asked.json["notifications"]
    assert isinstance(found, list)
    return found


def test_everybody_sees_their_own_and_what_is_for_all(sandbox: Sandbox) -> None:
    """--agent is the recipient; without it everything is listed, the oldest first."""
    for title, recipient in (("one", "architect"), ("two", "user_listener"), ("three", None)):
        tell(sandbox, title, recipient)
    every = rows(sandbox.coffee("notifications", "--json"))
    assert [row["title"] for row in every] == ["one", "two", "three"]
    mine = rows(sandbox.coffee("notifications", "--json", "--agent", "architect"))
    assert [row["title"] for row in mine] == ["one", "three"]
    assert sandbox.coffee("notifications", "--agent", "architect").out.splitlines()[:3] == [
        "#1 [info] orchestrator -> architect: one", "    the message", "    second line",
    ]  # fmt: skip


def test_acknowledged_ones_are_read(sandbox: Sandbox) -> None:
    """--ack marks one, --unread leaves it out; a number that is not there is wrong usage."""
    tell(sandbox, "one", "architect")
    tell(sandbox, "two", "architect")
    assert [row["read"] for row in rows(sandbox.coffee("notifications", "--json", "--ack", "1"))] == [True, False]
    assert [row["title"] for row in rows(sandbox.coffee("notifications", "--json", "--unread"))] == ["two"]
    missing = sandbox.coffee("notifications", "--ack", "77")
    assert missing.rc == 2
    assert missing.err == "error: there is no notification 77\nhint: coffee notifications lists them\n"


def test_nothing_to_read(sandbox: Sandbox) -> None:
    """Said in words, an empty list in JSON."""
    assert sandbox.coffee("notifications").out == "no notifications\n"
    assert rows(sandbox.coffee("--json", "notifications")) == []


def test_listen_prints_what_comes_and_rings(sandbox: Sandbox) -> None:
    """As user_listener: what waits unread first, then what is new, the bell on stderr, until Ctrl-C."""
    tell(sandbox, "waiting", "user_listener", Level.CRITICAL)
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "coffee_hooks", "listen"], cwd=sandbox.work, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(3)]
    assert lines[0] == "#1 [critical] orchestrator -> user_listener: waiting\n"
    tell(sandbox, "fresh", "architect")
    assert child.stdout.readline() == "#2 [info] orchestrator -> architect: fresh\n"
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err.count("\a") >= 1
    assert [row["read"] for row in rows(sandbox.coffee("notifications", "--json"))] == [True, False]
