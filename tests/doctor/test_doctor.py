"""Every finding of the doctor on a real repository made ill on purpose, and what ``--fix`` may repair."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from coffee_hooks.base.clone import MARK
from coffee_hooks.base.config import FILE
from coffee_hooks.base.discover import discover
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.doctor.examine import examine
from coffee_hooks.doctor.values import Check
from coffee_hooks.guard.install import install
from coffee_hooks.init.merge_driver import driver_command
from coffee_hooks.init.plan import Wanted
from coffee_hooks.init.set_up import set_up
from coffee_hooks.merge.gate_clone import gate_path
from coffee_hooks.state import claims, intent
from coffee_hooks.state.agents import begin_run, note_pid
from coffee_hooks.state.claims import Claim, ClaimState, owner_name
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
PYTHON = json.dumps(sys.executable)
GOOD = f"gate: {{command: [{PYTHON}, -m, unittest, -q]}}\nagent: {{command: [{PYTHON}, -c, pass]}}\n"
SCHEMA = Path(__file__).parents[2] / "coffee_hooks" / "schemas" / "doctor.json"
IDS = [
    "git-version", "shallow", "config", "target", "gate", "agent", "review", "user-hooks", "remote", "hooks",
    "merge-driver", "worktrees", "claims", "landing", "locks", "gate-clone", "branches", "imports", "disk",
    "ignored-env", "gitignore",
]  # fmt: skip


@pytest.fixture
def healthy(sandbox: Sandbox) -> Path:
    """A checkout with nothing wrong: configured, committed, pushed, guarded."""
    sandbox.commit({FILE: GOOD})
    sandbox.push()
    set_up(sandbox.work, Wanted(hooks=True))
    return sandbox.work


def checks(start: Path, *, fix: bool = False) -> dict[str, Check]:
    return {check.id: check for check in examine(start, fix)}


def ill(start: Path, *, fix: bool = False) -> dict[str, Check]:
    return {name: check for name, check in checks(start, fix=fix).items() if not check.ok}


def add_worktree(work: Path, git: Git, number: int) -> Path:
    path = work.parent / "work.worktrees" / f"wt{number}"
    git(work, "worktree", "add", "-q", "--no-track", "-b", f"roadmap-wt{number}", str(path), "roadmap")
    return path


def put_claim(work: Path, branch: str, *, owner: str | None = None, state: ClaimState = ClaimState.CLAIMED) -> Claim:
    repo = discover(work)
    claim = Claim(TaskId("US-104"), branch, ABSENT, owner or owner_name(), 1, state, None, None, 1)
    made = claims.update(repo, claim)
    assert made is not None
    return made


def stored(work: Path) -> Claim:
    return claims.read_claims(discover(work))[TaskId("US-104")]


def age(path: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


# --- the whole ------------------------------------------------------------------------------------


def test_a_healthy_repository(healthy: Path, git: Git) -> None:
    """Every check passes, in its order, from a subfolder too, and looking changes neither refs nor files."""
    before = git(healthy, "for-each-ref"), git(healthy, "status", "--porcelain")
    found = examine(healthy / "pkg")
    assert [check.id for check in found] == IDS
    assert [check for check in found if not check.ok or check.hint] == []
    assert (git(healthy, "for-each-ref"), git(healthy, "status", "--porcelain")) == before


def test_exit_codes_and_schema(healthy: Path, sandbox: Sandbox, git: Git) -> None:
    """Exit 0 when all is well, 1 when anything is wrong; the object is what the schema says either way."""
    schema = json.loads(SCHEMA.read_text())
    assert schema["properties"]["checks"]["items"]["properties"]["id"]["enum"] == IDS
    good = sandbox.coffee("doctor", "--json")
    git(healthy, "remote", "set-url", "origin", "/nowhere")
    bad = sandbox.coffee("doctor", "--json")
    assert (good.rc, bad.rc) == (0, 1)
    jsonschema.validate(good.json, schema)
    jsonschema.validate(bad.json, schema)


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    """That is usage, not a finding."""
    with pytest.raises(UsageError):
        examine(tmp_path)


def test_a_shallow_clone(healthy: Path, git: Git, tmp_path: Path) -> None:
    """It is a finding with its cure; what depends on the history is left out."""
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{healthy}", "shallow")
    found = checks(tmp_path / "shallow")
    assert list(found) == ["git-version", "shallow"]
    assert "--unshallow" in found["shallow"].hint


def test_an_old_git(healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git before 2.39 is the only thing that is said."""
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.25.1\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    [only] = examine(healthy)
    assert (only.id, only.ok, only.detail) == ("git-version", False, "git 2.25 is too old")


