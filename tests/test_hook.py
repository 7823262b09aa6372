"""``coffee-hook`` as git, a server and CI call it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.hook import main

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
Done = subprocess.CompletedProcess[str]
SHA, ZERO = "a" * 40, "0" * 40


def run(command: Sequence[str], cwd: Path, **env: str) -> Done:
    return subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, **env},
    )


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the next call this text as its standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.fixture
def work(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sandbox's checkout (on ``roadmap``) as the current folder."""
    monkeypatch.chdir(sandbox.work)
    return sandbox.work


@pytest.mark.parametrize("stage", [[], ["--stage", "pre-commit"], ["--stage=pre-merge-commit"], ["--stage", "manual"]])
def test_every_stage_of_a_commit_judges_head(
    work: Path, git: Git, stage: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """On the target: exit 0 and silence. On another branch: exit 1, one error line and one hint."""
    assert main(["cfr-013", *stage]) == 0
    assert capsys.readouterr() == ("", "")
    git(work, "switch", "-q", "-c", "feature")
    assert main(["cfr-013", *stage]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "hint"]
    assert main(["cfr-013", "--target", "feature", *stage]) == 0


@pytest.mark.parametrize("words", [["--stage", "pre-push"], ["--stage=pre-push", "origin", "url"], ["origin", "url"]])
@pytest.mark.usefixtures("work")
def test_a_push_is_read_from_stdin(
    words: list[str], stdin: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Called as a plain pre-push hook, with or without git's arguments, the listed refs are judged and not HEAD."""
    stdin(f"refs/heads/x {SHA} refs/heads/roadmap-x {ZERO}\nrefs/heads/x {SHA} refs/heads/main {ZERO}\n")
    assert main(["cfr-013", *words]) == 1
    assert "branch main may not be pushed" in capsys.readouterr().err
    stdin("")
    assert main(["cfr-013", *words]) == 0


def test_the_framework_shows_a_push_in_variables(work: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remote side decides, on any branch; a rewrite of the target is seen where both ends are shown."""
    monkeypatch.setenv("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main")
    monkeypatch.setenv("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/roadmap-wt1")
    assert main(["cfr-013"]) == 1
    git(work, "switch", "-q", "-c", "feature")
    monkeypatch.setenv("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/roadmap")
    assert main(["cfr-013"]) == 0
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", git(work, "commit-tree", "-m", "other root", "HEAD^{tree}"))
    monkeypatch.setenv("PRE_COMMIT_TO_REF", git(work, "rev-parse", "HEAD"))
    assert main(["cfr-013"]) == 1


@pytest.mark.usefixtures("work")
def test_a_leaked_variable_does_not_hide_a_push(monkeypatch: pytest.MonkeyPatch, stdin: Callable[[str], None]) -> None:
    """A native hook that runs inside the framework's push judges its own input and its own HEAD."""
    monkeypatch.setenv("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/roadmap")
    stdin(f"refs/heads/x {SHA} refs/heads/main {ZERO}\n")
    assert main(["cfr-013", "--stage", "pre-push"]) == 1
    monkeypatch.setenv("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main")
    assert main(["cfr-013", "--stage", "pre-commit"]) == 0


def test_a_server_refuses_in_pre_receive(sandbox: Sandbox, git: Git) -> None:
    """A bare repository keeps its target whatever the client skips; the objects are still in quarantine then."""
    hook = sandbox.origin / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -m coffee_hooks.hook pre-receive\n")
    hook.chmod(0o755)
    before = sandbox.refs(where=sandbox.origin)
    first = sandbox.branch("roadmap-wt1", {"a.txt": "a"})
    other = git(sandbox.work, "commit-tree", "-m", "other root", "HEAD^{tree}")
    for spec in (f"{first}:main", "roadmap-wt1:refs/heads/feature", f"{other}:roadmap", ":roadmap", ":main"):
        done = run(["git", "push", "--no-verify", "--force", "origin", spec], sandbox.work)
        assert done.returncode != 0
        assert "error: CFR-013: push refused" in done.stderr
        assert sandbox.refs(where=sandbox.origin) == before
    for spec in (f"{first}:roadmap", f"{first}:refs/heads/roadmap-wt1", f"{first}:refs/tags/v1", ":roadmap-wt1"):
        done = run(["git", "push", "--no-verify", "origin", spec], sandbox.work)
        assert done.returncode == 0, done.stderr
    assert sandbox.refs(where=sandbox.origin)["refs/heads/roadmap"] == first


def test_cfr_009_lists_every_place(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Findings are the answer on stdout, path:line:column; exit 1. Silent files: exit 0."""
    (work / "loud.py").write_text("\ncreate_notification(sound=True)\n")
    (work / "odd\nname.py").write_text("create_notification(**options)\n")
    (work / "fine.py").write_text("create_notification(sound=False)\n")
    assert main(["cfr-009", "fine.py"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["cfr-009", "fine.py", "--", "loud.py", "odd\nname.py"]) == 1
    out, err = capsys.readouterr()
    assert [line.split(" ")[0] for line in out.splitlines()] == ["loud.py:2:1:", r"odd\nname.py:1:1:"]
    assert err.startswith("error: CFR-009: 2 places ")


def test_roadmap_lint_refuses_only_what_is_new(work: Path, git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    """A staged duplicate is listed and refused; once committed it is a warning."""
    path = work / "docs/roadmap/ROADMAP.md"
    path.write_text(path.read_text() + "### US-104: Something else\n")
    git(work, "add", ".")
    assert main(["roadmap-lint", "docs/roadmap/ROADMAP.md"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("docs/roadmap/ROADMAP.md:")
    assert err.startswith("error: roadmap-lint: 1 problem ")
    git(work, "commit", "-q", "-m", "x")
    assert main(["roadmap-lint"]) == 0
    out, err = capsys.readouterr()
    assert (out, err.split(":")[0]) == ("", "warning")


def test_install_and_uninstall_from_the_command_line(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both say what they did, file by file, also from elsewhere with -C."""
    monkeypatch.chdir(tmp_path)
    assert main(["-C", str(work), "install", "--strict", "--target", "roadmap"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "written pre-commit",
        "written pre-merge-commit",
        "written pre-push",
        "written reference-transaction",
    ]
    assert main(["uninstall"]) == 0
    assert capsys.readouterr().out.count("removed ") == 4


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["cfr-013", "--nonsense"], 2),
        (["cfr-013", "--target"], 2),
        (["cfr-013", "--target="], 2),
        (["cfr-013", "--strict"], 2),
        (["cfr-013", "--stage", "commit-msg"], 2),
        (["cfr-013", "one"], 2),
        (["cfr-013", "--stage", "pre-push", "--help", "url"], 2),
        (["cfr-009"], 2),
        (["cfr-009", "missing.py"], 2),
        (["cfr-009", "."], 4),
        (["install", "--strict=no"], 2),
        (["install", "--target", "a b"], 2),
        (["uninstall", "x"], 2),
        (["pre-receive", "x"], 2),
        (["-C"], 2),
        (["-C", "/nowhere", "install"], 4),
        (["-C", "/", "cfr-013"], 2),
    ],
)
@pytest.mark.usefixtures("work")
def test_what_is_wrong_is_one_error_and_one_hint(
    words: list[str], code: int, stdin: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage is 2 and a failing machine 4: two lines on stderr, nothing on stdout, never a traceback."""
    stdin("")
    assert main(words) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "hint"]


@pytest.mark.usefixtures("work")
def test_a_missing_git_is_the_environments_fault(monkeypatch: pytest.MonkeyPatch, stdin: Callable[[str], None]) -> None:
    """HEAD is read without git; a push of the target needs it, and its absence is exit 4, not a pass."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["cfr-013"]) == 0
    stdin(f"refs/heads/roadmap {SHA} refs/heads/roadmap {'b' * 40}\n")
    assert main(["cfr-013", "--stage", "pre-push"]) == 4


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["cfr-013", "--help"], []])
def test_help_names_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is the answer of a help call: every command with an example, exit 0."""
    assert main(words) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("cfr-013", "cfr-009", "roadmap-lint", "install", "uninstall", "pre-receive"))
    assert "examples" in out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the command and its version."""
    assert main(["--version"]) == 0
    name, version = capsys.readouterr().out.split()
    assert (name, version[0].isdigit()) == ("coffee-hook", True)


def test_a_commit_loads_next_to_nothing(work: Path) -> None:
    """The check of every commit starts no process and imports none of the slow standard modules."""
    code = (
        "import sys; from coffee_hooks.hook import main; code = main(['cfr-013'])\n"
        "slow = {'re', 'enum', 'typing', 'collections', 'subprocess', 'argparse', 'pathlib', 'dataclasses'}\n"
        "sys.exit(repr(slow & set(sys.modules)) if slow & set(sys.modules) else code)"
    )
    package = str(Path(sys.modules["coffee_hooks"].__file__ or "").parents[1])
    done = run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({package!r}); {code}"], work)
    assert (done.returncode, done.stderr) == (0, "")
