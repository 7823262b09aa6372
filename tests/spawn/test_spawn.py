"""Spawn as a whole: what there is afterwards, who wins a race, and that a failure leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.config import Hooks, Worktrees
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.loop.work import spawn_tasks
from coffee_hooks.spawn.launch import launch
from coffee_hooks.spawn.worktree import WorktreeFailed
from coffee_hooks.state.agents import EndReason, all_runs
from coffee_hooks.state.claims import ClaimState, owner_name, update
from coffee_hooks.state.timings import Phase, timings

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Lab, Sandbox

    Git = Callable[..., str]

WAITS = "while [ ! -e go ]; do sleep 0.05; done"


def test_a_spawned_task_has_claim_branch_worktree_and_agent(lab: Lab, git: Git) -> None:
    """One claim from the target's SHA, branch 1, its own worktree, a pid, and the log that the answer names."""
    lab.agent = WAITS
    (spawned,) = lab.spawn("us-104").spawned
    base = git(lab.work, "rev-parse", "roadmap")
    claim = lab.claim()
    assert (spawned.task, spawned.branch, spawned.base, spawned.attempt) == ("US-104", "roadmap-wt1", base, 1)
    assert (claim.state, claim.branch, claim.base, claim.owner) == (
        ClaimState.CLAIMED, "roadmap-wt1", base, owner_name(),
    )  # fmt: skip
    assert spawned.worktree == lab.work.parent / "work.worktrees" / "wt1"
    assert git(spawned.worktree, "symbolic-ref", "HEAD") == "refs/heads/roadmap-wt1"
    assert (spawned.pid, str(spawned.log)) == (lab.run().pid, lab.run().log)
    assert [(t.task, t.phase) for t in timings(lab.store)] == [("US-104", Phase.WORKTREE), ("US-104", Phase.CLAIM)]


def test_the_users_checkout_is_left_alone(lab: Lab, git: Git) -> None:
    """Edits, index, branch and configuration of the main checkout are the same afterwards."""
    (lab.work / "pkg/alpha.py").write_text("changed\n")
    git(lab.work, "add", "pkg/alpha.py")
    (lab.work / "untracked").write_text("x")
    before = [git(lab.work, *a) for a in (["status", "--porcelain"], ["config", "--list"], ["symbolic-ref", "HEAD"])]
    lab.spawn("US-104", "US-105")
    lab.wait()
    after = [git(lab.work, *a) for a in (["status", "--porcelain"], ["config", "--list"], ["symbolic-ref", "HEAD"])]
    assert after == before


def test_without_names_what_evaluate_selects_is_started(lab: Lab) -> None:
    """104 and 105 are independent; 106 needs 105 and is not started."""
    assert [spawned.task for spawned in lab.spawn().spawned] == ["US-104", "US-105"]


def test_named_tasks_that_are_not_started_get_their_reason(lab: Lab) -> None:
    """Claimed, waiting for another task, and no place left: each no has its code."""
    lab.agent = WAITS
    lab.spawn("US-104")
    assert lab.skipped("US-104", "US-106") == [("US-104", "claimed"), ("US-106", "dependency")]
    assert lab.skipped("US-105", most=1) == [("US-105", "limit")]


def test_a_branch_number_is_never_used_again(lab: Lab, git: Git) -> None:
    """1 + the highest among branches, remote branches, folders, parked and claimed branches; also where names nest."""
    git(lab.work, "push", "-q", "origin", "roadmap:roadmap-wt3")
    git(lab.work, "fetch", "-q")
    assert lab.spawn("US-104").spawned[0].branch == "roadmap-wt4"
    git(lab.work, "branch", "roadmap-wt7/nested")
    (lab.work.parent / "work.worktrees" / "wt11").mkdir()
    assert lab.spawn("US-105").spawned[0].branch == "roadmap-wt12"
    lab.wait()
    git(lab.work, "worktree", "remove", "--force", str(lab.run("US-105").worktree))
    git(lab.work, "branch", "-qD", "roadmap-wt12")
    git(lab.work, "update-ref", "-d", lab.claim("US-105").ref)
    (lab.work.parent / "work.worktrees" / "wt11").rmdir()
    assert lab.spawn("US-105").spawned[0].branch == "roadmap-wt13"


