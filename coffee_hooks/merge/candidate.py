"""Candidates: the trees that the target would have, built in the object database and seen by nobody else.

Several branches are merged one onto the other: a chain, in which each has a two-parent merge commit of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coffee_hooks.base.attributes import with_attributes_of
from coffee_hooks.base.config import FILE, Config
from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.merge_tree import merge_tree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.trees import replace_blob
from coffee_hooks.sources.roadmap_conflict import resolve
from coffee_hooks.sources.roadmap_places import roadmap_paths


@dataclass(frozen=True, slots=True)
class Work:
    """A branch to land at the commit that was found ready. *blamed*: the gate was red at this commit before."""

    branch: str
    tip: Sha
    task: TaskId | None
    blamed: bool = False


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
    """*work* merged onto *before*. *title* is the task's in the roadmap.

    The commit in *after* is there to be tested and gets no ref. *warning* says what could not be done, in a sentence.
    """

    work: Work
    before: State
    after: State
    title: str = ""
    warning: str | None = None

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
    _links: dict[tuple[Sha, Sha], Link | Refused] = field(default_factory=dict)
    _sides: dict[Sha, _Side] = field(default_factory=dict)

    def chain(self, works: Sequence[Work]) -> tuple[Chain, dict[Work, Refused]]:
        """*works* merged in order, those left out that cannot be merged there, and why not."""
        self._read(works)
        links: list[Link] = []
        refused: dict[Work, Refused] = {}
        state = self.base
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
        key = before.commit, work.tip
        if key not in self._links:
            try:
                self._links[key] = self._build(before, work)
            except GitFailed as failed:
                self._links[key] = Refused("error", f"{failed.what} ({failed.detail})")
        return self._links[key]

    def _build(self, before: State, work: Work) -> Link | Refused:
        merged = merge_tree(self.repo, before.commit, work.tip)
        if not merged.clean and self.roadmap is not None:
            merged = (
                resolve(self.repo, before.commit, [self.roadmap], [(before.commit, work.tip)], [merged])[0] or merged
            )
        if not merged.clean:
            return Refused("conflict", f"git cannot merge it with {self.config.target}", merged.conflicts)
        if merged.tree == before.tree:
            return Refused("already-landed", f"{self.config.target} holds everything that is on it")
        side = self._side(work)
        roadmap, config = before.roadmap, before.config
        if side != _Side(before.roadmap, before.config):  # what is the same on both sides is so in the merge
            names = [f"{merged.tree}:{self.roadmap}"] if self.roadmap else []
            found = read_blobs(self.repo, [*names, f"{merged.tree}:{FILE}"])
            roadmap, config = found.get(Sha(f"{merged.tree}:{self.roadmap}")), found.get(Sha(f"{merged.tree}:{FILE}"))
        after = State(work.tip, merged.tree, roadmap, config)
        if self.roadmap is None:
            return self._link(before, work, after)
        from coffee_hooks.merge.roadmap_file import new_duplicates, title_of

        if twice := new_duplicates(before.roadmap or b"", side.roadmap or b"", roadmap or b""):
            return Refused("roadmap-duplicate", f"the merged {self.roadmap} would hold {', '.join(twice)} twice")
        if work.task is None:
            return self._link(before, work, after)
        title, warning = title_of(roadmap or b"", work.task), None
        if self.config.merge.mark_complete:
            after, warning = self._marked(after, work.task)
        return self._link(before, work, after, title, warning)

    def _read(self, works: Sequence[Work]) -> None:
        """What each branch holds in the two files that we look into, in one git process for all of them."""
        tips = [work.tip for work in works if work.tip not in self._sides]
        paths = [*([self.roadmap] if self.roadmap else []), FILE]
        found = read_blobs(self.repo, [f"{tip}:{path}" for tip in tips for path in paths])
        for tip in tips:
            self._sides[tip] = _Side(found.get(Sha(f"{tip}:{self.roadmap}")), found.get(Sha(f"{tip}:{FILE}")))

    def _side(self, work: Work) -> _Side:
        self._read([work])
        return self._sides[work.tip]

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
        args = ("commit-tree", after.tree, "-p", before.commit, "-p", work.tip, "-m", f"Candidate of {work.branch}")
        made = Sha(self.repo.objects(*args, env=self.identity).text)
        return Link(work, before, State(made, after.tree, after.roadmap, after.config), title, warning)


def builder_at(repo: Repo, base: Sha, config: Config, identity: Mapping[str, str]) -> Builder:
    """A builder of candidates onto the commit *base*, with that commit's attributes. Raises GitFailed."""
    wanted = roadmap_paths(config.roadmap)
    found = read_blobs(repo, [*(f"{base}:{path}" for path in wanted), f"{base}:{FILE}"])
    roadmap = next((path for path in wanted if Sha(f"{base}:{path}") in found), None)
    tree = Sha(repo.objects("rev-parse", f"{base}^{{tree}}").text)
    state = State(base, tree, found.get(Sha(f"{base}:{roadmap}")), found.get(Sha(f"{base}:{FILE}")))
    return Builder(with_attributes_of(repo, base), config, state, roadmap, identity)
