"""Where an item stands, read from what people write: emoji, words, bold, dates and tails in any mixture.

Words win over emoji (``✅ READY FOR IMPLEMENTATION`` is planned) except that a word of completion cannot
overrule an emoji that says the work goes on (``🔄 MOSTLY COMPLETE``). What comes before the first dash,
bracket or comma decides; the rest is read only when that part says nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from coffee_hooks.base.model import Status

MAX_STATUS = 300
"""Characters of a status line that are looked at; real ones have 15 to 120."""


class StatusSpan(NamedTuple):
    """A status and the part of the text that says it: emoji and words, without the tail."""

    status: Status
    start: int
    end: int


_EMOJI = {
    **dict.fromkeys("✅✔☑", Status.COMPLETE),
    **dict.fromkeys("📝📋📅🗓⬜☐🆕", Status.PLANNED),
    **dict.fromkeys("🔄🔨🏗", Status.IN_PROGRESS),
    **dict.fromkeys("⏸🚫⛔🛑", Status.BLOCKED),
    **dict.fromkeys("🚧👀🧪", Status.MANUAL_REVIEW),
}
STATUS_EMOJI = "".join(_EMOJI)

_ENDED = r"(?:completed?|done|finished|implemented|delivered)"
_PART = r"(?:phases?|sprints?|milestones?|stages?|steps?|parts?|layers?|days?)"
_PHRASES: tuple[tuple[str, Status], ...] = (
    (
        rf"(?:not|never)\s+(?:yet\s+)?(?:{_ENDED}|started|begun)|incomplete|to\s+be\s+\w+|will\s+be\s+\w+",
        Status.PLANNED,
    ),
    (
        rf"(?:spec(?:ification)?s?|design|planning|requirements|analysis)\s+(?:phase\s+)?(?:is\s+)?(?:{_ENDED}|ready|approved)",
        Status.PLANNED,
    ),
    (rf"(?:partial(?:ly)?|partly|mostly|almost|nearly|largely|substantially|half)[\s-]+{_ENDED}", Status.IN_PROGRESS),
    (rf"{_PART}\s+[0-9][0-9a-z./&,\s-]*?\s*{_ENDED}", Status.IN_PROGRESS),
    (rf"[0-9]{{1,2}}(?:\.[0-9]+)?\s*%(?:\s*{_ENDED})?", Status.IN_PROGRESS),
    (
        r"in[\s-]+progress|work[\s-]+in[\s-]+progress|wip|ongoing|underway|under\s+way|implementing|in\s+development",
        Status.IN_PROGRESS,
    ),
    (
        r"manual\s+review(?:\s+required)?|needs?\s+(?:\w+\s+)?review|(?:in|under|awaiting|pending)\s+(?:\w+\s+)?review"
        r"|review\s+required|requires?\s+(?:manual|human)\s+\w+|ready\s+for\s+(?:\w+\s+)?(?:review|testing|qa|tests)",
        Status.MANUAL_REVIEW,
    ),
    (
        r"(?:spec\s+)?ready\s+(?:for|to)\s+(?:implement\w*|start|develop\w*|build|code|coding|work|begin)"
        r"|approved|planned|in\s+planning|planning|backlog|to-?\s?do|queued|up\s+next|scheduled|pending",
        Status.PLANNED,
    ),
    (r"(?:100\s*%|fully|mvp)\s+" + _ENDED + r"|100\s*%", Status.COMPLETE),
    (
        rf"{_ENDED}|shipped|released|merged|fixed|(?:fully\s+)?deployed|resolved|verified|production\s+ready",
        Status.COMPLETE,
    ),
    (
        r"blocked|on[\s-]+hold|paused|deferred|postponed|suspended|stalled|waiting|awaiting|cancell?ed|abandoned"
        r"|superseded|deprecated|obsolete|rejected|dropped|won'?t\s+(?:do|fix)",
        Status.BLOCKED,
    ),
)
_PHRASE = re.compile(
    "|".join(rf"(?P<p{index}>\b(?:{words})(?![\w-]))" for index, (words, _) in enumerate(_PHRASES)),
    re.IGNORECASE,
)
_WHOLE = {
    **dict.fromkeys(("open", "new", "next", "ready", "not ready"), Status.PLANNED),
    **dict.fromkeys(("started", "active", "working", "doing"), Status.IN_PROGRESS),
    **dict.fromkeys(("closed", "live"), Status.COMPLETE),
}
"""Words too common to mean a status unless they stand alone."""

_SEPARATOR = re.compile(r"\s[-–—|]\s|[(\[|;←,]|<-|\.\s")
_STRUCK = re.compile(r"~~.*?~~")
_MARKUP = " \t*_`\ufe0f\u200d"
_WORDS = re.compile(r"[^\W\d_]+")


def read_status(text: str) -> Status:
    """The status that a text states; UNKNOWN when it states none. Never raises."""
    found = locate_status(text)
    return found.status if found else Status.UNKNOWN


def locate_status(text: str) -> StatusSpan | None:
    """The status that a text states and where; offsets are into ``text``. None when it states none."""
    text = _STRUCK.sub(lambda match: " " * len(match[0]), text[:MAX_STATUS])
    segments = _segments(text)
    mark = _emoji(text, *segments[0])
    for start, end in segments:
        if phrase := _PHRASE.search(text, start, end):
            return _worded(text, phrase, mark)
        said = text[start:end]
        words = _WORDS.findall(said)
        if not words and mark:
            return mark
        if whole := _WHOLE.get(" ".join(words).lower()):
            first = start + said.index(words[0])
            last = start + said.rindex(words[-1]) + len(words[-1])
            return StatusSpan(whole, mark.start if mark else first, last)
        if mark and mark.status is not Status.COMPLETE:
            return mark
    return None


def is_status_phrase(text: str) -> bool:
    """Whether a text, markup aside, is nothing but words of status (``(In Progress)``, ``**DONE**``)."""
    return bool(_PHRASE.fullmatch(text.strip(_MARKUP + STATUS_EMOJI)))


def _segments(text: str) -> list[tuple[int, int]]:
    cuts = [match.span() for match in _SEPARATOR.finditer(text)]
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(text)]
    return list(zip(starts, ends, strict=True))


def _emoji(text: str, start: int, end: int) -> StatusSpan | None:
    for at in range(start, end):
        if status := _EMOJI.get(text[at]):
            return StatusSpan(status, at, at + 1 + (text[at + 1 : at + 2] == "\ufe0f"))
    return None


def _worded(text: str, phrase: re.Match[str], mark: StatusSpan | None) -> StatusSpan:
    status = _PHRASES[int((phrase.lastgroup or "p0")[1:])][1]
    if status is Status.COMPLETE and mark:
        status = mark.status
    adjoins = mark is not None and not text[mark.end : phrase.start()].strip(_MARKUP)
    return StatusSpan(status, mark.start if mark and adjoins else phrase.start(), phrase.end())
