"""Where the branches were when they were chosen, and whether they still are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import list_refs
from coffee_hooks.merge.candidate import Work


@dataclass(slots=True)
class Tips:
    """Where the branches were when they were chosen, here and on the remote, as far as the refs here know."""

    project: Project
    works: Sequence[Work]
    _first: Mapping[str, Sha] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._first = self._read()

    def of(self, work: Work) -> dict[str, Sha]:
        """Those of one branch."""
        return {ref: sha for ref in self._refs(work) if (sha := self._first.get(ref))}

    def on_the_remote(self, works: Iterable[Work]) -> bool:
        """Whether an owner could have pushed to one of them meanwhile."""
        return any(self._refs(work)[-1] in self._first for work in works)

    def moved(self, works: Iterable[Work], there: Mapping[str, Sha] | None = None) -> set[Work]:
        """Those that are not where they were; *there* is what the remote itself has said of them, by branch."""
        now = self._read()
        landing = [work for work in works if not work.reverts]  # what landed is reverted, wherever the branch is now
        if there is not None:
            now |= {self._refs(work)[-1]: there.get(work.branch, ABSENT) for work in landing}
        return {work for work in landing if any(self._differs(ref, now) for ref in self._refs(work))}

    def _differs(self, ref: str, now: Mapping[str, Sha]) -> bool:
        return now.get(ref, ABSENT) != self._first.get(ref, ABSENT)

    def _refs(self, work: Work) -> tuple[str, str]:
        return f"refs/heads/{work.branch}", f"refs/remotes/{self.project.remote or ''}/{work.branch}"

    def _read(self) -> dict[str, Sha]:
        return list_refs(self.project.repo, *(ref for work in self.works for ref in self._refs(work)))
