"""Candidates: the trees that the target would have, built in the object database and seen by nobody else.

Several branches are merged one onto the other: a chain, in which each has a two-parent merge commit of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from coffee_hooks.base.attributes import with_attributes_of
from coffee_hooks.base.config import FILE, Config
from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.merge_tree import Merged
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.objects import commit_body, object_writer
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.trees import replace_blob
from coffee_hooks.base.undo import pretend, undoing
from coffee_hooks.sources.roadmap_conflict import merge_items
from coffee_hooks.sources.roadmap_places import TASK_LISTS, find_list, roadmap_paths
from coffee_hooks.sources.task_names import is_of


class Aim(Enum):
    """Whether the work of a branch is brought to the target, or taken back from it."""

    LAND = "land"
    REVERT = "revert"


@dataclass(frozen=True, slots=True)
class Work:
    """A branch to land at the commit that was found ready. *blamed*: the gate was red at this commit before.

    *undoes* are commits of the target that are taken back first, in this order: the revert of an earlier landing of
    the branch, which would hide its work. To REVERT, they are its landings, the newest first, and all there is to do.
    *roadmap* is the file that names the task, None where nobody knows.
    """

    branch: str
    tip: Sha
    task: TaskId | None
    blamed: bool = False
    aim: Aim = Aim.LAND
    undoes: tuple[Sha, ...] = ()
    roadmap: str | None = None

    @property
    def reverts(self) -> tuple[Sha, ...]:
        """The landings that are taken back."""
        return self.undoes if self.aim is Aim.REVERT else ()


@dataclass(frozen=True, slots=True)
class State:
    """What a candidate is built on: a commit, its tree, and the bytes of its roadmap and configuration, if any."""

    commit: Sha
    tree: Sha
    roadmap: bytes | None
    config: bytes | None


@dataclass(frozen=True, slots=True)
class _Side:
    """What a branch holds in the roadmap and in the configuration, None where it has no such file."""

    roadmap: bytes | None
    config: bytes | None


@dataclass(frozen=True, slots=True)
class Link:
    """*work* merged onto *before*. *title* is the task's in the file *roadmap*.

    The commit in *after* is there to be tested and gets no ref. *warning* says what could not be done, in a sentence.
    """

    work: Work
    before: State
    after: State
    title: str = ""
    warning: str | None = None
    roadmap: str | None = None

    @property
    def configures(self) -> bool:
        """Whether it changes how the branches after it are judged."""
        return self.before.config != self.after.config


@dataclass(frozen=True, slots=True)
class Refused:
    """No candidate: ``conflict`` with its paths, ``already-landed``, ``roadmap-duplicate``, or ``error``."""

    outcome: str
    detail: str
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """Branches merged one onto the other, beginning at *base*."""

    base: State
    links: tuple[Link, ...]

    @property
    def end(self) -> State:
        """The state to be tested."""
        return self.links[-1].after if self.links else self.base

    @property
    def works(self) -> tuple[Work, ...]:
        """Whose branches are in it, in order."""
        return tuple(link.work for link in self.links)


@dataclass(slots=True)
class Builder:
    """Builds chains onto *base*, the way the target's own *config* wants it; each link is built once.

    *identity* names the author of the commits that are only there to be tested.
    """

    repo: Repo
    config: Config
    base: State
    roadmap: str | None
    identity: Mapping[str, str]
    _links: dict[tuple[Sha, Work], Link | Refused] = field(default_factory=dict)
    _sides: dict[str, _Side] = field(default_factory=dict)
    _write: Callable[[bytes], Sha] | None = field(default=None, init=False)

    def chain(self, works: Sequence[Work]) -> tuple[Chain, dict[Work, Refused]]:
        """*works* merged in order, those left out that cannot be merged there, and why not."""
        self._read(works)
        links: list[Link] = []
        refused: dict[Work, Refused] = {}
        state = self.base
        with self._writing():
            for work in works:
                link = self.link(state, work)
                if isinstance(link, Refused):
                    refused[work] = link
                else:
                    links.append(link)
                    state = link.after
        return Chain(self.base, tuple(links)), refused

    def alone(self, work: Work) -> Link | Refused:
        """*work* merged onto the base itself."""
        return self.link(self.base, work)

    def link(self, before: State, work: Work) -> Link | Refused:
        """Merge *work* onto *before*. What git cannot say is an ``error`` and never a conflict."""
        key = before.commit, work
        if key not in self._links:
            try:
                self._links[key] = self._build(before, work)
            except GitFailed as failed:
                self._links[key] = Refused("error", f"{failed.what} ({failed.detail})")
        return self._links[key]

    def _build(self, before: State, work: Work) -> Link | Refused:
        merged, target = self._merged(before, work), self.config.target
        if not merged.clean:
            cannot = "take it back from" if work.reverts else "merge it with"
            return Refused("conflict", f"git cannot {cannot} {target}", merged.conflicts)
        if merged.tree == before.tree:
            holds = "nothing of it any more" if work.reverts else "everything that is on it"
            return Refused("already-landed", f"{target} holds {holds}")
        side, roadmap, config = self._side(work), before.roadmap, before.config
        if work.undoes or side != _Side(roadmap, config):  # else: what both sides have alike, the merge has too
            names = [f"{merged.tree}:{self.roadmap}"] if self.roadmap else []
            found = read_blobs(self.repo, [*names, f"{merged.tree}:{FILE}"])
            roadmap, config = found.get(Sha(f"{merged.tree}:{self.roadmap}")), found.get(Sha(f"{merged.tree}:{FILE}"))
        after = State(work.tip, merged.tree, roadmap, config)
        return self._link(before, work, after) if self.roadmap is None else self._planned(before, side, work, after)

    def _planned(self, before: State, side: _Side, work: Work, after: State) -> Link | Refused:
        """The link of *work* with its item of the roadmap: known by its title, marked, and there once."""
        from coffee_hooks.merge.roadmap_file import new_duplicates, title_of

        if twice := new_duplicates(before.roadmap or b"", side.roadmap or b"", after.roadmap or b""):
            return Refused("roadmap-duplicate", f"the merged {self.roadmap} would hold {', '.join(twice)} twice")
        if work.task is None:
            return self._link(before, work, after)
        if not is_of(work.task, work.roadmap, self.roadmap or ""):
            elsewhere = f"{work.task} was not marked complete: it is a task of {work.roadmap}"
            return self._link(before, work, after, warning=elsewhere)
        if work.reverts:
            return self._link(before, work, after, title_of(before.roadmap or b"", work.task))
        title, warning = title_of(after.roadmap or b"", work.task), None
        if self.config.merge.mark_complete:
            after, warning = self._marked(after, work.task)
        return self._link(before, work, after, title, warning)

    def _read(self, works: Sequence[Work]) -> None:
        """What each branch holds in the two files that we look into, in one git process for all of them."""
        sides = [side for work in works if (side := _side_of(work)) not in self._sides]
        paths = [*([self.roadmap] if self.roadmap else []), FILE]
        found = read_blobs(self.repo, [f"{side}:{path}" for side in sides for path in paths])
        for side in sides:
            self._sides[side] = _Side(found.get(Sha(f"{side}:{self.roadmap}")), found.get(Sha(f"{side}:{FILE}")))

    @contextmanager
    def _writing(self) -> Iterator[Callable[[bytes], Sha]]:
        """The writer of commits: one for all links of a chain."""
        if self._write is not None:
            yield self._write
            return
        with object_writer(self.repo, "commit") as write:
            self._write = write
            try:
                yield write
            finally:
                self._write = None

    def _side(self, work: Work) -> _Side:
        self._read([work])
        return self._sides[_side_of(work)]

    def _merged(self, before: State, work: Work) -> Merged:
        """*before* without what *work* undoes, and with the branch unless it is to be reverted."""
        ours = before.commit
        for taken in work.undoes:
            merged = self._merge(*undoing(self.repo, ours, taken))
            if not merged.clean:
                return merged
            ours = pretend(self.repo, merged.tree, before.commit)
        return merged if work.reverts else self._merge(ours, work.tip)

    def _merge(self, ours: Sha, theirs: Sha) -> Merged:
        roadmap = [self.roadmap] if self.roadmap is not None else []
        return merge_items(self.repo, self.base.commit, roadmap, ours, theirs)

    def _marked(self, after: State, task: TaskId) -> tuple[State, str | None]:
        """*after* with the item of *task* set to complete, or a sentence that says why it is not."""
        assert self.roadmap is not None
        from coffee_hooks.sources.marking import mark_complete

        marked = mark_complete(after.roadmap or b"", task)
        if marked is None:
            return after, f"{task} was not marked complete: {self.roadmap} has no status of it in a form we know"
        if marked == after.roadmap:
            return after, None
        try:
            tree = replace_blob(self.repo, after.tree, self.roadmap, marked)
        except KeyError:
            return after, f"{task} was not marked complete: {self.roadmap} is no regular file"
        return State(after.commit, tree, marked, after.config), None

    def _link(self, before: State, work: Work, after: State, title: str = "", warning: str | None = None) -> Link:
        body = commit_body(after.tree, parents(work, before.commit), f"Candidate of {work.branch}\n", self.identity)
        with self._writing() as write:
            made = write(body)
        state = State(made, after.tree, after.roadmap, after.config)
        return Link(work, before, state, title, warning, work.roadmap or self.roadmap)


def _side_of(work: Work) -> str:
    """The commit on the other side of the merge: the branch, or what was there before the first landing."""
    return f"{work.reverts[-1]}^1" if work.reverts else work.tip


def parents(work: Work, before: Sha) -> tuple[Sha, ...]:
    """The parents of *work*'s commit: a landing is a merge, a revert is none."""
    return (before,) if work.reverts else (before, work.tip)


def builder_at(repo: Repo, base: Sha, config: Config, identity: Mapping[str, str]) -> Builder:
    """A builder of candidates onto the commit *base*, with that commit's attributes. Raises GitFailed."""
    wanted = roadmap_paths(config.roadmap)
    found = read_blobs(repo, [base, *(f"{base}:{path}" for path in wanted), f"{base}:{FILE}"])
    roadmap = next((path for path in wanted if Sha(f"{base}:{path}") in found), None)
    if roadmap is None and TASK_LISTS in wanted and (roadmap := find_list(repo, base)):
        found |= read_blobs(repo, [f"{base}:{roadmap}"])
    tree = Sha(found[base].split(b"\n", 1)[0].removeprefix(b"tree ").decode())
    state = State(base, tree, found.get(Sha(f"{base}:{roadmap}")), found.get(Sha(f"{base}:{FILE}")))
    return Builder(with_attributes_of(repo, base), config, state, roadmap, identity)
