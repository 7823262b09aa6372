"""``init`` on real repositories: what it writes, what it refuses, and that it never overwrites."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from coffee_hooks.base.config import FILE
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.guard.install import active_hooks
from coffee_hooks.guard.scripts import STANDARD
from coffee_hooks.init.plan import Wanted
from coffee_hooks.init.set_up import Done, set_up

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
Make = Callable[..., Path]
FRAMEWORK = ".pre-commit-config.yaml"
DRIVER = (".git/info/attributes", ".git/config")
PYTEST_PROJECT = {"tests/test_a.py": "import pytest\n", ".gitignore": "__pycache__/\n"}
SCHEMA = Path(__file__).parents[2] / "coffee_hooks" / "schemas" / "init.json"


@pytest.fixture
def make(tmp_path: Path, git: Git) -> Make:
    """A repository on ``main`` with one commit, in a folder whose name is no plain word."""

    def build(files: Mapping[str, str] = PYTEST_PROJECT, name: str = "my répo\t'x'") -> Path:
        work = tmp_path / name
        git(tmp_path, "init", "-q", "-b", "main", str(work))
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text, encoding="utf-8")
        git(work, "add", ".")
        git(work, "commit", "-q", "--allow-empty", "-m", "x")
        return work

    return build


def snapshot(work: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of the checkout and its hooks and refs, with mode and bytes."""
    skipped = ("/.git/coffee/", "/.git/index", "/.git/logs/", "/.git/objects/")
    return {
        str(path): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(work.rglob("*"))
        if not any(part in str(path) for part in skipped) and not path.match(".git/coffee")
    }


def coffee(work: Path, *args: str, before: str = "") -> subprocess.CompletedProcess[str]:
    command = shlex.join([sys.executable, "-I", "-m", "coffee_hooks", *args])
    return subprocess.run(
        ["sh", "-c", f"{before} exec {command}"], cwd=work, capture_output=True, check=False, encoding="utf-8"
    )


def init_json(work: Path, *args: str) -> dict[str, Any]:
    done = coffee(work, "init", "--json", *args)
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(value, json.loads(SCHEMA.read_text()))
    return value


def test_first_call_writes_and_second_keeps(make: Make, git: Git) -> None:
    """Configuration, branch and hooks are made once; the second call changes no byte and says so."""
    work = make()
    wanted = Wanted(pre_commit=True, hooks=True)
    first = set_up(work, wanted)
    before = snapshot(work)
    second = set_up(work, wanted)
    hooks = [f".git/hooks/{hook.value}" for hook in STANDARD]
    assert sorted(first.written) == sorted([FILE, FRAMEWORK, "refs/heads/roadmap", *DRIVER, *hooks])
    assert first.kept == second.written == ()
    assert sorted(second.kept) == sorted(first.written)
    assert snapshot(work) == before
    assert git(work, "rev-parse", "roadmap") == git(work, "rev-parse", "main")
    assert git(work, "symbolic-ref", "HEAD") == "refs/heads/main"
    config = parse_config((work / FILE).read_bytes(), {})
    assert (config.target, config.gate.command) == ("roadmap", ("python3", "-m", "pytest", "-q"))
    assert active_hooks(work) == STANDARD


def test_it_says_what_comes_next(make: Make) -> None:
    """The lines name the gate and why, the commit that is missing, and whom the hooks stop."""
    work = make()
    text = "\n".join(set_up(work, Wanted(hooks=True)).lines)
    assert "the gate is: python3 -m pytest -q (tests/test_a.py imports pytest)" in text
    assert f"git switch roadmap && git add {FILE} && git commit" in text
    assert "the hooks stop everybody, people too, who commits or pushes in this clone" in text
    assert "there is no roadmap yet" in text


def test_nothing_to_test_with(make: Make) -> None:
    """Without a test command the gate stays empty, and that nothing will land is said."""
    work = make({"README.md": "x"})
    lines = set_up(work, Wanted()).lines
    assert parse_config((work / FILE).read_bytes(), {}).gate.command == ()
    assert any("nothing will land until gate.command is set" in line for line in lines)


