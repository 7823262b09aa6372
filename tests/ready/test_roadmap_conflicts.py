"""A conflict in the roadmap is one only if its items cannot be merged: readiness says what a landing would do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import require_identity
from coffee_hooks.merge.candidate import Refused, Work, builder_at
from coffee_hooks.ready import radar
from coffee_hooks.ready.memo import key_of
from coffee_hooks.ready.unwanted import Policy

if TYPE_CHECKING:
    from conftest import Watch

ROADMAP = "docs/roadmap/ROADMAP.md"
PLANNED, STARTED, COMPLETE = "📝 Planned", "🔄 In Progress", "✅ Complete"
CASES = {
    "status": ([(PLANNED, STARTED)], [(PLANNED, COMPLETE)], True),
    "text": ([("Do Feature X.", "Do X well.")], [("Do Feature X.", "Do X fast.")], False),
    "both": ([("Do Feature X.", "Do X well."), (PLANNED, STARTED)], [("Do Feature X.", "Do X fast.")], False),
    "neighbours": ([("Do Feature X.", "Do X.")], [("### US-105: Feature Y", "### US-105: Feature Why")], True),
}


def edited(watch: Watch, edits: Sequence[tuple[str, str]]) -> str:
    """The roadmap with the first two of each text replaced."""
    text = (watch.box.work / ROADMAP).read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 2)
    return text


def with_driver(watch: Watch) -> None:
    """As ``coffee init`` leaves it: in our pinned context every edit of both sides is a conflict."""
    info = watch.box.work / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(f"/{ROADMAP} merge=coffee-roadmap\n")


def lands(watch: Watch) -> bool:
    """Whether a landing could merge the branch, as the merge phase itself says."""
    project = watch.project
    target, tip = (Sha(watch.git(watch.box.work, "rev-parse", name)) for name in ("roadmap", "roadmap-wt1"))
    link = builder_at(project.repo, target, project.config, require_identity(project.repo)).alone(
        Work("roadmap-wt1", tip, None)
    )
    return not isinstance(link, Refused) or link.outcome != "conflict"


@pytest.mark.parametrize("driver", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_readiness_and_landing_agree(watch: Watch, case: str, driver: bool) -> None:
    """With and without the merge driver that init sets up."""
    mine, theirs, fits = CASES[case]
    text = edited(watch, mine)
    watch.branch(files={ROADMAP: text, "pkg/new.py": "x = 1\n"})
    watch.box.commit({ROADMAP: edited(watch, theirs)})
    watch.box.push()
    if driver:
        with_driver(watch)
    found = watch.candidate()
    assert watch.codes() == ([] if fits else ["conflict"])
    assert found.conflicts == (() if fits else (ROADMAP,))
    assert lands(watch) is fits
    if case == "status":  # the later status was there already, so the roadmap stays as it is
        assert found.touched == ("pkg/new.py",)


def test_other_conflicts_stay_and_are_named_alone(watch: Watch) -> None:
    """The roadmap is not in the list of what the agent has to resolve."""
    watch.branch(files={ROADMAP: edited(watch, [(PLANNED, STARTED)]), "pkg/alpha.py": "mine\n"})
    watch.box.commit({ROADMAP: edited(watch, [(PLANNED, COMPLETE)]), "pkg/alpha.py": "theirs\n"})
    watch.box.push()
    assert (watch.codes(), watch.candidate().conflicts) == (["conflict"], ("pkg/alpha.py",))


def test_a_branch_that_only_says_what_is_outdated_changes_nothing(watch: Watch) -> None:
    """Its status is behind the target's: there is nothing to land."""
    watch.branch(files={ROADMAP: edited(watch, [(PLANNED, STARTED)])})
    watch.box.commit({ROADMAP: edited(watch, [(PLANNED, COMPLETE)])})
    watch.box.push()
    assert watch.codes() == ["empty-diff"]


def test_a_file_that_is_not_the_roadmap_of_the_target(watch: Watch) -> None:
    """Only the first place that the target has counts, or the one that is configured."""
    watch.box.commit({"ROADMAP.md": edited(watch, [])})
    watch.box.push()
    watch.branch(files={"ROADMAP.md": edited(watch, [(PLANNED, STARTED)])})
    watch.box.commit({"ROADMAP.md": edited(watch, [(PLANNED, COMPLETE)])})
    watch.box.push()
    assert (watch.codes(), lands(watch)) == (["conflict"], False)
    watch.box.commit({".coffee.yaml": json.dumps({"gate": {"command": ["true"]}, "roadmap": "ROADMAP.md"})})
    watch.box.push()
    assert (watch.codes(), lands(watch)) == (["empty-diff"], True)


def test_what_is_remembered_depends_on_the_place(watch: Watch) -> None:
    """Another roadmap, other answers."""
    repo, target = watch.project.repo, Sha("1" * 40)
    assert key_of(repo, target, ("a.md",), Policy()) != key_of(repo, target, ("b.md",), Policy())


def test_overlaps_are_judged_alike(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two branches whose items merge do not conflict; more pairs than a look has time for wait for the next."""
    for name, new in (("one", STARTED), ("two", COMPLETE), ("odd", "gone fishing")):
        watch.branch(f"roadmap-{name}", {ROADMAP: edited(watch, [(PLANNED, new)])})
    wanted = {("roadmap-one", "roadmap-two"): False, ("roadmap-odd", "roadmap-one"): True}
    monkeypatch.setattr(radar, "MOST_ROADMAPS", 1)
    untried = []
    for _ in range(4):
        found = {(o.a, o.b): o.conflict for o in watch.look().overlaps}
        untried.append(list(found.values()).count(None))
    assert untried == [2, 1, 0, 0]
    assert {pair: found[pair] for pair in wanted} == wanted


def test_the_number_of_processes_does_not_grow(watch: Watch) -> None:
    """Two branches with such a conflict or twelve; a second look merges nothing."""
    texts = [edited(watch, [(PLANNED, STARTED), ("Do Feature Z.", f"Do Z {n}.")]) for n in range(10)]
    watch.box.commit({ROADMAP: edited(watch, [(PLANNED, COMPLETE)])})
    watch.box.push()
    start = watch.git(watch.box.work, "rev-parse", "roadmap~1")
    calls: list[Sequence[str]] = []
    taken = []
    for count in (2, 10):
        for number in range(count):
            name = f"roadmap-c{count}n{number}"
            watch.box.branch(name, {ROADMAP: texts[number], f"{name}.py": "x\n"}, base=start)
        gate.trace.append(calls.append)
        try:
            assert all(not candidate.conflicts for candidate in watch.look().candidates)
            taken.append(sum("merge-tree" in argv or "mktree" in argv or "hash-object" in argv for argv in calls))
            calls.clear()
            watch.look()
            assert not [argv for argv in calls if "merge-tree" in argv]
        finally:
            gate.trace.remove(calls.append)
        calls.clear()
    assert taken[1] - taken[0] <= 4  # what is shared out among the processors
