"""A backtest in every form that is printed: JSON, text, and a picture of the calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from coffee_hooks.base.markup import Markup, number, tag
from coffee_hooks.evaluate.backtest import FIRST, Backtest
from coffee_hooks.evaluate.scores import Bin

_SIDE = 320
_MARGIN = 56
_DOT = 14
"""The radius, in pixels, of the bin that holds all pairs."""


def to_json(found: Backtest) -> dict[str, Any]:
    """The ``backtest`` of ``evaluate --backtest --json``."""
    return {
        "tasks": found.tasks,
        "pairs": found.pairs,
        "met": found.met,
        "average_precision": _figure(found.precision),
        "area_under_curve": _figure(found.area),
        "recall_at_10": _figure(found.recall),
        "calibration_error": round(found.error, 4),
        "calibration": [
            {
                "low": each.low,
                "high": each.high,
                "pairs": each.pairs,
                "risk": round(each.risk, 4),
                "met": round(each.met, 4),
            }
            for each in found.bins
        ],
        "thresholds": [
            {
                "risk": cut.threshold,
                "precision": _figure(cut.precision),
                "recall": round(cut.avoided, 4),
                "conflicts_avoided": round(cut.avoided, 4),
                "parallelism_lost": round(cut.lost, 4),
            }
            for cut in found.cuts
        ],
        "risk": found.threshold,
    }


def to_text(found: Backtest) -> str:
    """The figures, the calibration, what each threshold would have done, and the line to paste."""
    lines = [
        f"{found.tasks} tasks of the past, {found.pairs} pairs; {found.met} pairs touched a common file",
        f"average precision {_said(found.precision)} (by chance {found.met / found.pairs:.2f}),"
        f" area under the curve {_said(found.area)}, calibration error {found.error:.2f}",
        f"files of a task among the first {FIRST} predicted: {_said(found.recall)}",
        "",
        "RISK        PAIRS  PREDICTED  REAL",
        *(
            f"{each.low:.1f} - {each.high:.1f}  {each.pairs:6d}  {each.risk:9.2f}  {each.met:.2f}"
            for each in found.bins
        ),
        "",
        "THRESHOLD  PRECISION  CONFLICTS AVOIDED  PARALLELISM LOST",
        *(f"{c.threshold:9.2f}  {_said(c.precision):>9}  {c.avoided:17.0%}  {c.lost:16.0%}" for c in found.cuts),
        "",
    ]
    if found.threshold is None:
        return "\n".join((*lines, "No threshold follows from this: the pairs are all of one kind"))
    best = f"evaluate: {{risk: {found.threshold:g}}}"
    return "\n".join((*lines, f"For .coffee.yaml, most avoided against what is lost:\n{best}"))


def to_svg(found: Backtest) -> str:
    """The calibration as a picture: a dot for each bin, as large as it has pairs, and the line where all should be."""
    size = _SIDE + 2 * _MARGIN
    return tag(
        "svg", tag("title", f"Predicted risk against reality, {found.pairs} pairs"),
        tag("rect", width="100%", height="100%", fill="#fff"), *_axes(), *_dots(found.bins, found.pairs),
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {size} {size}", role="img", font_family="sans-serif",
        font_size=12, fill="#222",
    )  # fmt: skip


def _axes() -> Iterator[Markup]:
    low, high = _MARGIN, _MARGIN + _SIDE
    yield tag("path", d=f"M{low} {high}L{high} {low}", stroke="#999", stroke_dasharray="4 4", fill="none")
    yield tag("path", d=f"M{low} {low}V{high}H{high}", stroke="#222", fill="none")
    for tenth in range(0, 11, 2):
        at, said = _SIDE * tenth / 10, f"{tenth / 10:g}"
        yield tag("text", said, x=low + at, y=high + 18, text_anchor="middle")
        yield tag("text", said, x=low - 8, y=high - at + 4, text_anchor="end")
    middle = _MARGIN + _SIDE / 2
    yield tag("text", "predicted risk of a pair", x=middle, y=high + 40, text_anchor="middle")
    turned = f"rotate(-90 16 {number(middle)})"
    words = "share of pairs that touched a common file"
    yield tag("text", words, x=16, y=middle, text_anchor="middle", transform=turned)


def _dots(bins: Sequence[Bin], pairs: int) -> Iterator[Markup]:
    for each in bins:
        said = tag("title", f"{each.pairs} pairs: predicted {each.risk:.2f}, real {each.met:.2f}")
        yield tag(
            "circle", said, cx=_MARGIN + _SIDE * each.risk, cy=_MARGIN + _SIDE * (1 - each.met),
            r=max(2.0, _DOT * (each.pairs / pairs) ** 0.5), fill="#0b5fa5", fill_opacity=0.7,
        )  # fmt: skip


def _figure(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
