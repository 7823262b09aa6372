"""Bad surroundings: one error line, one hint, the exit code of the contract, and nothing half done."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Said, Sandbox

Git = Callable[..., str]

COMMANDS = {
    "evaluate": ["evaluate"],
    "spawn": ["spawn"],
    "detect-ready": ["detect-ready"],
    "merge": ["merge"],
    "cleanup": ["cleanup"],
    "run": ["run", "--once"],
    "status": ["status"],
}
ROADMAP = "docs/roadmap/ROADMAP.md"
AGENT = ["sh", "-c", 'echo x > pkg/new.py; git add -A; git commit -qm "feat: x"']


def configured(box: Sandbox, **more: object) -> None:
    """A gate and an agent that work, and whatever else."""
    value = {"gate": {"command": ["true"]}, "agent": {"command": AGENT}, **more}
    box.commit({".coffee.yaml": json.dumps({k: v for k, v in value.items() if v is not None})})
    box.push()


def ready(box: Sandbox) -> None:
    """A branch that waits to be landed."""
    box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")


# --- the situations; each returns the folder in which commands are typed ---------------------------


def no_repository(box: Sandbox, _git: Git) -> Path:
    folder = box.work.parent / "empty"
    folder.mkdir()
    return folder


def bare_repository(box: Sandbox, _git: Git) -> Path:
    return box.origin


def no_commits(box: Sandbox, git: Git) -> Path:
    folder = box.work.parent / "fresh"
    git(box.work.parent, "init", "-q", "-b", "roadmap", str(folder))
    return folder


def shallow_clone(box: Sandbox, git: Git) -> Path:
    folder = box.work.parent / "shallow"
    box.commit({"more.txt": "1\n"})
    box.push()
    git(box.work.parent, "clone", "-q", "--depth=1", box.origin.as_uri(), str(folder))
    return folder


def no_target_branch(box: Sandbox, git: Git) -> Path:
    git(box.work, "switch", "-q", "main")
    git(box.work, "branch", "-q", "-D", "roadmap")
    git(box.work, "update-ref", "-d", "refs/remotes/origin/roadmap")
    git(box.origin, "symbolic-ref", "HEAD", "refs/heads/main")
    git(box.origin, "update-ref", "-d", "refs/heads/roadmap")
    return box.work


def diverged_target(box: Sandbox, git: Git) -> Path:
    box.commit({"theirs.txt": "1\n"})
    box.push()
    git(box.work, "reset", "-q", "--hard", "HEAD~1")
    box.commit({"mine.txt": "1\n"})
    return box.work


def unknown_key(box: Sandbox, _git: Git) -> Path:
    box.commit({".coffee.yaml": "gate: {command: [true]}\nagnet: {}\n"})
    box.push()
    return box.work


def malformed_yaml(box: Sandbox, _git: Git) -> Path:
    box.commit({".coffee.yaml": "gate: {command: [true\n"})
    box.push()
    return box.work


def missing_roadmap(box: Sandbox, git: Git) -> Path:
    git(box.work, "rm", "-q", ROADMAP)
    configured(box)
    return box.work


def remote_down(box: Sandbox, _git: Git) -> Path:
    configured(box)
    ready(box)
    box.origin.rename(box.origin.with_name("away.git"))
    return box.work


def no_agent_command(box: Sandbox, _git: Git) -> Path:
    configured(box, agent={"command": ["no-such-agent"]})
    return box.work


def no_gate(box: Sandbox, _git: Git) -> Path:
    configured(box, gate=None)
    ready(box)
    return box.work


EVERY = dict.fromkeys(COMMANDS, 2)
CASES: dict[Callable[[Sandbox, Git], Path], dict[str, int]] = {
    no_repository: EVERY,
    bare_repository: EVERY,
    no_commits: dict.fromkeys(COMMANDS, 4),
    shallow_clone: dict.fromkeys(COMMANDS, 4),
    no_target_branch: EVERY,
    diverged_target: {**EVERY, "cleanup": 0},
    unknown_key: EVERY,
    malformed_yaml: EVERY,
    missing_roadmap: {**dict.fromkeys(COMMANDS, 0), "evaluate": 2, "spawn": 2, "run": 2},
    remote_down: {**dict.fromkeys(COMMANDS, 0), "merge": 4, "run": 4},
    no_agent_command: {**dict.fromkeys(COMMANDS, 0), "spawn": 4, "run": 4},
    no_gate: {**dict.fromkeys(COMMANDS, 0), "merge": 2, "run": 2},
}


def bad(said: Said, rc: int) -> None:
    """One error, one hint, nothing on stdout, no traceback."""
    assert said.rc == rc, said
    assert "Traceback" not in said.err
    error, hint = said.error
    assert error.startswith("error: ") and hint.startswith("hint: ") and len(hint) > 10
    assert said.err.splitlines()[-2:] == [error, hint]
    assert said.out == ""


@pytest.mark.parametrize("situation", list(CASES), ids=lambda s: s.__name__)
def test_bad_surroundings(
    sandbox: Sandbox, git: Git, say: Callable[..., Said], situation: Callable[[Sandbox, Git], Path]
) -> None:
    """Every command of the loop in every bad situation; refs and worktrees are as they were where it fails."""
    where = situation(sandbox, git)
    known = where == sandbox.work
    for command, expected in sorted(CASES[situation].items(), key=lambda case: case[0] == "spawn"):  # it leaves agents
        before = sandbox.refs() if known else {}
        said = say("-C", str(where), *COMMANDS[command])
        if expected == 0:
            assert (said.rc, said.error) == (0, []), command
            if command == "spawn":
                say("-C", str(where), "stop", "US-104")
                say("-C", str(where), "stop", "US-105")
            continue
        bad(said, expected)
        if known:
            assert sandbox.refs() == before, command
        assert git(sandbox.work, "worktree", "list", "--porcelain").count("worktree ") == 1, command


def test_json_keeps_stdout_clean_on_errors(sandbox: Sandbox, git: Git, say: Callable[..., Said]) -> None:
    """A program that reads stdout gets nothing, and the error where it belongs."""
    where = no_repository(sandbox, git)
    for command in COMMANDS.values():
        bad(say("--json", "-C", str(where), *command), 2)


FULL = [["spawn"], ["merge"], ["run", "--once"], ["status"]]


@pytest.mark.parametrize("command", FULL, ids=lambda c: c[0])
def test_full_disk(sandbox: Sandbox, git: Git, command: list[str]) -> None:
    """No file may grow: exit 4, an error and a hint, and every ref where it was."""
    configured(sandbox)
    ready(sandbox)
    before = sandbox.refs()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = subprocess.run(
        [sys.executable, "-I", "-B", "-m", "coffee_hooks", *command], cwd=sandbox.work, capture_output=True, text=True,
        preexec_fn=limit, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()[-2:]] == ["error", "hint"]
    assert sandbox.refs() == before
    assert git(sandbox.work, "worktree", "list", "--porcelain").count("worktree ") == 1


# --- unusual, and fine ----------------------------------------------------------------------------


def local_only(box: Sandbox, git: Git) -> None:
    configured(box)
    git(box.work, "remote", "remove", "origin")


def without_gitignore(box: Sandbox, git: Git) -> None:
    git(box.work, "rm", "-q", ".gitignore")
    configured(box)


def with_a_submodule(box: Sandbox, git: Git) -> None:
    library = box.work.parent / "library"
    git(box.work.parent, "init", "-q", "-b", "main", str(library))
    box.commit({"lib.txt": "1\n"}, cwd=library)
    git(box.work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "library")
    git(box.work, "commit", "-q", "-m", "chore: Add a submodule")
    configured(box)


def with_lfs_pointers(box: Sandbox, _git: Git) -> None:
    """Files that say that they are kept by LFS, and no LFS installed."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    box.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "model.bin": pointer})
    configured(box)


@pytest.mark.parametrize("situation", [local_only, without_gitignore, with_a_submodule, with_lfs_pointers])
def test_unusual_repositories_work(
    sandbox: Sandbox, git: Git, say: Callable[..., Said], situation: Callable[[Sandbox, Git], None]
) -> None:
    """The whole loop, and every other command, without a complaint."""
    git(sandbox.work, "rm", "-q", "-r", "docs/architecture/specs/SPEC-105-feature-y.md")
    git(sandbox.work, "rm", "-q", "-r", "docs/architecture/specs/SPEC-106-feature-z.md")
    situation(sandbox, git)
    done = sandbox.coffee("run", "--until-idle", "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert done.rc == 0, done.err
    assert [e["task"] for e in events if e["event"] == "merge" and e["outcome"] == "landed"] == ["US-104"]
    assert git(sandbox.work, "show", "roadmap:pkg/new.py") == "x"
    assert git(sandbox.work, "status", "--porcelain") == ""
    for command in (["evaluate"], ["detect-ready"], ["status"], ["merge"], ["cleanup"], ["verify"]):
        said = say("-C", str(sandbox.work), *command)
        assert (said.rc, said.error) == (0, []), command
