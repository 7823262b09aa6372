"""Processes over the real kernel: nothing of a group stays, and a pid alone is nobody."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from coffee_hooks.base.identity import Identity, alive, boot_id, identify
from coffee_hooks.base.process import End, end_group, group_members, reap, run, start_detached

STUBBORN = "trap '' TERM INT HUP; echo $$ >> pids; while :; do sleep 0.05; done"
ELSEWHERE = """\
import os
os.setsid()
with open("pids", "a") as file:
    file.write(f"{os.getpid()}\\n")
os.execvp("sleep", ["sleep", "600"])
"""


@pytest.fixture
def group(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A shell that leads a session in *tmp_path*; whatever it left in the file ``pids`` is killed at the end."""
    child = subprocess.Popen(["sh"], cwd=tmp_path, stdin=subprocess.PIPE, start_new_session=True)
    yield child
    for pid in [child.pid, *pids(tmp_path)]:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)
    child.wait()


def pids(folder: Path, wanted: int = 0) -> list[int]:
    """The process ids in the file ``pids``, once there are as many as *wanted*."""
    path = folder / "pids"
    for _ in range(2000):
        found = [int(line) for line in path.read_text().splitlines()] if path.exists() else []
        if len(found) >= wanted:
            break
        time.sleep(0.01)
    assert len(found) >= wanted
    return found


def living(numbers: list[int]) -> list[int]:
    return [pid for pid in numbers if (who := identify(pid)) and alive(who)]


def go(folder: Path, command: str, seconds: float = 60, stdin: bytes = b"") -> tuple[End, int | None, bytes]:
    log = folder / "logs/run.log"
    ended = run(["sh", "-c", command], cwd=folder, env=os.environ, log=log, seconds=seconds, stdin=stdin)
    return ended.end, ended.rc, log.read_bytes()


def test_exit_codes_output_and_input(tmp_path: Path) -> None:
    """The code, a signal as a negative number, both streams in the log in order, and the whole of stdin."""
    assert go(tmp_path, "echo out; echo err >&2; cat; exit 3", stdin=b"in") == (End.EXITED, 3, b"out\nerr\nin")
    assert go(tmp_path, "kill -9 $$")[:2] == (End.EXITED, -9)


def test_input_that_nobody_reads_blocks_nobody(tmp_path: Path) -> None:
    """Two million bytes for a program that never looks at them."""
    assert go(tmp_path, "exit 0", stdin=b"x" * 2_000_000)[:2] == (End.EXITED, 0)
    assert go(tmp_path, "sleep 60", 0.3, stdin=b"x" * 2_000_000)[0] is End.TIMED_OUT


def test_much_output_goes_to_the_log(tmp_path: Path) -> None:
    """Fifty million bytes fill a file, not a pipe nor our memory."""
    before = psutil.Process().memory_info().rss
    assert go(tmp_path, "head -c 50000000 /dev/zero")[2].count(b"\0") == 50_000_000
    log = tmp_path / "logs/run.log"
    size = log.stat().st_size
    log.write_bytes(b"")
    assert (size, psutil.Process().memory_info().rss - before < 200_000_000) == (50_000_000, True)


@pytest.mark.parametrize("argv", [["/no/such/program"], ["nosuchprogram"], ["."], ["a\0b"]])
def test_a_program_that_cannot_be_started(tmp_path: Path, argv: list[str]) -> None:
    """Its own end, with the reason in the log: never an exit code that looks like red."""
    ended = run(argv, cwd=tmp_path, env=os.environ, log=tmp_path / "log", seconds=1)
    assert (ended.end, ended.rc) == (End.NOT_FOUND, None)
    assert (tmp_path / "log").read_bytes()


def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    """Grandchildren, one in a session of its own among them, go with a command that takes too long."""
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    command = f'"{sys.executable}" elsewhere.py & sh -c "echo \\$\\$ >> pids; sleep 600" & sleep 600'
    end, _, _ = go(tmp_path, command, seconds=4.0)  # until then both have said who they are
    assert end is End.TIMED_OUT
    assert living(pids(tmp_path, 2)) == []


