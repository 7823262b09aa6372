"""Branch numbers and ports: never the same twice."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.spawn.numbers import branch_name, folder_name, next_number, number_of
from coffee_hooks.spawn.port import port_of

NUMBERS = st.integers(min_value=1, max_value=999_999_999)
SPELLINGS = ["roadmap-wt{}", "refs/heads/roadmap-wt{}", "refs/remotes/origin/roadmap-wt{}", "/tmp/x/wt{}", "wt{}",
             "refs/heads/roadmap-wt{}/nested"]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(SPELLINGS), NUMBERS)), st.integers(min_value=0, max_value=10**9))
def test_the_next_number_is_beyond_everything_known(known: list[tuple[str, int]], seq: int) -> None:
    """Whoever carries a number, and however it is spelled: the next one is 1 + the highest."""
    names = [spelling.format(number) for spelling, number in known]
    assert next_number(names, seq) == 1 + max([seq, *(number for _, number in known)])


@given(st.sampled_from(["roadmap", "roadmap-wt", "roadmap-wtx", "roadmap-wt1x", "wt-1", "swt5", "roadmap-wt1.2", ""]))
def test_other_names_carry_no_number(name: str) -> None:
    """Only roadmap-wtN and wtN count."""
    assert next_number([name]) == 1


@given(NUMBERS)
def test_names_and_numbers_go_there_and_back(number: int) -> None:
    """A branch and its folder carry the same number."""
    assert number_of(branch_name(number)) == number_of(folder_name(branch_name(number))) == number


@given(st.integers(min_value=1, max_value=10**6))
def test_neighbours_have_ports_of_their_own(number: int) -> None:
    """Ports of a repository's worktrees differ; written to a file nobody reads they were no use (Castwright#2345)."""
    ports = {port_of(Path("/r/.git"), branch_name(number + step)) for step in range(100)}
    assert len(ports) == 100 and all(10_000 <= port < 20_000 for port in ports)
