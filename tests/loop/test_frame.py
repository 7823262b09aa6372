"""The live table for every size of terminal, whatever the names in it are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.cells import cells
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.text import printable
from coffee_hooks.loop.board import Phase, StatusReport, brief_time, phase_of, queue, rows, spent_on, to_text
from coffee_hooks.loop.frame import COLUMNS, GAP, Look, fit, frame, painted
from coffee_hooks.ready.branches import Branch, Where
from coffee_hooks.ready.judge import Code, Reason
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.radar import Overlap, Radar
from coffee_hooks.state.agent_state import Doing
from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim, ClaimState

NOW = 1_760_900_000.0
SHA = Sha("1" * 40)
NAMES = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["US-104", "漢字" * 30, "\x1b[2J\x1b]0;x\x07", "x" * 500, "a\nb\rc", "\u202eabc", "\udce9", "", "e\u0301" * 9]
)


def claim(task: str, branch: str, state: ClaimState = ClaimState.CLAIMED, reason: str | None = None) -> Claim:
    return Claim(TaskId(task), branch, SHA, "me", 1, state, None, reason, 0)


def doing(branch: str, running: bool = True, reason: EndReason | None = None, **more: object) -> Doing:
    run = AgentRun(
        1, "US-1", branch, "/wt", 1, "claude", (), 6, 7, 1.0, "boot", "/log", NOW - 700, NOW - 20, None, None, reason
    )
    return Doing(replace(run, ended=None if running else NOW - 100, **more), running, False)  # type: ignore[arg-type]


def candidate(name: str, *codes: Code) -> Candidate:
    branch = Branch(name, SHA, Where.LOCAL, "feat: x", diverged=False)
    return Candidate(branch, 2, None, None, tuple(Reason(code, "why", "hint") for code in codes), (), ())


def report(
    claims: Sequence[Claim] = (),
    agents: Sequence[Doing] = (),
    branches: Sequence[Candidate] = (),
    overlaps: Sequence[Overlap] = (),
) -> StatusReport:
    readiness = Readiness("roadmap", SHA, tuple(branches), tuple(overlaps))
    return StatusReport(
        NOW, tuple(claims), tuple(agents), readiness, Radar(tuple(overlaps)), 0, None, spent_on(d.run for d in agents)
    )


def shown(status: StatusReport, width: int = 100, height: int = 30, now: float = NOW) -> list[str]:
    look = Look(width, height, colours=False)
    return [painted(line, look) for line in frame(status, now, look)]


NIGHT = report(
    [claim("US-1", "roadmap-wt1"), claim("US-2", "roadmap-wt2", ClaimState.LANDED), claim("US-3", "roadmap-wt3"),
     claim("US-4", "roadmap-wt4", ClaimState.BLOCKED, "red three times"),
     claim("US-5", "roadmap-wt5", ClaimState.DONE)],
    [doing("roadmap-wt1"), doing("roadmap-wt2", False, EndReason.DONE, cost_usd=1.5),
     doing("roadmap-wt3", False, EndReason.STALLED), doing("roadmap-wt5", False, EndReason.DONE, cost_usd=0.25)],
    [candidate("roadmap-wt1", Code.AGENT_RUNNING), candidate("roadmap-wt3", Code.AGENT_FAILED),
     candidate("roadmap-wt4", Code.GATE_FAILED), candidate("roadmap-wt5"), candidate("roadmap-mine", Code.CONFLICT)],
    [Overlap("roadmap-wt1", "roadmap-mine", ("pkg/a.py",), True)],
)  # fmt: skip


# --- what is said ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h00"), (11_111, "3h05"),
     (86_400, "1d00h"), (99 * 86_400 + 23 * 3600, "99d23h")],
)  # fmt: skip
def test_times_are_short(seconds: float, text: str) -> None:
    """As long as a column is wide."""
    assert brief_time(seconds) == text


@pytest.mark.parametrize(
    ("claimed", "agent", "branch", "phase"),
    [
        (claim("T", "b"), doing("b"), None, Phase.WORK),
        (claim("T", "b", ClaimState.BLOCKED), doing("b"), None, Phase.WORK),
        (claim("T", "b"), None, None, Phase.START),
        (claim("T", "b"), None, candidate("b", Code.NO_COMMITS), Phase.START),
        (claim("T", "b"), doing("b", False), candidate("b", Code.AGENT_FAILED, Code.NO_COMMITS), Phase.REPAIR),
        (claim("T", "b", ClaimState.DONE), doing("b", False), candidate("b", Code.CONFLICT), Phase.REPAIR),
        (claim("T", "b", ClaimState.DONE), doing("b", False), candidate("b", Code.REVIEW_PENDING), Phase.REVIEW),
        (claim("T", "b", ClaimState.DONE), doing("b", False), candidate("b", Code.REVIEW_PENDING, Code.DIRTY),
         Phase.WAIT),
        (claim("T", "b", ClaimState.DONE), None, candidate("b"), Phase.QUEUE),
        (claim("T", "b", ClaimState.DONE), None, None, Phase.WAIT),
        (claim("T", "b", ClaimState.LANDED), None, candidate("b"), Phase.LANDED),
        (None, None, candidate("b"), Phase.QUEUE),
        (None, None, candidate("b", Code.NO_SIGNAL), Phase.WAIT),
    ],
)  # fmt: skip
def test_phases(claimed: Claim | None, agent: Doing | None, branch: Candidate | None, phase: Phase) -> None:
    """An agent at work first, then what the claim says, then what the branch lacks."""
    assert phase_of(claimed, agent, branch) is phase


def test_the_whole_night_at_a_glance() -> None:
    """Every line of it: what goes on first, what landed last; warnings, and the queue with its verdicts."""
    lines = shown(NIGHT, 110)
    assert lines[0].endswith(" roadmap 1111111  1 working, 1 stuck, 1 ready, 1 landed, $1.75")
    assert [line.split()[:3] for line in lines[1:8]] == [
        ["task", "phase", "branch"], ["US-1", "work", "roadmap-wt1"], ["US-3", "repair", "roadmap-wt3"],
        ["-", "repair", "roadmap-mine"], ["US-4", "blocked", "roadmap-wt4"], ["US-5", "queue", "roadmap-wt5"],
        ["US-2", "landed", "roadmap-wt2"],
    ]  # fmt: skip
    assert lines[2].split()[3:] == ["working", "claude", "11m", "20s", "2", "agent-running"]
    assert lines[6].split()[3:] == ["done", "claude", "10m", "-", "2", "$0.25", "ready"]
    assert lines[8:] == [
        "US-4: red three times",
        "conflict: roadmap-wt1 and roadmap-mine both change pkg/a.py",
        "queue: roadmap-wt5 ready",
    ]


def test_every_attempt_costs() -> None:
    """What a task cost is not what its last attempt did; where nobody said, nothing is claimed."""
    runs = [doing("b", cost_usd=0.5).run, doing("b").run, doing("b", cost_usd=1.0).run, doing("c").run]
    assert spent_on(runs) == {"b": 1.5}


def test_the_queue_has_what_is_finished_with_its_verdict() -> None:
    """Ready ones in the order in which they land, then those that were finished and cannot."""
    status = report(
        [claim("US-1", "roadmap-a", ClaimState.DONE), claim("US-2", "roadmap-b"),
         claim("US-3", "roadmap-c", ClaimState.DONE)],
        [],
        [candidate("roadmap-a", Code.GATE_FAILED), candidate("roadmap-b", Code.NO_SIGNAL), candidate("roadmap-c")],
    )  # fmt: skip
    assert queue(status) == (("roadmap-c", "ready"), ("roadmap-a", "gate-failed"))


def test_time_goes_on_without_a_new_reading() -> None:
    """Elapsed time and silence are those of the moment of drawing; an agent that is silent too long is called idle."""
    assert shown(NIGHT, 110, now=NOW + 3600)[2].split()[3:7] == ["idle", "claude", "1h11", "1h00"]
    assert rows(NIGHT)[0].elapsed == 700.0


def test_the_text_for_once_is_as_it_was() -> None:
    """Scripts and pictures read it: the same columns, and only what is ready in the queue."""
    assert to_text(NIGHT).splitlines() == [
        "task  state    branch        agent    commits  next",
        "US-1  claimed  roadmap-wt1   working  2        agent-running",
        "US-2  landed   roadmap-wt2   done     -",
        "US-3  claimed  roadmap-wt3   stuck    2        agent-failed",
        "US-4  blocked  roadmap-wt4   -        2        gate-failed",
        "US-5  done     roadmap-wt5   done     2        ready",
        "-     -        roadmap-mine  -        2        conflict",
        "US-4: red three times",
        "conflict: roadmap-wt1 and roadmap-mine both change pkg/a.py",
        "queue: roadmap-wt5",
    ]


# --- what fits ------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.sampled_from([column.title for column in COLUMNS]), st.integers(1, 600), min_size=1),
    st.integers(1, 700),
)
def test_columns_fit(natural: dict[str, int], width: int) -> None:
    """Together they never exceed the terminal, none is wider than it wants, and the most important one stays."""
    widths = fit(natural, width)
    assert sum(widths.values()) + GAP * (len(widths) - 1) <= width
    assert all(0 < widths[title] <= natural[title] for title in widths)
    ranks = {column.title: column.rank for column in COLUMNS}
    assert min(natural, key=lambda title: ranks[title]) in widths
    if sum(natural.values()) + GAP * (len(natural) - 1) <= width:
        assert widths == natural


@given(
    st.lists(st.tuples(NAMES, NAMES, st.sampled_from(ClaimState), NAMES | st.none()), max_size=5),
    st.integers(1, 120), st.integers(1, 12), st.booleans(), st.booleans(), NAMES | st.none(),
)  # fmt: skip
def test_nothing_gets_out_of_its_place(
    named: Sequence[tuple[str, str, ClaimState, str | None]], width: int, height: int, colours: bool, unicode: bool,
    trouble: str | None,
) -> None:  # fmt: skip
    """Any names, in any terminal: no line too many, none too long, nothing that would steer it."""
    status = report(
        [claim(task, branch, state, reason) for task, branch, state, reason in named],
        [doing(branch, agent=task) for task, branch, _, _ in named],
        [candidate(branch) for _, branch, _, _ in named],
        [Overlap(branch, task, (task,), None) for task, branch, _, _ in named],
    )
    look = Look(width, height, colours, unicode)
    drawn = frame(status, NOW, look, trouble)
    assert 1 <= len(drawn) <= height
    for line in drawn:
        text = "".join(span.text for span in line)
        assert cells(text) <= width and printable(text) == text
        assert unicode or text.isascii()
        assert colours or painted(line, look) == text.rstrip()


@pytest.mark.parametrize(("width", "height"), [(20, 10), (80, 24), (500, 60), (500, 500)])
def test_two_hundred_tasks(width: int, height: int) -> None:
    """What is at work stays on the screen; how many are not shown is said, and how many of those have landed."""
    states = [ClaimState.LANDED] * 150 + [ClaimState.CLAIMED] * 50
    claims = [claim(f"US-{n}", f"roadmap-wt{n}", state) for n, state in enumerate(states)]
    agents = [doing(f"roadmap-wt{n}") for n in range(195, 200)]
    lines = shown(report(claims, agents), width, height)
    assert len(lines) == min(height, 202)
    assert [line.split()[0] for line in lines[2:7]] == [f"US-{n}" for n in range(195, 200)]
    if height < 202:
        assert lines[-1].startswith(f"… {200 - (height - 3)} more")


def test_warnings_do_not_push_the_table_out() -> None:
    """A third of the screen at most, while there are tasks to show; the last line says how many are left out."""
    claims = [claim(f"US-{n}", f"roadmap-wt{n}", reason="x") for n in range(100)]
    lines = shown(report(claims), 80, 24)
    assert len(lines) == 24
    assert sum(line.startswith("US-") and ": x" in line for line in lines) == 6
    assert lines[-1] == "… 94 more lines: coffee status"
    alone = shown(report(claims[:1]), 80, 24)
    assert alone[-1] == "US-0: x"


def test_nothing_yet_says_what_to_type() -> None:
    """An empty table would be a riddle."""
    assert shown(report(), 100)[1:] == ["nothing is claimed and no roadmap-* branch is open; start with: coffee run"]