# --- set-up ---------------------------------------------------------------------------------------


def test_no_configuration(sandbox: Sandbox, git: Git) -> None:
    """Without the file there is no gate either; both say so."""
    git(sandbox.work, "remote", "remove", "origin")
    git(sandbox.work, "rm", "-q", FILE)
    git(sandbox.work, "commit", "-q", "-m", "x")
    found = ill(sandbox.work)
    assert (found["config"].detail, found["config"].hint) == (f"there is no {FILE}", "coffee init")
    assert "nothing will land" in found["gate"].detail


def test_a_configuration_that_is_not_committed(sandbox: Sandbox, git: Git) -> None:
    """The checkout's copy is not the one that counts."""
    git(sandbox.work, "remote", "remove", "origin")
    git(sandbox.work, "rm", "-q", "--cached", FILE)
    git(sandbox.work, "commit", "-q", "-m", "x")
    assert "is not committed on roadmap" in ill(sandbox.work)["config"].detail


def test_a_copy_that_differs(healthy: Path) -> None:
    """An edit that is not committed is said and is no fault; one that would break everything is."""
    (healthy / FILE).write_text(GOOD + "poll: 5s\n")
    assert checks(healthy)["config"].detail.endswith("differs from it")
    (healthy / FILE).write_text("polll: 5s\n")
    assert ill(healthy)["config"].hint == "did you mean poll?"


def test_a_committed_configuration_that_cannot_be_read(healthy: Path, sandbox: Sandbox) -> None:
    """The checks that need it are left out instead of judged by defaults."""
    sandbox.commit({FILE: "gate: [\n"})
    found = checks(healthy)
    assert list(found) == ["git-version", "shallow", "config", "disk", "ignored-env", "gitignore"]
    assert not found["config"].ok and FILE in found["config"].detail


def test_a_missing_target(healthy: Path, git: Git) -> None:
    """No local and no remote target is a finding with the command that makes it."""
    git(healthy, "switch", "-q", "--detach")
    git(healthy, "branch", "-D", "roadmap")
    git(healthy, "update-ref", "-d", "refs/remotes/origin/roadmap")
    git(healthy, "symbolic-ref", "--delete", "refs/remotes/origin/HEAD", check=False)
    found = ill(healthy)
    assert (found["target"].detail, found["target"].hint) == ("there is no branch roadmap", "run: coffee init")


def test_a_target_that_diverged(healthy: Path, git: Git) -> None:
    """Nothing can land while the local and the remote target have parted."""
    tree = git(healthy, "rev-parse", "HEAD^{tree}")
    git(healthy, "update-ref", "refs/remotes/origin/roadmap", git(healthy, "commit-tree", tree, "-m", "x"))
    assert "have diverged" in ill(healthy)["target"].detail


@pytest.mark.parametrize("command", ["[no-such-program]", "[./no/such/file]"])
def test_a_gate_that_cannot_start(healthy: Path, sandbox: Sandbox, command: str) -> None:
    """A missing program is found before the first landing."""
    sandbox.commit({FILE: GOOD.replace(f"[{PYTHON}, -m, unittest, -q]", command)})
    assert "was not found" in ill(healthy)["gate"].detail


def test_agents(healthy: Path, sandbox: Sandbox) -> None:
    """The default and the named agents are looked for, placeholders included."""
    sandbox.commit({FILE: GOOD + "agents: {a: {command: [no-such-agent]}}\n"})
    assert ill(healthy)["agent"].detail == "not found: no-such-agent"
    sandbox.commit({FILE: GOOD + "agents: {b: {command: [sh, '{wrong}']}}\n"})
    assert "unknown placeholder {wrong}" in ill(healthy)["agent"].detail


