"""A candidate: the tree that the target would have, built in the object database and seen by nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coffee_hooks.base import messages
from coffee_hooks.base.config import Config
from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import merge_tree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.trees import replace_blob
from coffee_hooks.merge.attributes import with_attributes_of
from coffee_hooks.merge.roadmap_file import new_duplicates, title_of
from coffee_hooks.sources.marking import mark_complete
from coffee_hooks.sources.plan import ROADMAPS


@dataclass(frozen=True, slots=True)
class Work:
    """A branch to land at the commit that was found ready. *blamed*: the gate was red at this commit before."""

    branch: str
    tip: Sha
    task: TaskId | None
    blamed: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """A tree to be tested in place of *base_tree*, that of *base*. *title* is the task's in the roadmap.

    *warning* says what could not be done to it, in one sentence.
    """

    base: Sha
    base_tree: Sha
    tree: Sha
    title: str = ""
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """No candidate: ``conflict`` with its paths, ``already-landed``, or ``roadmap-duplicate``."""

    outcome: str
    detail: str
    conflicts: tuple[str, ...] = ()


def build(repo: Repo, base: Sha, work: Work, config: Config) -> Built | Refused:
    """Merge *work* onto *base* the way *config* wants it.

    Raises GitFailed when git could not say; that is never a conflict.
    """
    base_tree = Sha(repo.objects("rev-parse", f"{base}^{{tree}}").text)
    merged = merge_tree(with_attributes_of(repo, base), base, work.tip)
    if not merged.clean:
        return Refused("conflict", f"git cannot merge it with {config.target}", merged.conflicts)
    if merged.tree == base_tree:
        return Refused("already-landed", f"{config.target} holds everything that is on it")
    roadmap, blobs = _roadmap(repo, (base, work.tip, merged.tree), config)
    if roadmap is None:
        return Built(base, base_tree, merged.tree)
    ours, theirs, both = blobs
    if twice := new_duplicates(ours, theirs, both):
        return Refused("roadmap-duplicate", f"the merged {roadmap} would hold {', '.join(twice)} twice")
    if work.task is None:
        return Built(base, base_tree, merged.tree)
    tree, warning = merged.tree, None
    if config.merge.mark_complete:
        tree, warning = _marked(repo, tree, roadmap, both, work.task)
    return Built(base, base_tree, tree, title_of(both, work.task), warning)


def _roadmap(repo: Repo, sides: Sequence[Sha], config: Config) -> tuple[str | None, list[bytes]]:
    """The path of the roadmap in the first of *sides*, None when it has none, and its bytes in each of them."""
    wanted = (config.roadmap,) if config.roadmap else ROADMAPS
    found = read_blobs(repo, [f"{side}:{path}" for path in wanted for side in sides])
    path = next((path for path in wanted if Sha(f"{sides[0]}:{path}") in found), None)
    return path, [found.get(Sha(f"{side}:{path}"), b"") for side in sides]


def _marked(repo: Repo, tree: Sha, roadmap: str, data: bytes, task: TaskId) -> tuple[Sha, str | None]:
    marked = mark_complete(data, task)
    if marked is None:
        return tree, f"{task} was not marked complete: {roadmap} has no status of it in a form we know"
    if marked == data:
        return tree, None
    try:
        return replace_blob(repo, tree, roadmap, marked), None
    except KeyError:
        return tree, f"{task} was not marked complete: {roadmap} is no regular file"


def provisional(repo: Repo, built: Built, work: Work, identity: Mapping[str, str]) -> Sha:
    """A commit of the candidate's tree for the gate to check out; it never gets a ref."""
    args = ["commit-tree", built.tree, "-p", built.base, "-p", work.tip, "-m", f"Candidate of {work.branch}"]
    return Sha(repo.objects(*args, env=identity).text)


def commit(
    repo: Repo, built: Built, work: Work, gate: Sequence[str], seconds: float, identity: Mapping[str, str]
) -> Sha:
    """The two-parent merge commit that lands, with the message of the contract."""
    said = repo.objects("log", "--no-merges", "--reverse", "--format=%s%x00%B%x00", f"{built.base}..{work.tip}")
    fields = [field.decode("utf-8", "replace").lstrip("\n") for field in said.out.split(b"\0")]
    landed = messages.LandedWork(
        work.branch, work.task, built.title, work.tip, fields[0:-1:2], messages.co_authors(fields[1::2]), gate, seconds
    )
    text = messages.landing_message(landed).encode("utf-8", "replace")
    args = ("commit-tree", built.tree, "-p", built.base, "-p", work.tip, "-F", "-")
    return Sha(repo.objects(*args, stdin=text, env=identity).text)
