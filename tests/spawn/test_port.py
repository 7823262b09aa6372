"""Ports: the same for a worktree as long as it lives, and never two worktrees on one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import Repo
from coffee_hooks.spawn import port as ports
from coffee_hooks.spawn.making import take
from coffee_hooks.spawn.port import COUNT, FIRST, first_free, is_free, port_of, read_register, reserve_port

RESERVE = """
import sys
from pathlib import Path
from coffee_hooks.base.git import Repo
from coffee_hooks.spawn.port import reserve_port
repo = Repo(Path(sys.argv[1]), Path(sys.argv[1]), Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for name in sys.argv[3:]:
    print(reserve_port(repo, "roadmap-same", Path(sys.argv[2]) / name), flush=True)
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository as far as ports are concerned."""
    folder = tmp_path / "repo" / ".git"
    (folder / "coffee").mkdir(parents=True)
    return Repo(folder, folder.parent, folder.parent)


def worktree(repo: Repo, name: str) -> Path:
    """A worktree that is there."""
    path = repo.main.parent / name
    path.mkdir()
    return path


@given(st.integers(0, COUNT - 1), st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_the_first_that_is_nobodys(start: int, taken: set[int], busy: set[int]) -> None:
    """From the start on, around the end of the range; a port that is taken is not even probed."""
    shifted = {FIRST + (start + step) % COUNT for step in taken}
    listening = {FIRST + (start + step) % COUNT for step in busy}
    probed: list[int] = []
    found = first_free(FIRST + start, shifted, lambda port: not probed.append(port) and port not in listening)
    steps = next(step for step in range(100) if step not in taken | busy)
    assert found == FIRST + (start + steps) % COUNT
    assert not shifted & set(probed)


def test_two_processes_never_get_the_same(repo: Repo, tmp_path: Path) -> None:
    """Twenty worktrees each that all begin their search at one port, at the same moment: forty ports."""
    command = [sys.executable, "-I", "-c", RESERVE, str(repo.common_dir)]
    children = []
    for side in "ab":
        names = [f"{side}{number}" for number in range(20)]
        for name in names:
            worktree(repo, name)
        children.append(
            subprocess.Popen(
                [*command, str(tmp_path), *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    given_ = [int(line) for child in children for line in child.communicate()[0].split()]
    assert [child.returncode for child in children] == [0, 0]
    assert len(given_) == len(set(given_)) == 40
    assert set(given_) == set(read_register(register()))


def register() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "coffee" / "ports.json"


def test_it_stays_with_the_worktree(repo: Repo) -> None:
    """Also while its own server listens there; it is free for others when the worktree is gone."""
    first, second = worktree(repo, "wt1"), worktree(repo, "wt2")
    port = reserve_port(repo, "roadmap-same", first)
    assert port == port_of(repo.common_dir, "roadmap-same")
    with socket.create_server(("127.0.0.1", port)):
        assert reserve_port(repo, "roadmap-same", first) == port
    other = reserve_port(repo, "roadmap-same", second)
    assert other == FIRST + (port - FIRST + 1) % COUNT
    first.rmdir()
    assert reserve_port(repo, "roadmap-same", worktree(repo, "wt3")) == port
    assert {holder.worktree for holder in read_register(register()).values()} == {
        str(second),
        str(repo.main.parent / "wt3"),
    }


def test_a_worktree_that_is_being_made_has_its_port_already(repo: Repo) -> None:
    """Between the claim and `git worktree add` there is no folder yet, and its port is taken all the same."""
    making = take(repo.state_dir, "roadmap-wt1")
    assert making is not None
    port = reserve_port(repo, "roadmap-wt1", repo.main.parent / "not-yet")
    assert reserve_port(repo, "roadmap-wt1", worktree(repo, "wt2")) != port
    making.finish()
    assert reserve_port(repo, "roadmap-wt1", worktree(repo, "wt3")) == port


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_a_port_at_which_somebody_listens_is_left_out(repo: Repo, address: str) -> None:
    """Whoever it is, and at whichever address of this machine."""
    port = port_of(repo.common_dir, "roadmap-wt1")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        server = socket.create_server((address, port), family=family)
    except OSError:
        pytest.skip(f"{address} is no address of this machine")
    with server:
        assert not is_free(port)
        assert reserve_port(repo, "roadmap-wt1", worktree(repo, "wt1")) == FIRST + (port - FIRST + 1) % COUNT


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 5000, '{"x": {}}', '{"10000": 5}', '{"10000": {"worktree": 1}}', "\0",
     json.dumps({"10000": {"worktree": "/\0", "state_dir": "/", "branch": "x" * 5000}}),
     json.dumps({"10000": {"worktree": 1, "state_dir": None, "branch": []}})],
)  # fmt: skip
def test_a_damaged_register_is_written_anew(repo: Repo, text: str) -> None:
    """Nobody's work depends on it."""
    register().parent.mkdir(parents=True)
    register().write_text(text)
    tree = worktree(repo, "caf\udce9")
    port = reserve_port(repo, "roadmap-wt1", tree)
    assert read_register(register())[port].worktree == str(tree)
    assert reserve_port(repo, "roadmap-wt1", tree) == port


def test_without_a_folder_of_the_users_it_is_the_repositorys(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that is no folder, as of many services: ports of this repository still differ."""
    nowhere = repo.main.parent / "file"
    nowhere.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(nowhere))
    port = reserve_port(repo, "roadmap-wt1", worktree(repo, "wt1"))
    assert list(read_register(repo.state_dir / "ports.json")) == [port]


def test_no_port_is_a_failure_of_the_environment(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than two worktrees on one."""
    monkeypatch.setattr(ports, "is_free", lambda _port: False)
    with pytest.raises(EnvironmentFailure, match="every port"):
        reserve_port(repo, "roadmap-wt1", worktree(repo, "wt1"))