@pytest.mark.parametrize(
    ("more", "check", "words"),
    [
        ("review: {command: [no-such-reviewer]}", "review", "the command no-such-reviewer was not found"),
        ("review: {command: [sh, '{prompt}']}", "review", "unknown placeholder {prompt}"),
        ("review: {command: [sh], reports: .coffee.yaml/x}", "review", "reports cannot be written to"),
        ("hooks: {notify: [no-such-hook]}", "user-hooks", "hooks.notify: the command no-such-hook was not found"),
        ("hooks: {before-merge: [sh, '{prompt}']}", "user-hooks", "hooks.before-merge: unknown placeholder {prompt}"),
    ],
)
def test_the_commands_of_the_user(healthy: Path, sandbox: Sandbox, more: str, check: str, words: str) -> None:
    """Reviewer and hooks that could not be started are found before they are needed."""
    sandbox.commit({FILE: f"{GOOD}{more}\n"})
    found = ill(healthy)
    assert list(found) == [check] and words in found[check].detail


def test_commands_of_the_user_that_are_fine(healthy: Path, sandbox: Sandbox) -> None:
    """Programs, files of the repository, and placeholders that are known where they stand."""
    more = (
        "review: {command: [scripts/review, '{base}']}\nhooks: {before-agent: [sh, '{prompt_file}'], notify: [cat]}\n"
    )
    sandbox.commit({FILE: GOOD + more, "scripts/review": "#!/bin/sh\n"})
    found = checks(healthy)
    assert (found["review"].ok, found["review"].detail) == (True, "scripts/review {base}")
    assert (found["user-hooks"].ok, found["user-hooks"].detail) == (True, "before-agent; notify")


def test_a_remote_that_is_gone(healthy: Path, git: Git) -> None:
    """An unreachable remote is named; without one there is nothing to reach."""
    git(healthy, "remote", "set-url", "origin", str(healthy.parent / "no where.git"))
    assert "origin does not answer" in ill(healthy)["remote"].detail
    git(healthy, "remote", "remove", "origin")
    assert checks(healthy)["remote"] == Check("remote", True, "no remote is used")


def test_ignored_files(healthy: Path, sandbox: Sandbox, git: Git) -> None:
    """An exposed ``.env`` and missing ignore rules are found; a tracked ``.env`` is somebody's decision."""
    git(healthy, "rm", "-q", ".gitignore")
    (healthy / ".env").write_text("x\n")
    assert set(ill(healthy)) == {"ignored-env", "gitignore"}
    sandbox.commit({".env": "x\n"})
    assert set(ill(healthy)) == {"gitignore"}


# --- hooks ----------------------------------------------------------------------------------------


def test_the_merge_driver(healthy: Path, git: Git) -> None:
    """Missing, half there or started by a Python that is gone: said, and cured by the command that is named."""
    attributes = healthy / ".git" / "info" / "attributes"
    line = attributes.read_text()
    attributes.write_text("")
    assert ill(healthy)["merge-driver"].hint == "coffee init"
    attributes.write_text(line.replace("coffee-roadmap", "union"))
    assert "merge-driver" not in ill(healthy)
    attributes.write_text(line)
    git(healthy, "config", "--remove-section", "merge.coffee-roadmap")
    assert "which git does not know" in ill(healthy)["merge-driver"].detail
    set_up(healthy, Wanted())
    gone = driver_command().replace(str(Path(sys.executable).absolute()), "'/gone/my python'")
    git(healthy, "config", "merge.coffee-roadmap.driver", gone)
    assert "starts /gone/my python, which is gone" in ill(healthy)["merge-driver"].detail
    assert ill(healthy, fix=True) == {}


def test_no_hooks(sandbox: Sandbox) -> None:
    """Without hooks git checks nothing: said, with the command that installs them."""
    found = ill(sandbox.work)["hooks"]
    assert (found.detail.startswith("no hooks are installed"), found.hint) == (True, "coffee init --hooks")


