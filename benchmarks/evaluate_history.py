"""Judge the prediction on work that landed in repositories that its weights were not fitted on.

``python benchmarks/evaluate_history.py [--truth [NAME=]CLONE FILE.json] [--also [NAME=]CLONE@REV] [--unseen
[NAME=]CLONE] [--without SIGNAL[,SIGNAL]] [--tasks N] [--rows FOLDER] [--jobs N] [NAME=]CLONE...`` writes
results/evaluate_history.md; exit 1 when a limit is broken. It needs the dependency group ``fit``.

Each clone is left out in turn: the model is fitted on the others, predicts for the tasks of this one, and the
product's own code judges every pair of them. ``--also`` judges another stretch of a clone in the same way and fits on
none. ``--unseen`` judges with the weights of the package. ``--without`` fits anew without these signals (patterns).
``--truth`` takes the tasks of a clone from a list of ``{us, spec_path, spec_commit, commits, files_changed}``: the text
is the spec, the tree that before the first commit.
"""

from __future__ import annotations

import datetime
import math
import platform
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fit_prediction import fit
from judging import Declared, Figures, judge_all_files, judge_declared, judge_own_files, pooled_error, replays
from measure import publish
from past_rows import Clone, Past, arguments, clone_of, load, make_rows, place_for_rows, say

from coffee_hooks.evaluate.backtest import backtest
from coffee_hooks.predict.model import Layer, fitted

TIMES, MORE = 2.5, 0.3
"""Our average precision is so many times that of literal overlap, or so much more."""
RECALL, ERROR, TOLD = 0.65, 0.05, 0.95
HEADER = (
    "| repository | language | tasks | met | literal | names | AP | AUC | recall@10 | ECE |",
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
)


@dataclass(frozen=True)
class Result:
    """What came out for one repository. *planned*: its tasks come from a file. *own* is without shared bookkeeping."""

    label: str
    language: str
    tasks: int
    planned: bool
    every: Figures
    own: Figures


@dataclass(frozen=True)
class Limit:
    """Something that has to hold."""

    what: str
    measured: str
    held: bool


@dataclass(frozen=True)
class Ablation:
    """What is left without some signals: average precision and recall, as means over repositories."""

    without: str
    precision: float
    recall: float


class Bench:
    """What each process holds: the tasks of all clones, those of *known* to fit on."""

    pasts: Sequence[Past]
    known: Sequence[Past]

    @classmethod
    def load(cls, places: Sequence[Path], clones: Sequence[Clone], known: int) -> None:
        """Read the rows; the first *known* clones are those to fit on."""
        cls.pasts = [load(place, clone) for place, clone in zip(places, clones, strict=True)]
        cls.known = cls.pasts[:known]


def layer_for(past: Past, without: Sequence[str] = ()) -> Layer:
    """The model fitted on every repository but that of *past*."""
    return fit([each for each in Bench.known if each.clone.folder != past.clone.folder], without)


def judge_left_out(number: int) -> Result:
    """One repository by the weights of the others."""
    past = Bench.pasts[number]
    return _judged(past, layer_for(past))


def judge_unseen(number: int) -> Result:
    """One repository by the weights of the package."""
    return _judged(Bench.pasts[number], fitted())


def judge_lists(number: int) -> Declared:
    """One repository, if the specs had listed its files."""
    return judge_declared(Bench.pasts[number])


def judge_without(number: int, without: str) -> Ablation:
    """One repository by the weights of the others, fitted without some signals."""
    past = Bench.pasts[number]
    patterns = [part.strip() for part in without.split(",")]
    found = backtest(replays(past, layer_for(past, patterns)))
    say(f"{past.clone.label} without {without or 'nothing'}")
    return Ablation(without, found.precision or 0.0, found.recall or 0.0)


def _judged(past: Past, layer: Layer) -> Result:
    done = replays(past, layer)
    planned = past.clone.truth is not None
    found = Result(
        past.clone.label, past.language, len(past.tasks), planned, judge_all_files(done), judge_own_files(done)
    )
    say(f"{past.clone.label}: AP {found.own.precision:.3f}")
    return found


