"""The places in the tree that a spec names, and whether it says they are written or only mentioned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from coffee_hooks.base.model import Intent, NamedPath, PathKind
from coffee_hooks.sources.file_trees import is_tree, tree_paths
from coffee_hooks.sources.intents import Topic, announced, label_of, spoken_intent, topic_of_heading
from coffee_hooks.sources.markdown import Document, Fence
from coffee_hooks.sources.paths import FoundPath, find_paths, may_hold_path

_BULLET = re.compile(r"[ \t>]*(?:[-*+]|[0-9]{1,3}[.)])[ \t]+(?P<box>\[[ xX]\][ \t]+)?")
_JOINT = re.compile(r"[\s`*,;&+/]*(?:(?:and|or)[\s`*,;&+/]*)?", re.IGNORECASE)
_OPENING = " \t`*_\"'([>|-+0123456789.)]xX✅📝🆕✨"
_COMMENT = re.compile(
    r"\s*(?:#+|//+|--|;+|/\*+|<!--|\"\"\"|''')\s*(?:(?:file|filename|path|in)(?:\s+(?::\s+)?|:\s+))?(?P<path>[\w.][\w./@+-]*\.\w{1,12})"
    r"(?P<note>\s*[:(\[–—-].*|\s*\*/|\s*-->|\"\"\"|'''|\s+\(.*)?\s*$",
    re.IGNORECASE,
)
_DIFF = re.compile(r"(?:\+\+\+ b/|--- a/)")
_STRING = re.compile(r"[\"'`][\w*.-]*\.\w")
_OLD = re.compile(r"\b(?:exists|existing|current|before|old|unchanged|reference|example)\b", re.IGNORECASE)
_SHELL = re.compile(r"bash|sh|shell|console|zsh|shell-session|powershell|terminal")
_LISTING = frozenset(("", "text", "txt", "plain", "plaintext", "yaml", "yml"))


class _Context(NamedTuple):
    """What the headings and the label above a line say about its paths."""

    section: Topic
    label: Topic

    @property
    def topic(self) -> Topic:
        return self.label if self.label is not Topic.NEUTRAL else self.section


def named_paths(document: Document) -> tuple[NamedPath, ...]:
    """Every path, glob, directory and bare name of a spec once, in the order of the text.

    A path that is written somewhere and mentioned elsewhere is written. A bare name whose full path the spec
    gives somewhere is that path.
    """
    found: dict[str, NamedPath] = {}
    for path in _every_path(document):
        known = found.get(path.pattern)
        if known is None or (path.intent is Intent.WRITE and known.intent is Intent.MENTION):
            found[path.pattern] = path
    return tuple(sorted(_resolve_bare(found), key=lambda path: path.line))


def _resolve_bare(found: dict[str, NamedPath]) -> Iterable[NamedPath]:
    full: dict[str, list[str]] = {}
    for path in found.values():
        if path.kind is PathKind.FILE:
            full.setdefault(path.pattern.rpartition("/")[2], []).append(path.pattern)
    for path in list(found.values()):
        owners = full.get(path.pattern, []) if path.kind is PathKind.BARE else []
        if not owners:
            continue
        del found[path.pattern]
        known = found[owners[0]]
        if len(owners) == 1 and path.intent is Intent.WRITE and known.intent is Intent.MENTION:
            found[owners[0]] = NamedPath(known.pattern, known.kind, Intent.WRITE, path.line)
    return found.values()


def _every_path(document: Document) -> Iterator[NamedPath]:
    """Each path with the intent that its place gives it, repetitions included."""
    fences = {fence.start: fence for fence in document.fences}
    headings = {heading.line: heading for heading in document.headings}
    above: list[tuple[int, str]] = []
    label = Topic.NEUTRAL
    for number, line in enumerate(document.lines, 1):
        if document.hidden[number]:
            if fence := fences.get(number):
                yield from _fence_paths(document, fence, _Context(_section(above), label))
            continue
        if heading := headings.get(number):
            above = [*((level, text) for level, text in above if level < heading.level), heading[1:]]
            label = Topic.NEUTRAL
        elif line:
            label = _label_after(line, label)
        if may_hold_path(line) and (found := list(find_paths(line))):
            yield from _prose_paths(number, line, found, _Context(_section(above), label))


def _label_after(line: str, label: Topic) -> Topic:
    """The label that governs the lines from here on: a new one, or none once other prose begins."""
    bullet = _BULLET.match(line)
    named = label_of(line) if ":" in line else None
    if named and (named[2] or not bullet):
        return named[1] if named[2] else Topic.NEUTRAL
    ends = not bullet and not line[0].isspace() and not line.startswith("|")
    return Topic.NEUTRAL if ends else label


def _section(above: list[tuple[int, str]]) -> Topic:
    """The topic of the innermost heading that has one."""
    topics = (topic_of_heading(text) for _, text in reversed(above))
    return next((topic for topic in topics if topic is not Topic.NEUTRAL), Topic.NEUTRAL)


def _prose_paths(number: int, line: str, found: Sequence[FoundPath], context: _Context) -> Iterator[NamedPath]:
    named = label_of(line)
    label = named[1] if named and not named[2] else Topic.NEUTRAL
    begin = line.find(":") + 1 if named and label is not Topic.NEUTRAL else 0
    before: Intent | None = None
    for index, path in enumerate(found):
        left = line[min(begin, path.start) : path.start]
        stop = found[index + 1].start if index + 1 < len(found) else len(line)
        intent = _intent(line, left, line[path.end : stop], label, context, before)
        yield NamedPath(path.pattern, path.kind, intent, number)
        before, begin = intent, path.end


def _intent(line: str, left: str, right: str, label: Topic, context: _Context, before: Intent | None) -> Intent:
    """Link and talk first, then the words before the path, the label, the words after it, and the place."""
    if left.endswith("](") or label is Topic.TALK:
        return Intent.MENTION
    if context.topic is Topic.TALK and label is not Topic.WORK:
        return Intent.MENTION
    if before is not None and _JOINT.fullmatch(left):
        return before
    spoken = spoken_intent(left)
    if spoken is not None:
        return spoken
    if label is Topic.WORK:
        return Intent.MENTION if context.section is Topic.TALK else Intent.WRITE
    leads = not left.strip(_OPENING)
    if (leads or line.lstrip().startswith("|")) and announced(right):
        return Intent.WRITE
    return Intent.WRITE if _place_writes(line, leads, context) else Intent.MENTION


def _place_writes(line: str, leads: bool, context: _Context) -> bool:
    bullet = _BULLET.match(line)
    if context.label is Topic.WORK or (bullet and bullet["box"]) or line.startswith("#"):
        return True
    return bool(bullet and leads and context.section is Topic.WORK)


def _fence_paths(document: Document, fence: Fence, context: _Context) -> Iterator[NamedPath]:
    lines = document.lines[fence.start : fence.end - 1 if fence.closed else fence.end]
    language = fence.language
    talk = context.topic is Topic.TALK
    if is_tree(lines):
        yield from _tree_paths(lines, fence.start + 1, talk=talk)
        return
    work = context.label is Topic.WORK
    code = language not in _LISTING
    for number, line in enumerate(lines, fence.start + 1):
        if (code and "/" not in line and not _STRING.search(line)) or not may_hold_path(line):
            continue
        changed = _DIFF.match(line)
        header = None if _SHELL.fullmatch(language) else _header(line)
        for path in find_paths(line[changed.end() :] if changed else line, code=code):
            announces = not code and (work or announced(line[path.end :]))
            written = not talk and (changed is not None or path.pattern == header or announces)
            yield NamedPath(path.pattern, path.kind, Intent.WRITE if written else Intent.MENTION, number)


def _tree_paths(lines: Sequence[str], first: int, *, talk: bool) -> Iterator[NamedPath]:
    """A tree that marks files as new or existing means what it marks; one that marks nothing is the plan."""
    entries = list(tree_paths(lines))
    marked = any(announced(note) or _OLD.search(note) for _, _, note in entries)
    for offset, pattern, note in entries:
        written = not talk and (announced(note) if marked else True)
        kind = PathKind.FILE if "/" in pattern else PathKind.BARE
        yield NamedPath(pattern, kind, Intent.WRITE if written else Intent.MENTION, first + offset)


def _header(line: str) -> str | None:
    """The path of a comment that is nothing but a path: the file that the code below it belongs to."""
    match = _COMMENT.match(line)
    return match["path"] if match and not _OLD.search(match["note"] or "") else None
