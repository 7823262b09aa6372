"""Our hooks in the text of a ``.pre-commit-config.yaml``. Pure: text in, text out, the user's lines untouched."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from coffee_hooks.base.errors import UsageError
from coffee_hooks.guard.cfr_013 import DEFAULT_TARGET

FILE = ".pre-commit-config.yaml"
TYPES = "default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]\n"
HOOK = "cfr-013"


@dataclass(frozen=True, slots=True)
class Published:
    """Where the framework can fetch this package: a repository and a revision of it."""

    url: str
    revision: str


def stanza(target: str, published: Published | None) -> str:
    """Our item of ``repos:``, its dash in the first column.

    Without a public place to fetch from, the hook runs the ``coffee-hook`` that is installed beside ``coffee``.
    """
    named = json.dumps(target, ensure_ascii=False)
    arguments = "" if target == DEFAULT_TARGET else f"      args: [--target, {named}]\n"
    if published:
        where = f"- repo: {json.dumps(published.url)}\n  rev: {json.dumps(published.revision)}\n"
        return f"{where}  hooks:\n    - id: {HOOK}\n{arguments}"
    return (
        f"- repo: local\n  hooks:\n    - id: {HOOK}\n"
        '      name: "CFR-013: work only on the target and roadmap-*"\n'
        f"      entry: coffee-hook {HOOK}\n"
        f"{arguments}"
        "      language: system\n"
        "      always_run: true\n"
        "      pass_filenames: false\n"
        "      stages: [pre-commit, pre-merge-commit, pre-push, manual]\n"
    )


def has_hook(text: str) -> bool:
    """Whether the rule is in the configuration already, from wherever. Raises UsageError where it is not YAML."""
    repos = _load(text).get("repos")
    hooks = [hook for repo in _dicts(repos) for hook in _dicts(repo.get("hooks"))]
    return any(hook.get("id") == HOOK for hook in hooks)


def with_hook(text: str | None, item: str) -> str:
    """*text* (None: no file yet) with *item* at the end of its ``repos:``, in the file's own indentation and line ends.

    Raises UsageError where that cannot be done without rewriting the user's lines.
    """
    if text is None or not text.strip():
        return TYPES + "repos:\n" + _indented(item, 2)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").splitlines(keepends=True)
    if not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    before = _load(text)
    at, indent = _place(lines)
    added = _indented(item, indent) if at is not None else "repos:\n" + _indented(item, 2)
    if at is None:
        at = len(lines)
    changed = "".join([*lines[:at], added, *lines[at:]])
    changed = re.sub(r"(?m)^repos:[ \t]*\[[ \t]*\]", "repos:", changed)
    wanted = {**before, "repos": [*(before.get("repos") or []), yaml.safe_load(item)[0]]}
    if not _reads_as(changed, wanted):
        raise UsageError(f"{FILE} has a form that cannot be extended line by line", hint=_by_hand(item))
    return changed.replace("\n", newline)


def _place(lines: list[str]) -> tuple[int | None, int]:
    """The line to insert at and the column of the dashes; None where there is no ``repos:`` yet."""
    start = next((n for n, line in enumerate(lines) if re.match(r"repos\s*:", line)), None)
    if start is None:
        return None, 2
    end, indent = start + 1, None
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        dash = re.match(r"( *)-(?=\s)", line)
        if line[0] not in " -" or (line[0] == "-" and not dash):
            break
        if dash and indent is None:
            indent = len(dash[1])
        end = number + 1
    return end, 2 if indent is None else indent


def _load(text: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        raise UsageError(f"{FILE} is not YAML", hint="repair it, then: coffee init --pre-commit") from broken
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{FILE} is not a mapping", hint="repair it, then: coffee init --pre-commit")
    return value


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return _load(text) == wanted
    except UsageError:
        return False


def _dicts(value: Any) -> list[dict[Any, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _indented(item: str, columns: int) -> str:
    return "".join(" " * columns + line for line in item.splitlines(keepends=True))


def _by_hand(item: str) -> str:
    return "add this to its repos: " + json.dumps(yaml.safe_load(item)[0], ensure_ascii=False)
