"""The error boundary in a process of its own: every exit code, one line and a hint, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks import boundary
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, LockedError, RuleError, UsageError
from coffee_hooks.base.identity import Identity, alive, identify

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
COFFEE = [sys.executable, "-I", "-m", "coffee_hooks"]
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")


def guarded(monkeypatch: pytest.MonkeyPatch, run: Callable[[list[str]], int]) -> int:
    """The exit code of ``coffee`` when the command is *run*."""
    monkeypatch.setattr("coffee_hooks.cli.app.run", run)
    return boundary.main(["x"])


def raising(error: BaseException) -> Callable[[list[str]], int]:
    def run(_argv: list[str]) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuleError("no", hint="do"), 1),
        (UsageError("no", hint="do"), 2),
        (EnvironmentFailure("no", hint="do"), 4),
        (LockedError("no", hint="do"), 75),
        (OSError(28, "No space left on device", "/x\n/y"), 4),
        (PermissionError(13, "Permission denied"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_code_and_a_hint(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    """One line says what happened and one what to type; nothing goes to stdout."""
    assert guarded(monkeypatch, raising(error)) == code
    said = capfd.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    if code == 130:
        assert len(lines) == 1
    else:
        assert [line.partition(" ")[0] for line in lines] == ["error:", "hint:"]


@pytest.mark.parametrize("code", [0, 1])
def test_a_command_that_answers_keeps_its_code(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Yes and no are not errors."""
    assert guarded(monkeypatch, lambda _: code) == code


def test_hostile_text_stays_on_its_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Names and git's words may hold newlines, colours and lone bytes; an error is one line all the same."""
    error = CoffeeError("a\nb\x1b[31m", hint="x\ny", detail="caf\udce9\r\nz")
    assert guarded(monkeypatch, raising(error)) == 2
    assert capfd.readouterr().err == "error: a\\nb\\x1b[31m (caf\\xe9\\r\\nz)\nhint: x\\ny\n"


@pytest.mark.parametrize("bug", [ValueError("caf\udce9"), AssertionError(), RecursionError(), MemoryError()])
def test_our_bug_becomes_a_report(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, bug: Exception
) -> None:
    """Exit 3, two lines, and a file with the traceback that the second one names."""
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path))
        assert guarded(patched, raising(bug)) == 3
    what, hint = capfd.readouterr().err.splitlines()
    assert what == "error: this is a bug in coffee"
    (report,) = tmp_path.iterdir()
    assert hint.endswith(str(report))
    assert type(bug).__name__ in report.read_text() and "coffee 'x'" in report.read_text()


