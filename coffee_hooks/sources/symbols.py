"""The shared structures that a spec names: classes, functions, tables and routes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace

from coffee_hooks.base.model import Symbol, SymbolKind, SymbolRole
from coffee_hooks.sources.intents import Topic, topic_of_heading
from coffee_hooks.sources.markdown import Document, Fence

_RANK = {SymbolRole.INTRODUCES: 2, SymbolRole.CHANGES: 1, SymbolRole.USES: 0}
_NOT_CODE = re.compile(r"bash|sh|shell|console|zsh|text|txt|markdown|md|json|ya?ml|toml|html|css|diff")

_TYPE = re.compile(
    r"(?:export\s+|public\s+|abstract\s+|final\s+|default\s+|pub\s+)*(?:class|interface|struct|enum|trait)\s+(?P<name>[A-Za-z_]\w*)(?:\((?P<bases>[^)]*)\))?"
)
_GO_TYPE = re.compile(r"type\s+(?P<name>[A-Z]\w*)\s+(?:struct|interface)\b")
_FUNCTION = re.compile(
    r"(?:export\s+|public\s+|default\s+|pub\s+)*(?:async\s+)?(?:def|function|fn|func)\s+(?P<name>[A-Za-z_]\w*)\s*[(<\[]"
)
_TABLE = re.compile(
    r"\b(?P<verb>CREATE|ALTER|DROP)\s+TABLE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?[`\"\[]?(?P<name>[A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_ROUTE = re.compile(
    r"@\w+\.(?:get|post|put|patch|delete|route|websocket)\(\s*[rf]?[\"'](?P<decorated>/[^\"']*)[\"']"
    r"|(?:^|[\s`*|])(?:GET|POST|PUT|PATCH|DELETE)\s+`?(?P<spoken>/[\w/{}:<>.-]*)"
)
_IMPORT = re.compile(r"\s*from\s+(?P<module>[\w.]+)\s+import\s+(?P<names>[\w\s,()]+)")
_QUOTED = re.compile(r"`(?P<name>[A-Za-z_][\w.]*)(?P<call>\(\)?)?[^`]{0,80}`")
_CLASS_NAME = re.compile(r"[A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*|(?<![A-Z])[A-Z]+[a-z][A-Za-z0-9]*")
"""In each alternative a letter can be read in one way only: a name of any length takes linear time."""
_CHANGE = re.compile(
    r"\b(?:chang(?:e|es|ed|ing)|modif(?:y|ies|ied|ying)|extend(?:s|ed|ing)?|updat(?:e|es|ed|ing)|refactor(?:s|ed|ing)?"
    r"|renam(?:e|es|ed|ing)|rewrit(?:e|es|ten|ing)|replac(?:e|es|ed|ing)|remov(?:e|es|ed|ing)|enhanc(?:e|es|ed|ing)"
    r"|add(?:s|ed|ing)?\s+(?:\S+\s+){0,6}to)\b",
    re.IGNORECASE,
)
_EXISTING = re.compile(r"\b(?:modif\w*|extend\w*|updat\w*|existing|enhanc\w*|refactor\w*|change[sd]?)\b", re.IGNORECASE)
_ELIDED = re.compile(r"\bexisting\b|\.\.\.\s*(?:rest|other)\b|\bunchanged\b", re.IGNORECASE)
_NOT_SHARED = re.compile(r"_|test_|main$|setup$|Test[A-Z]|setUp$|tearDown$")


def named_symbols(document: Document) -> tuple[Symbol, ...]:
    """Every class, function, table and route that a spec defines, changes or uses, once each.

    A definition in a fence introduces its symbol unless the text around speaks of changing something that exists.
    """
    found: dict[tuple[str, SymbolKind], Symbol] = {}
    for symbol in _every_symbol(document):
        key = (symbol.name, symbol.kind)
        if key not in found or _RANK[symbol.role] > _RANK[found[key].role]:
            found[key] = symbol
    return tuple(sorted(found.values(), key=lambda symbol: symbol.line))


def _every_symbol(document: Document) -> Iterator[Symbol]:
    above: list[tuple[int, str]] = []
    headings = {heading.line: heading for heading in document.headings}
    fences = {fence.start: fence for fence in document.fences if not fence.is_comment}
    for number, line in enumerate(document.lines, 1):
        if document.hidden[number]:
            if fence := fences.get(number):
                yield from _defined(document, fence, [text for _, text in above])
        elif heading := headings.get(number):
            above = [*((level, text) for level, text in above if level < heading.level), heading[1:]]
        elif "`" in line or "/" in line or "TABLE" in line:
            yield from _prose_symbols(number, line)


def _defined(document: Document, fence: Fence, headings: list[str]) -> Iterator[Symbol]:
    """What a fence names; its definitions get the role that the text around gives them."""
    symbols = list(_fence_symbols(document, fence))
    if any(symbol.role is SymbolRole.INTRODUCES for symbol in symbols):
        role = _role(document, fence, headings)
        symbols = [replace(symbol, role=role) if symbol.role is SymbolRole.INTRODUCES else symbol for symbol in symbols]
    yield from symbols


def _role(document: Document, fence: Fence, headings: list[str]) -> SymbolRole:
    """What a definition in this fence is, by the headings above it and the two lines before it."""
    if any(topic_of_heading(text) is Topic.TALK for text in headings):
        return SymbolRole.USES
    near = [line for line in document.lines[max(0, fence.start - 4) : fence.start - 1] if line.strip()][-2:]
    body = "\n".join(document.lines[fence.start : fence.end])
    exists = _EXISTING.search(" ".join([*near, *headings[-1:]])) or _ELIDED.search(body)
    return SymbolRole.CHANGES if exists else SymbolRole.INTRODUCES


def _fence_symbols(document: Document, fence: Fence) -> Iterator[Symbol]:
    code = not _NOT_CODE.fullmatch(fence.language)
    for number in range(fence.start + 1, fence.end + 1):
        line = document.lines[number - 1]
        if "TABLE" in line or "table" in line:
            yield from _tables(number, line)
        if code and line[:1].isalpha():
            yield from _definitions(number, line)
        if code and line[:1] == "@":
            yield from _routes(number, line)
        if code and "import" in line:
            yield from _imports(number, line)


def _definitions(number: int, line: str) -> Iterator[Symbol]:
    if match := _TYPE.match(line) or _GO_TYPE.match(line):
        if not _NOT_SHARED.match(match["name"]):
            yield Symbol(match["name"], SymbolKind.CLASS, SymbolRole.INTRODUCES, number)
        for base in _CLASS_NAME.findall(match.groupdict().get("bases") or ""):
            yield Symbol(base, SymbolKind.CLASS, SymbolRole.USES, number)
    elif (match := _FUNCTION.match(line)) and not _NOT_SHARED.match(match["name"]):
        yield Symbol(match["name"], SymbolKind.FUNCTION, SymbolRole.INTRODUCES, number)


def _tables(number: int, line: str) -> Iterator[Symbol]:
    for match in _TABLE.finditer(line):
        created = match["verb"].upper() == "CREATE"
        role = SymbolRole.INTRODUCES if created else SymbolRole.CHANGES
        yield Symbol(match["name"], SymbolKind.TABLE, role, number)


def _routes(number: int, line: str) -> Iterator[Symbol]:
    for match in _ROUTE.finditer(line):
        route = match["decorated"] or match["spoken"]
        if len(route) > 1:
            role = SymbolRole.INTRODUCES if match["decorated"] else SymbolRole.USES
            yield Symbol(route, SymbolKind.ROUTE, role, number)


def _imports(number: int, line: str) -> Iterator[Symbol]:
    match = _IMPORT.match(line)
    if match is None or match["module"].partition(".")[0] in sys.stdlib_module_names:
        return
    for name in re.findall(r"\w+", match["names"].replace(" as ", ",_")):
        if not name.startswith("_"):
            kind = SymbolKind.CLASS if name[0].isupper() else SymbolKind.FUNCTION
            yield Symbol(name, kind, SymbolRole.USES, number)


def _prose_symbols(number: int, line: str) -> Iterator[Symbol]:
    if "`" in line:
        change = _CHANGE.search(line)
        for match in _QUOTED.finditer(line):
            changed = change is not None and change.end() <= match.start()
            yield from _quoted(number, match, SymbolRole.CHANGES if changed else SymbolRole.USES)
    if "/" in line and ("GET" in line or "POST" in line or "PUT" in line or "PATCH" in line or "DELETE" in line):
        yield from _routes(number, line)
    if "TABLE" in line:
        yield from _tables(number, line)


def _quoted(number: int, match: re.Match[str], role: SymbolRole) -> Iterator[Symbol]:
    """A name in backticks: a class by its capitals (``Store.save()`` is about Store), a function by its call."""
    head, _, _ = match["name"].partition(".")
    if (
        _CLASS_NAME.fullmatch(head)
        and not _NOT_SHARED.match(head)
        and not match["name"].endswith((".py", ".md", ".json"))
    ):
        yield Symbol(head, SymbolKind.CLASS, role, number)
    elif match["call"] and "." not in match["name"] and not _NOT_SHARED.match(head):
        yield Symbol(head, SymbolKind.FUNCTION, role, number)
