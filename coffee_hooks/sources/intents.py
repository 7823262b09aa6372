"""Whether a sentence, a label or a heading says that a path is written or only talked about."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from coffee_hooks.base.model import Intent


class Topic(Enum):
    """What a stretch of a spec is about, as far as its paths are concerned."""

    WORK = "work"
    TALK = "talk"
    NEUTRAL = "neutral"


_WRITE = re.compile(
    r"\b(?:creat(?:e[sd]?|ing)|add(?:s|ed|ing)?|new|updat(?:e[sd]?|ing)|modif(?:y|ies|ied|ying|ication|ications)|chang(?:e[sd]?|ing)"
    r"|edit(?:s|ed|ing)?|extend(?:s|ed|ing)?|refactor(?:s|ed|ing)?|renam(?:e[sd]?|ing)|remov(?:e[sd]?|ing)|delet(?:e[sd]?|ing)"
    r"|mov(?:e[sd]?|ing)|writ(?:e|es|ten|ing)|implement(?:s|ed|ing|ation)?|rewrit(?:e|es|ten|ing)|replac(?:e[sd]?|ing)"
    r"|introduc(?:e[sd]?|ing)|migrat(?:e[sd]?|ing)|touch(?:es|ed)?|patch(?:es|ed)?|split(?:s|ting)?|extract(?:s|ed|ing)?"
    r"|append(?:s|ed)?|register(?:s|ed)?|wire[sd]?|bump(?:s|ed)?|fix(?:es|ed|ing)?|generat(?:e[sd]?|ing)|document|integrat(?:e[sd]?|ing)"
    r"|enhanc(?:e[sd]?|ing)|insert(?:s|ed)?|consolidat(?:e[sd]?|ing)|deprecat(?:e[sd]?|ing)|build|deliver(?:s|ed|able)?)\b",
    re.IGNORECASE,
)
_READ = re.compile(
    r"\b(?:see|refer(?:s|ence|ences|red)?|reads?|reading|load(?:s|ed)?|from|per|according|based|similar|like|follow(?:s|ing)?|existing|exists|currently"
    r"|current|already|uses?|using|used|calls?|imports?|runs?|running|execute[sd]?|pytest|check(?:s|ed)?|verif(?:y|ies)|review(?:s|ed)?"
    r"|unchanged|unlike|via|against|compare[sd]?|contains?|documented|described|defined|analy[sz]e[sd]?|cat|grep|ls|cd|source"
    r"|(?:do|does|must|should|will)\s+not|don'?t|doesn'?t|never|without|no\s+changes?|not\s+(?:modif|chang|edit|touch)\w*)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:do\s+not|don'?t|must\s+not|should\s+not|will\s+not|never|without|no|not)\s+(?:\w+\s+)?$", re.IGNORECASE
)
_WORK_LABEL = re.compile(
    r"(?:new\s+|modified\s+|changed\s+|affected\s+|updated\s+|main\s+|key\s+|core\s+|primary\s+|source\s+|output\s+)?(?:(?:unit|integration|e2e)?\s*tests?\s+)?(?:files?|paths?|locations?|modules?|directory|directories|folders?|packages?|script)"
    r"(?:\s+(?:to|that\s+will\s+be|being)\s+.*|\s+(?:created|modified|changed|updated|affected|touched|added|structure|location|path|name)s?|\s*\(.*\))?"
    r"|(?:unit|integration)?\s*tests?|tasks?|deliverables?|changes?|scope|implementation.*|actions?|steps?|to\s*do|checklist|outputs?|where|target|creates?|modif(?:y|ies)|updates?|adds?",
    re.IGNORECASE,
)
_TALK_LABEL = re.compile(
    r"references?|related.*|see(?:\s+also)?|examples?.*|current.*|existing.*|sources?|inputs?|reads?|uses?|background|context|problem.*|issues?"
    r"|motivation|docs?|documentation|prerequisites?.*|dependencies|depends\s+on|evidence|analysis|usage|command|run|before|why|rationale"
    r"|parent|spec(?:ification)?|technical\s+spec.*|inspired\s+by|based\s+on|template|guidelines?|patterns?",
    re.IGNORECASE,
)
_WORK_HEADING = re.compile(
    r"files?\s+(?:to|created|modified|changed|affected|structure)|(?:new|modified|changed|affected|updated)\s+files|implementation|tasks?\b"
    r"|deliverables?|changes?\b|rollout|migration|components?|phase\s+[0-9]|step\s+[0-9]|day\s+[0-9]|testing|tests?\b|test\s+(?:plan|strategy)|checklist"
    r"|file\s+(?:organi[sz]ation|layout|list)|directory\s+structure|scope|design|architecture|module|api\b|action|data\s+(?:structures?|model)",
    re.IGNORECASE,
)
_TALK_HEADING = re.compile(
    r"references?\b|related|current\s+(?:state|implementation|system|situation|behaviou?r|architecture)|problem|background"
    r"|context\b|motivation|as[- ]is|existing|prerequisites?|see\s+also|alternatives?|appendix|evidence|root\s+cause"
    r"|analysis|status\s+quo|glossary|table\s+of\s+contents|why\b|executive\s+summary|risks?\b|examples?\b|usage",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"[ \t>]*(?:(?:[-*+]|[0-9]{1,3}[.)])[ \t]+)?(?:\[[ xX]\][ \t]+)?(?:[^\x00-\x7f\w][ \t]*)*(?P<bold>\*\*|__)?"
    r"(?P<words>[A-Za-z][\w /&()-]{0,50}?)\s*(?:(?:\*\*|__)\s*)?:\s*(?:(?:\*\*|__)\s*)?(?P<rest>.*)$"
)


def label_of(line: str) -> tuple[str, Topic, bool] | None:
    """Words, topic and emptiness of a label line (``**Files to Modify**:``)."""
    match = _LABEL.match(line)
    if match is None or not (match["bold"] or not match["rest"] or len(match["words"].split()) <= 4):
        return None
    words = match["words"].strip()
    return words, topic_of_label(words), not match["rest"]


@lru_cache(maxsize=4096)
def topic_of_label(words: str) -> Topic:
    if _TALK_LABEL.fullmatch(words):
        return Topic.TALK
    return Topic.WORK if _WORK_LABEL.fullmatch(words) else Topic.NEUTRAL


@lru_cache(maxsize=4096)
def topic_of_heading(words: str) -> Topic:
    """What the section below a heading is about."""
    if _TALK_HEADING.search(words):
        return Topic.TALK
    return Topic.WORK if _WORK_HEADING.search(words) else Topic.NEUTRAL


def spoken_intent(text: str) -> Intent | None:
    """What the last telling word of a piece of prose says, None when no word tells."""
    written = max((match.start() for match in _WRITE.finditer(text)), default=-1)
    read = max((match.start() for match in _READ.finditer(text)), default=-1)
    if written < 0 and read < 0:
        return None
    return Intent.MENTION if read > written or _NEGATED.search(text, 0, written) else Intent.WRITE


def announced(text: str) -> bool:
    """Whether the words after a path say that it is made or changed: ``(NEW)``, ``- add a field``."""
    match = _WRITE.search(text[:120])
    if match is None or _NEGATED.search(text, 0, match.start()):
        return False
    read = _READ.search(text[:120])
    return read is None or read.start() > match.start()