def test_a_relative_hooks_path_in_a_linked_worktree(healthy: Path, git: Git) -> None:
    """Hooks that each worktree looks for in a folder of its own vanish silently in the linked ones."""
    git(healthy, "config", "core.hooksPath", ".own/hooks")
    install(healthy)
    assert "hooks" not in ill(healthy)
    linked = add_worktree(healthy, git, 1)
    found = ill(healthy)["hooks"]
    assert f"in {linked} no hook runs at all" in found.detail and str(healthy) + " " not in found.detail
    assert found.hint.startswith("core.hooksPath points elsewhere: git config core.hooksPath ")
    subprocess.run(found.hint.partition(": ")[2].partition(" && ")[0], shell=True, cwd=healthy, check=True)  # noqa: S602
    assert "hooks" not in ill(linked)


def test_a_worktree_with_its_own_hooks_path(healthy: Path, git: Git) -> None:
    """One worktree's own configuration blinds that one only."""
    linked = add_worktree(healthy, git, 1)
    git(healthy, "config", "extensions.worktreeConfig", "true")
    (linked / "empty").mkdir()
    git(linked, "config", "--worktree", "core.hooksPath", str(linked / "empty"))
    detail = ill(healthy)["hooks"].detail
    assert detail == f"in {linked} git does not run pre-commit, pre-merge-commit, pre-push of {linked / 'empty'}"


def test_a_worktree_that_git_does_not_find_any_more_hides_nothing(healthy: Path, git: Git) -> None:
    """An agent put a folder in the place of its ``.git`` file, and nobody could be examined any more."""
    linked = add_worktree(healthy, git, 1)
    (linked / ".git").unlink()
    (linked / ".git").mkdir()
    assert "hooks" not in ill(healthy)


def test_a_hooks_path_that_hides_ours(healthy: Path, git: Git, tmp_path: Path) -> None:
    """Installed, then hidden by a setting: not the same as never installed."""
    (tmp_path / "other").mkdir()
    git(healthy, "config", "core.hooksPath", str(tmp_path / "other"))
    assert "core.hooksPath points elsewhere" in ill(healthy)["hooks"].hint


@pytest.mark.parametrize("harm", ["chmod", "unlink", "python", "target"])
def test_hooks_of_ours_are_renewed(healthy: Path, harm: str) -> None:
    """Not executable, one missing, an interpreter that is gone, another target: found, and ``--fix`` renews them."""
    hook = healthy / ".git" / "hooks" / "pre-push"
    if harm == "chmod":
        hook.chmod(0o644)
    elif harm == "unlink":
        hook.unlink()
    elif harm == "python":
        hook.write_text(hook.read_text().replace(sys.executable, "/nowhere/python"))
    else:
        install(healthy, "trunk")
    assert set(ill(healthy)) == {"hooks"}
    assert ill(healthy, fix=True) == {}


def test_foreign_hooks_are_not_touched(sandbox: Sandbox) -> None:
    """``--fix`` installs nothing where nothing of ours was."""
    foreign = sandbox.work / ".git" / "hooks" / "pre-commit"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("#!/bin/sh\nexit 0\n")
    foreign.chmod(0o755)
    assert "hooks" in ill(sandbox.work, fix=True)
    assert sorted(p.name for p in foreign.parent.iterdir() if p.suffix != ".sample") == ["pre-commit"]


def test_hooks_by_the_framework(sandbox: Sandbox, git: Git) -> None:
    """pre-commit runs the rule where its configuration is; a branch without that file is unguarded."""
    hooks = sandbox.work / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "pre-merge-commit", "pre-push"):
        (hooks / name).write_text("#!/bin/sh\n# File generated by pre-commit\n")
        (hooks / name).chmod(0o755)
    linked = add_worktree(sandbox.work, git, 1)
    sandbox.commit({".pre-commit-config.yaml": "repos: [{repo: local, hooks: [{id: cfr-013}]}]\n"})
    assert f"in {linked} git does not run" in ill(sandbox.work)["hooks"].detail
    git(linked, "merge", "-q", "--ff-only", "roadmap")
    assert "by pre-commit" in checks(sandbox.work)["hooks"].detail


# --- worktrees ------------------------------------------------------------------------------------


