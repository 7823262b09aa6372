"""What agents say they cost, read from logs that anybody may have written."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.spawn.rotate import MOST, rotate
from coffee_hooks.spawn.usage import MOST_TOKENS, READERS, TAIL, read_tail, read_usage, usage_in
from coffee_hooks.state.agents import Usage

if TYPE_CHECKING:
    from conftest import Lab

CLAUDE = {
    "type": "result", "subtype": "success", "is_error": False, "num_turns": 2, "result": "done",
    "total_cost_usd": 0.02055,
    "usage": {"input_tokens": 2400, "cache_read_input_tokens": 7, "output_tokens": 68, "service_tier": None},
    "modelUsage": {
        "large": {"inputTokens": 2400, "outputTokens": 68, "cacheReadInputTokens": 7, "cacheCreationInputTokens": 3},
        "small": {"inputTokens": 100, "outputTokens": 2, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0},
    },
}  # fmt: skip
CODEX = {"type": "turn.completed", "usage": {"input_tokens": 2400, "cached_input_tokens": 900, "output_tokens": 68}}
AIDER = "Tokens: 1.9k sent, 200 received. Cost: $0.0050 message, $0.01 session.\n"


def lines(*values: Any) -> str:
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)


# --- what the programs print ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        (lines({"type": "system"}, CLAUDE), Usage(0.02055, 2580, 2510, 70)),
        (lines({**CLAUDE, "modelUsage": {}}), Usage(0.02055, 2475, 2407, 68)),
        (lines({"type": "result", "total_cost_usd": 1}), Usage(1.0)),
        (lines([{"type": "system"}, CLAUDE]), Usage(0.02055, 2580, 2510, 70)),
        (lines({"type": "turn.started"}, CODEX, "later words"), Usage(None, 2468, 2400, 68)),
        (lines("codex", "done", "tokens used", "2,468", "done"), Usage(tokens=2468)),
        (lines("[2026-01-01T00:00:00] x", "tokens used: 12345"), Usage(tokens=12345)),
        (AIDER, Usage(0.01, 2100, 1900, 200)),
        (AIDER + "Tokens: 12k sent, 1.1k cache hit, 2M received.\n", Usage(0.01, 2_014_100, 13_900, 2_000_200)),
        ("Tokens: 5 sent, 3 cache write, 2 cache hit, 1 received.\nCost: $1.00 message, $2.50 session.\n",
         Usage(2.5, 6, 5, 1)),
        ("\x1b[32mTokens: 5 sent, 1 received.\x1b[0m\r\n", Usage(None, 6, 5, 1)),
    ],
)  # fmt: skip
def test_each_program_is_read_as_it_speaks(text: str, usage: Usage) -> None:
    """Claude Code's result, Codex's events and its last words, aider's reports; whatever the command was."""
    assert usage_in(text) == usage


@pytest.mark.parametrize(
    "text",
    [
        "", "just words", lines({"type": "result"}), lines({"type": "result", "total_cost_usd": None}),
        lines({"type": "turn.completed", "usage": None}), "tokens used\nmany\n", "  Tokens: 5 sent, 1 received.",
        lines({"type": "assistant", "text": json.dumps(CLAUDE)}), "Cost: nothing", lines("[]", "{}", '{"result"'),
    ],
)  # fmt: skip
def test_no_word_is_no_figure(text: str) -> None:
    """What was not said is unknown, not zero; what an agent quotes inside its events is not its own word."""
    assert usage_in(text) is None


def test_a_known_program_is_not_read_as_another() -> None:
    """What Codex's output quotes of an aider session is not what Codex cost."""
    assert usage_in(AIDER, ["/usr/bin/codex", "exec", "-"]) is None
    assert usage_in(AIDER, ["npx", "aider"]) == Usage(0.01, 2100, 1900, 200)
    assert usage_in(AIDER, ["sh", "-c", "aider"]) == Usage(0.01, 2100, 1900, 200)


def test_the_last_word_counts() -> None:
    """A session that was resumed says more than once what it cost so far; only aider's reports add up."""
    assert usage_in(lines(CLAUDE, {**CLAUDE, "total_cost_usd": 0.5})) == Usage(0.5, 2580, 2510, 70)
    assert usage_in(lines("tokens used", "5", "tokens used", "7")) == Usage(tokens=7)


def test_parts_of_a_torn_log_are_not_added_up() -> None:
    """Where the beginning is missing, aider's sum of the session is right and that of its reports would not be."""
    assert usage_in(AIDER, whole=False) == Usage(0.01)
    assert usage_in("Tokens: 5 sent, 1 received.", whole=False) is None


# --- what a hostile agent may write ---------------------------------------------------------------


