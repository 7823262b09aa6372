"""The user's hooks where they are called: around agents, landings and removals."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.git import Repo
from coffee_hooks.base.held import is_held
from coffee_hooks.loop import moment, retry, run, signs
from coffee_hooks.loop.recruit import pause
from coffee_hooks.loop.run import Until
from coffee_hooks.loop.signs import Signs
from coffee_hooks.state.claims import ClaimState

if TYPE_CHECKING:
    from conftest import Sandbox, Shop

SCHEMA = Draft202012Validator(json.loads(files("coffee_hooks").joinpath("schemas/hook.json").read_text()))
NOTES = 'f="$COFFEE_ROOT/../notes"; { cat; } >> "$f"'
"""A hook that writes down what it is told, one object a line."""


def notes(shop: Shop) -> list[dict[str, Any]]:
    """What was told, each valid by the schema."""
    file = shop.work.parent / "notes"
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for each in found:
        SCHEMA.validate(each)
    return found


def test_every_hook_is_called_once_in_its_place(shop: Shop) -> None:
    """From the worktree to its removal, each with the task, the branch and the commit that it is about."""
    points = ("after-create", "before-agent", "after-agent", "before-merge", "after-merge", "before-remove")
    shop.configure(hooks={point: ["sh", "-c", NOTES] for point in points})
    shop.drop("105", "106")
    assert shop.run(poll=0.2) == 0
    assert shop.landed == ["US-104"]
    told = notes(shop)
    assert [each["hook"] for each in told] == list(points)
    assert {(each["schema"], each["task"], each["branch"]) for each in told} == {(1, "US-104", "roadmap-wt1")}
    assert told[0]["sha"] == told[0]["base"] and told[0]["attempt"] == 1
    (merge,) = shop.named("merge")
    assert {each["sha"] for each in told[2:]} == {merge["sha"]}
    assert (told[2]["reason"], told[2]["exit_code"]) == ("done", 0)
    assert (told[3]["target"], told[3]["reverts"]) == ("roadmap", [])
    assert told[4]["merge_commit"] == merge["merge_commit"]
    assert told[5]["landed"] is True and told[5]["worktree"].endswith("wt1")


def test_a_branch_that_a_hook_keeps_does_not_make_the_loop_spin(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked a few times with pauses, the user is told once, the others land, and the loop ends with exit 1."""
    monkeypatch.setattr(retry, "FIRST_BACK_OFF", 0.05)
    veto = f'{NOTES}; test "$COFFEE_TASK_ID" != US-104'
    shop.configure(hooks={"before-merge": ["sh", "-c", veto]})
    shop.drop("106")
    assert shop.run(poll=0.05) == 1
    assert shop.landed == ["US-105"]
    (held,) = shop.named("idle")[-1]["held"]
    (notice,) = [n for n in shop.notices("user_listener") if n.title.startswith("Kept by a hook")]
    assert held in notice.message and "hooks.before-merge failed (sh: exit code 1)" in notice.message
    assert [each["task"] for each in notes(shop)].count("US-104") <= moment.VETOES + 1
    (result,) = {e["outcome"] for e in shop.named("merge") if e["branch"] == held}
    assert result == "skipped"


def test_a_typed_merge_says_what_keeps_a_branch(sandbox: Sandbox) -> None:
    """Exit 1 where the hook says no, exit 4 where there is none, and nothing is tested for either; 0 once it agrees."""
    gate = ["sh", "-c", "echo run >> $COFFEE_ROOT/../gates"]
    sandbox.commit({".coffee.yaml": json.dumps({"gate": {"command": gate}, "hooks": {"before-merge": ["false"]}})})
    sandbox.push()
    sandbox.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    said = sandbox.coffee("--json", "merge", "roadmap-mine")
    (result,) = said.json["results"]
    assert (said.rc, result["outcome"]) == (1, "skipped")
    assert result["reason"] == "hooks.before-merge failed (false: exit code 1)"
    missing = sandbox.coffee("--json", "merge", "roadmap-mine", env={"COFFEE_HOOKS__BEFORE_MERGE": "[no-such]"})
    assert (missing.rc, missing.json["results"][0]["outcome"]) == (4, "error")
    assert not (sandbox.work.parent / "gates").exists()
    assert sandbox.coffee("merge", "--check", "roadmap-mine").rc == 0  # nothing lands, so nobody is asked
    assert sandbox.coffee("merge", "roadmap-mine", env={"COFFEE_HOOKS__BEFORE_MERGE": "['true']"}).rc == 0


def test_a_failing_hook_after_the_landing_changes_nothing(sandbox: Sandbox) -> None:
    """It landed; what went wrong is said."""
    hooks = {"after-merge": ["sh", "-c", "echo no >&2; exit 9"]}
    sandbox.commit({".coffee.yaml": json.dumps({"gate": {"command": ["true"]}, "hooks": hooks})})
    sandbox.push()
    sandbox.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    said = sandbox.coffee("merge", "roadmap-mine")
    assert said.rc == 0 and "warning: hooks.after-merge failed (sh: exit code 9); read " in said.err
    assert "no\n" in (sandbox.work / ".git/coffee/logs/hooks/after-merge.log").read_text()


def test_a_revert_asks_too(sandbox: Sandbox) -> None:
    """A hook is told what is to be taken back, and may keep it."""
    sandbox.commit({".coffee.yaml": json.dumps({"gate": {"command": ["true"]}})})
    sandbox.push()
    sandbox.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    landed = sandbox.coffee("--json", "merge", "roadmap-mine").json["results"][0]["merge_commit"]
    veto = json.dumps(["sh", "-c", f"{NOTES}; exit 1"])
    said = sandbox.coffee("revert", "roadmap-mine", env={"COFFEE_HOOKS__BEFORE_MERGE": veto})
    assert said.rc == 1
    assert json.loads((sandbox.work.parent / "notes").read_text())["reverts"] == [landed]


