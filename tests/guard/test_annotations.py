"""Under GitHub Actions a finding of a hook stands at its file and line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from coffee_hooks.base.actions import annotation, table
from coffee_hooks.hook import main


def test_sound_in_a_background_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CFR-009, in a file whose name could be read as another property."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    Path("a,line=9.py").write_text("\ncreate_notification(sound=True)\n")
    assert main(["cfr-009", "a,line=9.py"]) == 1
    commands = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert len(commands) == 1 and commands[0].startswith("::error file=a%2Cline=9.py,line=2::")


def test_an_item_that_is_there_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """roadmap-lint, at the line that it names; on a desk there is no such line."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    Path("ROADMAP.md").write_text("# R\n\n### US-1: One 📝 Planned\n\n### US-1: Two 📝 Planned\n")
    subprocess.run(["git", "add", "."], check=True)
    assert main(["roadmap-lint", "ROADMAP.md"]) == 1
    assert "::error" not in capsys.readouterr().out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["roadmap-lint", "ROADMAP.md"]) == 1
    assert "::error file=ROADMAP.md,line=3::" in capsys.readouterr().out


def test_nothing_in_a_text_ends_a_command_or_a_cell() -> None:
    """Line ends, percent signs and bars are data."""
    assert annotation("notice", "100%\n::error::x", title="a:b,c") == "::notice title=a%3Ab%2Cc::100%25%0A::error::x"
    assert table("a|b", [["x|y", "<img>`z`"]]).splitlines() == [
        "| a | b |", "| --- | --- |", "| x&#124;y | &#60;img&#62;&#96;z&#96; |",
    ]  # fmt: skip
