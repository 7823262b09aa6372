"""What a text says it depends on and what it blocks: labels, their bullets, and whole sections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from coffee_hooks.base.model import Reference, TaskId
from coffee_hooks.sources.markdown import Document, heading_of
from coffee_hooks.sources.task_names import Mention, mentions

SPEC_KIND = "SPEC"
"""The kind of a reference that names a spec in place of its task."""
_SPEC = re.compile(r"(?<![A-Za-z0-9_/-])SPEC-([0-9]{1,9})(?![0-9])")


class Dependencies(NamedTuple):
    """Tasks named under a label of dependency, in the order of the text; names as written, not resolved."""

    depends_on: tuple[Reference, ...]
    blocks: tuple[Reference, ...]


class _Mode(Enum):
    NEEDS = "needs"
    DONE = "done"
    BLOCKS = "blocks"
    OTHER = "other"


class _Label(NamedTuple):
    mode: _Mode
    words: str
    value: str


_MARK = r"[ \t>]*(?:(?:[-*+]|[0-9]{1,3}[.)])[ \t]+)?(?:[^\x00-\x7f\w][ \t]*)*"
_LABEL = re.compile(
    rf"{_MARK}(?P<bold>\*\*|__)?(?P<words>[A-Za-z][^:*\n]{{0,60}}?)\s*(?:(?:\*\*|__)\s*)?:\s*(?:(?:\*\*|__)\s*)?(?P<value>.*)$"
)
_SENTENCE = re.compile(
    rf"{_MARK}(?:\*\*|__)?(?P<words>depends\s+(?:up)?on|blocked\s+(?:by|on)|blocks)(?:\*\*|__)?\s+"
    r"(?P<value>\[?(?:US[-_]|PRIORITY[ _-])[0-9].*)$",
    re.IGNORECASE,
)
_NEEDS = re.compile(
    r"(?:(?:hard|direct|internal|task|story|upstream)\s+)?(?:prerequisites?\s*(?:&|and)\s*)?dependenc(?:y|ies)"
    r"|depends(?:\s+(?:up)?on)?|depend(?:s|ent)?\s+on|blocked\s+(?:by|on)|prerequisites?|requires?(?:\s+.*)?|waits\s+(?:for|on)",
    re.IGNORECASE,
)
_BLOCKS = re.compile(r"(?:un)?blocks?(?:\s+.*)?|required\s+(?:by|for)|prerequisite\s+(?:for|of)", re.IGNORECASE)
_INSIDE_DONE = re.compile(r"completed?|done|satisfied|met", re.IGNORECASE)
_INSIDE_OTHER = re.compile(
    r"enhances|enables|recommended|optional|(?:soft|nice).*|relat.*|integrat.*|complement.*|supports|future.*|used\s+by"
    r"|downstream|external|builds\s+on|see\s+also|notes?",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"builds\s+on|enables|enhances|relat(?:ed|ion|es).*|complements?|integrat.*|see\s+also|references?|recommended",
    re.IGNORECASE,
)
_NONE = re.compile(r"(?:none|n/?a|nothing|nil|no\s+(?:dependenc|prerequisite|block)\w*|-|—|–)(?!\w)", re.IGNORECASE)
_BULLET = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,3}[.)])[ \t]+")
_DECOR = " \t*_`✅✔☑📝🔄⏸🚧🔴🟡🟢❌\ufe0f"
_PARALLEL = re.compile(r"(?:in\s+)?parallel\s+(?:with|to)\s[^);.]*", re.IGNORECASE)
_TICK = re.compile(r"[✅✔☑]|\[[xX]\]")
_NOT_YET = re.compile(r"[📝🔄⏸🚧❌]|\b(?:not|must|should|after|once|until|when|needs?)\b", re.IGNORECASE)
_SAYS_DONE = re.compile(r"\b(?:COMPLETED?|DONE)\b|[-–—(]\s*(?:[Cc]ompleted?|[Dd]one)\b(?=\s*(?:[),;.]|$))")


def read_dependencies(document: Document, start: int, end: int) -> Dependencies:
    """The dependencies stated in the 1-based lines ``start..end``. ``None (...)`` names nobody."""
    found: dict[tuple[bool, TaskId], Reference] = {}
    for mode, number, text in _statements(document, start, end):
        for task, done in _tasks(text):
            key = (mode is _Mode.BLOCKS, task)
            satisfied = done or mode is _Mode.DONE
            if key not in found or (satisfied and not found[key].satisfied):
                found[key] = Reference(task, number, satisfied)
    references = sorted(found.items(), key=lambda entry: entry[1].line)
    return Dependencies(
        depends_on=tuple(reference for (blocks, _), reference in references if not blocks),
        blocks=tuple(reference for (blocks, _), reference in references if blocks),
    )


def opens_reference_list(line: str) -> bool:
    """Whether the bullets below this label or heading name other tasks, and describe none of their own."""
    label = _label(line)
    if label is None:
        heading = heading_of(line)
        words = heading[1].strip(_DECOR) if heading else ""
        return bool(_NEEDS.fullmatch(words) or _BLOCKS.fullmatch(words) or _OTHER.fullmatch(words))
    return label.mode is not _Mode.OTHER or bool(_OTHER.fullmatch(label.words))


def is_label(line: str) -> bool:
    """Whether a line is ``Something:`` or ``**Something**: ...``, which ends the list of the label before it."""
    match = _LABEL.match(line)
    return bool(match and (match["bold"] or (not match["value"] and not _BULLET.match(line))))


def _statements(document: Document, start: int, end: int) -> Iterator[tuple[_Mode, int, str]]:
    """Each piece of text that names dependencies, with its mode and line."""
    number = start
    while number <= end:
        line = document.lines[number - 1]
        lowered = line.lower()
        if document.hidden[number] or not _may_state(lowered):
            number += 1
            continue
        if section := _section_mode(line):
            stop = _section_end(document, number, end)
            yield from _section(document, number + 1, stop, section)
            number = stop + 1
            continue
        label = _label(line)
        if label and label.mode is not _Mode.OTHER:
            yield label.mode, number, label.words
            if not _is_none(label.value):
                yield label.mode, number, label.value
                if not any(mentions(label.value)):
                    yield from ((label.mode, at, text) for at, text in _list_below(document, number + 1, end))
        number += 1


def _may_state(lowered: str) -> bool:
    """A cheap test that every statement of this module passes: ``in`` costs a tenth of a pattern."""
    return "depend" in lowered or "block" in lowered or "requi" in lowered or "waits" in lowered


def _label(line: str) -> _Label | None:
    match = _LABEL.match(line) or _SENTENCE.match(line)
    if match is None:
        return None
    words = match["words"].strip()
    bare = re.sub(r"\s*\(.*\)$", "", words)
    mode = _Mode.NEEDS if _NEEDS.fullmatch(bare) else _Mode.BLOCKS if _BLOCKS.fullmatch(bare) else _Mode.OTHER
    return _Label(mode, bare, match["value"].strip())


def _section_mode(line: str) -> _Mode | None:
    heading = heading_of(line)
    if heading is None:
        return None
    words = heading[1].strip(_DECOR).lstrip("0123456789. ").rstrip(":")
    return _Mode.NEEDS if _NEEDS.fullmatch(words) else _Mode.BLOCKS if _BLOCKS.fullmatch(words) else None


def _section_end(document: Document, number: int, end: int) -> int:
    level = (heading_of(document.lines[number - 1]) or (6, ""))[0]
    for at, line in document.visible(number + 1, end):
        heading = heading_of(line)
        if heading and heading[0] <= level:
            return at - 1
    return end


def _section(document: Document, start: int, end: int, mode: _Mode) -> Iterator[tuple[_Mode, int, str]]:
    """The lines below a heading ``Dependencies``; a label among them may change what they mean."""
    current = mode
    for number, line in document.visible(start, end):
        if heading_of(line) or is_label(line):
            label = _label(line) or _Label(_Mode.OTHER, (heading_of(line) or (0, line))[1].strip(_DECOR + ":"), "")
            current = _mode_inside(label, mode)
            if current is not _Mode.OTHER:
                yield current, number, label.words
                if not _is_none(label.value):
                    yield current, number, label.value
        elif current is not _Mode.OTHER and not _is_none(_BULLET.sub("", line, count=1)):
            inner = _label(line)
            yield (inner.mode if inner and inner.mode is not _Mode.OTHER else current), number, line


def _mode_inside(label: _Label, outer: _Mode) -> _Mode:
    if label.mode is not _Mode.OTHER:
        return label.mode
    if _INSIDE_DONE.fullmatch(label.words):
        return _Mode.DONE
    return _Mode.OTHER if _INSIDE_OTHER.fullmatch(label.words) else outer


def _list_below(document: Document, start: int, end: int) -> Iterator[tuple[int, str]]:
    """The bullets below a label, or the one paragraph; blank lines may come before them, not between."""
    begun = False
    for number in range(start, end + 1):
        line = document.lines[number - 1]
        if document.hidden[number] or heading_of(line):
            return
        if not line.strip():
            if begun:
                return
            continue
        bullet = _BULLET.match(line)
        if is_label(line) or (begun and not bullet and not line[0].isspace()):
            return
        begun = True
        text = line[bullet.end() :] if bullet else line
        if not _is_none(text):
            yield number, text


def _is_none(value: str) -> bool:
    return bool(_NONE.match(value.strip(_DECOR)))


def _tasks(text: str) -> Iterator[tuple[TaskId, bool]]:
    """Each task of a statement, and whether the statement marks it as done."""
    text = _PARALLEL.sub(lambda match: " " * len(match[0]), text)
    named = sorted([*mentions(text), *_named_specs(text)], key=lambda mention: mention.start)
    if not named:
        return
    before = bool(_TICK.search(text, 0, named[0].start))
    for index, mention in enumerate(named):
        stop = named[index + 1].start if index + 1 < len(named) else len(text)
        said = text[mention.end : stop]
        for task in mention.tasks:
            yield task, _is_done(said, before)


def _named_specs(text: str) -> Iterator[Mention]:
    """Specs named as what has to come first; the plan knows whose they are (``SPEC_KIND``)."""
    for match in _SPEC.finditer(text):
        yield Mention((TaskId(f"{SPEC_KIND}-{match[1]}"),), match.start(), match.end())


def _is_done(said: str, ticked_before: bool) -> bool:
    if _TICK.search(said):
        return not re.search(r"[📝🔄⏸🚧❌]|\bnot\b", said)
    if _NOT_YET.search(said):
        return False
    return ticked_before or bool(_SAYS_DONE.search(said))
