"""``architect merge-worktree-branches``: the verbs of the workflow, thin over ``coffee merge``."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.boundary import architect

if TYPE_CHECKING:
    from conftest import Sandbox


@pytest.fixture
def box(sandbox: Sandbox) -> Sandbox:
    """A branch of US-104, ready to land."""
    sandbox.commit({".coffee.yaml": "gate: {command: ['true']}\n"})
    sandbox.push()
    sandbox.branch("roadmap-wt1", {"a": "1\n"})
    return sandbox


def verb(box: Sandbox, *args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``architect merge-worktree-branches``."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        rc = architect(["-C", str(box.work), "merge-worktree-branches", *args])
    said, told = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    return rc, said, told


def test_the_walk_through_of_the_workflow(box: Sandbox) -> None:
    """List, check, dry run, merge: each says what the next needs, and the branch is on the origin at the end."""
    rc, said, _ = verb(box, "--list")
    assert rc == 0
    assert "roadmap-wt1" in said
    rc, said, _ = verb(box, "--check", "roadmap-wt1")
    assert (rc, said.splitlines()[2]) == (0, "✅ Ready for merge")
    before = box.refs()
    rc, said, _ = verb(box, "--dry-run", "roadmap-wt1")
    assert (rc, box.refs()) == (0, before)
    assert "would test tree" in said
    rc, said, _ = verb(box, "--merge", "roadmap-wt1", "--us-number", "104")
    assert rc == 0
    assert "roadmap-wt1 (US-104): landed as" in said
    assert box.refs("refs/heads/roadmap")["refs/heads/roadmap"] != before["refs/heads/roadmap"]
    assert box.refs("refs/heads/roadmap", box.origin)["refs/heads/roadmap"] == box.refs()["refs/heads/roadmap"]


@pytest.mark.parametrize("name", ["104", "US-104", "us-104"])
def test_every_spelling_of_the_task_is_understood(box: Sandbox, name: str) -> None:
    """``--us-number`` takes any name of the task."""
    assert verb(box, "--check", "roadmap-wt1", "--us-number", name)[0] == 0


@pytest.mark.parametrize("name", ["105", "999", "nonsense"])
def test_another_task_stops_it(box: Sandbox, name: str) -> None:
    """The branch carries US-104: a wrong expectation is exit 2, and nothing moved."""
    before = box.refs()
    rc, said, told = verb(box, "--merge", "roadmap-wt1", "--us-number", name)
    assert (rc, said, box.refs()) == (2, "", before)
    assert told.startswith("error: ")


@pytest.mark.parametrize(
    "args", [(), ("--check", "roadmap-wt1", "--merge", "roadmap-wt1"), ("--list", "--check", "roadmap-wt1"), ("--x",)]
)
def test_exactly_one_verb(box: Sandbox, args: tuple[str, ...]) -> None:
    """None, or two at once, is a usage error."""
    before = box.refs()
    assert verb(box, *args)[0] == 2
    assert box.refs() == before


def test_refused_names_and_red_branches_keep_their_exit_codes(box: Sandbox) -> None:
    """2 for a name, 1 for an answer that is no, as ``coffee merge`` has them."""
    box.branch("roadmap-wt2", {"pkg/alpha.py": "2\n"})
    box.commit({"pkg/alpha.py": "3\n"})
    assert verb(box, "--merge", "main")[0] == 2
    rc, said, _ = verb(box, "--check", "roadmap-wt2")
    assert rc == 1
    assert "conflict in pkg/alpha.py" in said
