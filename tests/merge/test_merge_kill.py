"""Promise 3: kill -9 before and after every git call of a merge, and before every change of a file, is safe.

``COFFEE_TEST_EVERY_KILL=1`` plays all of them (minutes); otherwise every 53rd.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.state.claims import Claim, ClaimState, moved

if TYPE_CHECKING:
    from conftest import Lane

DRIVER = Path(__file__).with_name("killed_merge.py")
EVERY = bool(os.environ.get("COFFEE_TEST_EVERY_KILL"))
SHARES = 4 if EVERY else 1
STRIDE = 1 if EVERY else 53
PLACES = ("remote", "local", "unheld", "batch", "shared")


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("place", PLACES)
def test_a_killed_merge_is_brought_to_its_end_by_the_next(lane: Lane, tmp_path: Path, place: str, share: int) -> None:
    """The target is old or tested and new at every kill; run again it has landed once, and nothing else is left.

    The last two are three branches in one batch, alone and with claims and verdicts that travel in the same push.
    """
    lane.configure(gate={"command": ["sh", "-c", 'echo run >> "$RUNS"']}, shared=place == "shared")
    if place in ("local", "unheld"):
        lane.local_only()
    several = place in ("batch", "shared")
    for number in (2, 3) if several else ():
        lane.branch(number)
    if place == "unheld":
        lane.leave()
    tip = lane.branch(1, {"pkg/alpha.py": "new\n", "pkg/more.py": "x\n"})
    claim = Claim(TaskId("US-104"), "roadmap-wt1", Sha(lane.target), "me", 1, ClaimState.DONE, Sha(tip), None, 1)
    repo = open_project(lane.work).repo
    assert transact(repo, [moved(repo, claim)[1]])
    (lane.work / "notes.txt").write_text("mine\n")
    (lane.work / "pkg/beta.py").write_text("mine\n")
    first = PLACES.index(place) * 4 + share if not EVERY else share
    argv = [sys.executable, str(DRIVER), str(lane.work.parent), str(tmp_path.parent / f"{tmp_path.name}-kills")]
    done = subprocess.run(
        [*argv, str(first), str(STRIDE * SHARES)], capture_output=True, text=True, check=True, timeout=900,
        env={**os.environ, "BRANCHES": "roadmap-wt1 roadmap-wt2 roadmap-wt3" if several else "roadmap-wt1"},
    )  # fmt: skip
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) > 3
    assert [end["killed"] for end in ends] == [-signal.SIGKILL] * (len(ends) - 1) + [0], done.stderr
    for end in ends:
        check(end, done.stderr)


def check(end: dict[str, object], told: str) -> None:
    """What must hold whatever call was the last one."""
    before, between, after = (end[name] for name in ("before", "between", "after"))
    assert isinstance(before, dict) and isinstance(between, dict) and isinstance(after, dict)
    for target, tree, old in zip(between["targets"], between["trees"], before["targets"], strict=True):
        assert target == old or tree in between["green"], end
    assert end["again"] == 0, (end, told)
    assert len(set(after["targets"])) == 1 and set(after["trees"]) <= set(after["green"]), end
    merged = after["targets"][0]
    assert (end["merges"], end["proof"]) == ([merged], 0), end
    assert end["verdicts"][0] == "tested", end  # type: ignore[index]
    assert end["claim"] == "landed", end
    assert after["runs"] == (between["runs"] if between["green"] else between["runs"] + 1), end
    assert (after["notes"], after["status"]) == ("mine\n", "M pkg/beta.py\n?? notes.txt"), end
    assert after["left"] == [], end