def test_a_rerun_of_a_task_does_not_meet_its_kept_branch(lab: Lab, git: Git) -> None:
    """A second request with one name removed the first live tree (kilocode PR#11001): the old branch stays as it is."""
    lab.spawn("US-104")
    lab.wait()
    update(lab.project.repo, lab.claim(), state=ClaimState.REVERTED)
    kept = git(lab.work, "rev-parse", "roadmap-wt1")
    assert lab.spawn("US-104").spawned[0].branch == "roadmap-wt2"
    assert git(lab.work, "rev-parse", "roadmap-wt1") == kept
    assert (lab.work.parent / "work.worktrees/wt1/work-US-104.py").is_file()


def race(box: Sandbox, *names: str) -> list[dict[str, list[dict[str, object]]]]:
    """Real commands side by side, one for each name; their answers."""
    agent = {"COFFEE_AGENT__COMMAND": "[sleep, '600']", "COFFEE_AGENT__MAX_PARALLEL": "8"}
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return [
            done.json for done in pool.map(lambda name: box.coffee_apart("--json", "spawn", name, env=agent), names)
        ]


def test_eight_at_once_start_one_agent(lab: Lab) -> None:
    """Promise 4: eight processes spawn one task; one wins, the others are told that it is claimed."""
    answers = race(lab.box, *["US-104"] * 8)
    won = [spawned for answer in answers for spawned in answer["spawned"]]
    lost = [skipped["reason"] for answer in answers for skipped in answer["skipped"]]
    assert (len(won), lost) == (1, ["claimed"] * 7)
    assert len(all_runs(lab.store)) == len(lab.trees()) == len(lab.branches()) == 1


def test_two_at_once_take_different_numbers(lab: Lab) -> None:
    """Creation races left orphan branches and a locked config (claude-code#47266): both tasks get all they need."""
    answers = race(lab.box, "US-104", "US-105")
    assert sorted(str(s["branch"]) for answer in answers for s in answer["spawned"]) == ["roadmap-wt1", "roadmap-wt2"]


def test_two_that_collide_are_not_both_started(lab: Lab) -> None:
    """Two calls at the same moment for tasks that change the same file: evaluating and claiming are one step."""
    spec = lab.work / "docs/architecture/specs/SPEC-104-feature-x.md"
    lab.box.commit({str(spec.relative_to(lab.work)): spec.read_text().replace("alpha", "beta")})
    answers = race(lab.box, "US-104", "US-105")
    assert sorted(len(answer["spawned"]) for answer in answers) == [0, 1]
    assert [skipped["reason"] for answer in answers for skipped in answer["skipped"]] == ["collision"]


def nothing_is_left(lab: Lab) -> bool:
    """No branch, worktree, folder, agent, or file of ours in the way of the next spawn."""
    root = lab.project.worktrees_root
    making = lab.work / ".git/coffee/making"
    folders = [*root.iterdir()] if root.is_dir() else []
    return not lab.branches() and not lab.trees() and not folders and not [*making.iterdir()]


def test_setup_that_fails_is_tried_twice_and_undone(lab: Lab) -> None:
    """None creatable is exit 4: claim given back, branch, worktree and its files gone, log named."""
    lab.worktrees = Worktrees(setup=("sh", "-c", "echo tried >> $COFFEE_ROOT/../tries; exit 3"))
    with pytest.raises(WorktreeFailed, match=r"worktrees.setup failed \(sh: exit code 3\)") as failed:
        lab.spawn("US-104")
    assert failed.value.exit_code == 4
    assert (lab.work.parent / "tries").read_text() == "tried\ntried\n"
    assert (lab.claim().state, lab.claim().reason) == (ClaimState.RELEASED, "worktree-failed")
    assert nothing_is_left(lab)


def test_a_worktree_that_fails_does_not_hold_the_others(lab: Lab) -> None:
    """One of two cannot be made: the other starts, and the one is skipped with its reason."""
    lab.worktrees = Worktrees(setup=("sh", "-c", "[ $COFFEE_TASK_ID = US-105 ]"))
    report = lab.spawn("US-104", "US-105")
    assert [spawned.task for spawned in report.spawned] == ["US-105"]
    assert [(skipped.task, skipped.reason) for skipped in report.skipped] == [("US-104", "worktree-failed")]
    assert lab.branches() == {"roadmap-wt2"}


