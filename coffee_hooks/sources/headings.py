"""The grammar of a line that names a work item: a heading, or a bullet of a list."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from coffee_hooks.base.model import Status, TaskId
from coffee_hooks.sources.markdown import heading_of
from coffee_hooks.sources.status import STATUS_EMOJI, StatusSpan, is_status_phrase, locate_status
from coffee_hooks.sources.task_names import expand_range

MAX_LINE = 1000
"""Characters of a line that are read: titles have 20 to 120, and nobody shall make us read a megabyte of blanks."""
MAX_EMOJI = 20
"""Emoji of a title that are tried as the beginning of a status."""


class Form(Enum):
    """How firmly a line says that it is a work item."""

    SECTION = "section"
    """A heading of level 2 or 3 that is an id and a title: a work item, whatever stands around it."""
    RANGE = "range"
    """A heading for several ids: each is an item, described together with the others."""
    LOOSE = "loose"
    """A heading that may be an item or talk about one (``US-016 COMPLETION SUMMARY``, ``1. US-015: x``)."""
    BULLET = "bullet"
    """A bullet: the item exists, but this does not describe it."""


class NamedItem(NamedTuple):
    """What one line says about its item. ``status`` offsets are into the line; ``box`` is a task-list box."""

    form: Form
    level: int
    ids: tuple[TaskId, ...]
    aliases: tuple[TaskId, ...]
    title: str
    status: StatusSpan | None = None
    labelled: bool = False
    """The status stands in front of the id, as a label: ``PLANNED: US-023 - Title``."""


# Emoji, flags, keycaps and marks of emphasis: everything that decorates but does not speak.
_DECOR = r"(?:[^\x00-\x7f\w]|ℹ|[0-9#*]\ufe0f?\u20e3|\*\*|__|~~|[ \t])*"
_ID = r"(?:US[-_][0-9]{1,9}(?:\.[0-9]{1,9})*|PRIORITY[ _-][0-9]{1,9}(?:\.[0-9]{1,9})*)(?![\w-])"
_US = r"US[-_][0-9]{1,9}(?:\.[0-9]{1,9})*(?![\w-])"
_CLOSE = r"(?:\](?:\([^)]*\))?)?"
_DASH = r"\s+[-–—]\s+"
_HEAD = re.compile(
    rf"(?P<lead>{_DECOR})(?P<order>[0-9]{{1,3}}[.)]\s+)?"
    r"(?P<label>[A-Za-z][A-Za-z -]{0,40}:\s+|(?:user\s+)?story\s+)?"
    rf"(?P<bold>\*\*|__)?(?P<open>\[)?(?P<id>{_ID}){_CLOSE}",
    re.IGNORECASE,
)
_BULLET = re.compile(
    r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+(?P<box>\[[ xX]\][ \t]+)?"
    rf"(?P<lead>{_DECOR})(?P<open>\[)?(?P<id>{_ID}){_CLOSE}",
    re.IGNORECASE,
)
_ALIAS = re.compile(r"(?:\*\*|__)?\s*\((?P<alias>PRIORITY[ _-][0-9]{1,9}(?:\.[0-9]{1,9})*)\)", re.IGNORECASE)
_RANGE = re.compile(rf"\s+(?:through|thru|to|[-–—→]|\.{{2,3}})\s+\[?(?P<last>{_US})\]?", re.IGNORECASE)
_SEPARATOR = re.compile(rf"(?P<close>\*\*|__)?(?:(?P<firm>\s*:(?:\*\*|__)?\s*|{_DASH})|\s+(?=\S)|\s*$)")
_STORY = re.compile(rf"(?:\*\*|__)?\[?(?P<id>{_US})\]?(?=(?:\*\*|__)?(?:\s*:|\s|$))", re.IGNORECASE)
_LABELS = {"user story", "story", "task", "epic", "feature", "item"}
_NOT_LABELS = {"example", "examples", "note", "notes", "template", "sample", "warning"}
_URGENCY = re.compile(r"\s(?=[🔴🟠🟡🟢🔵⚡⭐🚨🔥🎯])")
_TAIL = re.compile(
    r"(?:\(([^()]*)\)|\[([^\[\]]*)\]|\*\*([^*]+)\*\*|\s[-–—]\s+([A-Za-z0-9%](?:[A-Za-z0-9% ]*[A-Za-z0-9%])?)"
    r"|[⚡💬🤝]\s*([A-Z](?:[A-Z ]*[A-Z])?))\s*$"
)
_TAG = re.compile(r"\[[^\w\[\]][^\[\]]*\]")


def parse_item_heading(line: str) -> NamedItem | None:
    """What a heading line names, or None when it is not about one item (or one range of them)."""
    line = line[:MAX_LINE]
    heading = heading_of(line)
    if heading is None:
        return None
    level, text = heading
    start = line.find(text) if text else len(line)
    match = _HEAD.match(line, start)
    if match is None or (match["order"] is None and not _label_is_fine(match)):
        return None
    ids, aliases, firm, at = _names(line, match)
    if not ids:
        return None
    form = Form.RANGE if len(ids) > 1 else _form(match, level, firm)
    end = start + len(text)
    title, status = _title(line, at, end, bold=bool(match["bold"]) or "**" in match["lead"])
    label = _label_status(match)
    return NamedItem(form, level, ids, aliases, title, status or label, labelled=status is None and label is not None)


@lru_cache(maxsize=256)  # the lines above each bullet of a list are read again
def parse_item_bullet(line: str) -> NamedItem | None:
    """What a bullet names. Only ``id: text`` and ``id - text`` count, or any text after a box or a bracket."""
    line = line[:MAX_LINE]
    match = _BULLET.match(line)
    if match is None:
        return None
    ids, aliases, firm, at = _names(line, match)
    if not ids or not (firm or match["box"] or match["open"]):
        return None
    title, status = _title(line, at, len(line), bold="**" in match["lead"])
    return NamedItem(Form.BULLET, 0, ids, aliases, title, status or _box(match) or _lead_status(match))


def _label_is_fine(match: re.Match[str]) -> bool:
    label = (match["label"] or "").strip().rstrip(":")
    if not label:
        return True
    if label.lower() in _NOT_LABELS:
        return False
    return label.isupper() or label.lower() in _LABELS or is_status_phrase(label)


def _names(line: str, match: re.Match[str]) -> tuple[tuple[TaskId, ...], tuple[TaskId, ...], bool, int]:
    """Ids, aliases, whether a colon or a dash (or a bracket) sets the title off, and where the title begins."""
    first, at = _canonical(match["id"]), match.end()
    aliases: tuple[TaskId, ...] = ()
    if alias := _ALIAS.match(line, at):
        aliases, at = (_canonical(alias["alias"]),), alias.end()
    elif first.startswith("US-") and (last := _RANGE.match(line, at)):
        after = _SEPARATOR.match(line, last.end())
        ids = expand_range(first[3:], _canonical(last["last"])[3:]) if "." not in first + last["last"] else (first,)
        return (ids, (), True, after.end()) if after else ((), (), False, at)
    separator = _SEPARATOR.match(line, at)
    if separator is None:
        return (), (), False, at
    firm = bool(separator["firm"] or match["open"]) or separator.end() == len(line.rstrip())
    at = separator.end()
    if first.startswith("PRIORITY-") and separator["firm"] and (story := _STORY.match(line, at)):
        after = _SEPARATOR.match(line, story.end())
        return (_canonical(story["id"]),), (first,), True, after.end() if after else story.end()
    return (first,), aliases, firm, at


def _canonical(written: str) -> TaskId:
    kind = "US" if written[0] in "uU" else "PRIORITY"
    return TaskId(f"{kind}-{written[len(kind) + 1 :]}")


def _form(match: re.Match[str], level: int, firm: bool) -> Form:
    shouted = match["id"][0] in "uU" or match["id"].startswith("PRIORITY")
    return Form.SECTION if level in (2, 3) and firm and shouted and not match["order"] else Form.LOOSE


def _label_status(match: re.Match[str]) -> StatusSpan | None:
    """The status in front of the id: a label with its emoji, or a bare emoji that means one."""
    label = match["label"]
    if label is None:
        return _lead_status(match)
    start = match.start("lead")
    found = locate_status(match.string[start : match.end("label")].rstrip().rstrip(":"))
    return found and StatusSpan(found.status, start + found.start, start + found.end)


def _lead_status(match: re.Match[str]) -> StatusSpan | None:
    lead = match["lead"]
    if not any(char in STATUS_EMOJI for char in lead):
        return None
    found = locate_status(lead)
    return found and StatusSpan(found.status, match.start("lead") + found.start, match.start("lead") + found.end)


def _box(match: re.Match[str]) -> StatusSpan | None:
    if match["box"] is None:
        return None
    status = Status.PLANNED if match["box"][1] == " " else Status.COMPLETE
    return StatusSpan(status, match.start("box"), match.start("box") + 3)


def _title(line: str, start: int, end: int, *, bold: bool) -> tuple[str, StatusSpan | None]:
    """The title in ``line[start:end]`` without status, urgency and emphasis, and the status after it."""
    status = _trailing_status(line, start, end)
    stop = status.start if status else end
    closing = line.find("**", start, stop) if bold else -1
    text = line[start : closing if closing > start else stop].lstrip()
    text = _TAG.sub("", _URGENCY.split(text, maxsplit=1)[0]).replace("**", "").strip(" \t-–—:(")
    while text and not (text[-1].isascii() or text[-1].isalnum()):
        text = text[:-1].rstrip()
    return text.rstrip("[").strip(), status


def _trailing_status(line: str, start: int, end: int) -> StatusSpan | None:
    """The status after a title: an emoji with its words, or words set off by brackets, bold or a dash."""
    places = (at for at in range(start, end) if line[at] in STATUS_EMOJI)
    for at in islice(places, MAX_EMOJI):
        found = locate_status(line[at:end])
        if found and found.start == 0 and _is_plain(line, at, at + found.end, end):
            return StatusSpan(found.status, at, at + found.end)
    tail = _TAIL.search(line, start, end)
    if tail and tail.lastindex and is_status_phrase(tail[tail.lastindex]):
        found = locate_status(tail[tail.lastindex])
        base = tail.start(tail.lastindex)
        return found and StatusSpan(found.status, base + found.start, base + found.end)
    return None


def _is_plain(line: str, start: int, stop: int, end: int) -> bool:
    """An emoji alone is a status only where nothing but brackets or markup follows, not inside a title."""
    if line[start + 1 : stop].strip(" \ufe0f"):
        return True
    return not line[stop:end].split("(", 1)[0].strip(" \t*_")