def test_a_worktree_whose_folder_is_gone(healthy: Path, git: Git) -> None:
    """Ours is forgotten by ``--fix``, its branch stays; a person's own entry is only named."""
    gone, kept = add_worktree(healthy, git, 1), add_worktree(healthy, git, 2)
    theirs = healthy.parent / "théirs"
    git(healthy, "worktree", "add", "-q", "-b", "roadmap-own", str(theirs))
    for path in (gone, theirs):
        shutil.rmtree(path)
    assert str(gone) in ill(healthy)["worktrees"].detail
    assert ill(healthy, fix=True)["worktrees"].detail == f"the folder {theirs} is gone"
    listed = git(healthy, "worktree", "list", "--porcelain")
    assert str(gone) not in listed and str(theirs) in listed and str(kept) in listed
    assert git(healthy, "rev-parse", "roadmap-wt1")


@pytest.mark.parametrize("why", ["staged", "detached", "locked", "unmounted"])
def test_entries_that_hold_something_stay(healthy: Path, git: Git, why: str) -> None:
    """An entry is all that is left of staged work, of commits on no branch, or of a disk that is away."""
    path = add_worktree(healthy, git, 1)
    if why == "staged":
        (path / "new").write_text("work\n")
        git(path, "add", "new")
    elif why == "detached":
        git(path, "switch", "-q", "--detach")
        git(path, "commit", "-q", "--no-verify", "--allow-empty", "-m", "only here")
    elif why == "locked":
        git(healthy, "worktree", "lock", str(path))
    shutil.rmtree(path if why != "unmounted" else path.parent)
    assert "worktrees" in ill(healthy, fix=True)
    assert str(path) in git(healthy, "worktree", "list")


def test_a_worktree_that_was_moved(healthy: Path, git: Git) -> None:
    """Found below our root and where we stand, never pruned, and the hint repairs it."""
    path = add_worktree(healthy, git, 1)
    moved = path.with_name("wt1 möved")
    path.rename(moved)
    for start in (healthy, moved):
        found = ill(start, fix=True)["worktrees"]
        assert found.detail == f"{moved} was moved by hand"
    subprocess.run(found.hint, shell=True, cwd=healthy, check=True, capture_output=True)  # noqa: S602
    assert ill(healthy) == {}


def test_a_folder_that_git_has_forgotten(healthy: Path, git: Git) -> None:
    """After somebody's prune the folder may still hold work: named, not touched."""
    path = add_worktree(healthy, git, 1)
    away = path.with_name("away")
    path.rename(away)
    git(healthy, "worktree", "prune", "--expire=now")
    away.rename(path)
    assert f"git has forgotten the worktree {path}" in ill(healthy, fix=True)["worktrees"].detail
    assert (path / "pkg").is_dir()


# --- leftovers ------------------------------------------------------------------------------------


def test_a_claim_without_branch(healthy: Path) -> None:
    """``--fix`` releases it by compare-and-swap, so that the task can be claimed again."""
    put_claim(healthy, "roadmap-wt9")
    found = ill(healthy)["claims"]
    assert "US-104 is claimed by" in found.detail and found.hint == "coffee doctor --fix"
    assert stored(healthy).state is ClaimState.CLAIMED
    assert ill(healthy, fix=True) == {}
    assert stored(healthy).state is ClaimState.RELEASED


@pytest.mark.parametrize("why", ["branch", "remote branch", "folder", "landed"])
def test_claims_that_are_in_order(healthy: Path, git: Git, why: str) -> None:
    """A branch anywhere, a folder, or a landing says that the claim is no ghost."""
    put_claim(healthy, "roadmap-wt9", state=ClaimState.LANDED if why == "landed" else ClaimState.DONE)
    if why == "branch":
        git(healthy, "branch", "roadmap-wt9")
    elif why == "remote branch":
        git(healthy, "update-ref", "refs/remotes/other/roadmap-wt9", "HEAD")
    elif why == "folder":
        (healthy.parent / "work.worktrees" / "wt9").mkdir(parents=True)
    before = stored(healthy)
    assert ill(healthy, fix=True) == {}
    assert stored(healthy) == before


def test_a_claim_of_somebody_else(healthy: Path) -> None:
    """Its branch may be on the other machine: named, not released."""
    before = put_claim(healthy, "roadmap-wt9", owner="other@elsewhere")
    assert "other@elsewhere" in ill(healthy, fix=True)["claims"].detail
    assert stored(healthy).blob == before.blob


