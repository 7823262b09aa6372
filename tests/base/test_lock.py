"""The kernel's lock: one holder, freed by death, and a helpful no for everybody else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coffee_hooks.base.errors import LockedError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.lock import hold

HOLDER = (
    "import sys; from pathlib import Path\nfrom coffee_hooks.base.discover import discover\n"
    "from coffee_hooks.base.lock import hold\n"
    "with hold(discover(Path(sys.argv[1])), 'merge'):\n    print('held', flush=True)\n    sys.stdin.read()"
)


def test_one_holder_and_death_frees(repo: Repo) -> None:
    """A second process is told the first one's pid and exit code 75; kill -9 of the holder frees the lock."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(repo.top)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout and child.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"pid {child.pid}") as locked, hold(repo, "merge"):
        pass
    assert (locked.value.exit_code, locked.value.hint) == (75, "wait for it with --wait SECONDS")
    with hold(repo, "spawn") as other:
        assert other.name == "spawn"
    child.kill()
    child.communicate()
    with hold(repo, "merge") as proof:
        assert proof.name == "merge"


def test_waiting_for_the_lock(repo: Repo) -> None:
    """With time to wait, the lock is had as soon as its holder is done; an error inside frees it."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(repo.top)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout and child.stdout.readline() == "held\n"
    with pytest.raises(LockedError), hold(repo, "merge", wait=0.1):
        pass
    assert child.stdin
    child.stdin.close()
    with pytest.raises(ZeroDivisionError), hold(repo, "merge", wait=60):
        raise ZeroDivisionError
    with hold(repo, "merge"):
        child.wait()