@pytest.mark.parametrize(
    "cost", [-1, "1", True, 1e300, float("inf"), float("nan"), [1], {"a": 1}, 10**400], ids=lambda cost: repr(cost)[:9]
)
def test_a_cost_that_cannot_be_is_unknown(cost: object) -> None:
    """No negative, endless or invented amount gets into the database."""
    assert usage_in(lines({**CLAUDE, "total_cost_usd": cost})) == Usage(None, 2580, 2510, 70)


@pytest.mark.parametrize("count", [-1, 1.5, "5", None, True, MOST_TOKENS, 10**30, [], {}])
def test_a_count_that_cannot_be_is_unknown(count: object) -> None:
    """Nor does a number that no database could hold; one bad part makes the sum unknown."""
    models = {"large": {"inputTokens": count, "outputTokens": 1}, "small": {"inputTokens": 1, "outputTokens": 1}}
    assert usage_in(lines({**CLAUDE, "modelUsage": models})) == Usage(0.02055, None, None, 2)


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.sampled_from(["tokens used", "9" * 40, AIDER, "Tokens: . sent, .. received.",
                             "Cost: $. message, $. session.",
                             "[" * 5000 + '"result"', '{"a":' * 5000 + '"turn.completed"', "\x1b[" * 99]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                    st.sampled_from(["type", "usage", "modelUsage", "total_cost_usd", "input_tokens", "inputTokens"]),
                    inner, max_size=4),
                max_leaves=8,
            ).map(json.dumps),
            st.dictionaries(st.sampled_from(["usage", "modelUsage", "total_cost_usd"]), st.integers() | st.text())
            .map(lambda value: json.dumps({"type": "result", **value})),
        ),
        max_size=6,
    ),
    st.sampled_from([(), ("claude",), ("codex",), ("aider",), ("x" * 5000, "\0")]),
)  # fmt: skip
def test_nothing_makes_it_raise(pieces: Sequence[str], argv: Sequence[str]) -> None:
    """Whatever a log holds, the answer is figures in their bounds or none."""
    found = usage_in("\n".join(pieces), argv)
    if found is not None:
        assert found.cost_usd is None or 0 <= found.cost_usd < 1e6
        assert all(n is None or 0 <= n < MOST_TOKENS for n in (found.tokens, found.tokens_in, found.tokens_out))


# --- on the disk ----------------------------------------------------------------------------------


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    """200 MB of output cost no memory: what is said stands at the end."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.write(b"--- attempt 1\n")
        file.seek(200 << 20)
        file.write(b"\n" + json.dumps(CLAUDE).encode() + b"\n")
    assert len(read_tail(log)) < TAIL
    assert read_usage(("claude",), log, 1) == Usage(0.02055, 2580, 2510, 70)


def test_a_log_that_was_cut_a_moment_ago_is_read_with_what_was_before(tmp_path: Path) -> None:
    """The last words of a chatty agent may be where its log begins anew."""
    log = tmp_path / "log"
    log.write_text("--- attempt 1\n" + "x" * (MOST + 1) + "\n" + lines(CLAUDE))
    rotate(log)
    assert log.stat().st_size < 100
    assert read_usage(("claude",), log, 1) == Usage(0.02055, 2580, 2510, 70)


def test_an_attempt_does_not_pay_for_the_one_before(tmp_path: Path) -> None:
    """All attempts of a task are in one log; one that died without a word has no figures."""
    log = tmp_path / "log"
    log.write_text("--- attempt 1\n" + lines(CLAUDE) + "--- attempt 2\nboom\n")
    assert read_usage(("claude",), log, 2) is None
    log.write_text("--- attempt 1\n" + AIDER + "--- attempt 2\n" + AIDER + AIDER + f"--- attempt {'9' * 5000}\n")
    assert read_usage((), log, 2) == Usage(0.01, 4200, 3800, 400)


def test_what_is_no_file_says_nothing(tmp_path: Path) -> None:
    """A log that was taken away, or replaced by a folder or a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    assert [read_usage((), tmp_path / name, 1) for name in ("none", "pipe", ".")] == [None, None, None]


def test_it_is_recorded_with_the_run(lab: Lab) -> None:
    """The supervisor reads it when the agent has ended; an agent that says nothing has no figures."""
    said = json.dumps(CODEX)
    lab.agent = f"[ $COFFEE_TASK_ID = US-105 ] || echo '{said}'"
    lab.spawn("US-104", "US-105")
    lab.wait()
    run, other = lab.run(), lab.run("US-105")
    assert (run.cost_usd, run.tokens, run.tokens_in, run.tokens_out) == (None, 2468, 2400, 68)
    assert (other.cost_usd, other.tokens, other.tokens_in, other.tokens_out) == (None, None, None, None)


def test_the_programs_that_are_read_are_the_presets() -> None:
    """A preset whose figures nobody reads would be a gap that nobody sees."""
    from coffee_hooks.spawn.agent import PRESETS

    assert READERS.keys() == PRESETS.keys()
