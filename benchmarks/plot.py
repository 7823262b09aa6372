"""Line charts as plain SVG text, so that a benchmark needs nothing to draw its results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 560, 400
LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 56, 48, 310, 292
COLOURS = ("#0b5fa5", "#4aa3df", "#777777", "#d1495b", "#e8973a", "#111111", "#3a8f5c", "#8a5fbf")


@dataclass(frozen=True)
class Line:
    """The points (x, y) of one series."""

    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """Lines by their names over a logarithmic x with a tick at each of *ticks*, and y from 0 to *top*."""

    title: str
    x_name: str
    y_name: str
    ticks: Sequence[float]
    top: float
    step: float
    lines: Mapping[str, Line]

    def x(self, value: float) -> float:
        """Where *value* is, from the left."""
        low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
        return LEFT + PLOT_WIDTH * (math.log(value) - low) / (high - low)

    def y(self, value: float) -> float:
        """Where *value* is, from above."""
        return TOP + PLOT_HEIGHT * (1 - value / self.top)


def save(path: Path, charts: Sequence[Chart]) -> None:
    """Draw *charts* side by side."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(charts)} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#222">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, chart in enumerate(charts):
        parts += [f'<g transform="translate({WIDTH * number} 0)">', *_axes(chart), *_lines(chart), "</g>"]
    path.write_text("\n".join((*parts, "</svg>", "")), encoding="utf-8")


def _axes(chart: Chart) -> list[str]:
    bottom, right = TOP + PLOT_HEIGHT, LEFT + PLOT_WIDTH
    parts = [f'<text x="{LEFT}" y="24" font-size="14" font-weight="bold">{escape(chart.title)}</text>']
    for number in range(round(chart.top / chart.step) + 1):
        value = number * chart.step
        y = chart.y(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in chart.ticks:
        x = chart.x(value)
        parts.append(f'<path d="M{x:.1f} {bottom}v5" stroke="#222"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{value:g}</text>')
    middle = TOP + PLOT_HEIGHT / 2
    x_name, y_name = escape(chart.x_name), escape(chart.y_name)
    parts.append(f'<text x="{LEFT + PLOT_WIDTH / 2}" y="{bottom + 40}" text-anchor="middle">{x_name}</text>')
    parts.append(f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{y_name}</text>')
    return parts


def _lines(chart: Chart) -> list[str]:
    parts = []
    for number, (name, line) in enumerate(chart.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        style = f'fill="none" stroke="{colour}" stroke-width="2"' + (' stroke-dasharray="6 4"' if line.dashed else "")
        where = [(chart.x(x), chart.y(y)) for x, y in line.points]
        parts.append(f'<path d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in where)}" {style}/>')
        if not line.dashed:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in where]
        x, y = LEFT + PLOT_WIDTH + 16, TOP + 12 + 22 * number
        parts.append(f'<path d="M{x} {y}h24" {style}/>')
        parts.append(f'<text x="{x + 30}" y="{y + 4}">{escape(name)}</text>')
    return parts
