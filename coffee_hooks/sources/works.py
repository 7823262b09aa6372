"""From the places that name an item to the item: one work per id, whatever it is called and wherever it stands.

An id that names two works stays with the first one that is not complete (else the first): planned work is never
hidden behind finished work of the same number, and the notice says what to renumber.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coffee_hooks.base.model import Notice, Status, TaskId
from coffee_hooks.sources.headings import Form
from coffee_hooks.sources.sections import Mark, Section
from coffee_hooks.sources.task_names import TaskKey, task_key
from coffee_hooks.sources.titles import same_work

_PROGRESS = (
    Status.UNKNOWN,
    Status.PLANNED,
    Status.BLOCKED,
    Status.MANUAL_REVIEW,
    Status.IN_PROGRESS,
    Status.COMPLETE,
)
_Groups = dict[TaskKey, list[Section]]


@dataclass(frozen=True, slots=True)
class Work:
    """One item: the section that says most (``primary``) and all that describe the same work."""

    id: TaskId
    aliases: tuple[TaskId, ...]
    title: str
    status: Status
    primary: Section
    sections: tuple[Section, ...]
    order: int
    """The line where the roadmap first describes it: the order of the roadmap is the order of work."""
    marks: tuple[Mark, ...]
    """Where its status is written. Members of a range share their section, so only their bullets count."""


def find_works(sections: Sequence[Section], path: str) -> tuple[tuple[Work, ...], tuple[Notice, ...]]:
    """The items in the order of the roadmap, ids unique, with notices on duplicates, aliases and statuses."""
    groups = _join_aliases(_by_id(sections))
    found = [_Group(key, members, path) for key, members in groups.items()]
    works = sorted((group.work(groups) for group in found), key=lambda work: work.order)
    notices = [notice for group in found for notice in group.notices()]
    notices += _alias_notices(groups, path)
    return tuple(works), tuple(sorted(notices, key=lambda notice: notice.line))


def _by_id(sections: Iterable[Section]) -> _Groups:
    groups: _Groups = defaultdict(list)
    for section in sections:
        for task in section.ids:
            groups[task_key(task)].append(section)
    return dict(groups)


def _join_aliases(groups: _Groups) -> _Groups:
    """Put ``PRIORITY 25: Title`` into the group of ``PRIORITY 25: US-109 - Title`` where the titles agree."""
    for key, members in list(groups.items()):
        for section in [member for member in members if member.form is Form.SECTION]:
            for alias in map(task_key, section.aliases):
                others = [other for other in groups.get(alias, ()) if other.form is Form.SECTION]
                if alias != key and others and all(same_work(section.title, other.title) for other in others):
                    groups[key] = [*groups[key], *groups.pop(alias)]
    return groups


class _Group:
    """All sections of one id."""

    def __init__(self, key: TaskKey, members: list[Section], path: str) -> None:
        self.key = key
        self.path = path
        self.members = sorted(members, key=lambda section: section.line)
        self.bullets = self._of(Form.BULLET)
        self.summaries = [section for section in self.members if section.is_summary]
        described = self._of(Form.SECTION) or [
            section for section in self._of(Form.LOOSE) if section not in self.summaries
        ]
        self.described = described or self._of(Form.RANGE) or self.summaries
        self.works = list(_distinct(described)) if described else [self.described or self.bullets]
        self.chosen = next((work for work in self.works if _furthest(work) is not Status.COMPLETE), self.works[0])

    def _of(self, form: Form) -> list[Section]:
        return [section for section in self.members if section.form is form]

    def work(self, groups: _Groups) -> Work:
        primary = max(self.chosen, key=lambda section: section.size)
        aliases = dict.fromkeys(alias for section in self.members for alias in self._names(section))
        own = next((task for task in primary.ids if task_key(task) == self.key), None)
        return Work(
            id=own or next(task for section in self.members for task in section.ids if task_key(task) == self.key),
            aliases=tuple(alias for alias in aliases if task_key(alias) not in groups),
            title=self._title(primary),
            status=self.status(),
            primary=primary,
            sections=tuple(self.chosen),
            order=min(section.line for section in self.chosen),
            marks=self._marks(primary),
        )

    def _marks(self, primary: Section) -> tuple[Mark, ...]:
        places = self.bullets if primary.form is Form.RANGE else self.chosen
        return tuple(mark for place in places for mark in (place.in_name, place.in_body) if mark)

    def _names(self, section: Section) -> Iterator[TaskId]:
        """The other names that a section of the chosen work (or a list that mentions it) gives the item."""
        if section in self.chosen or section.form is not Form.SECTION:
            yield from section.aliases
            if section.form is Form.SECTION:
                yield from (task for task in section.ids if task_key(task) != self.key)

    def _title(self, primary: Section) -> str:
        inside = [bullet for bullet in self.bullets if primary.line < bullet.line <= primary.end_line]
        shared = primary.form is Form.RANGE
        order = [*inside, *self.bullets, primary] if shared else [primary, *self.chosen, *self.bullets]
        return next((section.title for section in order if section.title), "")

    def status(self) -> Status:
        """What the chosen sections and a completion summary say; a list counts where they say nothing."""
        own = _furthest([*self.chosen, *self.summaries])
        listed = _furthest(self.bullets)
        if self.chosen[0].form is Form.RANGE and listed is not Status.UNKNOWN:
            return listed
        return own if own is not Status.UNKNOWN else listed

    def notices(self) -> Iterator[Notice]:
        named = (task for section in self.chosen for task in section.ids if task_key(task) == self.key)
        name = next(named, _spelled(self.key))
        if len(self.works) > 1:
            yield self._duplicate(name)
        yield from self._disagreements(name)

    def _duplicate(self, name: str) -> Notice:
        each = " and ".join(f"{work[0].title!r} (line {work[0].line})" for work in self.works)
        used = self.chosen[0].line
        message = f"{name} names different works: {each}; line {used} is used, give the other a new number"
        return Notice("duplicate", message, self.path, used)

    def _disagreements(self, name: str) -> Iterator[Notice]:
        for section in self.chosen:
            head, body = section.in_name, section.in_body
            if head and body and head.status is not body.status:
                yield self._disagree(name, [(head.line, head.status), (body.line, body.status)], body.status)
        stated = [(section.line, section.status) for section in [*self.chosen, *self.summaries]]
        stated = [(line, status) for line, status in stated if status is not Status.UNKNOWN]
        if len({status for _, status in stated}) > 1:
            yield self._disagree(name, stated, self.status())
        done = self.status() is Status.COMPLETE
        for bullet in self.bullets:
            marked = bullet.in_name.status if bullet.in_name else Status.UNKNOWN
            if stated and marked is not Status.UNKNOWN and (marked is Status.COMPLETE) != done:
                yield self._disagree(name, [stated[0], (bullet.line, marked)], self.status())
                return

    def _disagree(self, name: str, stated: Iterable[tuple[int, Status]], used: Status) -> Notice:
        lines = sorted(set(stated), key=lambda entry: entry[0])
        each = ", ".join(f"{status.value} (line {line})" for line, status in lines)
        message = f"{name} has more than one status: {each}; {used.value} is used"
        return Notice("status-disagreement", message, self.path, lines[0][0])


def _distinct(sections: Sequence[Section]) -> Iterator[list[Section]]:
    """Sections of one id, grouped by the work that their titles name."""
    works: list[list[Section]] = []
    for section in sections:
        work = next((work for work in works if all(same_work(section.title, other.title) for other in work)), None)
        if work is None:
            works.append([section])
        else:
            work.append(section)
    yield from works


def _furthest(sections: Iterable[Section]) -> Status:
    return max((section.status for section in sections), key=_PROGRESS.index, default=Status.UNKNOWN)


def _alias_notices(groups: _Groups, path: str) -> Iterator[Notice]:
    """One notice for each alias of each item; ``duplicate`` where the alias also means something else."""
    owners: dict[TaskKey, dict[TaskKey, Section]] = defaultdict(dict)
    for owner, members in groups.items():
        for section in sorted(members, key=lambda member: member.line):
            for alias in section.aliases:
                owners[task_key(alias)].setdefault(owner, section)
    for key, owned in owners.items():
        places = [f"{section.ids[0]} (line {section.line})" for section in owned.values()]
        if key in groups:
            places.insert(0, f"an item of its own (line {groups[key][0].line})")
        line = next(iter(owned.values())).line
        if len(places) > 1:
            yield Notice("duplicate", f"{_spelled(key)} stands for {' and for '.join(places)}", path, line)
        else:
            yield Notice("alias", f"{places[0]} is also called {_spelled(key)}", path, line)


def _spelled(key: TaskKey) -> str:
    return f"{key.kind}-{'.'.join(key.number)}"
