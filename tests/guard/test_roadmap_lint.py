"""New problems of a staged roadmap against those that HEAD has already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Notice
from coffee_hooks.guard.roadmap_lint import RoadmapProblemError, check, compare, lint_staged

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
PLACE = "docs/roadmap/ROADMAP.md"
DUPLICATE = "### US-104: Something else\n\n**Status**: Planned\n\n"


def stage(sandbox: Sandbox, git: Git, text: str, path: str = PLACE) -> None:
    (sandbox.work / path).write_text(text, encoding="utf-8")
    git(sandbox.work, "add", "--", path)


def test_a_problem_is_known_wherever_it_moved_to() -> None:
    """Line numbers, in the place and in the message, do not make an old problem new."""
    old = Notice("duplicate", "US-1 twice: 'a' (line 3) and 'b' (lines 9-12)", "R.md", 3)
    moved = Notice("duplicate", "US-1 twice: 'a' (line 4) and 'b' (lines 10-13)", "R.md", 4)
    assert compare([moved], [old]).known == (moved,)
    assert compare([moved], [old]).new == ()


def test_each_known_problem_excuses_one() -> None:
    """A second problem of the same words is new; so is the same text under another code."""
    notice, other = Notice("duplicate", "x"), Notice("unclosed-fence", "x")
    assert compare([notice, notice, other], [notice]).new == (notice, other)
    assert compare([], [notice]) == ((), ())


def test_an_alias_is_no_problem() -> None:
    """A heading with two names is said, and refuses nothing."""
    alias = Notice("alias", "PRIORITY-25 is also called US-104")
    assert compare([alias], []) == ((), (alias,))


def test_a_new_problem_is_refused_and_an_old_one_is_not(
    sandbox: Sandbox, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A duplicate is refused while HEAD does not have it, and only warned of once it is committed."""
    monkeypatch.chdir(sandbox.work / "pkg")
    clean = (sandbox.work / PLACE).read_text(encoding="utf-8")
    check(lint_staged([]))
    stage(sandbox, git, clean + DUPLICATE)
    findings = lint_staged([])
    assert [notice.code for notice in findings.new] == ["duplicate"]
    with pytest.raises(RoadmapProblemError, match="1 problem that HEAD"):
        check(findings)
    git(sandbox.work, "commit", "-q", "-m", "x")
    stage(sandbox, git, "# One line more\n\n" + clean + DUPLICATE)
    assert [notice.code for notice in lint_staged([f"../{PLACE}"]).known] == ["duplicate"]
    check(lint_staged([]))


def test_the_staged_text_is_judged_not_the_file(sandbox: Sandbox, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that is not staged is not committed, so it is not judged."""
    monkeypatch.chdir(sandbox.work)
    path = sandbox.work / PLACE
    path.write_text(path.read_text(encoding="utf-8") + DUPLICATE, encoding="utf-8")
    assert lint_staged([]).new == ()
    git(sandbox.work, "add", PLACE)
    assert len(lint_staged([str(path)]).new) == 1


def test_without_head_every_problem_is_new(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first commit of a repository has nothing to be compared with; undecodable bytes are a problem."""
    git(tmp_path, "init", "-q")
    (tmp_path / "ROADMAP.md").write_bytes(b"### US-1: caf\xe9\n")
    git(tmp_path, "add", ".")
    monkeypatch.chdir(tmp_path)
    assert [notice.code for notice in lint_staged([]).new] == ["undecodable"]


def test_nothing_staged_is_wrong_usage(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, no roadmap, or a name that git does not know: exit 2, never a pass."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="git cannot answer"):
        lint_staged([])
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="no roadmap is staged"):
        lint_staged([])
    (tmp_path / "ROADMAP.md").write_text("# R\n")
    with pytest.raises(UsageError, match=r"ROADMAP\.md is not staged"):
        lint_staged(["ROADMAP.md"])


def test_lists_of_tasks_are_judged_where_there_is_no_roadmap(
    tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list as spec-kit writes it passes, from any folder; one id for two works does not."""
    git(tmp_path, "init", "-q")
    for name, text in (("a", "- [ ] T001 Make a\n"), ("b", "- [ ] T001 Make b\n- [ ] T001 Paint c\n")):
        (tmp_path / "specs" / name).mkdir(parents=True)
        (tmp_path / "specs" / name / "tasks.md").write_text(text)
        git(tmp_path, "add", ".")
        monkeypatch.chdir(tmp_path / "specs" / name)
        found = lint_staged([])
        assert [(notice.code, notice.path) for notice in found.new] == (
            [("duplicate", "specs/b/tasks.md")] if name == "b" else []
        )
