"""Placeholders in the user's commands: what each stands for is filled in, one that nothing fills in is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from coffee_hooks.base.config import Command
from coffee_hooks.base.errors import UsageError

PLACEHOLDERS = frozenset(("task", "branch", "worktree", "spec", "prompt", "prompt_file", "base"))

_PLACE = re.compile(r"\{([a-z_]+)\}")


def check_placeholders(command: Sequence[str], known: frozenset[str] = PLACEHOLDERS) -> None:
    """Raises UsageError for a ``{word}`` that nothing fills in."""
    for word in command:
        for name in _PLACE.findall(word):
            if name not in known:
                raise UsageError(
                    f"unknown placeholder {{{name}}} in {word!r}",
                    hint="known: " + " ".join(f"{{{k}}}" for k in sorted(known)),
                )


def fill(command: Sequence[str], values: Mapping[str, str]) -> Command:
    """Every placeholder replaced in one pass, so that a value is never expanded again. Raises UsageError."""
    check_placeholders(command, frozenset(values))
    return tuple(_PLACE.sub(lambda found: values[found[1]], word) for word in command)
