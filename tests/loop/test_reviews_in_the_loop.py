"""Reviews in ``coffee run``: started beside the loop, given back to the agent, never twice, bounded."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.process import alive, identify
from coffee_hooks.base.project import open_project
from coffee_hooks.loop import retry
from coffee_hooks.loop.reviews import MOST_TRIES, NextReview, next_review
from coffee_hooks.loop.run import Until
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.reviewing import being_reviewed
from coffee_hooks.state.reviews import Opinion, read_reviews

if TYPE_CHECKING:
    from conftest import Shop

RUNS = 'echo "$COFFEE_TASK_ID" >> "$COFFEE_ROOT/../runs"'
REPAIRS = (
    'grep -q "The review rejected" "$1" && n=repaired || n=first; mkdir -p pkg;'
    ' echo "$n" > "pkg/$COFFEE_TASK_ID.py"; git add -A; git commit -qm "feat: $n"'
)
"""An agent that knows from its prompt whether a reviewer sent it back."""


def configure(shop: Shop, script: str, agent: str | None = None, retries: int = 0, **review: object) -> None:
    command = ["sh", "-c", script, "reviewer", "{task}"]
    shop.configure(*([agent] if agent else []), retries=retries, review={"command": command, **review})
    shop.drop("105", "106")


def runs(shop: Shop) -> list[str]:
    file = shop.work.parent / "runs"
    return file.read_text().split() if file.exists() else []


def test_what_is_finished_is_reviewed_and_lands(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """One review for the task, its events and words, and the landing after it."""
    configure(shop, f"{RUNS}; echo looks good")
    assert shop.run(poll=20.0) == 0  # the end of a review is a sign, nobody waits for the poll
    assert shop.landed == ["US-104"] and runs(shop) == ["US-104"]
    (begun,), (ended,) = shop.named("reviewing"), shop.named("reviewed")
    (merged,) = shop.named("merge")
    assert [e["event"] for e in shop.events if e["event"] in ("reviewing", "reviewed", "ready", "merge")] == [
        "reviewing", "reviewed", "ready", "merge",
    ]  # fmt: skip
    assert begun["sha"] == ended["sha"] == merged["sha"] and ended["verdict"] == "approved"
    assert Path(ended["report"]).read_text() == "looks good\n"
    assert f"review of roadmap-wt1 at {begun['sha'][:12]}: approved" in capfd.readouterr().err
    assert shop.box.coffee("cleanup").rc == 0
    assert not read_reviews(open_project(shop.work).repo)


def test_a_rejected_branch_goes_back_to_its_agent_with_the_report(shop: Shop) -> None:
    """The agent is told what was found, its new commit is reviewed again, and that lands."""
    configure(shop, "grep -q repaired pkg/US-104.py || { echo '- not good enough'; exit 1; }", REPAIRS, retries=1)
    assert shop.run(poll=20.0) == 0
    assert [each["verdict"] for each in shop.named("reviewed")] == ["rejected", "approved"]
    assert len(shop.named("resumed")) == 1 and shop.landed == ["US-104"]
    (prompt,) = (shop.state_dir / "prompts").glob("*.md")
    told = prompt.read_text()
    assert "The review rejected your branch" in told and "- not good enough" in told
    (notice,) = [n for n in shop.notices("architect") if n.sender == "code-reviewer"]
    assert (notice.level.value, notice.title) == ("high", "Review Rejected: roadmap-wt1")


def test_a_branch_that_is_rejected_again_and_again_is_blocked(shop: Shop) -> None:
    """After agent.retries attempts the user is told, once, and the loop ends with exit 1; a person may go on."""
    configure(
        shop,
        f"{RUNS}; echo '- never good'; exit 1",
        f"{REPAIRS}; date +%N > unique; git add -A; git commit -qm more",
        retries=1,
    )
    assert shop.run(poll=20.0) == 1
    assert len(runs(shop)) == 2 and shop.landed == []
    claim = shop.claims()["US-104"]
    assert (claim.state, claim.reason) == (ClaimState.BLOCKED, "review-rejected: the review rejected it")
    (notice,) = [n for n in shop.notices("user_listener") if n.level.value == "critical"]
    assert "coffee resume US-104" in notice.message
    assert shop.box.coffee("resume", "US-104").rc == 0  # as the message says; its agent is told the report again
    (prompt,) = (shop.state_dir / "prompts").glob("*.md")
    assert "- never good" in prompt.read_text()
    shop.wait()


def test_a_reviewer_without_a_verdict_is_asked_a_few_times(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a person is, once; the loop ends with exit 1 and names the branch, and nothing landed."""
    monkeypatch.setattr(retry, "FIRST_BACK_OFF", 0.05)
    configure(shop, f"{RUNS}; exit 9")
    assert shop.run(poll=0.1) == 1
    assert len(runs(shop)) == MOST_TRIES and shop.landed == []
    assert shop.named("idle")[-1]["held"] == ["roadmap-wt1"]
    (notice,) = [n for n in shop.notices("user_listener") if n.title.startswith("Review needed")]
    assert "the reviewer ended with 9" in notice.message and "coffee review roadmap-wt1" in notice.message
    assert shop.claims()["US-104"].state is ClaimState.DONE
    said = shop.box.coffee("review", "roadmap-wt1", env={"COFFEE_REVIEW__COMMAND": "['true']"})
    assert said.rc == 0
    assert shop.run(poll=0.1) == 0 and shop.landed == ["US-104"]


