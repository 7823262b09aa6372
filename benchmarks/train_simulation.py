"""The merge train's own scheduling over a simulated gate, beside what theory and other queues need.

``python benchmarks/train_simulation.py [--seeds N] [--quick]`` writes results/train_simulation.md and .svg; exit 1 when
a limit is broken. The Python that runs it must have coffee-hooks installed. Quick: fewer branches and seeds, and
nothing is written.

Every gate run takes one round, and a branch is bad alone with probability p. Known: the train starts with the history
of 2,000 branches; cold: with none. The others are computed exactly: one by one; bors, which tests the whole queue and
halves what is red; Dorfman, which tests batches of one size, the best for p, and single branches where one is red.
"""

from __future__ import annotations

import argparse
import datetime
import math
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version

from measure import RESULTS, publish
from plot import Chart, Line, save
from simulated import Case, Sums, draw, simulate

RATES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30)
SIZES = (1, 4, 16, 64, 256)
QUICK_SIZES = (1, 4, 16, 64)
JOBS = (1, 2, 4, 16)
SEEDS, QUICK_SEEDS, CHUNK = 1000, 100, 50
BOUND, EXTRA, ROUNDS, EJECTED = 1.25, 6, 1.3, 1e-4
FLAKE, RETRIES, FLAKY_SIZE = 0.05, 3, 64
SMALL = 16
"""Up to so many branches several gates are also tried from cold."""
MANY = 64
"""From so many branches on, the bound of theory is a limit."""

Figures = dict[Case, Sums]


def entropy(p: float) -> float:
    """The bits that one branch hides, which is how many runs its verdict costs at least."""
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