def test_what_could_not_be_made_is_tried_alone_later(lab: Lab) -> None:
    """While others run it is left out; when they have ended it is started by itself."""
    lab.worktrees = Worktrees(setup=("sh", "-c", "[ $COFFEE_TASK_ID = US-105 ] || [ -e $COFFEE_ROOT/../works ]"))
    lab.agent = WAITS
    lab.spawn("US-104", "US-105")
    (lab.work.parent / "works").touch()
    assert lab.spawn() == type(lab.spawn())((), ())
    (Path(lab.run("US-105").worktree) / "go").touch()
    lab.wait()
    assert [spawned.task for spawned in lab.spawn().spawned] == ["US-104"]


def test_setup_runs_in_the_worktree_with_its_placeholders(lab: Lab) -> None:
    """Setup and the hooks around the agent find the task, the branch and the folder, as words and as variables."""
    script = 'echo "$0 $1 $COFFEE_BRANCH $PWD" >> "$COFFEE_ROOT/../steps"'
    lab.worktrees = Worktrees(setup=("sh", "-c", script, "setup", "{task}"))
    hooks = Hooks(
        after_create=("sh", "-c", script, "after-create", "{branch}"),
        before_agent=("sh", "-c", script, "before-agent", "{worktree}"),
        after_agent=("sh", "-c", script, "after-agent", "{spec}"),
    )
    project = lab.project
    spawn_tasks(replace(project, config=replace(project.config, hooks=hooks)), lab.store, ("US-104",), None, None)
    lab.wait()
    where = lab.run().worktree
    assert (lab.work.parent / "steps").read_text().splitlines() == [
        f"setup US-104 roadmap-wt1 {where}",
        f"after-create roadmap-wt1 roadmap-wt1 {where}",
        f"before-agent {where} roadmap-wt1 {where}",
        f"after-agent docs/architecture/specs/SPEC-104-feature-x.md roadmap-wt1 {where}",
    ]


@pytest.mark.parametrize("hook", ["after_create", "before_agent"])
def test_a_hook_before_the_agent_can_stop_it(lab: Lab, hook: str) -> None:
    """A hook that fails before the agent starts undoes the task like a failed setup; nothing runs."""
    project = lab.project
    config = replace(project.config, hooks=replace(Hooks(), **{hook: ("false",)}))
    with pytest.raises(WorktreeFailed, match=hook.replace("_", "-")):
        spawn_tasks(replace(project, config=config), lab.store, ("US-104",), None, None)
    assert nothing_is_left(lab) and all_runs(lab.store) == []


def test_a_hook_after_the_agent_changes_nothing_by_failing(lab: Lab) -> None:
    """The end of the agent counts, not that of the hook behind it."""
    project = lab.project
    config = replace(project.config, hooks=Hooks(after_agent=("false",)))
    spawn_tasks(replace(project, config=config), lab.store, ("US-104",), None, None)
    lab.wait()
    assert lab.run().reason is EndReason.DONE


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"COFFEE_AGENT__COMMAND": "[no-such-agent]"}, 4, "'no-such-agent' was not found"),
        ({"COFFEE_AGENT__COMMAND": "nobody"}, 2, "no preset 'nobody'"),
        ({"COFFEE_AGENT__COMMAND": "[sh, '{tusk}']"}, 2, "unknown placeholder {tusk}"),
        ({"COFFEE_WORKTREES__SETUP": "[make, '{tree}']", "COFFEE_AGENT__COMMAND": "[sh]"}, 2, "placeholder {tree}"),
        ({"COFFEE_HOOKS__AFTER_AGENT": "['{x}']", "COFFEE_AGENT__COMMAND": "[sh]"}, 2, "placeholder {x}"),
    ],
)
def test_a_bad_agent_is_refused_before_anything_is_claimed(
    sandbox: Sandbox, environment: dict[str, str], code: int, words: str
) -> None:
    """A missing command is exit 4, a bad one exit 2; there is no claim, branch or worktree."""
    done = sandbox.coffee("spawn", "US-104", env=environment)
    assert (done.rc, words in done.err) == (code, True), done.err
    assert sandbox.refs("refs/coffee") == {} and sandbox.refs("refs/heads/roadmap-wt*") == {}