def test_a_claim_whose_agent_lives(healthy: Path) -> None:
    """While its process runs, a claim is not given away although branch and folder are gone."""
    from coffee_hooks.base.identity import identify

    put_claim(healthy, "roadmap-wt9")
    with subprocess.Popen(["sleep", "300"]) as child:
        try:
            known = identify(child.pid)
            assert known is not None
            with open_store(discover(healthy).state_dir) as store:
                run = begin_run(
                    store, task="US-104", branch="roadmap-wt9", worktree="/gone", attempt=1, agent="a", command=["a"],
                    supervisor_pid=1, boot_id=known.boot_id, log="/gone", when=time.time(),
                )  # fmt: skip
                note_pid(store, run, known.pid, known.start_time)
            assert "claims" in ill(healthy, fix=True)
            assert stored(healthy).state is ClaimState.CLAIMED
        finally:
            child.kill()
    assert "claims" not in ill(healthy, fix=True)


def test_a_database_that_cannot_be_read(healthy: Path) -> None:
    """Unknown is not dead: nothing is released while nobody can say which agents run."""
    put_claim(healthy, "roadmap-wt9")
    state = discover(healthy).state_dir
    state.mkdir(parents=True, exist_ok=True)
    (state / "state.db").write_bytes(b"no database" * 1000)
    assert "claims" in ill(healthy, fix=True)
    assert stored(healthy).state is ClaimState.CLAIMED


def test_an_interrupted_landing(healthy: Path, git: Git) -> None:
    """An intent that nobody works on is named; one under way holds the lock and is not."""
    repo = discover(healthy)
    head = Sha(git(healthy, "rev-parse", "HEAD"))
    intent.declare(repo, "roadmap", head, head, [])
    assert "coffee merge" in ill(healthy)["landing"].hint
    with (repo.state_dir / "merge.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert ill(healthy) == {}


def test_old_lock_files(healthy: Path, git: Git) -> None:
    """Locks that a killed git left are listed with the command that removes them; young ones are somebody's."""
    linked = add_worktree(healthy, git, 1)
    common = healthy / ".git"
    locks = [
        common / "index.lock",
        common / "refs" / "coffee" / "tasks" / "US-1.lock",
        Path(git(linked, "rev-parse", "--absolute-git-dir")) / "index.lock",
    ]
    for lock in locks:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    assert ill(healthy, fix=True) == {}
    for lock in locks:
        age(lock)
    hint = ill(healthy, fix=True)["locks"].hint
    assert all(lock.exists() and str(lock) in hint for lock in locks)


def test_a_half_made_gate(healthy: Path, git: Git, tmp_path: Path) -> None:
    """A clone of ours that was killed is removed; a folder of that name with anything else in it stays."""
    root = healthy.parent / "work.worktrees"
    root.mkdir()
    ours, foreign, theirs = (root / f"gate{n}.making" for n in (1, 2, 3))
    git(healthy, "clone", "-q", "--shared", "--no-checkout", str(healthy), str(ours))
    git(healthy, "clone", "-q", "--shared", str(healthy), str(foreign))
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(tmp_path / "origin.git"), str(theirs))
    (root / "gate4.making").symlink_to(ours)
    ours.with_name("gate5.making").mkdir()
    quoted = root / "gate6.making"
    git(root, "init", "-q", str(quoted))
    octal = "".join(f"\\{byte:03o}" for byte in os.fsencode(healthy / ".git" / "objects"))
    (quoted / ".git" / "objects" / "info" / "alternates").write_text(f'"{octal}"\n')
    assert ill(healthy)["gate-clone"].detail == f"{ours} was never finished; {quoted} was never finished"
    assert ill(healthy, fix=True) == {}
    assert sorted(path.name for path in root.iterdir()) == [f"gate{n}.making" for n in (2, 3, 4, 5)]


