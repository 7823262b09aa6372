"""From the push of a finished branch to the landed commit: the workflows that `coffee init --github` writes, run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from miniforge.bare import add_commit, run_git

if TYPE_CHECKING:
    from miniforge.forge import Forge, Run

Files = Callable[..., dict[str, str]]
Ready = Callable[[int], str]


def landings(forge: Forge) -> list[Run]:
    """The runs that lands, after all has come to rest."""
    return [run for run in forge.wait_idle() if run.workflow == "coffee-land.yml"]


def said(run: Run, job: str) -> str:
    return run.jobs[f"land/{job}"].log


LOOK = r"""
pattern='gh[ps]_[0-9a-f]{36}|eC1hY2Nlc3MtdG9rZW'
env | grep -E "$pattern" && exit 1
for place in . "$COFFEE_ROOT"; do git -C "$place" config --list | grep -iE "extraheader|$pattern" && exit 1; done
grep -rE "$pattern" . "$COFFEE_ROOT" "$RUNNER_TEMP" "$HOME" && exit 1
git push "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" HEAD:refs/heads/roadmap-stolen && exit 1
! test -e red.txt
"""
"""A gate that looks for a token: in its environment, git's configuration and files; base64 is what git sends."""


def test_a_push_lands_and_the_branch_is_gone(forge: Forge, consumer: Files, ready: Ready) -> None:
    """On a repository that only its own may read, and the gate finds no token.

    A red branch stays, is told why, and is not tested again; a branch that a lost run left goes with the schedule.
    """
    forge.create(consumer("sh", "look.sh", land=True) | {"look.sh": LOOK}, closed=True)
    landed = forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    (run,) = landings(forge)
    assert run.conclusion == "success", run.log
    assert sorted(forge.refs("refs/heads/")) == ["refs/heads/roadmap"]
    assert run_git(forge.bare, "show", "roadmap:cup.txt") == "clean"
    assert json.loads(run.jobs["land/land"].outputs["land.landed"]) == ["roadmap-wt1"]
    assert "| roadmap-wt1 | US-106 | would-land |" in run.jobs["land/gate"].summary
    assert "| roadmap-wt1 | US-106 | landed |" in run.jobs["land/land"].summary
    forge.push("roadmap-wt2", {"red.txt": "1\n"}, ready(104))
    (_, run) = landings(forge)
    assert run.conclusion == "success", run.log
    assert "gate-failed" in run.jobs["land/land"].summary
    assert [a.level for a in run.jobs["land/land"].annotations] == ["error"]
    assert forge.refs("refs/coffee/verdicts/blamed/"), forge.refs()
    before = forge.refs("refs/heads/")
    run_git(forge.bare, "update-ref", "refs/heads/roadmap-wt1", landed)  # as if nobody had cleaned up
    forge.schedule()
    (*_, run) = landings(forge)
    assert "| no | the gate was red at this commit |" in run.jobs["land/gate"].summary, run.log
    assert "nothing is ready to merge" in said(run, "gate") and forge.refs("refs/heads/") == before, run.log


def test_four_branches_at_once(forge: Forge, consumer: Files, ready: Ready) -> None:
    """Two land in one go, one is red, one conflicts; whichever runs were cancelled, nothing was lost."""
    forge.create(consumer("sh", "-c", "! test -e red.txt", land=True))
    made = ((106, "cup.txt", "clean"), (105, "cup.txt", "dirty"), (104, "red.txt", "1"), (105, "pour.txt", "slow"))
    for number, (task, name, text) in enumerate(made, 1):
        add_commit(forge.work, f"refs/heads/roadmap-wt{number}", "roadmap", {name: text}, ready(task))
    run_git(forge.work, "push", "-q", "origin", "refs/heads/roadmap-*")
    runs = landings(forge)
    assert {run.conclusion for run in runs} <= {"success", "cancelled"}, "\n".join(run.log for run in runs)
    assert sorted(forge.refs("refs/heads/")) == [f"refs/heads/roadmap{end}" for end in ("", "-wt2", "-wt3")]
    tree = run_git(forge.bare, "ls-tree", "--name-only", "roadmap").splitlines()
    assert {"cup.txt", "pour.txt"} < set(tree) and "red.txt" not in tree
    assert run_git(forge.bare, "show", "roadmap:cup.txt") == "clean"


def test_a_person_pushes_during_the_gate(forge: Forge, consumer: Files, ready: Ready) -> None:
    """What was tested on the old target does not land; that push starts a run of its own, and then it does."""
    mark, there = forge.bare.parent / "mark", forge.bare.parent / "person"
    # The person's clone and token are their own; the gate only says when.
    push = (
        f"test -e '{mark}' && exit; touch '{mark}'\n"
        f"git clone -q -b roadmap '{forge.url_of('dev', forge.user_token)}' '{there}' && cd '{there}'"
        " && echo 1 >by-hand.txt && git add by-hand.txt"
        " && git -c user.name=p -c user.email=p@x.invalid commit -qm 'By hand' && git push -q\n"
    )
    forge.create(consumer("sh", "push.sh", land=True) | {"push.sh": push})
    forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    runs = landings(forge)
    assert any("roadmap moved since the gate ran" in run.log for run in runs), "\n".join(run.log for run in runs)
    assert "refs/heads/roadmap-wt1" not in forge.refs()
    assert run_git(forge.bare, "log", "--format=%s", "--first-parent", "-2", "roadmap").splitlines()[1] == "By hand"


def test_a_branch_that_edits_how_work_lands(forge: Forge, consumer: Files, ready: Ready) -> None:
    """Its own workflow file lands nothing, its own gate judges nothing, and a person is asked about the first."""
    files = consumer("sh", "-c", "! test -e red.txt", land=True)
    forge.create(files)
    mine = "on: push\njobs: {x: {runs-on: ubuntu-latest, permissions: {contents: write}, steps: [{run: id}]}}\n"
    add_commit(forge.work, "refs/heads/roadmap-wt1", "roadmap", {".github/workflows/coffee-land.yml": mine}, ready(104))
    changes = {".coffee.yaml": 'gate: {command: ["true"]}\n', "red.txt": "1\n"}
    add_commit(forge.work, "refs/heads/roadmap-wt2", "roadmap", changes, ready(105))
    before = forge.refs("refs/heads/roadmap")
    run_git(forge.work, "push", "-q", "origin", "refs/heads/roadmap-*")
    runs = landings(forge)
    told = [note.message for run in runs for job in run.jobs.values() for note in job.annotations]
    assert any("needs-human" in message for message in told), "\n".join(run.log for run in runs)
    assert any("roadmap-wt2 (US-105): gate-failed" in run.log for run in runs)
    assert forge.refs("refs/heads/roadmap") == before


def test_where_nobody_may_push_the_run_fails_and_nothing_moves(forge: Forge, consumer: Files, ready: Ready) -> None:
    """A protected target: the reason is in the log, and the branch stays."""
    forge.create(consumer("true", land=True))
    forge.protected.add("refs/heads/roadmap")
    forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    before = forge.refs("refs/heads/")
    (run,) = landings(forge)
    assert run.conclusion == "failure" and "refused the push" in said(run, "land"), run.log
    assert forge.refs("refs/heads/") == before and "refs/coffee/landings" not in forge.refs()
