"""The loop on spec-kit's lists of tasks: order, prompts, boxes, and one feature after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import coffee_hooks
from coffee_hooks.base.project import open_project
from coffee_hooks.loop.reverting import Ask, revert_for
from coffee_hooks.state.claims import ClaimState, read_claims

if TYPE_CHECKING:
    from conftest import Completed, Shop

FIRST, SECOND = "specs/001-loyalty/tasks.md", "specs/002-coupons/tasks.md"
ROADMAP = "docs/roadmap/ROADMAP.md"

LIST = """\
# Tasks: Loyalty cards

## Phase 1: Setup

- [ ] T001 Create pkg/cards.py

## Phase 2: User Story 1 - Collect stamps

- [ ] T002 [P] [US1] Count stamps in pkg/stamps.py
- [ ] T003 [P] [US1] Draw the card in pkg/draw.py

## Phase 3: User Story 2 - Free cup

- [ ] T004 [US2] Redeem a card in pkg/redeem.py
"""

TICKS = """\
cp "$1" ../$COFFEE_TASK_ID.prompt
echo "# $COFFEE_TASK_ID" > pkg/$COFFEE_TASK_ID.py
sed -i.old "s/\\[ \\] $COFFEE_TASK_ID/[X] $COFFEE_TASK_ID/" "$COFFEE_SPEC" && rm "$COFFEE_SPEC.old"
git add -A; git commit -qm "feat: $COFFEE_TASK_ID"
"""
"""An agent that ticks its own box, as spec-kit tells it to: neighbours on neighbouring lines."""


def plan_from(shop: Shop, files: dict[str, str], **more: object) -> None:
    """Commit and push these files in place of the roadmap, with the agent that ticks."""
    shop.configure(TICKS, **more)
    if (shop.work / ROADMAP).exists():
        shop.git(shop.work, "rm", "-q", ROADMAP)
    shop.box.commit(files)
    shop.box.push()


def valid(command: str, said: Completed) -> dict[str, Any]:
    """What a command answered, which follows its schema."""
    schema = json.loads((Path(coffee_hooks.__file__).parent / f"schemas/{command}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(said.json)
    return said.json


def text_of(shop: Shop, path: str) -> str:
    """What the origin's target holds."""
    return shop.git(shop.box.origin, "show", f"roadmap:{path}") + "\n"


def test_one_feature_after_the_other(shop: Shop) -> None:
    """Setup first, then both stories at once; every box is ticked, and T001 of the next feature is new work."""
    plan_from(shop, {FIRST: LIST, "specs/001-loyalty/plan.md": "# Plan\n", "specs/001-loyalty/spec.md": "# Spec\n"})
    assert shop.run() == 0
    assert shop.landed[0] == "T001" and sorted(shop.landed) == ["T001", "T002", "T003", "T004"]
    assert text_of(shop, FIRST) == LIST.replace("[ ]", "[X]")
    assert {f"pkg/T00{number}.py" for number in range(1, 5)} <= shop.target_files()
    prompt = (shop.work.parent / "work.worktrees" / "T002.prompt").read_text()
    for said in ("# T002: Count stamps in pkg/stamps.py", f"- {FIRST}\n", "- specs/001-loyalty/spec.md\n",
                 "- specs/001-loyalty/plan.md\n"):  # fmt: skip
        assert said in prompt
    assert prompt.count("[P] [US1] Count stamps") == 1
    assert any("\nTask: T001\n" in notice.message for notice in shop.notices("architect"))
    assert "Coffee-Task: T001" in shop.git(shop.work, "log", "--format=%B", "roadmap")

    shop.events.clear()
    shop.box.commit({SECOND: "# Tasks\n\n- [ ] T001 Print coupons in pkg/coupons.py\n"})
    shop.box.push()
    assert shop.run() == 0
    assert shop.landed == ["T001"]
    assert text_of(shop, SECOND) == "# Tasks\n\n- [X] T001 Print coupons in pkg/coupons.py\n"
    assert text_of(shop, FIRST) == LIST.replace("[ ]", "[X]")


def test_landing_ticks_the_box_and_reverting_opens_it(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """An agent that leaves the list alone: the box is ticked in the tested merge, and taken back with it."""
    plan_from(shop, {FIRST: "# Tasks\n\n- [ ] T001 Create pkg/cards.py\n"}, roadmap=FIRST)
    shop.configure(roadmap=FIRST)
    assert shop.run() == 0
    assert text_of(shop, FIRST) == "# Tasks\n\n- [x] T001 Create pkg/cards.py\n"
    found = shop.box.coffee("evaluate", "t001", "--json").json
    assert found["tasks"]["T001"]["status"] == "complete" and found["tasks"]["T001"]["spec"] == FIRST
    capsys.readouterr()
    assert revert_for(shop.work, Ask("t1")) == 0
    assert text_of(shop, FIRST) == "# Tasks\n\n- [ ] T001 Create pkg/cards.py\n"


def test_what_is_left_of_the_last_feature_keeps_its_own_list(shop: Shop) -> None:
    """Its branch lands without ticking the new list, its name waits, and an agent is briefed from the old one."""
    plan_from(shop, {FIRST: "# Tasks\n\n- [ ] T001 Create pkg/cards.py\n"}, roadmap=FIRST)
    spawned = valid("spawn", shop.box.coffee("spawn", "T001", "--wait", "--json"))
    assert [each["task"] for each in spawned["spawned"]] == ["T001"]
    plan_from(shop, {SECOND: "# Tasks\n\n- [ ] T001 Print coupons in pkg/coupons.py\n"}, roadmap=SECOND)
    refused = valid("spawn", shop.box.coffee("spawn", "t1", "--json"))
    assert [(each["task"], each["reason"]) for each in refused["skipped"]] == [("T001", "claimed")]
    assert valid("stop", shop.box.coffee("stop", "T001", "--json"))["task"] == "T001"
    claim = read_claims(open_project(shop.work).repo)["T001"]
    assert claim.roadmap == FIRST and claim.state is ClaimState.DONE
    assert shop.box.coffee("merge").rc == 0
    assert text_of(shop, FIRST) == "# Tasks\n\n- [X] T001 Create pkg/cards.py\n"
    assert text_of(shop, SECOND) == "# Tasks\n\n- [ ] T001 Print coupons in pkg/coupons.py\n"
    assert shop.run() == 0
    assert shop.landed == ["T001"]
    assert "Print coupons" in (shop.work.parent / "work.worktrees" / "T001.prompt").read_text()
    assert text_of(shop, SECOND) == "# Tasks\n\n- [X] T001 Print coupons in pkg/coupons.py\n"