def mean(figures: Sequence[Figures], value: Callable[[Figures], float]) -> float:
    """The mean over repositories, each counted once."""
    return math.fsum(map(value, figures)) / max(1, len(figures))


def limits(results: Sequence[Result], declared: Sequence[Declared]) -> list[Limit]:
    """What has to hold. Means are over the replayed repositories, *results* are those and the specs."""
    replayed = [each.own for each in results if not each.planned]
    literal, ours = mean(replayed, lambda each: each.literal), mean(replayed, lambda each: each.precision)
    recall = mean(replayed, lambda each: each.recall)
    error = pooled_error(each.bins for each in replayed)
    below = [r.label for r in results if any(f.precision < f.literal for f in (r.every, r.own))]
    told = sum(each.told for each in declared) / max(1, sum(each.met for each in declared))
    return [
        Limit(
            f"AP at least {TIMES} times literal, or {MORE} more", f"{ours:.3f} to {literal:.3f}",
            ours >= min(TIMES * literal, literal + MORE),
        ),
        Limit("no repository below literal", ", ".join(below) or "none", not below),
        Limit(f"recall@10 at least {RECALL}", f"{recall:.3f}", recall >= RECALL),
        Limit(f"ECE of all pairs at most {ERROR}", f"{error:.3f}", error <= ERROR),
        Limit(f"of declared overlaps at least {TOLD} told", f"{told:.3f}", told >= TOLD),
    ]  # fmt: skip


def row(result: Result, figures: Figures) -> str:
    """One line of a table."""
    cells = (figures.prevalence, figures.literal, figures.names, figures.precision, figures.area, figures.recall)
    said = " | ".join(f"{each:.3f}" for each in (*cells, figures.error))
    return f"| {result.label} | {result.language} | {result.tasks} | {said} |"


def table(results: Sequence[Result], figures: Callable[[Result], Figures]) -> Iterator[str]:
    """The rows, and below them the means of those that were replayed."""
    yield from HEADER
    yield from (row(each, figures(each)) for each in results)
    found = [figures(each) for each in results if not each.planned]
    if len(found) > 1:
        values: list[Callable[[Figures], float]] = [
            lambda f: f.prevalence, lambda f: f.literal, lambda f: f.names, lambda f: f.precision, lambda f: f.area,
            lambda f: f.recall,
        ]  # fmt: skip
        said = " | ".join(f"{mean(found, value):.3f}" for value in values)
        yield f"| **mean of {len(found)}** | | | {said} | {pooled_error(f.bins for f in found):.3f} pooled |"
    yield ""


def both_tables(results: Sequence[Result]) -> Iterator[str]:
    """With shared bookkeeping left out, as the product counts, and with all files."""
    yield from ("Shared bookkeeping (change logs, lock files, the roadmap) left out:", "")
    yield from table(results, lambda each: each.own)
    yield from ("All files:", "")
    yield from table(results, lambda each: each.every)


def setting() -> str:
    """When, with what."""
    git = subprocess.run(["git", "version"], check=True, capture_output=True, text=True).stdout.split()[2]
    versions = ", ".join(f"{name} {version(name)}" for name in ("coffee-hooks", "scikit-learn", "numpy"))
    return f"{datetime.date.today()}, Python {platform.python_version()}, git {git}, {versions}."