def test_an_interruption_undoes_what_has_no_agent_yet(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between worktrees and agents: every claim of this call is given back."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launch.__module__ + "._start_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lab.spawn("US-104", "US-105")
    assert nothing_is_left(lab)
    assert {claim.reason for claim in lab.claims().values()} == {"interrupted"}


def test_a_folder_made_meanwhile_is_never_taken_away(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleanup deleted what it had not made (emdash PR#588): a foreign folder of that name is refused and stays."""
    root = lab.project.worktrees_root

    def meanwhile(*_: object) -> None:
        (root / "wt1").mkdir(parents=True)
        (root / "wt1" / "precious").write_text("mine")

    monkeypatch.setattr(launch.__module__ + ".prepare_root", meanwhile)
    with pytest.raises(WorktreeFailed, match="wt1 is already there"):
        lab.spawn("US-104")
    assert (root / "wt1/precious").read_text() == "mine"
    assert (lab.claim().state, lab.branches()) == (ClaimState.RELEASED, set())


def test_a_branch_that_moved_meanwhile_keeps_its_claim(lab: Lab, git: Git) -> None:
    """Setup committed something and then failed: those commits are not thrown away with the claim."""
    lab.worktrees = Worktrees(setup=("sh", "-c", "git commit -q --allow-empty -m precious; exit 1"))
    with pytest.raises(WorktreeFailed):
        lab.spawn("US-104")
    assert git(lab.work, "log", "-1", "--format=%s", "roadmap-wt1") == "precious"
    assert lab.claim().state is ClaimState.CLAIMED


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_root_that_cannot_be_written_is_exit_4(lab: Lab) -> None:
    """A read-only place for worktrees: the failure of the environment, and nothing half done."""
    (lab.work.parent / "locked").mkdir(mode=0o500)
    lab.worktrees = Worktrees(root="../locked/wt")
    with pytest.raises((WorktreeFailed, OSError)):
        lab.spawn("US-104")
    assert lab.branches() == set()


def test_a_root_that_is_a_file_is_undone(lab: Lab) -> None:
    """The folder for worktrees cannot be made: no claim and no branch is left."""
    (lab.work.parent / "file").touch()
    lab.worktrees = Worktrees(root="../file/wt")
    with pytest.raises(OSError, match="Not a directory"):
        lab.spawn("US-104")
    assert (lab.claim().state, lab.branches()) == (ClaimState.RELEASED, set())


def test_a_bad_name_frees_everything_again(lab: Lab) -> None:
    """A call that fails while it evaluates holds no lock and no right afterwards, also in a long-running process."""
    with pytest.raises(UsageError):
        lab.spawn("US-999")
    with hold(lab.project.repo, "spawn"):
        pass
    assert [spawned.task for spawned in lab.spawn("US-104").spawned] == ["US-104"]


def test_claims_of_others_are_respected(lab: Lab) -> None:
    """A task that somebody on another machine claimed is skipped, and their claim is as it was."""
    lab.agent = WAITS
    lab.spawn("US-104")
    theirs = update(lab.project.repo, lab.claim(), owner="somebody@elsewhere")
    lab.end_all()
    assert lab.skipped("US-104") == [("US-104", "claimed")]
    assert theirs is not None
    assert (lab.claim().owner, lab.claim().branch, lab.claim().state) == (theirs.owner, theirs.branch, theirs.state)


def test_no_commits_is_exit_4(tmp_path: Path, git: Git) -> None:
    """An empty repository is told to make a commit; nothing is claimed."""
    git(tmp_path, "init", "-q", "new")
    command = [sys.executable, "-I", "-m", "coffee_hooks", "spawn"]
    done = subprocess.run(command, cwd=tmp_path / "new", capture_output=True, text=True, check=False)
    assert (done.returncode, "has no commits" in done.stderr) == (4, True)


def test_the_answer_follows_its_schema(sandbox: Sandbox) -> None:
    """`spawn --json`, good and refused, is what `coffee schema spawn` describes."""
    import jsonschema

    from coffee_hooks import spawn as package

    schema = json.loads((Path(package.__file__).parent.parent / "schemas/spawn.json").read_text())
    environment = {"COFFEE_AGENT__COMMAND": "['true']"}
    for names in (["US-104", "US-106"], ["US-104"]):
        answer = sandbox.coffee("--json", "spawn", *names, "--wait", env=environment).json
        jsonschema.Draft202012Validator(schema).validate(answer)
    assert answer["skipped"][0]["reason"] == "claimed"
