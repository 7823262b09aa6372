"""Make the pictures of the README again, from real runs of the sample: ``nox -s pictures``.

Agents and gate are those of ``coffee demo``, slowed down to the pace of real ones (a minute and a half, or what is
typed as the one argument, in seconds), so that what the report measures means something. The agent that conflicts gets
a second attempt, in which it takes the target in. Needs the system's Chromium (or CHROMIUM) and Playwright.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from coffee_hooks.base.markup import Markup, join, number, plain, tag
from coffee_hooks.loop.sample import Sample, make_sample

HERE = Path(__file__).resolve().parent / "pictures"
COFFEE = (sys.executable, "-I", "-m", "coffee_hooks")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PACE = 90.0
"""Seconds that the slowest first attempt takes."""

SLOW = '''

def again(task: str) -> None:
    """A second attempt: what conflicts takes the target in, what is red knows no better."""
    if task != "US-105":
        sys.exit(f"{task}: I see nothing wrong")
    git("merge", "--quiet", "-X", "theirs", "-m", "Merge roadmap\\n\\nStatus: Ready for merge", "roadmap")


if __name__ == "__main__":
    import os

    first = os.environ["COFFEE_ATTEMPT"] == "1"
    share = {"US-101": 0.75, "US-102": 0.7, "US-103": 0.9, "US-104": 0.8, "US-105": 1.0}[sys.argv[1]]
    time.sleep(PACE * share * (1 if first else 0.5))
    (main if first else again)(sys.argv[1])
'''

SUMMARY_STYLE = """
body{margin:0;padding:16px 24px;background:#fff;color:#1f2328;font:15px/1.5 system-ui,"Noto Sans",sans-serif}
table{border-collapse:collapse}th,td{border:1px solid #d1d9e0;padding:6px 13px;text-align:left;vertical-align:top}
tr:nth-child(2n) td{background:#f6f8fa}
"""
LINE, WIDTH, MARGIN = 20.0, 8.43, 18.0
"""Height of a line and width of a character of the terminal, in pixels."""


def main(pace: float) -> None:
    """Play the runs and draw what they left behind."""
    HERE.mkdir(exist_ok=True)
    with sample() as (made, environ), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        slow_down(made, pace)
        status, report = play(made, environ, pace)
        (HERE / "status.svg").write_text(terminal("coffee status", status), encoding="utf-8")
        shoot_report(browser, report)
        browser.close()
    with sample() as (made, environ), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        shoot_summary(browser, merge_in_a_job(made, environ))
        browser.close()


def chromium() -> str:
    """The system's browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit("there is no Chromium: install it (Debian: apt-get install chromium), or name one with CHROMIUM=")
    return found


# --- the runs -------------------------------------------------------------------------------------


@contextmanager
def sample() -> Iterator[tuple[Sample, Mapping[str, str]]]:
    """A fresh sample, and an environment in which nothing of the user's settings reaches it."""
    ours = ("COFFEE_", "GITHUB_", "GIT_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC"}
    with tempfile.TemporaryDirectory(prefix="coffee-pictures-") as folder:
        yield make_sample(Path(folder).resolve()), environ


def slow_down(made: Sample, pace: float) -> None:
    """Agents that take their time, and a second attempt for what failed."""
    text = made.agent.read_text(encoding="utf-8")
    made.agent.write_text(text.partition('\n\nif __name__ == "__main__":')[0] + SLOW.replace("PACE", str(pace)))


def play(made: Sample, environ: Mapping[str, str], pace: float) -> tuple[str, Path]:
    """The whole loop: the status in the middle of it, and the page at its end."""
    gate = ["sh", "-c", f"sleep {pace / 12}; exec {shlex.quote(sys.executable)} -m unittest discover -q -s tests -t ."]
    environ = {**environ, "COFFEE_AGENT__RETRIES": "1", "COFFEE_GATE__COMMAND": json.dumps(gate)}
    loop = subprocess.Popen([*COFFEE, "run", "--until-idle", "--poll", "5s"], cwd=made.work, env=environ)
    time.sleep(pace * 0.98)  # some have landed, some are at work
    status = coffee(made, environ, "status")
    if loop.wait() != 1:
        sys.exit("the loop did not end as it should: one task of the sample is red")
    report = made.folder / "report.html"
    coffee(made, environ, "report", "--html", str(report))
    return status, report


def merge_in_a_job(made: Sample, environ: Mapping[str, str]) -> str:
    """Three agents, then one merge as a job of Actions types it: the Markdown of its summary."""
    summary = made.folder / "summary.md"
    coffee(made, environ, "spawn", "US-101", "US-103", "US-104", "--wait")
    actions = {**environ, "GITHUB_STEP_SUMMARY": str(summary)}
    subprocess.run(
        [*COFFEE, "merge", "--format", "github"], cwd=made.work, env=actions, capture_output=True, check=False
    )
    return summary.read_text(encoding="utf-8")


def coffee(made: Sample, environ: Mapping[str, str], *args: str) -> str:
    """What a command answers."""
    done = subprocess.run([*COFFEE, *args], cwd=made.work, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


# --- the pictures ---------------------------------------------------------------------------------


def terminal(command: str, text: str) -> str:
    """A terminal in which *command* said *text*, as SVG."""
    lines = [line for line in text.split("\n") if line]
    wide = number(max(len(line) for line in (*lines, f"$ {command}")) * WIDTH + 2 * MARGIN)
    high = number((len(lines) + 1) * LINE + 2 * MARGIN)
    shown = [tag("text", tag("tspan", "$ ", fill="#8fd0a5"), command, x=MARGIN, y=MARGIN + 14, fill="#ffffff")]
    for at, line in enumerate(lines, 1):
        colour = "#f0c27a" if at == 1 else "#e9e1d8"
        shown.append(tag("text", line, x=MARGIN, y=MARGIN + 14 + at * LINE, fill=colour, xml__space="preserve"))
    made = tag(
        "svg", tag("title", f"What {command} shows"), tag("rect", width="100%", height="100%", rx=10, fill="#211c19"),
        *shown, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {wide} {high}", width=wide, height=high, role="img",
        font_family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace", font_size=14,
    )  # fmt: skip
    return made.replace("xml--space", "xml:space") + "\n"


def shoot_report(browser: Browser, report: Path) -> None:
    """The upper half of the page on a desk, and its beginning on a phone at night."""
    desk = browser.new_page(viewport={"width": 1120, "height": 800}, color_scheme="light")
    desk.goto(report.as_uri())
    below = desk.locator("#phases").bounding_box()
    assert below is not None
    desk.screenshot(
        path=HERE / "report.png", full_page=True, clip={"x": 0, "y": 0, "width": 1120, "height": below["y"] - 32}
    )
    phone = browser.new_page(
        viewport={"width": 390, "height": 720}, color_scheme="dark", device_scale_factor=1.5, is_mobile=True
    )
    phone.goto(report.as_uri())
    phone.locator("#timeline").scroll_into_view_if_needed()
    phone.evaluate("document.getElementById('timeline').parentElement.scrollIntoView()")
    phone.screenshot(path=HERE / "report-phone.png")


def shoot_summary(browser: Browser, markdown: str) -> None:
    """A job summary, as a forge renders it."""
    shown = browser.new_page(viewport={"width": 1120, "height": 100})
    shown.set_content(rendered(markdown))
    shown.screenshot(path=HERE / "summary.png", full_page=True)


def rendered(markdown: str) -> str:
    """The little Markdown that our summaries are made of, as HTML: tables, headings, paragraphs."""
    parts: list[Markup] = []
    for block in re.split(r"\n\n+", markdown.strip()):
        lines = block.split("\n")
        rows = [line[2:-2].split(" | ") for line in lines if line.startswith("|")]
        if len(rows) > 1:
            head, _, *body = rows
            parts.append(tag("table", tag("tr", *cells("th", head)), *(tag("tr", *cells("td", row)) for row in body)))
            lines = [line for line in lines if not line.startswith("|")]
        parts += [tag("h2", line[3:]) if line.startswith("## ") else tag("p", line) for line in lines]
    return f"<!DOCTYPE html><meta charset=utf-8><style>{SUMMARY_STYLE}</style>{join(parts)}"


def cells(kind: str, row: Sequence[str]) -> list[Markup]:
    """Cells whose escapes are characters again."""
    return [tag(kind, plain(re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), cell))) for cell in row]


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else PACE)
