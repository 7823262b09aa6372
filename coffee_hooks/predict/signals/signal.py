"""The form of every signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coffee_hooks.predict.question import Question


@dataclass(frozen=True, slots=True)
class Signal:
    """One way in which the text of a task points to files. *name* is that of its weight in the model."""

    name: str
    find: Callable[[Question], Mapping[int, float]]
    """How strongly, at most about 1, for each file that it points to at all."""
    say: Callable[[Question, int], str]
    """Why it points to this file, for a person; only asked of files that it points to."""
    ranked: bool = False
    """Whether *find* gives the strongest first, so that the place in its order tells something as well."""


def strongest(found: Mapping[int, float], most: int) -> Mapping[int, float]:
    """The *most* highest of *found*, divided by the highest of all, the highest first; equal ones by their number."""
    order = sorted(found, key=lambda at: (-found[at], at))[:most]
    return {at: found[at] / found[order[0]] for at in order}
