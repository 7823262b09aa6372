"""The policy of CFR-013 over plain values."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.guard.cfr_013 import (
    CFR013ViolationError,
    branch_allowed,
    check_branch,
    check_detached,
    quoted,
    visible,
)

PATTERN = re.compile(r"roadmap-[A-Za-z0-9][A-Za-z0-9._-]*")
NEAR = st.text(alphabet="roadmp-x1._/é \n$(", max_size=12).map(lambda tail: f"roadmap{tail}")


@pytest.mark.parametrize("branch", ["roadmap", "roadmap-wt1", "roadmap-x", "roadmap-1.2_b-c", "roadmap-A"])
def test_target_and_task_branches_are_allowed(branch: str) -> None:
    """The default target and everything of the form roadmap-NAME pass."""
    assert branch_allowed(branch)


@pytest.mark.parametrize(
    "branch",
    [
        *("", "main", "Roadmap", "roadmap-", "roadmapx", "x/roadmap-y", "roadmap-a/b", "roadmap--x", "roadmap-.x"),
        *("roadmap-wt1\n", "\nroadmap", "roadmap-$(touch x)", "-roadmap", "roadmap-é", "roadmap-x y", "roadmap-\u0661"),
        "refs/heads/roadmap",
    ],
)
def test_everything_else_is_refused(branch: str) -> None:
    """The pattern is matched in full and in ASCII: no prefix, suffix, folder or other case gets through."""
    assert not branch_allowed(branch)
    with pytest.raises(CFR013ViolationError):
        check_branch(branch)


@given(st.one_of(st.text(max_size=12), NEAR))
def test_agrees_with_the_written_pattern(branch: str) -> None:
    """The hand-written matcher is the regular expression of the rule, for any text."""
    assert branch_allowed(branch) == (branch == "roadmap" or PATTERN.fullmatch(branch) is not None)


def test_another_target_takes_the_place_of_roadmap() -> None:
    """With a target of another name, roadmap itself is an ordinary forbidden branch; roadmap-NAME stays allowed."""
    assert branch_allowed("main", "main")
    assert branch_allowed("roadmap-wt1", "main")
    assert not branch_allowed("roadmap", "main")


def test_the_message_names_branch_rule_and_command() -> None:
    """A refused person reads what is wrong, what would be right, and what to type."""
    with pytest.raises(CFR013ViolationError) as caught:
        check_branch("feature\x1b[2J")
    assert (caught.value.exit_code, caught.value.what) == (
        1,
        r"CFR-013: branch feature\x1b[2J may not be worked on: only roadmap and roadmap-NAME are allowed",
    )
    assert caught.value.hint.startswith("git switch -c roadmap-NAME ")


@pytest.mark.parametrize(
    ("branch", "passes"), [("roadmap-wt1", True), ("roadmap", True), ("main", False), (None, False)]
)
def test_a_detached_head_is_judged_by_its_branch(branch: str | None, passes: bool) -> None:
    """Detached work passes only on behalf of an allowed branch; on behalf of none it is refused."""
    if passes:
        check_detached(branch)
    else:
        with pytest.raises(CFR013ViolationError, match="HEAD is detached"):
            check_detached(branch)


@given(st.text())
def test_visible_text_is_one_printable_line(text: str) -> None:
    """Nothing that is shown can move the cursor, hide text or start a line of its own."""
    assert visible(text).isprintable()


@given(st.text(alphabet=st.characters(exclude_characters="\0")))
def test_quoted_is_one_literal_word(text: str) -> None:
    """A shell reads back exactly the text that was quoted."""
    assert shlex.split(quoted(text)) == [text]
