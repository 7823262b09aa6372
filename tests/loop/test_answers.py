"""The steps as they are typed: dry runs change nothing, answers say what was done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from coffee_hooks.loop.run import Until

if TYPE_CHECKING:
    from conftest import Shop


def everything(shop: Shop) -> tuple[dict[str, str], dict[str, str], str]:
    """All refs here and there, and the worktrees."""
    there = shop.box.refs(where=shop.box.origin)
    return shop.box.refs(), there, shop.git(shop.work, "worktree", "list", "--porcelain")


def test_a_dry_run_says_what_a_round_would_do(shop: Shop) -> None:
    """Land, clean up and start, each as a line or as an event; nothing of it happens."""
    shop.run(Until.ONE_ROUND)
    shop.wait()
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    before = everything(shop)
    text = shop.box.coffee("run", "--dry-run")
    assert text.rc == 0, text.err
    lines = text.out.splitlines()
    assert {"would test and land roadmap-mine", "would test and land roadmap-wt1"} <= set(lines)
    asked = shop.box.coffee("--json", "run", "-n")
    events = [json.loads(line) for line in asked.out.splitlines()]
    assert [(event["event"], event["change"]) for event in events] == [("planned", line) for line in lines]
    assert everything(shop) == before


def test_a_dry_run_of_spawn_names_what_it_would_start(shop: Shop) -> None:
    """Two compatible tasks, no claim made."""
    before = everything(shop)
    said = shop.box.coffee("spawn", "--dry-run")
    assert said.rc == 0 and "would claim US-104" in said.out and "would claim US-105" in said.out
    assert "US-106" not in said.out
    assert everything(shop) == before


def test_spawn_waits_when_asked_to(shop: Shop) -> None:
    """--wait returns when the agents have ended; a named task that may not start gives exit 1 with the reason."""
    assert shop.box.coffee("spawn", "US-104", "--wait").rc == 0
    assert shop.claims()["US-104"].state.value == "done"
    again = shop.box.coffee("spawn", "us-104")
    assert again.rc == 1 and "US-104: not started (claimed)" in again.out
    waits = shop.box.coffee("spawn", "106")
    assert waits.rc == 1 and "US-106: not started (dependency): waits for US-105" in waits.out


def test_evaluate_answers_for_actions(shop: Shop) -> None:
    """The matrix of selected tasks is one line; the summary has the pictures."""
    output, summary = shop.work.parent / "output", shop.work.parent / "summary"
    env = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    assert shop.box.coffee("evaluate", "--format", "github", env=env).rc == 0
    values = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert "include" in json.loads(values["matrix"])
    assert "mermaid" in summary.read_text()


def test_cleanup_and_restore_of_a_landed_branch(shop: Shop) -> None:
    """What was removed can be brought back, and is told how."""
    shop.drop("105", "106")
    shop.configure(cleanup={"after-merge": False})
    assert shop.run() == 0
    removed = shop.box.coffee("cleanup")
    assert removed.rc == 0 and "roadmap-wt1: removed" in removed.out
    assert "coffee restore roadmap-wt1" in removed.out
    assert "roadmap-wt1" in shop.box.coffee("restore").out
    assert "would bring back roadmap-wt1" in shop.box.coffee("restore", "roadmap-wt1", "-n").out
    assert shop.box.coffee("restore", "roadmap-wt1").rc == 0
    assert shop.box.refs("refs/heads/roadmap-wt1")


def test_a_named_branch_that_stays_is_exit_1(shop: Shop) -> None:
    """Kept because it has not landed; without a name it is no error."""
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    assert shop.box.coffee("cleanup").rc == 0
    named = shop.box.coffee("cleanup", "roadmap-mine")
    assert named.rc == 1 and "roadmap-mine: kept-" in named.out


def test_verify_after_the_work(shop: Shop) -> None:
    """Every landing of ours is tested; a commit of a person is by other and no fault."""
    shop.drop("105", "106")
    assert shop.run() == 0
    found = shop.box.coffee("--json", "verify")
    assert found.rc == 0
    verdicts = [(commit["by"], commit["verdict"]) for commit in found.json["commits"]]
    assert verdicts[0] == ("coffee", "tested") and verdicts[-1] == ("other", "other")
