"""Which of the specs belongs to an item: by number, and by what the spec says it is about.

Numbers alone are wrong for a third of a real roadmap, so a spec is asked whom it names, the clearest place
first: the file name and the ``User Story`` line, then the title, the ``Priority`` line, the rest of the header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from coffee_hooks.base.model import Notice, RoadmapItem, Spec, TaskId
from coffee_hooks.sources.task_names import TaskKey, mentions, number_key, parse_task_name, task_key
from coffee_hooks.sources.titles import kinship

HEADER_LINES = 40
"""Lines of a spec in which it says what it is about."""
MOST = 1 << 13
"""Specs that are remembered: each item asks all of them, and one too many would be to read all again for each."""
KIN = 0.5
"""Share of common telling words from which two titles are taken for the same topic."""

_FILE = re.compile(
    r"(?:(?P<spec>SPEC)|(?P<kind>US|PRIORITY))[-_](?:(?P<us>US)[-_])?(?P<number>[0-9]{1,9})(?P<decimal>(?:[-_.][0-9]{1,2}(?=[-_.]|$)){0,2})(?![0-9])",
    re.IGNORECASE,
)
_NAMED_IN_FILE = re.compile(
    r"(?:^|[-_/])(?:(us)[-_]([0-9]{1,9})|(priority)[-_]([0-9]{1,9}(?:[-_.][0-9]{1,2}(?=[-_.]))?))(?![0-9])",
    re.IGNORECASE,
)
_OWNER = re.compile(r"\**(?:related\s+)?(?:user\s+)?(?:story|stories|task|item|implements|us)\**\s*:", re.IGNORECASE)
_PRIORITY = re.compile(r"[-*\s]*priority\**\s*:", re.IGNORECASE)
_NEEDS = re.compile(r"[-*\s]*(?:depend|blocked|requires|prerequisite|supersede|block)", re.IGNORECASE)
_REPORT = re.compile(r"IMPLEMENTATION[-_]REPORT|[-_]REPORT\b", re.IGNORECASE)
_SPEC_TITLE = re.compile(r"^(?:SPEC|US|PRIORITY)[-_ ]?[\w.-]*\s*[:–—-]\s*", re.IGNORECASE)


class _Claim(Enum):
    """What a spec says of an item."""

    OWNS = "owns"
    SILENT = "silent"
    FOREIGN = "foreign"


class _Header(NamedTuple):
    """The tasks that a spec names, the clearest place first; the last place cannot disown an item."""

    places: tuple[frozenset[TaskKey], ...]
    rest: frozenset[TaskKey]
    title: str


def find_spec(item: RoadmapItem, specs: Sequence[Spec]) -> tuple[Spec | None, tuple[Notice, ...]]:
    """The spec of an item, or None, with a notice on every doubt.

    Candidates have the item's number in their name, or name the item themselves. One that is about another item
    is foreign and never used. Of several the one that names the item wins, then the number, then the one that is
    no report, then the shortest name. Files beside a directory's README add their paths to it (line 0).
    """
    names = frozenset(map(task_key, (item.id, *item.aliases)))
    candidates = [spec for spec in specs if _has_number(spec.path, item) or _is_owner(spec, names)]
    claims = [(spec, _claim(spec, item, names)) for spec in candidates]
    foreign = [spec for spec, claim in claims if claim is _Claim.FOREIGN and _is_main(spec)]
    notices = [_foreign(item, spec) for spec in foreign if not _is_decimal(spec.path)]
    usable = [(spec, claim) for spec, claim in claims if claim is not _Claim.FOREIGN and _is_main(spec)]
    if not usable:
        if not notices:
            notices.append(Notice("spec-missing", f"{item.id} has no spec", line=item.line))
        return None, tuple(notices)
    chosen, claim = min(usable, key=lambda pair: _rank(pair, item))
    related = kinship(_topic(chosen.title), item.title) >= KIN
    if claim is _Claim.SILENT and not related:
        if len(usable) > 1:
            several = ", ".join(sorted(spec.path for spec, _ in usable))
            message = f"{item.id}: several specs have its number and none names it: {several}"
            return None, (*notices, Notice("spec-ambiguous", message, chosen.path))
        message = f"{item.id}: this spec has its number but neither its name nor its title"
        notices.append(Notice("spec-unconfirmed", message, chosen.path))
    others = [spec.path for spec, _ in usable if spec is not chosen]
    if others:
        message = f"{item.id} has {len(usable)} specs; this one is used, not {', '.join(sorted(others))}"
        notices.append(Notice("spec-ambiguous", message, chosen.path))
    return _with_parts(chosen, specs), tuple(notices)


def _rank(pair: tuple[Spec, _Claim], item: RoadmapItem) -> tuple[bool, bool, bool, int, int, str]:
    """The smallest is the best; nearness of the titles counts in quarters."""
    spec, claim = pair
    return (
        claim is not _Claim.OWNS,
        not _has_number(spec.path, item),
        bool(_REPORT.search(spec.path)),
        -int(4 * kinship(_topic(spec.title), item.title)),
        len(spec.path),
        spec.path,
    )


def _has_number(path: str, item: RoadmapItem) -> bool:
    """Whether a file name carries the item's own number; ``SPEC-12-2-x`` may be 12 or 12.2."""
    kind, number = task_key(item.id)
    return (kind, number) in numbers_of(path)


