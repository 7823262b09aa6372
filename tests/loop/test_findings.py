"""What is news: everything once, nothing twice, and again where it reaches a place that was not told of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.messages import Level
from coffee_hooks.base.model import TaskId
from coffee_hooks.loop.findings import Finding, Kind, findings, news, place_of
from coffee_hooks.ready.escaped import Escaped, Evidence
from coffee_hooks.ready.radar import Outside, Overlap, Radar

A, B, C = "roadmap-wt1", "roadmap-wt2", "roadmap-wt10"
US = TaskId("US-104")
PATHS = st.sampled_from(["top", "pkg/a", "pkg/b", "pkg/sub/c", "pkgs/d", "caf\udce9/e\n", "x [y/z"])
FOUND = st.builds(
    lambda kind, branches, paths: Finding(kind, branches, paths, "line", "title", "then"),
    st.sampled_from(Kind),
    st.sampled_from([(A, B), (A, C), (A,), ()]),
    st.lists(PATHS, min_size=1, unique=True).map(tuple),
)


def keys(found: list[Finding], told: list[str]) -> list[str]:
    """The keys of what is told of *found*."""
    return [str(draft.dedupe_key) for _, draft in news(found, told)]


@given(st.lists(st.lists(FOUND, max_size=3, unique_by=lambda finding: finding.subject), max_size=4))
def test_against_the_definition(looks: list[list[Finding]]) -> None:
    """Look after look: told if and only if a path is below no folder that was told of for the same thing."""
    told: list[str] = []
    places: dict[tuple[Kind, tuple[str, ...]], set[str]] = {}
    for found in looks:
        expected = []
        before = {what: set(known) for what, known in places.items()}
        for finding in found:
            known = set(before.get((finding.kind, finding.branches), ()))
            if finding.kind is Kind.OVERLAP:
                known |= before.get((Kind.CONFLICT, finding.branches), set())
            fresh = [p for p in finding.paths if not any(p == k or p.startswith(f"{k}/") for k in known)]
            if fresh:
                expected.append(finding)
                places.setdefault((finding.kind, finding.branches), set()).update(map(place_of, fresh))
        assert [finding for finding, _ in news(found, told)] == expected
        told += keys(found, told)
        assert news(found, told) == []
    assert len(set(told)) == len(told)


def test_a_conflict_after_an_overlap_is_news_and_not_the_other_way_round() -> None:
    """It became worse; that it became better can be seen in status."""
    overlap, conflict = (list(findings(Radar((Overlap(A, B, ("x", "y/z"), c),)), {A})) for c in (False, True))
    told = keys(overlap, [])
    assert len(told) == len(keys(conflict, told)) == 1
    assert keys(overlap, keys(conflict, [])) == []


def test_who_is_told_how_loud() -> None:
    """Conflicts loudly to the architect, edits in his checkout to the user, each finding as one."""
    radar = Radar(
        (Overlap(A, B, ("x",), True), Overlap(A, C, ("x",), None), Overlap(B, C, ("x",), True)),
        (Outside(C, US, ("y", "z")),),
        (Escaped("a", US, A, 1.0, Evidence.LOG), Escaped("b", None, None, 1.0, Evidence.FOOTPRINT),
         Escaped("c", US, A, 1.0, Evidence.TOUCHED)),
    )  # fmt: skip
    told = [(f.kind, f.branches, f.paths, d.recipient, d.level) for f, d in news(findings(radar, {A}), [])]
    assert told == [
        (Kind.CONFLICT, (A, B), ("x",), "architect", Level.HIGH),
        (Kind.OVERLAP, (A, C), ("x",), "architect", Level.NORMAL),
        (Kind.OUTSIDE, (C,), ("y", "z"), "architect", Level.NORMAL),
        (Kind.ESCAPED, (A,), ("a", "c"), "user_listener", Level.NORMAL),
        (Kind.ESCAPED, (), ("b",), "user_listener", Level.NORMAL),
    ]


def test_names_stay_on_their_line() -> None:
    """What a file is called cannot write lines or steer a terminal."""
    ((_, draft),) = news(findings(Radar((Overlap(A, B, ("a\nb\x1b[31m",), True),)), {A}), [])
    assert "\x1b" not in draft.message and draft.message.count("\n") == 2


def test_keys_of_others_are_not_ours() -> None:
    """Whatever stands in the table."""
    found = list(findings(Radar((Overlap(A, B, ("x",), True),)), {A}))
    assert len(news(found, [f"radar conflict {A} {B} [", f"radar conflict {A} {B}", "radar ["])) == 1
