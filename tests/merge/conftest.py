"""A repository with branches to land and a gate of the test's choosing; ``coffee`` runs in this very process."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.boundary import main
from coffee_hooks.state.verdicts import PREFIX as VERDICTS

if TYPE_CHECKING:
    from conftest import BoxWith, Sandbox

Git = Callable[..., str]

RED = ["false"]
GREEN = ["true"]


@dataclass(frozen=True)
class Answer:
    """How a command ended; *json* was valid by the schema that ships."""

    rc: int
    json: dict[str, Any]
    err: str

    @property
    def told(self) -> str:
        """Everything, for a failing assertion."""
        return f"exit {self.rc}\n{json.dumps(self.json, indent=1)}\n{self.err}"

    @property
    def result(self) -> dict[str, Any]:
        """The only result of a merge."""
        (result,) = self.json["results"]
        assert isinstance(result, dict)
        return result

    @property
    def outcome(self) -> str:
        """The only outcome of a merge."""
        return str(self.result["outcome"])


def coffee(*args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        rc = main(args)
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return rc, texts[0], texts[1]


@cache
def validator(command: str) -> Draft202012Validator:
    """The validator of a command's output by the schema that ships, which is valid itself."""
    schema = json.loads(files("coffee_hooks").joinpath(f"schemas/{command}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def answer(where: Path, command: str, *args: str) -> Answer:
    """Run ``coffee --json command`` in *where* and hold what it prints against its schema."""
    rc, out, err = coffee("-C", str(where), "--json", command, *args)
    value = json.loads(out) if out else {}
    if value:
        validator(command).validate(value)
    return Answer(rc, value, err)


@dataclass(frozen=True)
class Lane:
    """The sandbox, seen by somebody who lands branches."""

    box: Sandbox
    git: Git

    @property
    def work(self) -> Path:
        """The main checkout, on ``roadmap``."""
        return self.box.work

    @property
    def gate(self) -> Path:
        """Where the gate's clone is."""
        return self.work.parent / f"{self.work.name}.worktrees" / "gate1"

    @property
    def target(self) -> str:
        """The local target."""
        return self.git(self.work, "rev-parse", "refs/heads/roadmap")

    @property
    def remote_target(self) -> str:
        """The target on the origin."""
        return self.git(self.box.origin, "rev-parse", "refs/heads/roadmap")

    def configure(self, **sections: Any) -> str:
        """Commit this ``.coffee.yaml`` (JSON is YAML) on the target, here and on the origin."""
        text = json.dumps({"gate": {"command": GREEN}, **sections}) + "\n"
        sha = self.box.commit({".coffee.yaml": text}, "chore: Configure coffee")
        if self.git(self.work, "remote"):
            self.box.push()
        return sha

    def with_gate(self, script: str, **keys: Any) -> str:
        """Configure a gate that runs *script* in a shell."""
        return self.configure(gate={"command": ["sh", "-c", script], **keys})

    def local_only(self) -> None:
        """Forget the origin."""
        self.git(self.work, "remote", "remove", "origin")

    def leave(self) -> None:
        """Check out another branch, so that nobody holds the target."""
        self.git(self.work, "switch", "-q", "-C", "elsewhere")

    def branch(self, number: int = 1, files: Mapping[str, str | None] | None = None, **more: Any) -> str:
        """One commit on ``roadmap-wt<number>``, on top of the target unless it exists."""
        return self.box.branch(f"roadmap-wt{number}", files or {f"pkg/new{number}.py": f"x = {number}\n"}, **more)

    def merge(self, *args: str, where: Path | None = None) -> Answer:
        """``coffee merge``; without arguments, of the first branch."""
        return answer(where or self.work, "merge", *(args or ("roadmap-wt1",)))

    def ask(self, command: str, *args: str, where: Path | None = None) -> Answer:
        """Any command that answers in JSON."""
        return answer(where or self.work, command, *args)

    def verify(self, *args: str, where: Path | None = None) -> Answer:
        """``coffee verify``."""
        return answer(where or self.work, "verify", *args)

    def verdicts(self, where: Path | None = None) -> dict[str, str]:
        """Tree to verdict of everything that is remembered."""
        refs = {ref: sha for ref, sha in self.box.refs(VERDICTS, where).items() if "/blamed/" not in ref}
        values = {ref: json.loads(self.git(where or self.work, "cat-file", "blob", sha)) for ref, sha in refs.items()}
        return {ref.removeprefix(VERDICTS).split("/")[0]: value["verdict"] for ref, value in values.items()}

    def tree(self, revision: str, where: Path | None = None) -> str:
        """The tree of a commit."""
        return self.git(where or self.work, "rev-parse", f"{revision}^{{tree}}")

    def assert_landed(self, said: Answer, number: int = 1) -> None:
        """The answer, both targets and the record agree that the branch landed tested, and nothing is left over."""
        assert (said.rc, said.outcome) == (0, "landed"), said.told
        merged = said.result["merge_commit"]
        where = self.box.origin if said.json["pushed"] else self.work
        assert self.git(where, "rev-parse", "refs/heads/roadmap") == merged
        tip = self.git(self.work, "rev-parse", f"roadmap-wt{number}")
        assert self.git(where, "rev-list", "--parents", "-1", merged).split(" ")[2:] == [tip]
        assert self.verdicts()[self.tree(merged)] == "green"
        self.assert_tidy()

    def assert_tidy(self) -> None:
        """No intent, half-made gate or lock file is left."""
        assert not self.box.refs("refs/coffee/intent")
        assert not list(self.gate.parent.glob("*.making"))
        locks = [path for path in (self.work / ".git").rglob("*.lock") if path.parent.name != "coffee"]
        assert locks == []


@pytest.fixture
def lane(sandbox_with: BoxWith, git: Git) -> Lane:
    """The sandbox with a gate that is always green."""
    return Lane(sandbox_with("lane", lambda box: Lane(box, git).configure()), git)


@pytest.fixture
def alone(lane: Lane) -> Lane:
    """The same without a remote."""
    lane.local_only()
    return lane


def hook(repository: Path, name: str, script: str) -> None:
    """Install a server-side hook."""
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def server_hook(lane: Lane) -> Callable[[str, str], None]:
    """``server_hook(name, script)`` installs a hook in the origin."""
    return lambda name, script: hook(lane.box.origin, name, script)


PYTHON = sys.executable
