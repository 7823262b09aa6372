"""The scheduling is right whatever the gate says, and cheap when the gate says what is likely."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.merge.belief import History, believe
from coffee_hooks.merge.schedule import Queue, plan
from coffee_hooks.merge.train import Answer, Landed, Probe, drive

MANY = 60


@dataclass
class Bench:
    """A gate that is red where a set holds a bad branch or a clashing pair, and a target that may move away.

    Answers come in the order that *chance* wants. A verdict on a set is known for ever, as one on a tree is.
    """

    bad: frozenset[int]
    clashes: frozenset[frozenset[int]] = frozenset()
    hung: frozenset[int] = frozenset()
    moves: set[int] = field(default_factory=set)
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    runs: int = 0
    tested: dict[frozenset[int], Answer] = field(default_factory=dict)
    target: list[int] = field(default_factory=list)
    landings: list[frozenset[int]] = field(default_factory=list)
    settled: dict[int, Answer] = field(default_factory=dict)
    running: list[Probe[int]] = field(default_factory=list)
    most: int = 0

    def says(self, items: frozenset[int]) -> Answer:
        """What a run on everything in *items* shows."""
        if items & self.hung:
            return Answer.ERROR
        red = items & self.bad or any(pair <= items for pair in self.clashes)
        return Answer.RED if red else Answer.GREEN

    def start(self, probe: Probe[int]) -> Probe[int]:
        assert not set(probe.items) & set(probe.accepted) and not set(probe.whole) & set(self.target)
        assert len(set(probe.whole)) == len(probe.whole)
        self.running.append(probe)
        self.most = max(self.most, len(self.running))
        return probe

    def wait(self) -> tuple[Probe[int], Answer]:
        probe = self.running.pop(self.chance.randrange(len(self.running)))
        items = frozenset((*self.target, *probe.whole))
        if items not in self.tested:
            self.runs += 1
            self.tested[items] = self.says(items)
        answer = self.tested[items]
        return probe, Answer.BAD if answer is Answer.RED and len(probe.items) == 1 else answer

    def stop(self, probe: Probe[int]) -> None:
        self.running.remove(probe)

    def land(self, green: tuple[int, ...]) -> Landed[int]:
        if len(self.landings) in self.moves:  # somebody else's push: every verdict is on another tree now
            self.moves.remove(len(self.landings))
            self.tested.clear()
            return Landed(green)
        after = frozenset((*self.target, *green))
        assert self.tested[after] is Answer.GREEN, "what lands was tested"
        self.target += green
        self.landings.append(after)
        return Landed()

    def settle(self, item: int, answer: Answer) -> None:
        assert item not in self.settled and item not in self.target
        self.settled[item] = answer


@given(
    n=st.integers(0, 12),
    bad=st.frozensets(st.integers(0, 11)),
    hung=st.frozensets(st.integers(0, 11), max_size=2),
    clashes=st.frozensets(st.frozensets(st.integers(0, 11), min_size=2, max_size=2), max_size=2),
    moves=st.sets(st.integers(0, 4)),
    jobs=st.integers(1, 5),
    seed=st.integers(0, 2**16),
    size=st.one_of(st.none(), st.integers(1, 5)),
    history=st.builds(History, st.integers(0, 50), st.integers(0, 50)),
)
@settings(max_examples=400)
def test_every_branch_is_settled_as_a_plain_queue_would(
    n: int, bad: frozenset[int], hung: frozenset[int], clashes: frozenset[frozenset[int]], moves: set[int],
    jobs: int, seed: int, size: int | None, history: History,
) -> None:  # fmt: skip
    """Whatever is bad, hangs or clashes, in whatever order gates end and targets move: the good land, tested."""
    bench = Bench(bad, clashes, hung, set(moves), random.Random(seed))
    drive(Queue(tuple(range(n)), history, size), jobs, bench)
    everything = set(range(n))
    assert set(bench.target) | bench.settled.keys() == everything
    assert len(bench.target) + len(bench.settled) == n
    assert bench.most <= jobs and not bench.running
    assert not set(bench.target) & (bad | hung)
    refused = everything - set(bench.target) - bad - hung
    partners = {item for pair in clashes for item in pair}
    assert refused <= partners, "only bad branches, and one of a pair that clashes, do not land"
    for item in refused:  # blamed on what is on the target, not on something that did not land
        assert any(pair - {item} <= set(bench.target) for pair in clashes if item in pair)
    for item, answer in bench.settled.items():
        assert answer is (Answer.ERROR if item in hung else Answer.BAD) or item in bad & hung


def test_all_green_is_one_run_and_one_landing() -> None:
    """Sixteen branches without a history: the whole queue first."""
    bench = Bench(frozenset())
    drive(Queue(tuple(range(16))), 1, bench)
    assert (bench.runs, len(bench.landings)) == (1, 1)


@pytest.mark.parametrize("bad", [{0}, {15}, {7, 8}, {3, 12}, {0, 15}, {14, 15}])
def test_two_red_of_sixteen_cost_at_most_thirteen_runs(bad: set[int]) -> None:
    """The fourteen innocent land."""
    bench = Bench(frozenset(bad))
    drive(Queue(tuple(range(16))), 1, bench)
    assert bench.runs <= 13
    assert set(bench.target) == set(range(16)) - bad


@pytest.mark.parametrize("pair", [(0, 1), (0, 15), (7, 8), (14, 15), (3, 11)])
def test_a_clashing_pair_costs_at_most_eight_runs_and_one_of_it_lands(pair: tuple[int, int]) -> None:
    """Green alone and red together: fifteen land, and the later one is blamed."""
    bench = Bench(frozenset(), frozenset({frozenset(pair)}))
    drive(Queue(tuple(range(16))), 1, bench)
    assert bench.runs <= 8
    assert bench.settled == {pair[1]: Answer.BAD}


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_the_runs_stay_near_the_counting_bound(rate: float) -> None:
    """n H(p) bits must be learned, one a run; the benchmark measures many more cases."""
    chance, runs = random.Random(1), 0
    for _ in range(MANY):
        bench = Bench(frozenset(item for item in range(64) if chance.random() < rate))
        drive(Queue(tuple(range(64)), History(round(1000 * (1 - rate)), round(1000 * rate))), 1, bench)
        runs += bench.runs
    bound = -64 * (rate * math.log2(rate) + (1 - rate) * math.log2(1 - rate))
    assert runs / MANY <= 1.25 * bound


def test_sixteen_gates_settle_sixteen_branches_in_one_go() -> None:
    """One bad branch of sixteen: the whole, beginnings of it, and the whole without one are tested side by side."""
    probes = plan(Queue(tuple(range(16)), History(980, 20)), 16)
    assert probes[0] == tuple(range(16))
    assert len(set(probes)) == len(probes) == 16
    assert tuple(range(1, 16)) in probes, "the whole without the first"


def test_where_many_are_red_each_is_tested_alone_and_the_green_land_together() -> None:
    """Three in ten are red and there is a gate for each: one run each, one of the green ones, and one landing."""
    bench = Bench(frozenset(range(0, 16, 3)))
    drive(Queue(tuple(range(16)), History(700, 300)), 16, bench)
    assert (bench.runs, len(bench.landings)) == (17, 1)
    assert set(bench.target) == set(range(16)) - bench.bad


def test_a_clash_among_branches_that_were_green_alone_is_found() -> None:
    """Their first common run is red: it is split as any other, and only the later one is blamed."""
    bench = Bench(frozenset({0, 5}), frozenset({frozenset({3, 11})}))
    drive(Queue(tuple(range(16)), History(700, 300)), 16, bench)
    assert bench.settled.keys() == {0, 5, 11}


def test_one_gate_never_tests_apart() -> None:
    """Then batches take fewer runs at any rate."""
    assert len(plan(Queue(tuple(range(16)), History(700, 300)), 1)[0]) == 2


def test_nothing_is_tested_that_is_known_to_be_red() -> None:
    """The whole without 12 is red already: its verdict is known, so asking again would tell nothing, for ever."""
    reds = (frozenset((12, 13)), frozenset((13, 14, 15)))
    assert plan(Queue((12, 13, 14, 15), History(11, 1), reds=reds), 2) == ((12,),)


@given(
    st.sets(st.integers(0, 11), min_size=1),
    st.lists(st.frozensets(st.integers(0, 11), min_size=1), max_size=4),
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.integers(1, 17),
)
def test_a_plan_asks_only_what_can_tell_something(
    items: set[int], reds: list[frozenset[int]], history: tuple[int, int], jobs: int
) -> None:
    """No set twice, none that is known to be red but single ones to be confirmed, and the first is that of one gate."""
    queue = Queue(tuple(sorted(items)), History(*history))
    for red in reds:
        queue = queue.suspect(red & items)
    probes = plan(queue, jobs)
    assert 1 <= len(set(probes)) == len(probes) <= jobs
    assert probes[:1] == plan(queue, 1)
    assert all(len(probe) == 1 or not queue.implied_red(probe) for probe in probes)


@given(st.integers(0, 2000), st.integers(0, 2000), st.lists(st.integers(1, 300), max_size=4))
def test_a_belief_is_a_distribution(good: int, bad: int, reds: list[int]) -> None:
    """Never NaN, never outside of 0 and 1, falling with the size of a batch."""
    belief = believe(History(good, bad), reds)
    assert math.isclose(sum(belief.weights), 1.0)
    assert 0 < belief.rate < 1
    assert belief.all_good(0) == pytest.approx(1.0)
    assert belief.all_good(1) >= belief.all_good(2) >= belief.all_good(300) >= 0