def test_dry_run_shows_all_and_writes_nothing(make: Make) -> None:
    """The rehearsal names exactly what the call then writes, down to the lines of the files."""
    work = make()
    (work / FRAMEWORK).write_text("repos:\n- repo: local\n  hooks: []\n")
    before = snapshot(work)
    rehearsed = set_up(work, Wanted(pre_commit=True, hooks=True, dry_run=True))
    assert snapshot(work) == before
    done = set_up(work, Wanted(pre_commit=True, hooks=True))
    assert sorted(rehearsed.written) == sorted(done.written)
    text = "\n".join(rehearsed.lines)
    for line in (work / FILE).read_text().splitlines():
        assert f"+{line}" in rehearsed.lines
    assert "+  hooks:\n+    - id: cfr-013" in text and "would create refs/heads/roadmap" in text
    again = set_up(work, Wanted(pre_commit=True, hooks=True, dry_run=True))
    assert (again.written, sorted(again.kept)) == ((), sorted(done.written))


def test_from_a_subfolder_of_a_linked_worktree(make: Make, git: Git, tmp_path: Path) -> None:
    """The configuration goes to the main checkout, which is where it is read from until it is committed."""
    work, linked = make(), tmp_path / "linked ü"
    git(work, "worktree", "add", "-q", "-b", "roadmap-x", str(linked))
    done = set_up(linked / "tests", Wanted(hooks=True))
    assert (work / FILE).is_file() and not (linked / FILE).exists()
    assert "in this clone and its 1 other worktree " in " ".join(done.lines)
    assert active_hooks(work) == active_hooks(linked) == STANDARD


def test_the_committed_configuration_counts(sandbox: Sandbox, git: Git) -> None:
    """On a branch without the file nothing is written while the target has one."""
    git(sandbox.work, "rm", "-q", FILE)
    set_up(sandbox.work, Wanted())
    done = set_up(sandbox.work, Wanted())
    kept = (FILE, "refs/heads/roadmap", *reversed(DRIVER))
    assert done == Done((), kept, tuple(f"kept {name}" for name in kept))
    assert not (sandbox.work / FILE).exists()


def test_a_target_that_the_remote_has_starts_there(sandbox: Sandbox, git: Git) -> None:
    """A local target made elsewhere would part from the remote's at once; nothing is pushed."""
    work = sandbox.work
    tip = git(work, "rev-parse", "origin/roadmap")
    git(work, "switch", "-q", "-c", "feature")
    sandbox.commit({"a": "b"})
    git(work, "branch", "-D", "roadmap")
    before = sandbox.refs(where=sandbox.origin)
    assert set_up(work, Wanted()).written == (*DRIVER, "refs/heads/roadmap")
    assert git(work, "rev-parse", "roadmap") == tip
    assert sandbox.refs(where=sandbox.origin) == before


@pytest.mark.parametrize("name", ["trunk", "release/1.0", "ünï-cöde", "roadmap-main"])
def test_another_target(make: Make, git: Git, name: str) -> None:
    """The name goes to the configuration, the branch, the hooks and the framework's arguments."""
    work = make()
    set_up(work, Wanted(target=name, pre_commit=True, hooks=True))
    assert parse_config((work / FILE).read_bytes(), {}).target == name
    assert git(work, "rev-parse", f"refs/heads/{name}") == git(work, "rev-parse", "HEAD")
    hook = yaml.safe_load((work / FRAMEWORK).read_text(encoding="utf-8"))["repos"][0]["hooks"][0]
    assert hook["args"] == ["--target", name]
    assert name in (work / ".git" / "hooks" / "pre-push").read_text(encoding="utf-8")
    assert set_up(work, Wanted(target=name)).written == ()