@lru_cache(maxsize=MOST)
def numbers_of(path: str) -> frozenset[tuple[str, tuple[str, ...]]]:
    """What the number in a file or directory name may mean: a story, a priority or either."""
    parts = path.rstrip("/").split("/")[-2:]
    match = next((found for part in reversed(parts) if (found := _FILE.match(part))), None)
    if match is None:
        return frozenset()
    whole = [match["number"]]
    if match["decimal"]:
        whole.append(match["number"] + re.sub(r"[-_]", ".", match["decimal"]))
    kinds = ["US"] if match["us"] else [match["kind"].upper()] if match["kind"] else ["US", "PRIORITY"]
    return frozenset((kind, number_key(number)) for kind in kinds for number in whole)


def _is_decimal(path: str) -> bool:
    """Whether the name reads better as ``2.6`` than as story 2: then nobody mistakes it for that story's."""
    return any(len(number) > 1 for _, number in numbers_of(path))


def _is_main(spec: Spec) -> bool:
    """A spec of its own: not one of the phase files beside a directory's README."""
    folder, _, name = spec.path.rpartition("/")
    return name.upper() == "README.MD" or not _FILE.match(folder.rpartition("/")[2]) or bool(_FILE.match(name))


def _with_parts(spec: Spec, specs: Iterable[Spec]) -> Spec:
    folder, _, name = spec.path.rpartition("/")
    if name.upper() != "README.MD":
        return spec
    parts = sorted(
        (part for part in specs if part.path.startswith(folder + "/") and part is not spec), key=lambda part: part.path
    )
    known = {path.pattern for path in spec.paths}
    paths = [replace(path, line=0) for part in parts for path in part.paths if path.pattern not in known]
    symbols = [replace(symbol, line=0) for part in parts for symbol in part.symbols]
    return replace(spec, paths=(*spec.paths, *paths), symbols=(*spec.symbols, *symbols))


def _is_owner(spec: Spec, names: frozenset[TaskKey]) -> bool:
    return any(place & names for place in _header(spec).places[:2])


def _claim(spec: Spec, item: RoadmapItem, names: frozenset[TaskKey]) -> _Claim:
    header = _header(spec)
    for place in header.places:
        if place:
            return _Claim.OWNS if place & names else _Claim.FOREIGN
    if header.rest & names:
        return _Claim.OWNS
    if header.rest and kinship(header.title, item.title) < KIN:
        return _Claim.FOREIGN
    return _Claim.SILENT


def _header(spec: Spec) -> _Header:
    return _read_header(spec.path, spec.title, spec.text)


@lru_cache(maxsize=MOST)
def _read_header(path: str, title: str, text: str) -> _Header:
    clear: set[TaskKey] = {task_key(task) for task in _in_file_name(path)}
    priority: set[TaskKey] = set()
    rest: set[TaskKey] = set()
    for line in text.split("\n", HEADER_LINES)[:HEADER_LINES]:
        tasks = {task_key(task) for mention in mentions(line) for task in mention.tasks}
        if not tasks or line.startswith("# "):
            continue
        if _OWNER.match(line.lstrip("-* \t|")):
            clear |= tasks
        elif _PRIORITY.match(line):
            priority |= tasks
        elif not _NEEDS.match(line):
            rest |= tasks
    titled = {task_key(task) for mention in mentions(title) for task in mention.tasks}
    places = tuple(map(frozenset, (clear, titled, priority)))
    return _Header(places, frozenset(rest), _topic(title))


def _in_file_name(path: str) -> Iterable[TaskId]:
    name = path.rpartition("/")[2]
    for us, story, priority, number in _NAMED_IN_FILE.findall(name):
        task = parse_task_name(f"{us or priority}-{story or re.sub('[-_]', '.', number)}")
        if task:
            yield task


def _topic(title: str) -> str:
    """The title of a spec without its number."""
    return _SPEC_TITLE.sub("", title)


def _foreign(item: RoadmapItem, spec: Spec) -> Notice:
    header = _header(spec)
    named = next((place for place in (*header.places, header.rest) if place), frozenset())
    others = ", ".join(sorted(f"{key.kind}-{'.'.join(key.number)}" for key in named)[:3])
    message = f"{item.id}: this spec has its number but is about {others}; it is not used"
    return Notice("spec-foreign", message, spec.path)