@pytest.mark.parametrize(
    ("tries", "last", "now", "expected"),
    [
        (0, 0.0, 0.0, NextReview.START),
        (1, 100.0, 105.0, NextReview.WAIT),
        (1, 100.0, 111.0, NextReview.START),
        (1, 100.0, 99.0, NextReview.START),
        (2, 100.0, 111.0, NextReview.WAIT),
        (MOST_TRIES, 100.0, 1e9, NextReview.ASK),
    ],
)
def test_when_a_commit_is_reviewed_again(tries: int, last: float, now: float, expected: NextReview) -> None:
    """Later and later, and not for ever."""
    assert next_review(tries, last, now) is expected


def test_the_loop_does_not_wait_for_a_reviewer(shop: Shop) -> None:
    """While one thinks, another round ends; a killed loop leaves it at work, and the next loop waits for its word."""
    go = shop.work.parent / "go"
    configure(shop, f"{RUNS}; while [ ! -e {go} ]; do sleep 0.02; done")
    child = shop.start("--poll", "0.2s")
    events = shop.follow(child)
    shop.until(lambda: any(each["event"] == "reviewing" for each in events) and runs(shop))
    child.kill()
    child.wait()
    (sha,) = being_reviewed(shop.state_dir)
    assert shop.run(Until.ONE_ROUND) == 0 and list(being_reviewed(shop.state_dir)) == [sha]
    go.touch()
    assert shop.run(poll=20.0) == 0
    assert runs(shop) == ["US-104"] and shop.landed == ["US-104"]


def test_a_killed_reviewer_is_followed_by_another(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 of the process beside the loop: what it left at work is ended first, so two never look at one commit."""
    monkeypatch.setattr(retry, "FIRST_BACK_OFF", 0.05)
    pids = shop.work.parent / "pids"
    configure(shop, f"echo $PPID $$ >> {pids}; [ $(wc -l < {pids}) -gt 1 ] || exec sleep 600")
    assert shop.run(Until.ONE_ROUND) == 0
    shop.wait()
    assert shop.run(Until.ONE_ROUND) == 0
    shop.until(lambda: pids.exists() and pids.read_text().strip())
    reviewer, orphan = map(int, pids.read_text().split())
    left = identify(orphan)
    os.kill(reviewer, signal.SIGKILL)
    shop.until(lambda: not being_reviewed(shop.state_dir))
    assert left is not None and alive(left)
    assert shop.run(poll=0.1) == 0
    assert not alive(left) and shop.landed == ["US-104"]
    assert len(pids.read_text().splitlines()) == 2
    assert not list((shop.work.parent / "work.worktrees").glob("review-*"))


def test_nobody_wants_the_review_of_a_commit_that_is_gone(shop: Shop) -> None:
    """The branch moves on: the reviewer of the old commit is ended, and its place goes to the new one."""
    seen = shop.work.parent / "seen"
    configure(shop, f"git rev-parse HEAD >> {seen}; [ -e new ] || sleep 600")
    shop.box.commit({"docs/roadmap/ROADMAP.md": "# Roadmap\n"})
    shop.box.push()
    old = shop.box.branch("roadmap-mine", {"old": "1\n"})
    child = shop.start("--poll", "0.2s")
    shop.until(lambda: seen.exists() and seen.read_text().split() == [old])
    new = shop.box.branch("roadmap-mine", {"new": "1\n"})
    shop.until(lambda: seen.read_text().split() == [old, new])
    shop.until(lambda: "new" in shop.target_files())
    child.send_signal(signal.SIGTERM)
    child.wait()
    assert old not in read_reviews(open_project(shop.work).repo)


def test_a_dry_run_says_what_would_be_reviewed(shop: Shop) -> None:
    """And starts no reviewer."""
    configure(shop, RUNS)
    shop.box.branch("roadmap-mine", {"mine": "1\n"})
    said = shop.box.coffee("run", "--dry-run")
    assert said.rc == 0 and "would review roadmap-mine" in said.out.splitlines()
    assert runs(shop) == [] and not being_reviewed(shop.state_dir)


def test_reviewers_take_turns(shop: Shop) -> None:
    """At most review.jobs at a time."""
    busy = shop.work.parent / "busy"
    script = f"mkdir {busy} || exit 7; sleep 0.3; rmdir {busy}"
    shop.configure(review={"command": ["sh", "-c", script]})
    shop.drop("106")
    assert shop.run(poll=20.0) == 0
    assert sorted(shop.landed) == ["US-104", "US-105"]
    assert [each["verdict"] for each in shop.named("reviewed")] == ["approved", "approved"]


def test_a_verdict_travels_with_the_claims(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """In shared mode another clone sees what was said without a review of its own; a later word wins over it."""
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    shop.configure(shared=True, review={"command": ["sh", "-c", "echo no; exit 1"]})
    tip = shop.box.branch("roadmap-mine", {"mine": "1\n"})
    shop.box.push("roadmap-mine")
    assert shop.box.coffee("review", "roadmap-mine").rc == 1
    there = shop.box.refs("refs/coffee/reviews/", shop.box.origin)
    assert list(there) == [f"refs/coffee/reviews/{tip}"]
    other = shop.work.parent / "other"
    shop.git(shop.work.parent, "clone", "-q", str(shop.box.origin), str(other))
    (found,) = shop.box.coffee("--json", "detect-ready", "--fetch", cwd=other).json["worktrees"]
    assert [each["code"] for each in found["reasons"]] == ["review-rejected"]
    monkeypatch.setattr(time, "time", lambda: 1_900_000_100.0)
    approves = {"COFFEE_REVIEW__COMMAND": "['true']"}
    assert shop.box.coffee("review", "roadmap-mine", cwd=other, env=approves).rc == 0
    assert shop.box.refs("refs/coffee/reviews/", shop.box.origin) != there
    (found,) = shop.box.coffee("--json", "detect-ready", "--fetch").json["worktrees"]
    assert found["ready"] is True
    repo = open_project(shop.work).repo
    assert [each.verdict for each in read_reviews(repo, "origin").values()] == [Opinion.APPROVED]
