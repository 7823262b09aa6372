"""A candidate: the tree that the target would have, built in the object database and seen by nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coffee_hooks.base import messages
from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import merge_tree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.base.trees import find_blob, replace_blob
from coffee_hooks.merge.attributes import with_attributes_of
from coffee_hooks.merge.roadmap_file import new_duplicates
from coffee_hooks.sources.marking import mark_complete


@dataclass(frozen=True, slots=True)
class Work:
    """A branch to land at the commit that was found ready. *title* is the task's in the roadmap."""

    branch: str
    tip: Sha
    task: TaskId | None
    title: str


@dataclass(frozen=True, slots=True)
class Built:
    """A tree to be tested. *warning* says what could not be done to it, in one sentence."""

    base: Sha
    tree: Sha
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """No candidate: ``conflict`` with its paths, ``already-landed``, or ``roadmap-duplicate``."""

    outcome: str
    detail: str
    conflicts: tuple[str, ...] = ()


def build(repo: Repo, base: Sha, work: Work, roadmap: str | None, *, marking: bool) -> Built | Refused:
    """Merge *work* onto *base*. *roadmap* is the path of the roadmap file, None when there is none.

    Raises GitFailed when git could not say; that is never a conflict.
    """
    if is_ancestor(repo, work.tip, base):
        return Refused("already-landed", f"{work.branch} is already contained in the target")
    merged = merge_tree(with_attributes_of(repo, base), base, work.tip)
    if not merged.clean:
        return Refused("conflict", "git could not merge it", merged.conflicts)
    tree, warning = merged.tree, None
    if roadmap is not None:
        twice = new_duplicates(repo, roadmap, base, work.tip, tree)
        if twice:
            return Refused("roadmap-duplicate", f"the merged roadmap would hold {', '.join(twice)} twice")
        if marking and work.task is not None:
            tree, warning = _marked(repo, tree, roadmap, work.task)
    return Built(base, tree, warning)


def _marked(repo: Repo, tree: Sha, roadmap: str, task: TaskId) -> tuple[Sha, str | None]:
    entry = find_blob(repo, tree, roadmap)
    if entry is None or entry.mode not in ("100644", "100755"):
        return tree, f"{roadmap} is no regular file, so {task} was not marked complete"
    data = read_blobs(repo, [entry.sha])[entry.sha]
    marked = mark_complete(data, task)
    if marked is None:
        return tree, f"{task} was not marked complete: its status in {roadmap} has a form we do not know"
    return (tree if marked == data else replace_blob(repo, tree, roadmap, marked)), None


def provisional(repo: Repo, built: Built, work: Work, identity: Mapping[str, str]) -> Sha:
    """A commit of the candidate's tree for the gate to check out; it never gets a ref."""
    args = ["commit-tree", built.tree, "-p", built.base, "-p", work.tip, "-m", f"Candidate of {work.branch}"]
    return Sha(repo.objects(*args, env=identity).text)


def commit(
    repo: Repo, built: Built, work: Work, gate: tuple[str, ...], seconds: float, identity: Mapping[str, str]
) -> Sha:
    """The two-parent merge commit that lands, with the message of the contract."""
    said = repo.objects("log", "--no-merges", "--reverse", "--format=%s%x00%B%x00", f"{built.base}..{work.tip}")
    fields = [field.decode("utf-8", "replace").lstrip("\n") for field in said.out.split(b"\0")]
    text = messages.landing_message(
        messages.LandedWork(
            work.branch,
            work.task,
            work.title,
            work.tip,
            fields[0:-1:2],
            messages.co_authors(fields[1::2]),
            gate,
            seconds,
        )
    )
    args = ("commit-tree", built.tree, "-p", built.base, "-p", work.tip, "-F", "-")
    return Sha(repo.objects(*args, stdin=text.encode("utf-8", "replace"), env=identity).text)
