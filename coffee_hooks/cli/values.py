"""Values of options that several commands read alike."""

from __future__ import annotations

from coffee_hooks.base.errors import UsageError


def duration(text: str, option: str) -> float:
    """Seconds of ``30s 45m 2h``. Raises UsageError that names the option."""
    from coffee_hooks.base.config_file import parse_duration

    seconds = parse_duration(text)
    if seconds is None:
        raise UsageError(f"{option} must be a duration, not {text!r}", hint="for example 30s, 45m or 2h")
    return seconds


def known_format(name: str, known: str) -> str:
    """*name* if it is one of the words in *known*; ``json`` is then what the command answers. Raises UsageError."""
    from coffee_hooks.base import output

    if name not in known.split():
        raise UsageError(f"there is no format {name!r}", hint=f"use one of: {known}")
    if name == "json":
        output.configure(as_json=True)
    return name