def test_a_hook_before_the_removal_keeps_everything(shop: Shop) -> None:
    """Nothing is parked or removed, the reason is told; a hook that leaves something in the worktree keeps it too."""
    shop.configure(cleanup={"after-merge": False})
    shop.drop("105", "106")
    assert shop.run(poll=0.2) == 0
    before = shop.box.refs()
    said = shop.box.coffee("--json", "cleanup", "roadmap-wt1", env={"COFFEE_HOOKS__BEFORE_REMOVE": "['false']"})
    (result,) = said.json["results"]
    assert (said.rc, result["outcome"], result["detail"]) == (
        1, "kept-locked", "hooks.before-remove failed (false: exit code 1)",
    )  # fmt: skip
    assert shop.box.refs() == before
    writes = {"COFFEE_HOOKS__BEFORE_REMOVE": "[touch, left-by-the-hook]"}
    assert shop.box.coffee("--json", "cleanup", env=writes).json["results"][0]["outcome"] == "kept-dirty"
    assert "refs/heads/roadmap-wt1" in shop.box.refs()
    (shop.work.parent / "work.worktrees" / "wt1" / "left-by-the-hook").unlink()
    assert shop.box.coffee("cleanup", "roadmap-wt1").rc == 0
    assert "refs/heads/roadmap-wt1" not in shop.box.refs()


@pytest.mark.parametrize("hook", ["after-create", "before-agent"])
def test_a_hook_that_keeps_an_agent_from_starting_does_not_make_the_loop_spin(shop: Shop, hook: str) -> None:
    """The claim that each try makes and gives back is no sign to look again, and the pauses grow.

    The loop made and removed four worktrees a second, and used up a number of a branch each time.
    """
    shop.configure(hooks={hook: ["sh", "-c", f"{NOTES}; exit 1"]})
    shop.drop("105", "106")
    loop = shop.loop(poll=30.0)
    loop.wishes = replace(loop.wishes, poll=30.0)
    waits: list[float] = []

    def wait(repo: Repo, before: Signs, _seconds: float) -> None:
        if signs.look(repo) == before:  # it would have slept
            waits.append(loop.memory.start_again - time.monotonic())
            loop.memory.start_again = 0.0
        if len(waits) > 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "wait_for_sign", wait)
        loop.run(Until.STOPPED)
    tries = {"after-create": 2, "before-agent": 1}[hook]  # a worktree is tried twice
    assert len(notes(shop)) == 3 * tries
    assert [round(wait / 30) for wait in waits] == [1, 2, 4]


@pytest.mark.parametrize(
    ("failures", "poll", "seconds"), [(1, 30.0, 30.0), (3, 30.0, 120.0), (9, 30.0, 300.0), (2, 600.0, 600.0)]
)
def test_starts_that_fail_come_further_and_further_apart(failures: int, poll: float, seconds: float) -> None:
    """Never more often than the poll, never rarer than every five minutes where that is longer."""
    assert pause(failures, poll) == seconds


def test_the_notifications_of_the_loop_go_to_the_hook(shop: Shop) -> None:
    """Each once, while the loop goes on; with a hook that always fails it ends as it would without."""
    shop.configure(hooks={"notify": ["sh", "-c", f"{NOTES}; exit 1"]})
    shop.drop("105", "106")
    assert shop.run(poll=0.2) == 0
    shop.until(lambda: not is_held(shop.state_dir / "courier"))
    sent = [(n.id, n.title) for who in ("architect", "orchestrator", "user_listener") for n in shop.notices(who)]
    assert [(each["id"], each["title"]) for each in notes(shop)] == sorted(sent)
    assert "Merge Complete" in dict(sent).values()


def test_a_hook_that_keeps_an_agent_from_going_on_asks_a_person(shop: Shop) -> None:
    """The second attempt is not tried for ever: the task is blocked with the hook's reason, and its work is kept."""
    first = '[ "$COFFEE_ATTEMPT" = 1 ]'
    shop.configure("exit 3", retries=3, hooks={"before-agent": ["sh", "-c", first]})
    shop.drop("105", "106")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "FIRST_BACK_OFF", 0.05)
        assert shop.run(poll=0.1) == 1
    claim = shop.claims()["US-104"]
    assert claim.state is ClaimState.BLOCKED
    assert claim.reason and "hooks.before-agent failed (sh: exit code 1)" in claim.reason
    assert "refs/heads/roadmap-wt1" in shop.box.refs()


def test_a_hook_that_keeps_a_worktree_is_told_once(shop: Shop) -> None:
    """What has landed stays, the loop comes to its end all the same, and the user knows why."""
    shop.configure(hooks={"before-remove": ["sh", "-c", f"{NOTES}; exit 1"]})
    shop.drop("105", "106")
    assert shop.run(poll=0.1) == 0 and shop.run(poll=0.1) == 0
    assert shop.landed == ["US-104"] and "refs/heads/roadmap-wt1" in shop.box.refs()
    (notice,) = shop.notices("user_listener")
    assert notice.title == "Kept by a hook: roadmap-wt1"
    assert "hooks.before-remove failed (sh: exit code 1)" in notice.message and "Next: read " in notice.message
    assert len(notes(shop)) == 2  # once for each loop, not for each round
