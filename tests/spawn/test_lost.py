"""A claim is taken from nobody who may still be at work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.config import Agent, Config
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.spawn.lost import MARGIN_SECONDS, longest_timeout, lost
from coffee_hooks.state.claims import Claim, ClaimState, owner_here

if TYPE_CHECKING:
    from conftest import Git, Sandbox

BASE, TIP = Sha("1" * 40), Sha("2" * 40)


@given(
    st.sampled_from(ClaimState), st.sampled_from(["me", "other"]), st.sampled_from([None, BASE, TIP]),
    st.integers(0, 20_000), st.integers(1, 9_000),
)  # fmt: skip
def test_only_old_silent_claims_of_others_are_lost(
    state: ClaimState, owner: str, tip: Sha | None, age: int, timeout: int
) -> None:
    """All of it at once: another's, claimed, over its time, and no commit anywhere."""
    claim = Claim(TaskId("US-1"), "roadmap-wt1", BASE, owner, 1, state, None, None, 1_000)
    expected = state is ClaimState.CLAIMED and owner == "other" and tip != TIP and age > timeout + MARGIN_SECONDS
    assert lost(claim, "me", tip, 1_000 + age, timeout) is expected


def test_the_longest_of_all_agents_counts() -> None:
    """Nobody knows which of them another machine chose."""
    config = Config(agent=Agent(timeout=60.0), agents={"slow": Agent(timeout=7200.0)})
    assert longest_timeout(config) == 7200.0


def test_every_clone_has_a_name_of_its_own(sandbox: Sandbox, git: Git) -> None:
    """Also where user, host and path are the same: a clone that was moved away and one that took its place."""
    sandbox.commit({".coffee.yaml": "shared: true\ngate: {command: ['true']}\n"}, "chore: Configure")
    sandbox.push("roadmap")
    first = owner_here(open_project(sandbox.work))
    assert owner_here(open_project(sandbox.work)) == first
    sandbox.work.rename(sandbox.work.with_name("moved"))
    git(sandbox.work.parent, "clone", "-q", "-b", "roadmap", str(sandbox.origin), "work")
    assert owner_here(open_project(sandbox.work)) != first == owner_here(open_project(sandbox.work.with_name("moved")))