@cache
def halving(p: float, n: int) -> float:
    """The runs of a queue that tests all, and each half of what was red, again and again."""
    if n == 1:
        return 1.0
    return 1 + halving(p, n // 2) + halving(p, n - n // 2) - 2 * (1 - p) ** n


def dorfman(p: float, n: int, batch: int) -> float:
    """The runs of batches of one size, and of single branches where a batch is red."""
    sizes = [batch] * (n // batch) + [n % batch] * (n % batch > 0)
    return sum(1 + (size * (1 - (1 - p) ** size) if size > 1 else 0) for size in sizes)


def best_dorfman(p: float, n: int) -> float:
    """With the best size of batches."""
    return min(dorfman(p, n, batch) for batch in range(1, n + 1))


def halving_rounds(bad: frozenset[int], n: int, jobs: int) -> int:
    """The rounds of halving with both halves side by side; nobody tests what is green together once more."""
    waiting, rounds = [(0, n)], 0
    while waiting:
        rounds += 1
        now, waiting = waiting[:jobs], waiting[jobs:]
        for low, high in now:
            if high - low > 1 and any(low <= item < high for item in bad):
                middle = (low + high) // 2
                waiting += [(low, middle), (middle, high)]
    return rounds


def mean_halving_rounds(p: float, n: int, jobs: int, seeds: int) -> float:
    """On the same branches as the train."""
    return sum(halving_rounds(draw(p, n, seed), n, jobs) for seed in range(seeds)) / seeds


def cases(sizes: Sequence[int]) -> Iterator[Case]:
    """Everything that is simulated, the longest first."""
    for n in reversed(sizes):
        for jobs in reversed(JOBS):
            yield from (Case(p, n, jobs) for p in RATES)
            if jobs == 1 or n <= SMALL:
                yield from (Case(p, n, jobs, known=False) for p in RATES)
    yield from (Case(p, FLAKY_SIZE, jobs, True, FLAKE, RETRIES) for jobs in (1, 4) for p in RATES)


def run_all(sizes: Sequence[int], seeds: int, workers: int) -> Figures:
    """Simulate every case, shared out in pieces."""
    parts = [range(low, min(seeds, low + CHUNK)) for low in range(0, seeds, CHUNK)]
    wanted = [(case, part) for case in cases(sizes) for part in parts]
    figures: Figures = {}
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(simulate, *zip(*wanted, strict=True), chunksize=4)
        for (case, _), sums in zip(wanted, done, strict=True):
            figures.setdefault(case, Sums()).add(sums)
    return figures


@dataclass(frozen=True)
class Limit:
    """A promise, the worst figure of all cases, and what it may be at most."""

    what: str
    worst: float
    most: float
    where: str

    @property
    def kept(self) -> bool:
        """Whether the worst case is within it."""
        return self.worst <= self.most

    @property
    def row(self) -> str:
        """As a row of the table."""
        return f"| {self.what} | {self.worst:.3g} | {self.most:g} | {self.where} | {'ok' if self.kept else 'MISSED'} |"


def worst(what: str, most: float, figures: Figures, value: Callable[[Case, Sums], float]) -> Limit:
    """The limit *most* for the largest *value*."""
    found = {case: value(case, sums) for case, sums in figures.items()}
    case = max(found, key=lambda each: found[each])
    where = f"p={case.p:g} n={case.n}" + ("" if case.known else " cold")
    return Limit(what, found[case], most, where)


def limits(figures: Figures) -> list[Limit]:
    """Every promise, checked."""
    calm = {case: sums for case, sums in figures.items() if not case.flake}
    single = {case: sums for case, sums in calm.items() if case.jobs == 1}
    known = {case: sums for case, sums in single.items() if case.known and case.n >= MANY}
    cold = {case: sums for case, sums in single.items() if not case.known and case.n >= MANY}
    wide = {case: sums for case, sums in calm.items() if (case.p, case.n, case.jobs) == (0.02, 16, 16)}
    flaky = {case: sums for case, sums in figures.items() if case.flake}
    innocent, ejected = (sum(getattr(sums, name) for sums in flaky.values()) for name in ("innocent", "ejected"))

    def runs(sums: Sums) -> float:
        return sums.runs / sums.trains

    return [
        worst("runs / (n·H), known, n ≥ 64", BOUND, known, lambda c, s: runs(s) / (c.n * entropy(c.p))),
        worst("runs − 1.25·n·H, cold, n ≥ 64", EXTRA, cold, lambda c, s: runs(s) - BOUND * c.n * entropy(c.p)),
        worst("runs / one by one, known", 1, {c: s for c, s in single.items() if c.known}, lambda c, s: runs(s) / c.n),
        worst("runs / one by one, cold", 1, {c: s for c, s in single.items() if not c.known},
              lambda c, s: runs(s) / c.n),
        worst("rounds, 16 gates, 16 branches, p=.02", ROUNDS, wide, lambda _, s: s.rounds / s.trains),
        Limit("innocent ejected, 5 % flaky, 3 retries", ejected / innocent, EJECTED, f"{ejected} of {innocent:,}"),
    ]  # fmt: skip


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As markdown; the first column is text."""
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)])


def runs_table(figures: Figures, n: int) -> str:
    """Runs per branch with one gate, beside the others."""
    head = ["p", "H(p)", "known", "/ H", "cold", "/ H", "one by one", "bors", "Dorfman"]
    rows = []
    for p in RATES:
        known, cold = (figures[Case(p, n, 1, flag)] for flag in (True, False))
        bound, values = entropy(p), [sums.runs / sums.trains / n for sums in (known, cold)]
        ours = [text for value in values for text in (f"{value:.3f}", f"{value / bound:.2f}")]
        rows.append(
            [f"{p:.2f}", f"{bound:.3f}", *ours, "1", f"{halving(p, n) / n:.3f}", f"{best_dorfman(p, n) / n:.3f}"]
        )
    return table(head, rows)


def rounds_table(figures: Figures, n: int, seeds: int) -> str:
    """Rounds, and the runs that were begun for them, by the number of gates."""
    head = ["p", *(f"{jobs} gates" if jobs > 1 else "1 gate" for jobs in JOBS), "halves side by side, 16 gates"]
    rows = []
    for p in RATES:
        found = [figures[Case(p, n, jobs)] for jobs in JOBS]
        cells = [f"{sums.rounds / sums.trains:.2f} ({sums.runs / sums.trains:.1f})" for sums in found]
        rows.append([f"{p:.2f}", *cells, f"{mean_halving_rounds(p, n, 16, seeds):.2f}"])
    return table(head, rows)


def flaky_table(figures: Figures) -> str:
    """What a flaky gate costs."""
    head = ["p", "runs per branch, 1 gate", "4 gates", "innocent branches", "ejected"]
    rows = []
    for p in RATES:
        found = [figures[Case(p, FLAKY_SIZE, jobs, True, FLAKE, RETRIES)] for jobs in (1, 4)]
        costs = [f"{sums.runs / sums.trains / FLAKY_SIZE:.2f}" for sums in found]
        innocent, ejected = sum(sums.innocent for sums in found), sum(sums.ejected for sums in found)
        rows.append([f"{p:.2f}", *costs, f"{innocent:,}", str(ejected)])
    return table(head, rows)


def report(figures: Figures, sizes: Sequence[int], seeds: int) -> str:
    """Everything as text."""
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    parts = [
        "# The merge train over a simulated gate",
        f"{datetime.date.today()}, {system}, coffee-hooks {version('coffee-hooks')}; means over {seeds:,} trains.",
        "p: how often a branch is red alone. n: ready branches. n·H(p): the runs that any way needs at least. Known: "
        "with the history of 2,000 branches; cold: with none. Every run takes one round. Halves side by side: "
        "without a common run of what was green apart.",
        "| limit | worst | at most | where | |\n|---|---:|---:|---|---|\n"
        + "\n".join(each.row for each in limits(figures)),
    ]
    for n in (n for n in sizes if n >= 16):
        parts += [f"Runs per branch, {n} branches, one gate, no retries:", runs_table(figures, n)]
    for n in (n for n in sizes if n > 1):
        parts += [f"Rounds (and runs begun), {n} branches, known:", rounds_table(figures, n, seeds)]
    parts += [
        f"A gate that is red for nothing in 5 % of its runs, {FLAKY_SIZE} branches, 3 retries:",
        flaky_table(figures),
    ]
    return "\n\n".join(parts) + "\n"


def charts(figures: Figures, seeds: int) -> list[Chart]:
    """Runs against p, and rounds against the number of gates."""

    def over_p(value: Callable[[float], float]) -> Sequence[tuple[float, float]]:
        return [(p, value(p)) for p in RATES]

    def ours(known: bool, p: float) -> float:
        return figures[Case(p, MANY, 1, known)].runs / seeds / MANY

    def over_jobs(p: float) -> Sequence[tuple[float, float]]:
        return [(jobs, figures[Case(p, 16, jobs)].rounds / seeds) for jobs in JOBS]

    runs = {
        "coffee, known": Line(over_p(partial(ours, True))),
        "coffee, cold": Line(over_p(partial(ours, False))),
        "one by one": Line(over_p(lambda _: 1.0)),
        "bors, halving": Line(over_p(lambda p: halving(p, MANY) / MANY)),
        "Dorfman, best batch": Line(over_p(lambda p: best_dorfman(p, MANY) / MANY)),
        "H(p), the bound": Line(over_p(entropy), dashed=True),
    }
    rounds = {f"coffee, p = {p:g}": Line(over_jobs(p)) for p in RATES}
    rounds["halves, p = 0.1"] = Line([(jobs, mean_halving_rounds(0.1, 16, jobs, seeds)) for jobs in JOBS], dashed=True)
    return [
        Chart("Gate runs per branch, 64 branches, one gate", "p, branches that are red alone", "runs per branch",
              RATES, 1.6, 0.2, runs),
        Chart("Rounds until all of 16 branches are settled", "gates side by side", "rounds", JOBS, 20, 2, rounds),
    ]  # fmt: skip


def main() -> int:
    """Simulate, publish, and say whether every limit is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, help=f"trains of each case (default {SEEDS})")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="up to 64 branches and 100 seeds, printed only")
    asked = parser.parse_args()
    seeds, sizes = asked.seeds or (QUICK_SEEDS if asked.quick else SEEDS), QUICK_SIZES if asked.quick else SIZES
    figures = run_all(sizes, seeds, asked.workers)
    text = report(figures, sizes, seeds)
    if asked.quick:
        sys.stdout.write(text)
    else:
        publish("train_simulation", text)
        save(RESULTS / "train_simulation.svg", charts(figures, seeds))
    return 0 if all(limit.kept for limit in limits(figures)) else 1


if __name__ == "__main__":
    sys.exit(main())