HOSTILE = [
    "",
    "-x",
    "a b",
    "a..b",
    "a\nb",
    "a\x1b[31m",
    "x.lock",
    "/x",
    "a~1",
    "@",
    "\udcff",
    "roadmap-wt7",
    "a\\b",
    "a:b",
]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_refused_targets(make: Make, name: str) -> None:
    """What is no branch name, or is kept for agents, is exit 2 before anything is written."""
    work = make()
    before = snapshot(work)
    with pytest.raises(UsageError):
        set_up(work, Wanted(target=name, hooks=True))
    assert snapshot(work) == before


def test_a_branch_in_the_way(make: Make, git: Git) -> None:
    """git cannot hold ``roadmap`` beside ``roadmap/x``: said before anything is written."""
    work = make()
    git(work, "branch", "roadmap/x")
    with pytest.raises(UsageError, match="roadmap beside roadmap/x"):
        set_up(work, Wanted())
    with pytest.raises(UsageError, match="main/x beside main"):
        set_up(work, Wanted(target="main/x"))
    assert not (work / FILE).exists()


def test_a_configuration_that_says_otherwise(make: Make, sandbox: Sandbox) -> None:
    """``--target`` does not overrule what is configured, in the checkout or on the target."""
    work = make()
    set_up(work, Wanted())
    for place in (work, sandbox.work):
        with pytest.raises(UsageError, match="says target: roadmap"):
            set_up(place, Wanted(target="trunk"))


def test_a_broken_configuration_is_kept(make: Make) -> None:
    """A file with a mistake is named with its line, not replaced."""
    work = make()
    (work / FILE).write_text("gate:\n  comand: [make]\n")
    with pytest.raises(UsageError, match=r":2: unknown key gate\.comand"):
        set_up(work, Wanted())
    assert (work / FILE).read_text() == "gate:\n  comand: [make]\n"


@pytest.mark.parametrize("name", [FILE, FRAMEWORK])
@pytest.mark.parametrize("there", [True, False])
def test_links_are_not_followed(make: Make, tmp_path: Path, name: str, there: bool) -> None:
    """A link is neither read, written through nor replaced: git would commit the link."""
    work, outside = make(), tmp_path / "outside"
    if there:
        outside.write_text("target: trunk\n")
    (work / name).symlink_to(outside)
    before = snapshot(work)
    with pytest.raises(UsageError, match="symbolic link"):
        set_up(work, Wanted(pre_commit=True, hooks=True))
    assert snapshot(work) == before
    assert outside.exists() == there and (not there or outside.read_text() == "target: trunk\n")


def test_no_repository_bare_and_empty(tmp_path: Path, git: Git) -> None:
    """No repository and a bare one are exit 2, one without commits exit 4."""
    plain, bare, empty = tmp_path / "plain", tmp_path / "bare.git", tmp_path / "empty"
    plain.mkdir()
    git(tmp_path, "init", "-q", "--bare", str(bare))
    git(tmp_path, "init", "-q", str(empty))
    for place, error in ((plain, UsageError), (bare, UsageError), (empty, EnvironmentFailure)):
        with pytest.raises(error):
            set_up(place, Wanted())
    assert list(plain.iterdir()) == [] and not (empty / FILE).exists()


def test_a_shallow_clone_is_refused(sandbox: Sandbox, git: Git, tmp_path: Path) -> None:
    """What is merged cannot be known there: exit 4 with the command that completes it."""
    sandbox.commit({"a": "b"})
    sandbox.push()
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{sandbox.origin}", "shallow")
    done = coffee(tmp_path / "shallow", "init")
    assert (done.returncode, "git fetch --unshallow" in done.stderr) == (4, True)


def test_full_disk(make: Make) -> None:
    """When no byte can be written it is exit 4, and nothing half done is left: no file, no branch, no hook."""
    work = make()
    (work / ".git" / "coffee" / "scratch").mkdir(parents=True)
    before = snapshot(work)
    done = coffee(work, "init", "--pre-commit", "--hooks", before="ulimit -f 0;")
    assert done.returncode == 4, done.stderr
    assert "hint: " in done.stderr and "Traceback" not in done.stderr
    assert snapshot(work) == before


