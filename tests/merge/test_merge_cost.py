"""How many git processes a landing takes: each costs two milliseconds, or two hundred on a slow file system."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as base_git

if TYPE_CHECKING:
    from conftest import Lane

NETWORK = {"fetch", "push", "ls-remote"}


def calls(lane: Lane, *args: str) -> Counter[str]:
    """The git commands that one merge runs."""
    seen: list[str] = []

    def listen(argv: object) -> None:
        assert isinstance(argv, list)
        words = iter(argv[1:])
        for word in words:
            if word in ("-C", "-c"):
                next(words)
            elif not word.startswith("-"):
                seen.append(word)
                return

    base_git.trace.append(listen)
    try:
        lane.assert_landed(lane.merge(*args))
    finally:
        base_git.trace.remove(listen)
    return Counter(seen)


@pytest.mark.parametrize(("remote", "most"), [(True, 68), (False, 64)])
def test_a_landing_takes_few_processes(lane: Lane, remote: bool, most: int) -> None:
    """The first landing, with the making of the gate's clone: a ceiling, and one fetch and one push."""
    if not remote:
        lane.local_only()
    lane.branch()
    found = calls(lane)
    assert found.total() <= most, found
    assert {name: found[name] for name in NETWORK if found[name]} == ({"fetch": 1, "push": 1} if remote else {})


def test_a_remembered_verdict_takes_no_checkout(lane: Lane) -> None:
    """After a check the landing neither makes nor touches a gate's clone."""
    lane.branch()
    assert lane.merge("roadmap-wt1", "--check").rc == 0
    found = calls(lane)
    assert not {"init", "checkout", "clean", "status"} & found.keys(), found
    assert found.total() <= 60, found


def test_other_branches_cost_nothing_per_landing(lane: Lane) -> None:
    """Thirty branches that are not asked for do not add a single process."""
    lane.branch()
    for number in range(2, 32):
        lane.branch(number)
    assert calls(lane).total() <= 68
