"""``logs``, ``stop`` and ``resume`` as they are typed."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coffee_hooks
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.project import open_project
from coffee_hooks.loop.tasks import Harmless, claimed_task, expect_task
from coffee_hooks.loop.work import spawn_tasks
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Completed, Sandbox, Shop

WAITS = (
    "echo begun; while [ ! -e go ]; do sleep 0.05; done; echo ended; echo x > x; git add x; git commit -qm x; rm -f go"
)


@pytest.fixture
def spawned(shop: Shop) -> Sandbox:
    """US-104 with an agent that waits for a file ``go`` in its worktree; the shop ends it."""
    project = open_project(shop.work)
    config = replace(project.config, agent=replace(project.config.agent, command=("sh", "-c", WAITS)))
    with open_store(shop.state_dir) as store:
        report = spawn_tasks(replace(project, config=config), store, ["US-104"], None, None)
    assert not report.skipped
    return shop.box


def agent(sandbox: Sandbox, *args: str, script: str = WAITS) -> Completed:
    """Run coffee with a shell script for an agent."""
    done = sandbox.coffee(*args, env={"COFFEE_AGENT__COMMAND": json.dumps(["sh", "-c", script])})
    assert done.rc == 0, done.err
    return done


def log(sandbox: Sandbox) -> Path:
    """The log of US-104."""
    return sandbox.work / ".git/coffee/logs/US-104.log"


def follows_schema(name: str, answer: dict[str, object]) -> None:
    """An answer is what `coffee schema` says."""
    schema = json.loads((Path(coffee_hooks.__file__).parent / f"schemas/{name}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(answer)


def test_stop_and_resume_answer_by_their_schemas(spawned: Sandbox) -> None:
    """Stop ends it, a second stop finds nothing, resume starts attempt 2 on the same branch."""
    first = spawned.coffee("--json", "stop", "104")
    second = spawned.coffee("--json", "stop", "US-104")
    assert (first.rc, first.json["stopped"], second.rc, second.json["stopped"]) == (0, True, 0, False)
    again = agent(spawned, "--json", "resume", "us-104")
    assert (again.json["branch"], again.json["attempt"]) == ("roadmap-wt1", 2)
    for name, answer in (("stop", first.json), ("stop", second.json), ("resume", again.json)):
        follows_schema(name, answer)


def test_resume_of_a_running_agent_is_a_no(spawned: Sandbox) -> None:
    """Exit 1, and the hint names the command that would make it possible."""
    done = spawned.coffee("resume", "US-104", env={"COFFEE_AGENT__COMMAND": "[sh]"})
    assert (done.rc, done.err.splitlines()[-1]) == (1, "hint: coffee stop US-104")


@pytest.mark.parametrize("verb", ["logs", "stop", "resume"])
def test_a_task_that_nobody_claimed_is_a_usage_error(sandbox: Sandbox, verb: str) -> None:
    """Exit 2 with the command that starts it; a name that the roadmap does not have is one too."""
    done = sandbox.coffee(verb, "US-104")
    assert (done.rc, done.err) == (2, "error: nobody works on US-104\nhint: coffee spawn US-104\n")
    assert sandbox.coffee(verb, "US-999").rc == 2


def test_a_claim_outlives_its_item(spawned: Sandbox) -> None:
    """The item left the roadmap while its agent works: its claim is still found by name."""
    spawned.commit({"docs/roadmap/ROADMAP.md": "# Roadmap\n\n### US-1: Other 📝 Planned\n"})
    assert claimed_task(open_project(spawned.work), "us-104").task == "US-104"
    with pytest.raises(UsageError):
        claimed_task(open_project(spawned.work), "US-105")


def test_logs_are_copied_as_they_are(spawned: Sandbox) -> None:
    """Not on a terminal: every byte, also those that are no text."""
    with log(spawned).open("ab") as file:
        file.write(b"\x1b[31m\xff\0end")
    with subprocess.Popen(
        [sys.executable, "-I", "-m", "coffee_hooks", "logs", "US-104"], cwd=spawned.work, stdout=subprocess.PIPE
    ) as command:
        assert command.communicate()[0] == log(spawned).read_bytes()


def test_follow_prints_what_comes_and_ends_with_the_agent(spawned: Sandbox) -> None:
    """`logs --follow` returns once the agent has ended, with its last line."""
    threading.Timer(0.5, (spawned.work.parent / "work.worktrees/wt1/go").touch).start()
    done = spawned.coffee("logs", "US-104", "--follow")
    assert (done.rc, done.out) == (0, "--- attempt 1\nbegun\nended\n")


def test_follow_goes_on_without_the_database(spawned: Sandbox) -> None:
    """The database was deleted: the agent still counts as running."""
    for path in (spawned.work / ".git/coffee").glob("state.db*"):
        path.unlink()
    threading.Timer(0.5, (spawned.work.parent / "work.worktrees/wt1/go").touch).start()
    assert spawned.coffee("logs", "US-104", "-f").out.endswith("ended\n")


def test_a_huge_log_is_not_held_in_memory(spawned: Sandbox) -> None:
    """100 MB pass through a process that may not use that much."""
    with log(spawned).open("ab") as file:
        file.truncate(100_000_000)
    with subprocess.Popen(
        [sys.executable, "-I", "-m", "coffee_hooks", "logs", "US-104"], cwd=spawned.work, stdout=subprocess.DEVNULL
    ) as command:
        used = os.wait4(command.pid, 0)[2].ru_maxrss
        command.returncode = 0
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert used < 100_000 or used <= own, f"{used} kB"


def test_a_reader_that_has_seen_enough_is_no_error(spawned: Sandbox) -> None:
    """`coffee logs | head` ends quietly."""
    with log(spawned).open("ab") as file:
        file.truncate(10_000_000)
    command = f"{sys.executable} -I -m coffee_hooks logs US-104 | head -c 10"
    done = subprocess.run(["sh", "-c", command], cwd=spawned.work, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"--- attemp", b"")


@pytest.mark.skipif(sys.platform != "linux", reason="script(1) differs elsewhere")
def test_on_a_terminal_nothing_steers_it(spawned: Sandbox) -> None:
    """Sequences that would clear the screen or write the clipboard arrive as visible escapes, also out of events."""
    import pty

    said = {"type": "item.completed", "item": {"type": "agent_message", "text": "I\x1b[2J am"}}
    evil = "ü\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202e\rx\n"
    log(spawned).write_text(f"{evil}{json.dumps(said)}\n{{", encoding="utf-8", newline="")
    seen, ours = pty.openpty()
    command = [sys.executable, "-I", "-m", "coffee_hooks", "logs", "US-104"]
    subprocess.run(command, cwd=spawned.work, stdout=ours, check=True)
    os.close(ours)
    time.sleep(0.05)
    shown = os.read(seen, 4096).decode()
    os.close(seen)
    assert shown == "ü\\x1b[2J\\x1b]52;c;ZXZpbA==\\x07\\u202e\\rx\r\nI\\x1b[2J am\r\n{"


@given(st.text(), st.integers(1, 7))
def test_characters_torn_between_pieces_are_whole(text: str, size: int) -> None:
    """However a log is cut into pieces, the same is shown, and nothing in it is a control character."""
    data = text.encode("utf-8", "replace")
    whole, pieces = Harmless(), Harmless()
    shown = b"".join(pieces.shown(data[at : at + size]) for at in range(0, len(data), size)).decode()
    assert shown == whole.shown(data).decode()
    steering = {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")}
    assert steering <= set("\n\t\u200c\u200d")


def test_a_branch_must_carry_the_task_that_was_named(spawned: Sandbox) -> None:
    """`architect --us-number`: the wrong number is refused, the right one in any spelling passes."""
    expect_task(spawned.work, "roadmap-wt1", "104")
    with pytest.raises(UsageError, match="carries US-104, not US-105"):
        expect_task(spawned.work, "roadmap-wt1", "US-105")