def test_a_bug_without_a_place_to_report(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where no file can be written the report is printed, and the exit code is still that of our bug."""
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        assert guarded(patched, raising(ValueError("why"))) == 3
    assert "ValueError: why" in capfd.readouterr().err


@pytest.mark.parametrize(
    "argv", [["nosuch"], ["status", "--nosuch"], ["logs"], ["-C"], ["merge", "--batch", "many"], ["--json", "x\ny"]]
)
def test_wrong_usage(sandbox: Sandbox, argv: list[str]) -> None:
    """Exit 2, the reason on one line, and where to read on."""
    done = sandbox.coffee(*argv)
    assert (done.rc, done.out) == (2, "")
    what, hint = done.err.splitlines()
    assert what.startswith("error: ")
    assert hint.startswith("hint: coffee") and hint.endswith("--help")


def test_repositories_that_cannot_be_worked_on(sandbox: Sandbox, git: Git, tmp_path: Path) -> None:
    """None and bare are exit 2, no commits and shallow exit 4, no target exit 2; each with a hint and no traceback."""
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{sandbox.origin}", "shallow")
    git(tmp_path, "init", "-q", "-b", "main", "untargeted")
    git(tmp_path / "untargeted", "commit", "-q", "--allow-empty", "-m", "x")
    (tmp_path / "none").mkdir()
    expected = {"none": 2, "origin.git": 2, "empty": 4, "shallow": 4, "untargeted": 2, "missing": 2}
    for folder, code in expected.items():
        done = sandbox.coffee("-C", folder, "detect-ready", cwd=tmp_path)
        assert (done.rc, done.out) == (code, ""), done
        assert [line.partition(" ")[0] for line in done.err.splitlines()] == ["error:", "hint:"], done


UNWATCHED = "import threading, time; threading.Timer.start = lambda timer: time.sleep(60); "
"""Stops where git has been started and the watch over its time has not."""


@pytest.mark.parametrize("before", ["", UNWATCHED], ids=["watched", "unwatched"])
@pytest.mark.parametrize("reached", [os.killpg, os.kill], ids=["the group", "coffee alone"])
def test_control_c_is_130_and_one_line(
    sandbox: Sandbox, tmp_path: Path, reached: Callable[[int, signal.Signals], None], before: str
) -> None:
    """A real SIGINT while git is asked something: an end at once, git's too, no traceback, and agents go on."""
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho $$ >> "$ASKED"\nexec sleep 60\n')
    fake.chmod(0o755)
    asked = tmp_path / "asked"
    os.mkfifo(asked)
    environ = {**os.environ, "PATH": f"{fake.parent}{os.pathsep}{os.environ['PATH']}", "ASKED": str(asked)}
    code = before + "import sys; from coffee_hooks.boundary import main; sys.argv[0] = 'coffee'; sys.exit(main())"
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", code, "status"],
        cwd=sandbox.work, env=environ, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    git = identify(int(asked.read_bytes()))
    reached(child.pid, signal.SIGINT)
    said = child.communicate(timeout=20)[1].decode()
    assert child.returncode == 130
    assert said.splitlines()[-1].startswith("stopped; agents that were started go on")
    assert "Traceback" not in said
    assert git is None or gone(git)


def gone(process: Identity) -> bool:
    """Whether it ends within a moment."""
    deadline = time.monotonic() + 20
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(process)


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["merge", "--help"]])
def test_a_reader_that_leaves_is_no_error(argv: list[str]) -> None:
    """``coffee --help | head -1``: nothing on stderr, exit 0."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COFFEE, *argv], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@FULL
@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["--json", "status"]])
def test_a_full_disk_behind_stdout(sandbox: Sandbox, argv: list[str]) -> None:
    """The answer was not given, so the exit code says so; one line and a hint, no noise of Python's own."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run([*COFFEE, *argv], cwd=sandbox.work, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 4
    lines = done.stderr.decode().splitlines()
    assert lines[-2:] == [
        "error: No space left on device",
        "hint: check disk space and rights, then run this again",
    ]
    assert not any("Exception ignored" in line for line in lines)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("argv", ["--version", "--help", "--json status", "nosuch"])
def test_closed_standard_files(sandbox: Sandbox, closed: str, argv: str) -> None:
    """Started without stdin, stdout or stderr (cron, a daemon): the same exit code."""
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *COFFEE, *argv.split()]
    done = subprocess.run(shell, cwd=sandbox.work, capture_output=True, check=False)
    assert done.returncode == (2 if argv == "nosuch" else 0), done
    assert b"Traceback" not in done.stderr


def test_the_c_locale_gets_ascii(sandbox: Sandbox) -> None:
    """Under LC_ALL=C not one byte of text is outside ASCII; JSON stays UTF-8 and whole."""
    sandbox.branch("roadmap-wt1", {"x": "x"}, "feat: Implement US-104 - Café 🚀")
    environ = {"LC_ALL": "C", "COFFEE_READY__SIGNAL": "none"}
    text = sandbox.coffee_apart("detect-ready", env=environ)
    assert (text.out + text.err).isascii() and "roadmap-wt1" in text.out
    (found,) = sandbox.coffee_apart("--json", "detect-ready", env=environ).json["worktrees"]
    assert found["last_commit_msg"] == "feat: Implement US-104 - Café 🚀"


def test_architect_has_the_same_boundary(sandbox: Sandbox) -> None:
    """The other console script answers wrong usage in the same way."""
    code = "import sys; from coffee_hooks.boundary import architect; sys.exit(architect())"
    done = subprocess.run([sys.executable, "-c", code, "x"], cwd=sandbox.work, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