@pytest.mark.skipif(os.getuid() == 0, reason="root writes to read-only folders")
def test_read_only_folder(make: Make) -> None:
    """A checkout that may not be written is exit 4, and the target is not made either."""
    work = make()
    work.chmod(0o555)
    try:
        done = coffee(work, "init")
    finally:
        work.chmod(0o755)
    assert (done.returncode, f"{FILE} cannot be written" in done.stderr) == (4, True)
    assert not (work / ".git" / "refs" / "heads" / "roadmap").exists()


def test_refused_hooks_leave_nothing(make: Make, hermetic: Path) -> None:
    """Where the hooks cannot go, the file and the branch of the same call are not made."""
    work = make()
    with (hermetic / ".gitconfig").open("a") as config:
        config.write(f"[core]\n\thooksPath = {hermetic}/everywhere\n")
    before = snapshot(work)
    with pytest.raises(UsageError, match=r"core\.hooksPath"):
        set_up(work, Wanted(hooks=True))
    assert snapshot(work) == before


def test_the_mode_of_the_frameworks_file_stays(make: Make) -> None:
    """An extended file keeps its permissions; a new one gets the user's."""
    work = make()
    (work / FRAMEWORK).write_text("repos: []\n")
    (work / FRAMEWORK).chmod(0o640)
    set_up(work, Wanted(pre_commit=True))
    assert (work / FRAMEWORK).stat().st_mode & 0o777 == 0o640
    assert (work / FILE).stat().st_mode & 0o777 == (work / ".gitignore").stat().st_mode & 0o777


def test_an_env_that_is_not_ignored_is_named(make: Make) -> None:
    """Secrets that a careless ``git add .`` would commit are pointed out; ignored and tracked ones are not."""
    work = make()
    (work / ".env").write_text("TOKEN=x\n")
    warned = ".env is not ignored: add it to .gitignore, so that nobody commits it"
    assert warned in set_up(work, Wanted()).lines
    with (work / ".git" / "info" / "exclude").open("a") as exclude:
        exclude.write(".env\n")
    assert warned not in set_up(work, Wanted()).lines


def test_a_missing_gate_program_is_named(make: Make, monkeypatch: pytest.MonkeyPatch, git: Git, tmp_path: Path) -> None:
    """A gate that cannot start here is said at once, not at the first landing."""
    work = make({"Cargo.toml": "[package]\n"})
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git(work, "--exec-path") + "/git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert any("the gate command cargo was not found here" in line for line in set_up(work, Wanted()).lines)


def test_json_matches_the_schema(make: Make) -> None:
    """Every form of the answer is what the shipped schema says."""
    work = make()
    assert init_json(work, "--dry-run")["written"] == [FILE, *DRIVER, "refs/heads/roadmap"]
    assert init_json(work)["written"] == [FILE, *DRIVER, "refs/heads/roadmap"]
    kept = [FILE, "refs/heads/roadmap", *reversed(DRIVER)]
    assert init_json(work) == {"schema": 1, "command": "init", "written": [], "kept": kept}


def test_the_framework_runs_what_was_written(make: Make, git: Git) -> None:
    """Installed by pre-commit itself, the stanza stops a commit elsewhere and lets one on the target pass."""
    work = make()
    set_up(work, Wanted(pre_commit=True))
    git(work, "switch", "-q", "roadmap")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "x")
    bin_folder = str(Path(sys.executable).parent)
    environ = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}

    def attempt(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=work, env=environ, capture_output=True, check=False, encoding="utf-8")

    assert attempt(sys.executable, "-m", "pre_commit", "install").returncode == 0
    assert (work / ".git" / "hooks" / "pre-push").is_file()
    passed = attempt("git", "commit", "--allow-empty", "-m", "x")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    git(work, "switch", "-q", "-c", "feature")
    stopped = attempt("git", "commit", "--allow-empty", "-m", "x")
    assert stopped.returncode == 1 and "branch feature may not be worked on" in stopped.stdout + stopped.stderr
