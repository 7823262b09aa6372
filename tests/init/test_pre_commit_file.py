"""Our hooks in somebody's .pre-commit-config.yaml, whose own lines stay byte for byte."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from coffee_hooks.base.errors import UsageError
from coffee_hooks.init.pre_commit import Published, has_hook, stanza, with_hook

LOCAL = stanza("roadmap", None)
OTHER = "repo: https://example.invalid/x"

GROWS = {
    "indented": f"# top\nrepos:\n  - {OTHER}  # why\n    rev: '1'\n    hooks: [{{id: a}}]\n",
    "flush": f"repos:\n- {OTHER}\n  rev: '1'\n  hooks:\n  - id: a\n",
    "deep": f"repos:\n      - {OTHER}\n        rev: '1'\n        hooks: [{{id: a}}]\n",
    "keys behind": f"repos:\n  - {OTHER}\n    rev: '1'\n    hooks: [{{id: a}}]\n\n# of ci\nci:\n  skip: [a]\n",
    "comment inside": f"repos:\n  # first\n  - {OTHER}\n    # pinned\n    rev: '1'\n    hooks: [{{id: a}}]\n  # end\n",
    "block scalar": (
        f"repos:\n- {OTHER}\n  rev: '1'\n  hooks:\n  - id: a\n    entry: |\n      a: b\n\n      - c\nfail_fast: true\n"
    ),
    "no newline at the end": f"repos:\n  - {OTHER}\n    rev: '1'\n    hooks: [{{id: a}}]",
    "no repos": "fail_fast: true\n",
    "repos without a value": "repos:\nfail_fast: true\n",
    "document marks": f"---\nrepos:\n  - {OTHER}\n    rev: '1'\n    hooks: [{{id: a}}]\n...\n",
    "windows": f"repos:\r\n  - {OTHER}\r\n    rev: '1'\r\n    hooks: [{{id: a}}]\r\n",
}


@pytest.mark.parametrize("name", GROWS)
def test_an_existing_file_only_grows(name: str) -> None:
    """Nothing but our lines is new; the others keep their order, comments, indentation and line ends."""
    text = GROWS[name]
    changed = with_hook(text, LOCAL)
    lines = text.splitlines(keepends=True)
    lines[-1:] = [lines[-1] if lines[-1].endswith("\n") else lines[-1] + "\n"]
    moves = {line[0] for line in difflib.ndiff(lines, changed.splitlines(keepends=True))}
    assert moves == {" ", "+"}
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    assert after.pop("repos") == [*(before.pop("repos", None) or []), *yaml.safe_load(LOCAL)]
    assert after == before
    assert changed.count("\r\n") == (changed.count("\n") if "\r\n" in text else 0)
    assert has_hook(changed) and not has_hook(text)


def test_an_empty_list_is_opened() -> None:
    """``repos: []`` as pre-commit's own samples have it becomes a list of ours."""
    changed = with_hook("repos: []  # none yet\nfail_fast: true\n", LOCAL)
    assert yaml.safe_load(changed) == {"repos": yaml.safe_load(LOCAL), "fail_fast": True}
    assert "# none yet" in changed


@pytest.mark.parametrize("text", [None, "", "\n", "# only a comment\n"])
def test_a_new_file_names_the_three_stages(text: str | None) -> None:
    """Without this key ``pre-commit install`` would install one of the three hooks."""
    changed = with_hook(text, LOCAL)
    assert [r["repo"] for r in yaml.safe_load(changed)["repos"]] == ["local"]
    if not (text or "").strip():
        assert yaml.safe_load(changed)["default_install_hook_types"] == ["pre-commit", "pre-merge-commit", "pre-push"]


@pytest.mark.parametrize(
    "text",
    [
        f"repos: [{{{OTHER}, rev: '1', hooks: [{{id: a}}]}}]\n",
        "{repos: []}\n",
        "- a\n",
        "repos: {a: b}\n",
        "a: [\n",
        "repos: []\n---\nrepos: []\n",
        "'repos':\n  - repo: local\n    hooks: []\n",
    ],
)
def test_what_cannot_grow_line_by_line_is_refused(text: str) -> None:
    """A file whose lines would have to be rewritten is left to its owner."""
    with pytest.raises(UsageError):
        with_hook(text, LOCAL)


@pytest.mark.parametrize("text", ["repos: 1\n", "repos: [1, {hooks: [2, {id: 3}]}]\n", "a: 1\n", ""])
def test_strange_files_hold_no_hook_of_ours(text: str) -> None:
    """Types that nobody expects are not taken for ours."""
    assert not has_hook(text)


@pytest.mark.parametrize("published", [None, Published("https://example.invalid/coffee.git", "a" * 40)])
@pytest.mark.parametrize("target", ["roadmap", 'tr"unk', "ünï"])
def test_the_framework_accepts_both_forms(published: Published | None, target: str, tmp_path: Path) -> None:
    """pre-commit's own validation passes, and another target than the default is in the hook's arguments."""
    file = tmp_path / "config.yaml"
    file.write_text(with_hook(None, stanza(target, published)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(file)], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    hook = yaml.safe_load(file.read_text(encoding="utf-8"))["repos"][0]["hooks"][0]
    assert hook.get("args") == (None if target == "roadmap" else ["--target", target])
