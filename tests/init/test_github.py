"""The workflows that `init --github` writes: this repository's own but for the place, whatever the target's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.config import FILE
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.init import plan
from coffee_hooks.init.github import CALLERS, FOLDER, render, workflows
from coffee_hooks.init.plan import Wanted
from coffee_hooks.init.pre_commit import Published
from coffee_hooks.init.set_up import set_up

if TYPE_CHECKING:
    from conftest import Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
REVISION = "1" * 40
PLACE = Published("https://github.com/acme/coffee-hooks.git", REVISION)


def test_they_are_our_own() -> None:
    """So what is checked and run of ours is checked and run of theirs."""
    ours = render("roadmap", "./.github/workflows", "", ".")
    assert {name: (ROOT / FOLDER / name).read_text(encoding="utf-8") for name in CALLERS} == ours


def test_they_are_pinned_to_what_is_installed() -> None:
    """By a commit, the package too."""
    for text in workflows("roadmap", PLACE).values():
        assert "uses: acme/coffee-hooks/.github/workflows/" in text and f".yml@{REVISION}\n" in text
        assert f'package: "coffee-hooks @ git+https://github.com/acme/coffee-hooks@{REVISION}"\n' in text


@pytest.mark.parametrize(
    "published",
    [None, Published("ssh://git@github.com/acme/x", REVISION), Published("https://example.org/acme/x", REVISION)],
)
def test_without_a_place_on_github_it_is_refused(published: Published | None) -> None:
    """With the command that installs it from one."""
    with pytest.raises(UsageError, match="not on GitHub") as refused:
        workflows("roadmap", published)
    assert "git+https://github.com/" in (refused.value.hint or "")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="~^:?*[\\"), min_size=1))
def test_any_name_of_a_branch_is_that_branch(target: str) -> None:
    """As a name, in the group, and as a pattern that matches nothing else."""
    read = yaml.safe_load(render(target, "x", "", "y")["coffee-land.yml"])
    assert read["jobs"]["land"]["with"] == {"target": target, "package": "y"}
    assert read["concurrency"] == {"group": f"coffee-land-{target}", "cancel-in-progress": False}
    (pattern,) = read[True]["push"]["branches"]  # YAML reads the key `on` as a boolean
    assert pattern.replace("\\+", "+").replace("\\!", "!") == target
    assert pattern.count("\\") == target.count("+") + target.count("!")


def test_they_are_written_once_and_shared_is_set(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call changes nothing, also where the user changed them; what to do next is said."""
    monkeypatch.setattr(plan, "published", lambda: PLACE)
    work = sandbox.work
    (work / FILE).unlink(missing_ok=True)
    done = set_up(work, Wanted(github=True))
    names = [f"{FOLDER}/{name}" for name in CALLERS]
    assert set(names) < set(done.written)
    said = "\n".join(done.lines)
    assert "Workflow permissions" in said and all(name in said for name in names)
    if FILE in done.written:
        assert parse_config((work / FILE).read_bytes(), {}).shared
    else:
        assert "set shared: true" in said
    (work / names[0]).write_text("name: mine\n")
    again = set_up(work, Wanted(github=True))
    assert again.written == () and set(names) < set(again.kept)
    assert (work / names[0]).read_text() == "name: mine\n"


def test_a_configuration_that_is_there_gets_a_word(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not rewritten: the user is told what to add."""
    monkeypatch.setattr(plan, "published", lambda: PLACE)
    sandbox.commit({FILE: 'gate: {command: ["true"]}\n'}, "chore: Configure")
    done = set_up(sandbox.work, Wanted(github=True))
    assert FILE in done.kept and any("set shared: true" in line for line in done.lines)
    sandbox.commit({FILE: 'gate: {command: ["true"]}\nshared: true\n'}, "chore: Configure")
    (sandbox.work / FOLDER / CALLERS[0]).unlink()
    assert not any("set shared: true" in line for line in set_up(sandbox.work, Wanted(github=True)).lines)


def test_the_command_says_why_not(sandbox: Sandbox) -> None:
    """Installed from a folder it has no place to call; nothing is written."""
    done = sandbox.coffee("init", "--github")
    assert done.rc == 2 and "not on GitHub" in done.err
    assert not (sandbox.work / FOLDER).exists()


@pytest.mark.parametrize("linked", [".github", FOLDER])
def test_a_folder_that_is_a_link_is_refused(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, linked: str) -> None:
    """Nothing is written outside of the repository."""
    monkeypatch.setattr(plan, "published", lambda: PLACE)
    outside = sandbox.work.parent / "outside"
    outside.mkdir()
    (sandbox.work / linked).parent.mkdir(exist_ok=True)
    (sandbox.work / linked).symlink_to(outside)
    with pytest.raises(UsageError, match="is a link"):
        set_up(sandbox.work, Wanted(github=True))
    assert list(outside.iterdir()) == []
