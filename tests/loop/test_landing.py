"""``coffee merge`` as it is typed: names, choices, dry runs, checks and exit codes."""

from __future__ import annotations

import contextlib
import io
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.model import Sha
from coffee_hooks.boundary import main
from coffee_hooks.loop.landing import MergeReport
from coffee_hooks.loop.merge_report import to_json, to_text
from coffee_hooks.loop.merging import exit_code
from coffee_hooks.merge.result import Result

if TYPE_CHECKING:
    from conftest import Git, Sandbox

SCHEMA = json.loads(files("coffee_hooks").joinpath("schemas/merge.json").read_text(encoding="utf-8"))
A, B = Sha("a" * 40), Sha("b" * 40)


def merge(box: Sandbox, *args: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, JSON (held against its schema) and stderr of ``coffee merge``."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        rc = main(["-C", str(box.work), "--json", "merge", *args])
    said, told = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    value = json.loads(said) if said else {}
    if value:
        Draft202012Validator(SCHEMA).validate(value)
    return rc, value, told


@pytest.fixture
def box(sandbox: Sandbox) -> Sandbox:
    """The sandbox with a gate that is always green, but for a file called red."""
    sandbox.commit({".coffee.yaml": "gate: {command: [test, '!', -e, red]}\n"})
    sandbox.push()
    return sandbox


def outcomes(value: dict[str, Any]) -> dict[str, str]:
    return {result["branch"]: result["outcome"] for result in value["results"]}


def report(*names: str, dry: bool = False) -> MergeReport:
    results = tuple(
        Result(f"roadmap-wt{n}", None, A, name, merge_commit=B if name == "landed" else None, reason="why")
        for n, name in enumerate(names)
    )
    return MergeReport("roadmap", A, B, None, results, changes=("x",) if dry else None)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ((), 0),
        (("landed", "already-landed"), 0),
        (("would-land",), 0),
        (("landed", "conflict"), 1),
        (("gate-failed",), 1),
        (("roadmap-duplicate",), 1),
        (("not-ready",), 1),
        (("moved",), 1),
        (("target-dirty",), 1),
        (("skipped",), 1),
        (("error",), 4),
        (("landed", "error"), 4),
        (("conflict", "error"), 1),
    ],
)
def test_the_exit_code_follows_the_outcomes(names: tuple[str, ...], wanted: int) -> None:
    """0 iff every branch ended as asked, 4 when only the environment failed, else 1; every outcome fits the schema."""
    assert exit_code(report(*names)) == wanted
    value = {"schema": 1, "command": "merge", **to_json(report(*names))}
    value["results"] = [{**r, "conflicts": []} for r in value["results"]]
    Draft202012Validator(SCHEMA).validate(value)


def test_a_dry_run_that_found_something_to_do_is_good() -> None:
    """Skipped is the good end of a dry run, and of nothing else."""
    assert exit_code(report("skipped", dry=True)) == 0
    assert exit_code(report("skipped", "conflict", dry=True)) == 1


def test_hostile_text_stays_on_its_line() -> None:
    """A path with a newline and a reason with terminal codes do not leave their lines."""
    result = Result("roadmap-wt1", None, A, "conflict", reason="a\x1b[2Jb\nc", conflicts=("x\ny", "\x1b]0;t\x07"))
    lines = to_text(MergeReport("roadmap", A, A, None, (result,))).split("\n")
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "name",
    [
        "main", "HEAD", "@", "roadmap", "refs/heads/roadmap-wt1", "roadmap-wt1~1", "roadmap-wt1^{tree}", "roadmap-a;b",
        "--upload-pack=x", "-x", "roadmap-", "x/roadmap-wt1", "roadmap-wt1 ", "roadmap-wt1\n", "", "roadmap-*",
        "origin/roadmap-wt1", "roadmap-wt99", "roadmap-wt1.lock", "roadmap-wt1..x", "roadmap-wt1:x", "roadmap-\x1b[2J",
    ],
)  # fmt: skip
def test_a_name_that_is_no_branch_of_a_task_is_refused(box: Sandbox, name: str) -> None:
    """Exit 2 and not a ref moved, however the name is dressed."""
    box.branch("roadmap-wt1", {"a": "1\n"})
    before = box.refs()
    rc, value, told = merge(box, "--", name)
    assert (rc, value) == (2, {})
    assert told.startswith("error: ")
    assert "\x1b" not in told
    assert box.refs() == before
    rc, _, _ = merge(box, "--dry-run", "--", "roadmap-wt1", name)
    assert (rc, box.refs()) == (2, before)


