"""``coffee report``: a page of a real run, written whole or not at all."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.project import open_project
from coffee_hooks.loop.reporting import read_report, write_whole
from coffee_hooks.report.page import page
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Shop

BOTH = 'echo "$COFFEE_TASK_ID" > pkg/both.py; echo >> pkg/alpha.py; git add -A; git commit -qm "feat: $COFFEE_TASK_ID"'
HOSTILE = "</script><script>alert(1)</script> \" onload='x' \u202e"


def test_a_page_of_a_real_run(shop: Shop) -> None:
    """One task lands, one conflicts: both are there with their reasons, and so is the file in which they met."""
    shop.drop("106")
    shop.configure(BOTH)
    assert shop.run() == 1
    file = shop.work.parent / "out" / "report.html"
    file.parent.mkdir()
    file.write_text("old")
    asked = shop.box.coffee("--json", "report", "--html", str(file))
    assert asked.rc == 0, asked.err
    schema = json.loads(files("coffee_hooks").joinpath("schemas/report.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(asked.json)
    text = file.read_text("utf-8")
    assert (asked.json["tasks"], asked.json["bytes"]) == (2, len(text.encode()))
    assert [path.name for path in file.parent.iterdir()] == ["report.html"]
    for words in (
        "1 of 2 tasks landed, 1 blocked", "Feature X", "Feature Y", "conflicts in pkg/both.py", "✓ landed",
        "✗ conflict", ">pkg/both.py</td>", "thought to be independent",
    ):  # fmt: skip
        assert words in text, words
    assert shop.box.coffee("report", "--html", "-").out.startswith("<!DOCTYPE html>\n")
    with open_store(shop.state_dir) as store:
        project = open_project(shop.work)
        made = [page(read_report(project, store, None, now=2e9)) for _ in range(2)]
    assert made[0] == made[1]


def test_what_a_branch_says_stays_text(shop: Shop) -> None:
    """A roadmap, the word of a claim and a failed agent may hold anything."""
    roadmap = shop.work / "docs/roadmap/ROADMAP.md"
    shop.box.commit({"docs/roadmap/ROADMAP.md": roadmap.read_text().replace("Feature X", HOSTILE)}, "chore: Name it")
    shop.box.push()
    shop.drop("105", "106")
    shop.configure("exit 3")
    assert shop.run() == 1
    said = shop.box.coffee("report", "--html", "-").out
    assert "<script" not in said and "\u202e" not in said and "&lt;script&gt;alert(1)" in said


def test_without_records_or_roadmap_there_is_a_page(shop: Shop) -> None:
    """An empty state, then a target without a roadmap: the page says what is missing."""
    assert "Nothing was worked on in this time." in shop.box.coffee("report", "--html", "-").out
    shop.git(shop.work, "rm", "-rq", "docs")
    shop.git(shop.work, "commit", "-q", "--no-verify", "-m", "chore: No plans")
    shop.box.push()
    said = shop.box.coffee("report", "--html", "-")
    assert said.rc == 0 and "There is no roadmap to read" in said.out


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """A link stays a link, a folder is refused, and where nothing can be written nothing is left."""
    there, link = tmp_path / "there.html", tmp_path / "link.html"
    there.write_text("old")
    link.symlink_to(there)
    assert write_whole(link, "né") == 3
    assert link.is_symlink() and there.read_text("utf-8") == "né"
    with pytest.raises(UsageError):
        write_whole(tmp_path, "x")
    with pytest.raises(OSError):
        write_whole(tmp_path / "missing" / "x.html", "x")
    assert write_whole(Path("/dev/null"), "x") == 1 and not Path("/dev/null").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.html", "there.html"]
