"""Phase 1 on a real repository."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files as resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, open_project, require_identity
from coffee_hooks.base.refs import transact
from coffee_hooks.evaluate.evaluate import Selection, evaluate
from coffee_hooks.evaluate.report import explain, to_json
from coffee_hooks.evaluate.verdicts import Evaluation
from coffee_hooks.state.claims import Claim, ClaimState, moved
from coffee_hooks.state.landings import Landing, Member, append

if TYPE_CHECKING:
    from conftest import Sandbox

ROADMAP = "docs/roadmap/ROADMAP.md"
SPECS = "docs/architecture/specs"


@cache
def validator() -> jsonschema.Draft202012Validator:
    """The validator of the output by the schema that ships."""
    schema = json.loads(resources("coffee_hooks").joinpath("schemas/evaluate.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def ask(sandbox: Sandbox, *names: str, **how: Any) -> Evaluation:
    """Evaluate the sandbox; the JSON is valid whatever was asked."""
    found = evaluate(open_project(sandbox.work), names, **how)
    validator().validate({"schema": 1, "command": "evaluate", **to_json(found)})
    return found


def claim(project: Project, task: str, state: ClaimState) -> None:
    """Record a claim as spawn would."""
    value = Claim(TaskId(task), "roadmap-wt1", ABSENT, "me@here", 1, state, None, None, 0)
    _, move = moved(project.repo, value)
    assert transact(project.repo, [move])


def land(project: Project, task: str, target: str = "roadmap") -> None:
    """Record a landing as merge would."""
    member = Member(task, "roadmap-wt1", ABSENT, ABSENT)
    landing = Landing(target, ABSENT, ABSENT, ABSENT, (member,), ("true",), "green", 0)
    assert transact(project.repo, [append(project.repo, landing, require_identity(project.repo))])


def test_the_sample(sandbox: Sandbox) -> None:
    """104 and 105 start, 106 waits for 105: the answer of workflow.md, and it is the same each time."""
    found = ask(sandbox)
    assert found.selected == ("US-104", "US-105")
    assert found.schedule.waves == (("US-104", "US-105"), ("US-106",))
    blocked = found.verdict(TaskId("US-106"))
    assert blocked is not None
    assert (blocked.independent, blocked.blocked_by) == (False, ("US-105",))
    assert found.warnings == ()
    assert found.base == sandbox.refs()["refs/heads/roadmap"]
    assert to_json(found) == to_json(ask(sandbox))


def test_names_select_exactly_those_in_roadmap_order(sandbox: Sandbox) -> None:
    """Any spelling, any order; what is not named is not judged but still needed."""
    found = ask(sandbox, "106", "us-104")
    assert [verdict.task for verdict in found.verdicts] == ["US-104", "US-106"]
    assert (found.selected, found.schedule.waves) == (("US-104",), (("US-104",),))
    assert "US-106 has to wait" not in explain(found, TaskId("US-104"), TaskId("US-106"))


def test_the_default_is_planned_items_with_a_spec(sandbox: Sandbox) -> None:
    """Without a spec an item is judged only when all are asked for, and then it runs alone; complete ones never are."""
    text = (sandbox.work / ROADMAP).read_text()
    more = "### US-107: No spec 📝 Planned\n\n### US-108: Over ✅ Complete\n"
    sandbox.commit({ROADMAP: text + "\n" + more})
    assert [verdict.task for verdict in ask(sandbox).verdicts] == ["US-104", "US-105", "US-106"]
    found = ask(sandbox, selection=Selection.EVERY_PLANNED)
    assert [verdict.task for verdict in found.verdicts] == ["US-104", "US-105", "US-106", "US-107"]
    assert found.schedule.waves == (("US-104", "US-105"), ("US-106",), ("US-107",))
    assert any("US-107 has no spec" in str(warning) for warning in found.warnings)
    named = ask(sandbox, "US-108")
    assert (named.selected, named.verdicts[0].status.value) == ((), "complete")


@pytest.mark.parametrize("state", [ClaimState.CLAIMED, ClaimState.DONE, ClaimState.BLOCKED])
def test_open_claims_are_fixed(sandbox: Sandbox, state: ClaimState) -> None:
    """A claimed task is in the pairs and never chosen, and what needs it waits, also when it is not asked for."""
    claim(open_project(sandbox.work), "US-105", state)
    found = ask(sandbox)
    assert found.selected == ("US-104",)
    alone = ask(sandbox, "104")
    assert [(pair.a, pair.b) for pair in alone.pairs] == [("US-104", "US-105")]
    assert [verdict.standing.value for verdict in alone.verdicts] == ["candidate", "running"]


@pytest.mark.parametrize("state", [ClaimState.REVERTED, ClaimState.RELEASED])
def test_closed_claims_free_their_task(sandbox: Sandbox, state: ClaimState) -> None:
    """A reverted or released task is planned again."""
    claim(open_project(sandbox.work), "US-105", state)
    assert ask(sandbox).selected == ("US-104", "US-105")


def test_landed_tasks_are_complete(sandbox: Sandbox) -> None:
    """By claim or by landing record, whatever the roadmap says; a revert takes it back, another target is nothing."""
    project = open_project(sandbox.work)
    land(project, "US-104", target="elsewhere")
    assert ask(sandbox).selected == ("US-104", "US-105")
    land(project, "US-104")
    claim(project, "US-105", ClaimState.LANDED)
    assert ask(sandbox).selected == ("US-106",)
    claim(project, "US-104", ClaimState.REVERTED)
    assert ask(sandbox).selected == ("US-104", "US-106")


def test_a_claim_under_another_name_counts(sandbox: Sandbox) -> None:
    """An item that got a US id later keeps the claim that it has under its priority."""
    sandbox.commit({ROADMAP: "### PRIORITY 12: US-104 - Feature X 📝 Planned\n"})
    claim(open_project(sandbox.work), "PRIORITY-12", ClaimState.CLAIMED)
    assert ask(sandbox, "104").verdicts[0].standing.value == "running"


def test_risk_comes_from_the_command_then_the_configuration(sandbox: Sandbox) -> None:
    """The built-in threshold is 0.2; a number outside 0..1 is refused."""
    assert ask(sandbox).threshold == 0.2
    sandbox.commit({".coffee.yaml": "evaluate: {risk: 0.5}\n"})
    assert ask(sandbox).threshold == 0.5
    assert ask(sandbox, risk=0.0).threshold == 0.0
    with pytest.raises(UsageError, match="not between 0 and 1"):
        ask(sandbox, risk=1.5)


def test_the_limit(sandbox: Sandbox) -> None:
    """At most so many are selected; less than one is refused."""
    assert ask(sandbox, limit=1).selected == ("US-104",)
    with pytest.raises(UsageError, match="at least 1"):
        ask(sandbox, limit=0)


def test_an_unknown_name_is_refused(sandbox: Sandbox) -> None:
    """Nothing is judged when one of the names is wrong."""
    with pytest.raises(UsageError, match="US-999"):
        ask(sandbox, "104", "US-999")


PAIRS = [
    ("same file", ["- `pkg/one.py`"], ["- `pkg/one.py`"], "collision"),
    ("directory and file", ["- `pkg/sub/`"], ["- `pkg/sub/new.py`"], "collision"),
    ("wildcard and file", ["- `pkg/*.py`"], ["- `pkg/new.py`"], "collision"),
    ("prose only", ["Rework the engine."], ["- `pkg/new.py`"], "unknown"),
    ("disjoint", ["- `pkg/one.py`"], ["- `pkg/two.py`"], "independent"),
]


@pytest.mark.parametrize(("case", "mine", "theirs", "relation"), PAIRS, ids=[pair[0] for pair in PAIRS])
def test_pairs_from_text_to_relation(
    sandbox: Sandbox, case: str, mine: list[str], theirs: list[str], relation: str
) -> None:
    """What the specs say in Markdown decides: only disjoint files are independent."""
    spec = "# SPEC-{0}: Feature\n\n**User Story**: US-{0}\n\n## Files to modify\n\n{1}\n"
    sandbox.commit(
        {
            ROADMAP: "### US-201: One 📝 Planned\n\n### US-202: Two 📝 Planned\n",
            f"{SPECS}/SPEC-201-one.md": spec.format(201, "\n".join(mine)),
            f"{SPECS}/SPEC-202-two.md": spec.format(202, "\n".join(theirs)),
        }
    )
    (pair,) = ask(sandbox).pairs
    assert pair.relation.value == relation, case


def test_a_task_that_nobody_described_is_not_lost(sandbox: Sandbox) -> None:
    """A claim of a task that the roadmap does not have holds its place and is shown."""
    claim(open_project(sandbox.work), "US-500", ClaimState.CLAIMED)
    found = ask(sandbox)
    assert found.selected == ()
    assert found.verdicts[-1].task == "US-500"


def test_the_remote_target_counts_when_it_is_ahead(sandbox: Sandbox, git: Any) -> None:
    """The plan is read where candidates start, not where the local branch happens to be."""
    tip = Sha(sandbox.commit({"pkg/alpha.py": "x = 1\n"}))
    sandbox.push()
    git(sandbox.work, "reset", "-q", "--hard", "HEAD~1")
    assert ask(sandbox).base == tip