def test_a_name_that_looks_like_an_option_is_one(box: Sandbox) -> None:
    """Without the two dashes it is an unknown option: exit 2."""
    assert merge(box, "--upload-pack=x")[0] == 2


def test_a_tag_of_the_same_name_does_not_matter(box: Sandbox, git: Git) -> None:
    """Only the branch is meant, and what lands is its commit."""
    tip = box.branch("roadmap-wt1", {"a": "1\n"})
    git(box.work, "tag", "roadmap-wt1", "origin/main")
    git(box.work, "tag", "roadmap", "origin/main")
    rc, value, _ = merge(box, "roadmap-wt1")
    assert (rc, value["results"][0]["sha"]) == (0, tip)


def test_nothing_ready_is_no_failure(box: Sandbox) -> None:
    """Exit 0, an empty list, no gate."""
    rc, value, _ = merge(box)
    assert (rc, value["results"], value["gate_runs"], value["pushed"]) == (0, [], 0, False)


def test_without_names_everything_that_is_ready_lands_in_order(box: Sandbox) -> None:
    """Each on top of the one before, each tested; what is not ready is left out."""
    for number in (10, 2, 1):
        box.branch(f"roadmap-wt{number}", {f"n{number}": "1\n"})
    box.branch("roadmap-wt3", {"red": "1\n"})
    rc, value, _ = merge(box)
    assert rc == 1
    assert list(outcomes(value).items()) == [
        ("roadmap-wt1", "landed"),
        ("roadmap-wt2", "landed"),
        ("roadmap-wt3", "gate-failed"),
        ("roadmap-wt10", "landed"),
    ]
    rc, value, _ = merge(box)
    assert (rc, value["results"]) == (0, [])


def test_naming_a_branch_waives_only_what_the_contract_says(box: Sandbox, git: Git) -> None:
    """Protected paths need a person, who names the branch; a dirty worktree is not waived by a name."""
    box.branch("roadmap-wt1", {".github/workflows/x.yml": "x\n", ".github/workflows/n\n.yml": "y\n"})
    assert merge(box)[1]["results"] == []
    tree = box.work.parent / "tree"
    git(box.work, "worktree", "add", "-q", str(tree), "roadmap-wt1")
    (tree / "uncommitted").write_text("x")
    rc, value, _ = merge(box, "roadmap-wt1")
    assert (rc, outcomes(value)) == (1, {"roadmap-wt1": "not-ready"})
    assert value["results"][0]["reason"].startswith("dirty: ")
    (tree / "uncommitted").unlink()
    rc, value, _ = merge(box, "roadmap-wt1")
    assert (rc, outcomes(value)) == (0, {"roadmap-wt1": "landed"})


def test_a_name_twice_is_one_branch(box: Sandbox) -> None:
    """Saying it twice lands it once."""
    box.branch("roadmap-wt1", {"a": "1\n"})
    rc, value, _ = merge(box, "roadmap-wt1", "roadmap-wt1")
    assert (rc, len(value["results"])) == (0, 1)


@pytest.mark.parametrize("gone", [False, True])
def test_what_has_landed_stays_landed(box: Sandbox, git: Git, gone: bool) -> None:
    """Naming it again says where, also when the branch is gone; a landing that is not in the target does not count."""
    tip = box.branch("roadmap-wt1", {"a": "1\n"})
    merged = merge(box, "roadmap-wt1")[1]["results"][0]["merge_commit"]
    if gone:
        git(box.work, "branch", "-D", "roadmap-wt1")
    rc, value, _ = merge(box, "roadmap-wt1")
    assert (rc, outcomes(value)) == (0, {"roadmap-wt1": "already-landed"})
    assert (value["results"][0]["sha"], value["results"][0]["merge_commit"]) == (tip, merged)