def test_a_half_made_gate_while_a_merge_runs(healthy: Path, git: Git) -> None:
    """It may be the one that the merge is making at this moment."""
    making = healthy.parent / "work.worktrees" / "gate1.making"
    git(healthy, "clone", "-q", "--shared", "--no-checkout", str(healthy), str(making))
    state = discover(healthy).state_dir
    state.mkdir(parents=True, exist_ok=True)
    with (state / "merge.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "gate-clone" in ill(healthy, fix=True)
    assert making.is_dir()


def test_branches_that_nobody_claimed(healthy: Path, git: Git) -> None:
    """They may be a person's: named for information, wrong in no way, never deleted."""
    git(healthy, "branch", "roadmap-wt5")
    found = checks(healthy, fix=True)["branches"]
    assert (found.ok, found.detail) == (True, "kept, claimed by nobody: roadmap-wt5")
    assert git(healthy, "rev-parse", "roadmap-wt5")


def test_hostile_names_stay_on_their_line(healthy: Path) -> None:
    """A claim written by anybody cannot forge a second line of the report."""
    put_claim(healthy, "roadmap-x", owner="me\nok  hooks: fine\x1b[31m")
    detail = ill(healthy)["claims"].detail
    assert detail.isprintable() and "\\n" in detail


# --- what the gate would import -------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The interpreter of a fresh virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "vénv")], check=True)
    return tmp_path / "vénv" / "bin" / "python"


def site_packages(python: Path) -> Path:
    [found] = (python.parent.parent / "lib").glob("python*/site-packages")
    return found


def make_gate(work: Path, git: Git, sandbox: Sandbox, python: Path | str, files: dict[str, str]) -> Path:
    config = f"gate: {{command: [{json.dumps(str(python))}, -m, unittest]}}\nagent: {{command: [{PYTHON}]}}\n"
    sandbox.commit({FILE: config, **files})
    gate = gate_path(open_project(work))
    git(work, "clone", "-q", "--shared", str(work), str(gate))
    (gate / ".git" / MARK).touch()
    return gate


def test_an_editable_install_of_the_checkout(healthy: Path, git: Git, sandbox: Sandbox, environment: Path) -> None:
    """A package below ``src`` that Python finds in the user's checkout would be tested instead of the candidate."""
    gate = make_gate(healthy, git, sandbox, environment, {"src/demo/__init__.py": "raise SystemExit('imported')\n"})
    assert "imports" not in ill(healthy)
    pointer = site_packages(environment) / "demo.pth"
    pointer.write_text(f"{healthy / 'src'}\n", encoding="utf-8")
    found = ill(healthy)["imports"]
    assert found.detail == f"the gate would test demo from {healthy / 'src' / 'demo' / '__init__.py'}"
    pointer.write_text(f"{gate / 'src'}\n", encoding="utf-8")
    assert checks(healthy)["imports"].detail == "the gate finds demo, pkg in its own clone"


def test_what_pytest_puts_first_counts(healthy: Path, git: Git, sandbox: Sandbox, environment: Path) -> None:
    """With pytest's ``pythonpath`` the candidate wins over an editable install."""
    settings = '[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    make_gate(healthy, git, sandbox, environment, {"src/demo/__init__.py": "", "pyproject.toml": settings})
    (site_packages(environment) / "demo.pth").write_text(f"{healthy / 'src'}\n", encoding="utf-8")
    assert ill(healthy) == {}


def test_the_interpreter_of_a_pytest_script(healthy: Path, git: Git, sandbox: Sandbox, environment: Path) -> None:
    """The command ``pytest`` runs under the interpreter of its first line."""
    script = environment.with_name("pytest")
    script.write_text(f"#!{environment}\n", encoding="utf-8")
    script.chmod(0o755)
    make_gate(healthy, git, sandbox, script, {"src/demo/__init__.py": ""})
    (site_packages(environment) / "demo.pth").write_text(f"{healthy / 'src'}\n", encoding="utf-8")
    assert "imports" in ill(healthy)


def test_an_interpreter_that_gives_no_answer(healthy: Path, git: Git, sandbox: Sandbox, tmp_path: Path) -> None:
    """Unknown is not yes."""
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    make_gate(healthy, git, sandbox, broken, {})
    assert ill(healthy)["imports"].detail.startswith("unknown: ")


def test_a_gate_of_another_language(healthy: Path, git: Git, sandbox: Sandbox) -> None:
    """Commands that make environments of their own, or run no Python, are not asked."""
    make_gate(healthy, git, sandbox, "true", {})
    assert checks(healthy)["imports"] == Check("imports", True, "does not apply to this gate")
