"""``coffee metrics`` as it is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coffee_hooks.base import output
from coffee_hooks.base.project import open_project
from coffee_hooks.base.text import aligned
from coffee_hooks.evaluate.backtest import FIRST
from coffee_hooks.evaluate.comparison import Accuracy, accuracy, meetings
from coffee_hooks.loop.history import History, read_history
from coffee_hooks.report.clock import date_and_time
from coffee_hooks.report.criteria import criteria
from coffee_hooks.report.durations import durations
from coffee_hooks.report.figures import Figure, aim, answer, rounded, shown, to_json
from coffee_hooks.state.store import open_store

PREDICTION = (
    f"of landed tasks whose footprint was kept when they were claimed here: recall is the mean share of the files that"
    f" a task touched which are in one of its {FIRST} likeliest places, precision the share of the places likelier than"
    " not that were touched; change logs, lock files and the roadmap are left out; pairs are those of such tasks of"
    " which one was claimed before the other had landed, expected is the sum of the risks that they meet in a file"
)


def metrics_for(start: Path, since: str | None) -> int:
    """Answer ``coffee metrics``."""
    project = open_project(start)
    with open_store(project.repo.state_dir) as store:
        found = read_history(project, store, since)
    output.answer_json("metrics", metrics_json(found))
    output.answer(metrics_text(found))
    return 0


def metrics_json(found: History) -> dict[str, Any]:
    """The object of ``metrics --json``."""
    five, phases, good = _all(found)
    pairs = meetings(found.comparisons, found.beside)
    return {
        "since": round(found.window.since, 3),
        "until": round(found.window.until, 3),
        "metrics": [to_json(figure) for figure in five],
        "phases": [to_json(figure) for figure in phases],
        "gate_runs": dict(sorted(_verdicts(found).items())),
        "prediction": {
            "precision": rounded(good.precision), "recall": rounded(good.recall), "n": good.tasks,
            "pairs": {"n": pairs.pairs, "expected": rounded(pairs.expected), "met": pairs.met}, "method": PREDICTION,
        },
    }  # fmt: skip


def metrics_text(found: History) -> str:
    """The five criteria, the phases and the predictions in a table each, then how all of it was measured."""
    five, phases, good = _all(found)
    pairs = meetings(found.comparisons, found.beside)
    runs = ", ".join(f"{count} {word}" for word, count in sorted(_verdicts(found).items())) or "none"
    return "\n".join(
        (
            f"since {date_and_time(found.window.since)}, until {date_and_time(found.window.until)}",
            "",
            *_table("METRIC", five),
            "",
            *_table("PHASE", phases),
            "",
            f"runs of the gate: {runs}",
            f"predicted files: recall {_share(good.recall)}, precision {_share(good.precision)}, n {good.tasks}",
            f"pairs side by side: {pairs.pairs}, expected to meet in a file {pairs.expected:.2f}, met {pairs.met}",
            "",
            *_methods((*five, *phases)),
            f"predicted files and pairs: {PREDICTION}",
        )
    )


def _all(found: History) -> tuple[Sequence[Figure], Sequence[Figure], Accuracy]:
    phases = durations(found.journeys, found.gates, found.window)
    return criteria(found.journeys, found.window), phases, accuracy(found.comparisons)


def _verdicts(found: History) -> Counter[str]:
    return Counter(gate.outcome for gate in found.gates if found.window.holds(gate.ended))


def _table(head: str, figures: Sequence[Figure]) -> list[str]:
    rows = [(head, "VALUE", "TARGET", "MET", "N", "SLOWEST")]
    for each in figures:
        value, slowest = shown(each.value, each.unit), shown(each.slowest, each.unit)
        rows.append((each.title, value, aim(each), answer(each), str(each.n), slowest))
    return aligned(rows)


def _methods(figures: Sequence[Figure]) -> Iterator[str]:
    for each in figures:
        yield f"{each.title}: {each.method}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