def test_a_check_moves_only_verdicts(box: Sandbox) -> None:
    """A real run of the gate, would-land, the three lines of the workflow, and no other ref moved anywhere."""
    box.branch("roadmap-wt1", {"a": "1\n"})
    before, there = box.refs(), box.refs(where=box.origin)
    rc, value, _ = merge(box, "roadmap-wt1", "--check")
    assert (rc, outcomes(value), value["gate_runs"], value["pushed"]) == (0, {"roadmap-wt1": "would-land"}, 1, False)
    after = box.refs()
    assert {ref for ref in {*before, *after} if before.get(ref) != after.get(ref)} == {
        ref for ref in after if ref.startswith("refs/coffee/verdicts/")
    }
    assert box.refs(where=box.origin) == there
    said = box.coffee("merge", "roadmap-wt1", "--check")
    assert said.out.splitlines()[:3] == ["✅ Tests passing", "✅ No conflicts detected", "✅ Ready for merge"]


def test_a_check_of_a_red_branch_says_no(box: Sandbox) -> None:
    """Exit 1 with the log, as a merge would."""
    box.branch("roadmap-wt1", {"red": "1\n"})
    rc, value, _ = merge(box, "roadmap-wt1", "--check")
    assert (rc, outcomes(value)) == (1, {"roadmap-wt1": "gate-failed"})
    assert value["results"][0]["log"]


@pytest.mark.parametrize("more", [(), ("--check",), ("--no-push",)])
def test_a_dry_run_changes_nothing(box: Sandbox, git: Git, more: tuple[str, ...]) -> None:
    """No ref, no gate, no network, no file: only what would be done, in words."""
    box.branch("roadmap-wt1", {"a": "1\n"})
    box.branch("roadmap-wt2", {"pkg/alpha.py": "2\n"})
    box.commit({"pkg/alpha.py": "3\n"})
    other = box.work.parent / "other"
    git(box.work, "clone", "-q", str(box.origin), str(other))
    box.commit({"theirs": "1\n"}, cwd=other)
    git(other, "push", "-q", "origin", "roadmap")
    before, there = box.refs(), box.refs(where=box.origin)
    rc, value, _ = merge(box, "--dry-run", "roadmap-wt1", "roadmap-wt2", *more)
    assert (rc, outcomes(value)) == (1, {"roadmap-wt1": "skipped", "roadmap-wt2": "conflict"})
    assert (value["gate_runs"], value["pushed"], value["before"]) == (0, False, value["after"])
    assert value["changes"][0].endswith("of roadmap-wt1 with: test ! -e red")
    assert ("here and on origin" in " ".join(value["changes"])) == (not more)
    assert (box.refs(), box.refs(where=box.origin)) == (before, there)
    assert not (box.work.parent / "work.worktrees").exists()


def test_one_failure_does_not_hide_the_landings_before_it(box: Sandbox, git: Git) -> None:
    """The first lands, the second finds a broken configuration in it: both are told."""
    box.branch("roadmap-wt1", {".coffee.yaml": "gate: {comand: [x]}\n"})
    box.branch("roadmap-wt2", {"a": "1\n"})
    rc, value, _ = merge(box, "roadmap-wt1", "roadmap-wt2")
    assert (rc, outcomes(value)) == (4, {"roadmap-wt1": "landed", "roadmap-wt2": "error"})
    assert "gate.comand" in value["results"][1]["reason"]
    assert git(box.origin, "rev-parse", "roadmap") == value["results"][0]["merge_commit"] == value["after"]


def test_it_works_from_a_folder_and_from_a_worktree(box: Sandbox, git: Git) -> None:
    """The repository is found from anywhere inside it, also from the worktree of the branch itself."""
    box.branch("roadmap-wt1", {"a": "1\n"})
    box.branch("roadmap-wt2", {"b": "1\n"})
    tree = box.work.parent / "tree"
    git(box.work, "worktree", "add", "-q", str(tree), "roadmap-wt1")
    assert box.coffee("merge", "roadmap-wt1", cwd=tree / "pkg").rc == 0
    assert box.coffee("merge", "roadmap-wt2", cwd=box.work / "docs").rc == 0
    assert git(tree, "status", "--porcelain") == ""
