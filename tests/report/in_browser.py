"""The page as people get it: ``nox -s browser`` runs this in the system's Chromium, no other command does.

On a phone and on a desk, by day and by night: nothing is wider than the screen, nothing is fetched, no script runs,
nobody complains in the console, and axe finds nothing that would keep a reader out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from coffee_hooks.report.page import Report, page

if TYPE_CHECKING:
    from conftest import Reports

SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desk": (1280, 900)}
SCHEMES = ("light", "dark")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOSTILE = (
    "</script><script>alert(1)</script><img src=//x.invalid/y onerror=alert(1)>\"' onload=alert(1) \u202e" + "W" * 300
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page of a real run: the demo's."""
    run = [sys.executable, "-I", "-m", "coffee_hooks", "--json"]
    lines = subprocess.run([*run, "demo", "--keep"], capture_output=True, text=True, check=True).stdout.splitlines()
    kept = Path(json.loads(lines[-1])["kept"])
    made = tmp_path_factory.mktemp("page") / "real.html"
    subprocess.run([*run, "-C", str(kept / "brewery"), "report", "--html", str(made)], check=True, capture_output=True)
    yield made
    shutil.rmtree(kept)


def shown(browser: Browser, file: Path, size: str, scheme: str) -> tuple[Page, list[str]]:
    """The page with everything unfolded, and the list of all that went wrong or went out."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=2,
        is_mobile=size == "phone",
    )
    opened, complaints = context.new_page(), []
    opened.on("console", lambda message: complaints.append(f"console: {message.text}"))
    opened.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    opened.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    opened.on("request", lambda request: complaints.append(f"request: {request.url}"))
    opened.goto(file.as_uri())
    asked = [word for word in complaints if word != f"request: {file.as_uri()}"]
    if shots := os.environ.get("SHOTS"):
        Path(shots).mkdir(parents=True, exist_ok=True)
        opened.screenshot(path=str(Path(shots) / f"{file.stem}-{size}-{scheme}.png"), full_page=True)
    opened.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    return opened, asked


def too_wide(opened: Page) -> Any:
    """What reaches beyond the right edge, save inside of what scrolls by itself."""
    return opened.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter(e => !e.closest(".scroll, .label, .nodes li, svg"))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => `${e.tagName} ${e.className} ${e.getBoundingClientRect().right}`)"""
    )


def check(browser: Browser, file: Path, size: str, scheme: str) -> None:
    """Everything that has to hold of any page."""
    opened, complaints = shown(browser, file, size, scheme)
    assert complaints == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert too_wide(opened) == []
    found = Axe().run(opened)
    assert found.violations_count == 0, found.generate_report()
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", ground)[:3])
    assert (red + green + blue > 3 * 128) == (scheme == "light")
    opened.context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
def test_the_page_of_a_real_run(browser: Browser, real: Path, size: str, scheme: str) -> None:
    """It fits, speaks to a screen reader, and asks for nothing."""
    check(browser, real, size, scheme)


@pytest.mark.parametrize("size", SIZES)
def test_a_page_of_hostile_words(browser: Browser, report: Reports, tmp_path: Path, size: str) -> None:
    """Names without a blank and with markup in them neither break the layout nor run."""
    file = tmp_path / "hostile.html"
    file.write_text(page(report(HOSTILE, 12)), "utf-8")
    check(browser, file, size, "dark")


def test_a_page_of_nothing(browser: Browser, empty_report: Report, tmp_path: Path) -> None:
    """The page of a new repository is a page."""
    file = tmp_path / "empty.html"
    file.write_text(page(empty_report), "utf-8")
    check(browser, file, "phone", "light")


def test_it_is_read_from_top_to_bottom(browser: Browser, real: Path) -> None:
    """A screen reader finds one title, a heading for each part, a name for each picture, and tables by keyboard."""
    opened, _ = shown(browser, real, "desk", "light")
    assert opened.get_by_role("heading", level=1).all_inner_texts() == ["brewery on roadmap"]
    assert len(opened.get_by_role("heading", level=2).all()) == 7
    names = [picture.get_attribute("aria-label") for picture in opened.get_by_role("img").all()]
    assert any(name and name.startswith("US-105: 1 attempt of an agent") for name in names)
    table = opened.get_by_role("table", name="What became of each task")
    assert "conflicts in brewery/beans.py" in table.get_by_role("row", name="US-105").inner_text()
    region = opened.get_by_role("region", name="What became of each task")
    region.focus()
    assert region.evaluate("e => e === document.activeElement")
    opened.context.close()