def test_what_a_finished_command_left_behind_is_ended(tmp_path: Path) -> None:
    """A background process that a test forgot does not hold its port against the next run."""
    assert go(tmp_path, "sleep 600 & echo $! > pids")[:2] == (End.EXITED, 0)
    assert living(pids(tmp_path, 1)) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C passes through once the group is empty, with no zombie."""
    script = (
        "import sys; from pathlib import Path\nfrom coffee_hooks.base.process import run\n"
        "run(['sh', '-c', 'echo $$ > pids; sleep 600'], cwd=Path(), env={'PATH': '/bin:/usr/bin'},"
        " log=Path('log'), seconds=60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE)
    (agent,) = pids(tmp_path, 1)
    child.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in child.communicate()[1]
    assert living([agent]) == []


def test_an_interrupt_ends_what_was_asked(tmp_path: Path) -> None:
    """Also when only we are told: nobody waits for the answers any more."""
    script = (
        "from pathlib import Path\nfrom coffee_hooks.base.parts import outputs\n"
        "outputs(['sh', '-c', 'echo $$ >> pids; exec sleep 600'], [b'', b''], cwd=Path())"
    )
    child = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE)
    asked = pids(tmp_path, 2)
    child.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in child.communicate()[1]
    assert living(asked) == []


def tell(shell: subprocess.Popen[bytes], line: str) -> None:
    assert shell.stdin
    shell.stdin.write(line.encode() + b"\n")
    shell.stdin.flush()


def test_a_group_is_asked_to_end_once(group: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """One TERM, so that a clean-up that takes its time is not cut short by a second one."""
    # A loop: its sleep is asked too, and when that ends first there is nothing left to wait for.
    (tmp_path / "polite").write_text(
        "trap 'echo term >> asked; sleep 0.3; exit' TERM\necho $$ >> pids\nwhile :; do sleep 60 & wait; done"
    )
    tell(group, "sh polite & wait")
    started = pids(tmp_path, 1)
    assert {group.pid, *started} <= {*group_members(group.pid)}
    assert end_group(group.pid, grace=20)
    assert (tmp_path / "asked").read_text() == "term\n"
    assert living(started) == []
    assert group_members(group.pid) == ()
    assert end_group(group.pid)


def test_who_does_not_end_is_killed(group: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A member that ignores TERM, and what left for a session of its own, are gone all the same."""
    (tmp_path / "stubborn").write_text(STUBBORN)
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    tell(group, f'sh stubborn & "{sys.executable}" elsewhere.py & wait')
    started = pids(tmp_path, 2)
    assert len({*started} - {*group_members(group.pid)}) == 1
    assert end_group(group.pid, grace=0.2)
    assert living(started) == []
    assert group_members(group.pid) == ()


def test_a_zombie_is_no_member(group: subprocess.Popen[bytes]) -> None:
    """A child that nobody has waited for yet does not keep a group alive."""
    who = identify(group.pid)
    assert who and alive(who)
    group.kill()
    while psutil.Process(group.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert group_members(group.pid) == ()
    assert not alive(who)
    group.wait()
    assert identify(group.pid) is None


def test_who_a_process_is() -> None:
    """The same pid at another time, or after another boot, is somebody else."""
    me = identify(os.getpid())
    assert me == identify(os.getpid())
    assert me and alive(me) and me.boot_id == boot_id() != ""
    assert not alive(dataclasses.replace(me, start_time=me.start_time - 10))
    assert not alive(dataclasses.replace(me, boot_id="another"))
    assert not alive(Identity(2**22 + 1, me.start_time, me.boot_id))
    assert identify(2**22 + 1) is None


@pytest.mark.skipif(not Path("/proc/uptime").exists(), reason="the kernel does not say when it booted")
def test_setting_the_clock_makes_nobody_a_stranger() -> None:
    """A time of the clock moves when that is set or a machine wakes up; seconds since the boot do not."""
    me, up = identify(os.getpid()), float(Path("/proc/uptime").read_text().split()[0])
    assert me is not None and abs(up - (time.time() - psutil.Process().create_time()) - me.start_time) < 1.0


def test_a_detached_process_outlives_us_in_a_session_of_its_own(tmp_path: Path) -> None:
    """It hears no terminal and no end of ours, and when it has ended it is no zombie for long."""
    read, write = os.pipe()
    pid = start_detached(
        ["sh", "-c", f"echo out; echo err >&2; cat; read x < /dev/fd/{read}; exit 0"],
        cwd=tmp_path, env=os.environ, log=tmp_path / "logs/x.log", pass_fds=[read],
    )  # fmt: skip
    os.close(read)
    assert os.getsid(pid) == pid
    reap()
    assert living([pid]) == [pid]
    os.write(write, b"\n")
    os.close(write)
    for _ in range(2000):
        reap()
        if not psutil.pid_exists(pid):
            break
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)
    assert (tmp_path / "logs/x.log").read_text() == "out\nerr\n"
    with pytest.raises(OSError, match="No such file"):
        start_detached(["/no/such/program"], cwd=tmp_path, env={}, log=tmp_path / "log")
