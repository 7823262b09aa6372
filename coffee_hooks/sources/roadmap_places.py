"""Where the roadmap is looked for. A module of its own: who only asks for the place loads no parser."""

from __future__ import annotations

ROADMAPS = ("docs/roadmap/ROADMAP.md", "docs/ROADMAP.md", "ROADMAP.md")
"""Where the roadmap is looked for, in this order, unless the configuration names it."""


def roadmap_paths(configured: str | None) -> tuple[str, ...]:
    """The paths at which the roadmap may be, the first one that is there counts. Pure."""
    return (configured.removeprefix("./"),) if configured else ROADMAPS
