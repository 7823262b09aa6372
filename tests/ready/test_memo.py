"""What is remembered of merges: never wrong, asked again as soon as anything moves, and nothing depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import Merged
from coffee_hooks.base.model import Sha
from coffee_hooks.ready import changes, radar
from coffee_hooks.ready.changes import Effect
from coffee_hooks.ready.memo import FILE, Memo, keep, recall

if TYPE_CHECKING:
    from conftest import Watch

SHAS = st.text("0123456789abcdef", min_size=40, max_size=40).map(Sha)
PATHS = st.lists(st.text(min_size=1) | st.just("caf\udce9\n"), max_size=3).map(tuple)
EFFECTS = st.builds(Effect, st.builds(Merged, SHAS, st.booleans(), PATHS), PATHS)
MEMOS = st.builds(
    Memo, st.dictionaries(SHAS, EFFECTS, max_size=4), st.dictionaries(st.tuples(SHAS, SHAS), st.booleans(), max_size=4)
)


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sha, Sha]]:
    """Every pair that is merged from now on."""
    pairs: list[tuple[Sha, Sha]] = []
    real = changes.merge_trees

    def note(repo: Repo, asked: Sequence[tuple[Sha, Sha]]) -> list[Merged | None]:
        pairs.extend(asked)
        return real(repo, asked)

    monkeypatch.setattr(changes, "merge_trees", note)
    monkeypatch.setattr(radar, "merge_trees", note)
    return pairs


@given(MEMOS)
def test_a_memo_is_read_back(tmp_path_factory: pytest.TempPathFactory, memo: Memo) -> None:
    """Whatever the names of files; under another key there is none."""
    common = tmp_path_factory.mktemp("git")
    repo = Repo(common, common, common)
    repo.state_dir.mkdir()
    keep(repo, "key", memo)
    assert recall(repo, "key") == memo
    assert recall(repo, "other") == Memo()
    assert [path.name for path in repo.state_dir.iterdir()] == [FILE]


def test_a_moved_branch_is_merged_and_the_others_are_not(watch: Watch, merged: list[tuple[Sha, Sha]]) -> None:
    """One new commit costs one merge into the target and one for each neighbour."""
    for name in ("roadmap-wt1", "roadmap-wt2", "roadmap-wt3"):
        watch.branch(name, {"same.txt": f"{name}\n"})
    watch.look()
    tip = Sha(watch.branch("roadmap-wt1", {"same.txt": "again\n", "own.txt": "1\n"}))
    merged.clear()
    found = watch.look()
    assert {pair for pair in merged if pair[0] != pair[1]} == {
        (found.target_sha, tip),
        *((tip, c.branch.tip) for c in found.candidates[1:]),
    }
    assert found.candidates[0].touched == ("own.txt", "same.txt")
    merged.clear()
    assert watch.look() == found
    assert merged == []


def test_a_look_at_one_branch_forgets_nothing(watch: Watch, merged: list[tuple[Sha, Sha]]) -> None:
    """What was known of the others is still known."""
    for name in ("roadmap-wt1", "roadmap-wt2"):
        watch.branch(name, {"same.txt": f"{name}\n"})
    found = watch.look()
    watch.branch("roadmap-wt3")
    watch.look("roadmap-wt3")
    merged.clear()
    assert len(watch.look().candidates) == 3
    assert watch.look().overlaps == found.overlaps
    assert merged == []


def test_a_moved_target_changes_every_answer(watch: Watch) -> None:
    """A branch that merged cleanly conflicts with the new target, and the other way round."""
    watch.branch(files={"same.txt": "1\n"})
    assert watch.codes() == []
    watch.box.commit({"same.txt": "2\n"})
    watch.box.push()
    assert watch.codes() == ["conflict"]


def test_settings_that_git_reads_whatever_we_do_count(watch: Watch) -> None:
    """The user's own attributes of the repository, which cannot be pinned, are noticed when they change."""
    watch.box.commit({"log.txt": "start\n"})
    watch.box.push()
    watch.branch(files={"log.txt": "start\n1\n"})
    watch.box.commit({"log.txt": "start\n2\n"})
    watch.box.push()
    assert watch.codes() == ["conflict"]
    (watch.box.work / ".git/info").mkdir(exist_ok=True)
    (watch.box.work / ".git/info/attributes").write_text("log.txt merge=union\n")
    assert watch.codes() == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"key": 1}', "\udcff", '{"key": KEY}', '{"key": KEY, "effects": [], "conflicts": []}',
     '{"key": KEY, "effects": {"x": []}, "conflicts": []}', '{"key": KEY, "effects": {}, "conflicts": [[1, 2, 3]]}',
     '{"key": KEY, "effects": {}, "conflicts": 7}', "[" * 100_000],
)  # fmt: skip
def test_a_broken_memo_is_none(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file."""
    repo = Repo(tmp_path, tmp_path, tmp_path)
    repo.state_dir.mkdir()
    (repo.state_dir / FILE).write_text(text.replace("KEY", '"key"'), errors="surrogateescape")
    assert recall(repo, "key") == Memo()


def test_where_it_cannot_be_kept_the_answer_is_the_same(watch: Watch) -> None:
    """A folder in its place, for instance."""
    (watch.box.work / ".git/coffee" / FILE / "in the way").mkdir(parents=True)
    watch.branch()
    assert watch.codes() == []
    assert watch.codes() == []


def test_what_git_could_not_say_is_asked_again(watch: Watch, merged: list[tuple[Sha, Sha]]) -> None:
    """A branch of an unrelated history is a conflict every time, and merges as soon as it can."""
    tree = watch.git(watch.box.work, "rev-parse", "roadmap^{tree}")
    tip = watch.git(watch.box.work, "commit-tree", "-m", "feat: X", tree)
    watch.git(watch.box.work, "update-ref", "refs/heads/roadmap-wt1", tip)
    assert watch.codes() == ["conflict"]
    merged.clear()
    assert watch.codes() == ["conflict"]
    assert (watch.look().target_sha, tip) in merged
