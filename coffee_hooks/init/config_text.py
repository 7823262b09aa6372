"""The text of a first ``.coffee.yaml``: short, commented, and proved to mean what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from coffee_hooks.base.config import Config
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.text import one_line
from coffee_hooks.init.gate_detection import Detection

_PLAIN = re.compile(r"(?:--?|\./|\.)?[A-Za-z_][A-Za-z0-9_/-]*(?:\.+[A-Za-z0-9_/-]+)*|\./\.\.\.")
_OTHER_TYPES = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def render_config(target: str, detection: Detection, *, shared: bool = False) -> str:
    """The file for *target* and the detected gate. Raises UsageError when the name cannot be written in YAML."""
    text = "\n\n".join([_head(target), _gate(detection), _AGENT, *([_SHARED] if shared else [])]) + "\n"
    meant = Config(target=target, shared=shared)
    if detection.chosen:
        meant = replace(meant, gate=detection.chosen.gate)
    if parse_config(text.encode(), {}) != meant:
        raise UsageError(f"{target!r} cannot be the name of a target", hint="choose a plain name: --target roadmap")
    return text


def listed(words: Sequence[str]) -> str:
    """*words* as a YAML list on one line."""
    return "[" + ", ".join(_word(word) for word in words) + "]"


def _head(target: str) -> str:
    return (
        "# How coffee works here. What counts is this file as committed on the target, so commit it there.\n"
        "# The branch that finished work lands on.\n"
        f"target: {_word(target)}"
    )


def _gate(detection: Detection) -> str:
    if detection.chosen is None:
        return (
            "# What must be green before anything lands. No test command was found in this project:\n"
            "# NOTHING WILL LAND until one is written here, for example [make, test].\n"
            "gate:\n  command: []"
        )
    found, gate = detection.chosen, detection.chosen.gate
    lines = [f"# What must be green before anything lands, chosen because {one_line(found.why)}."]
    for other in detection.others:
        words = one_line(" ".join(other.gate.command))
        lines.append(f"# Not part of it: {words} ({one_line(other.why)}); to run several, name a script of yours.")
    lines += ["gate:", f"  command: {listed(gate.command)}"]
    if gate.setup:
        lines.append(f"  setup: {listed(gate.setup)}  # in a fresh clone, and when `environment` changes")
    if gate.keep:
        lines.append(f"  keep: {listed(gate.keep)}  # ignored paths that survive between runs")
    if gate.environment:
        lines.append(f"  environment: {listed(gate.environment)}")
    return "\n".join([*lines, "  timeout: 30m"])


_SHARED = """\
# Several machines work here: claims, readiness and verdicts travel as refs/coffee/* on the remote.
shared: true"""

_AGENT = """\
# Who does the work: claude, codex, aider, or a command of your own such as [my-agent, "{prompt}"].
agent:
  command: claude
  max-parallel: 3
  timeout: 2h"""


def _word(word: str) -> str:
    if _PLAIN.fullmatch(word) and word.lower() not in _OTHER_TYPES:
        return word
    return json.dumps(word, ensure_ascii=False)
