"""The tasks of the past, read from real histories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.git import Repo
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.evaluate.backtest import Replay, backtest
from coffee_hooks.predict.past import Work, read_past
from coffee_hooks.predict.predict import Prediction

if TYPE_CHECKING:
    from conftest import Git

# Two branches side by side: a starts at one, b at the second landing; what they say and touch is known.
STREAM = """\
commit refs/heads/main
mark :1
committer A <a@example.invalid> 1 +0000
data 5
Start
M 100644 inline base.py
data 1
1

commit refs/heads/a
mark :2
committer A <a@example.invalid> 2 +0000
data 8
Work a1

from :1
M 100644 inline a.py
data 1
1

commit refs/heads/main
mark :3
committer A <a@example.invalid> 3 +0000
data 10
On main

x
from :1
M 100644 inline base.py
data 1
2

commit refs/heads/b
mark :4
committer A <a@example.invalid> 4 +0000
data 7
Work b1
from :3
M 100644 inline b.py
data 1
1
M 100644 inline both.py
data 1
1

commit refs/heads/a
mark :5
committer A <a@example.invalid> 5 +0000
data 7
Work a2
from :2
M 100644 inline both.py
data 1
2

commit refs/heads/main
mark :6
committer A <a@example.invalid> 6 +0000
data 7
Merge a
from :3
merge :5
M 100644 inline a.py
data 1
1
M 100644 inline both.py
data 1
2

commit refs/heads/main
mark :7
committer A <a@example.invalid> 7 +0000
data 7
Merge b
from :6
merge :4
M 100644 inline b.py
data 1
1
M 100644 inline both.py
data 1
3

"""


@pytest.fixture
def shas(tmp_path: Path, git: Git) -> dict[str, str]:
    """The history of STREAM: name of each commit by its subject."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "fast-import", "--quiet", input=STREAM)
    git(tmp_path, "reset", "-q", "--hard", "main")
    lines = git(tmp_path, "log", "--all", "--format=%s %H").splitlines()
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}


def past(where: Path, revision: str, most: int = 9) -> list[Work]:
    """The tasks that landed on *revision*."""
    repo: Repo = open_project(where).repo
    head = resolve_commit(repo, revision)
    assert head is not None
    return read_past(repo, head, most)


def test_merged_branches_are_the_tasks(tmp_path: Path, shas: dict[str, str]) -> None:
    """Each with what all its commits say, what it brought in, and the commit of the target that it started from."""
    b, a = past(tmp_path, "main")
    assert (a.commit, a.base, a.files) == (shas["Merge a"], shas["Start"], ("a.py", "both.py"))
    assert (b.commit, b.base, b.files) == (shas["Merge b"], shas["On main"], ("b.py", "both.py"))
    assert "Merge a" in a.text and "Work a1" in a.text and "Work a2" in a.text and "b1" not in a.text
    assert (a.started, a.ended, b.started, b.ended) == (0, 2, 1, 3)


def test_single_commits_where_nothing_was_merged(tmp_path: Path, shas: dict[str, str]) -> None:
    """Each starts from its parent; the very first one has none and is no task."""
    (second, first) = past(tmp_path, "a")
    assert (second.base, second.files, second.text.strip()) == (shas["Work a1"], ("both.py",), "Work a2")
    assert (first.base, first.files) == (shas["Start"], ("a.py",))
    assert past(tmp_path, "a", most=1) == [second]


def test_what_really_met_is_what_touched_a_common_file(tmp_path: Path, shas: dict[str, str]) -> None:
    """The branches met in one file: a perfect prediction is judged perfect, and one of nothing is not."""
    works = past(tmp_path, "main")
    tree = ("base.py", "both.py")
    perfect = backtest([Replay(work, tree, [Prediction("both.py", 0.9, ("why",))]) for work in works])
    assert (perfect.tasks, perfect.pairs, perfect.met, perfect.recall, perfect.precision) == (2, 1, 1, 1.0, 1.0)
    blind = backtest([Replay(work, tree, ()) for work in works])
    assert (blind.met, blind.recall) == (1, 0.0)
    assert shas