def main() -> int:
    """Judge, write, and exit 1 when a limit is broken."""
    parser = arguments("Judge the prediction on work that landed.")
    parser.add_argument("--also", action="append", default=[], type=clone_of, metavar="[NAME=]CLONE@REV")
    parser.add_argument("--unseen", action="append", default=[], type=clone_of, metavar="[NAME=]CLONE")
    parser.add_argument("--without", action="append", default=[], metavar="SIGNAL[,SIGNAL]")
    options = parser.parse_args()
    known = [*options.clones, *(clone_of(*told) for told in options.truth)]
    clones = [*known, *options.also, *options.unseen]
    at_also, at_unseen = len(known), len(known) + len(options.also)
    with place_for_rows(options.rows) as folder:
        places = make_rows(clones, options.tasks, options.jobs, folder)
        with ProcessPoolExecutor(options.jobs, initializer=Bench.load, initargs=(places, clones, at_also)) as pool:
            fresh = list(pool.map(judge_unseen, range(at_unseen, len(clones))))
            results = list(pool.map(judge_left_out, range(at_unseen)))
            declared = list(pool.map(judge_lists, (*range(at_also), *range(at_unseen, len(clones)))))
            replayed = [at for at, clone in enumerate(known) if clone.truth is None]
            without = ["", *options.without] if options.without else []
            each = list(pool.map(judge_without, replayed * len(without), [w for w in without for _ in replayed]))
    ablations = [means(each[at : at + len(replayed)]) for at in range(0, len(each), len(replayed))]
    found = limits(results[:at_also], declared)
    page = report(results[:at_also], results[at_also:], fresh, declared, found, ablations)
    publish("evaluate_history", "\n".join(page))
    return 0 if all(each.held for each in found) else 1


def means(found: Sequence[Ablation]) -> Ablation:
    """The mean over repositories."""
    return Ablation(
        found[0].without,
        math.fsum(each.precision for each in found) / len(found),
        math.fsum(each.recall for each in found) / len(found),
    )


def report(
    results: Sequence[Result],
    stretches: Sequence[Result],
    fresh: Sequence[Result],
    declared: Sequence[Declared],
    found: Sequence[Limit],
    ablations: Sequence[Ablation],
) -> Iterator[str]:
    """The page."""
    yield from ("# Which past tasks met, foretold from what they say", "", setting(), "")
    yield from ("| limit | measured | |", "|---|---|---|")
    yield from (f"| {each.what} | {each.measured} | {'held' if each.held else '**BROKEN**'} |" for each in found)
    yield from ("", *EXPLANATION, "", "## Each repository, by weights fitted on the others", "")
    yield from both_tables(results)
    if stretches:
        yield from ("## Other stretches of the same histories", "")
        yield from both_tables(stretches)
    if fresh:
        yield from ("## Never looked at: the weights of the package", "")
        yield from both_tables(fresh)
    yield from ("## Specs that list the files that were touched", "", _about(declared), "")
    if ablations:
        yield from ("## Without a signal", "", *WITHOUT, "", "| without | AP | recall@10 |", "|---|---:|---:|")
        yield from (
            f"| {each.without or 'all signals'} | {each.precision:.3f} | {each.recall:.3f} |" for each in ablations
        )
        yield ""


def _about(declared: Sequence[Declared]) -> str:
    met, told, wrong = (sum(getattr(each, name) for each in declared) for name in ("met", "told", "wrong"))
    return (
        f"Of {met:,} pairs that met, {told:,} ({told / max(1, met):.1%}) are told as collisions at the default "
        f"threshold; so are {wrong:,} that did not meet."
    )


EXPLANATION = (
    "Tasks are the last merged branches, or single commits where few branches were merged; their text is what the",
    "merge and its commits say. Every two tasks of a repository are a pair, as if they had been planned together; it",
    "met when both touched one file. met: the share of such pairs. literal: average precision (AP) of pairs whose",
    "texts name one path of the tree, or the end of it with a folder. names: of pairs whose texts have the last name",
    "of a file in common. AP, AUC: ours. recall@10: the share of the files of a task, those that were there before,",
    "among the ten likeliest. ECE: how far risk and reality are apart, ten bins.",
)
WITHOUT = (
    "Means over the replayed repositories, shared bookkeeping left out. The columns of the signals are taken from the",
    "model, which is then fitted anew; the files that are followed to others stay the same.",
)

if __name__ == "__main__":
    raise SystemExit(main())
