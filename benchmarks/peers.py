"""Sixteen branches landed by ``coffee merge``, by a shell loop and by the peers that are installed, in the same rounds.

``python benchmarks/peers.py [--case NAME ...] [--rounds 3] [--tools shell,coffee,mergetrain,alluvium]
[--coffee PROGRAM] [--peers FOLDER [--install]] [--publish]``. A peer is looked for in an environment of its own below
``--peers``, then on the path; one that is not installed is skipped, and that is said. ``--install`` makes what is
missing there. Set TMPDIR to a folder in memory: the write-back of a disk blurs all of it.

Every tool has the same clone of a bare origin, two commits on each branch, each branch in a worktree of its own
(``--no-worktrees``: only as a branch), and the same gate, which writes the tree it saw and its exit code into a log
outside of every repository. Before that each tool has landed one branch, untimed, so that it is at home and knows the
target's verdict if it remembers verdicts. A ratio is the median over the rounds of seconds by those of the shell loop
(checkout, merge, test, push). Exit 1 when coffee breaks a limit. Linux only: it finds processes in ``/proc``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import install_wheel, interleaved, publish, ratio, setting
from peer_scene import BRANCHES, HOLD_AT, Case, Outcome, Place, Scene, suspects_named
from peer_tools import PEERS, SHELL, Tool, coffee, find, install

RED = frozenset((5, 11))


@dataclass(frozen=True, slots=True)
class Limits:
    """What coffee must hold in a case, beside what it must hold in all: see :func:`broken`."""

    ratio: float | None = None
    runs: int | None = None


CASES: Mapping[str, tuple[Case, Limits]] = {
    case.name: (case, limits)
    for case, limits in (
        (Case("suite", "0.7 s test suite, all green", suite=True), Limits(ratio=0.25)),
        (Case("trivial", "trivial gate, all green"), Limits(ratio=1.0)),
        (Case("red", "0.7 s test suite, two red of 16", suite=True, red=RED), Limits(ratio=0.9, runs=13)),
        (Case("pair", "two branches green alone, red together", pair=(3, 9)), Limits(runs=8)),
        (Case("race", "somebody pushes to roadmap during the gate", event="race"), Limits()),
        (Case("kill-gate", f"kill -9 at gate {HOLD_AT}, two red of 16", red=RED, event="kill-gate"), Limits()),
        (Case("kill-push", "kill -9 inside the push", event="kill-push"), Limits()),
    )
}


def land(tool: Tool, program: Path, case: Case, folder: Path, *, worktrees: bool) -> Outcome:
    """One tool in one new scene below *folder*."""
    place = Place(folder)
    scene = Scene(place, case, tool.habits(place), worktrees=worktrees)
    scene.branch([0])
    tool.queue(scene, program, [0])
    scene.run(tool.script(place, program, [0]))
    scene.forget(0)
    numbers = range(1, BRANCHES + 1)
    scene.branch(numbers)
    tool.queue(scene, program, numbers)
    scene.arm()
    return scene.land(tool.script(place, program, numbers))


def measure(
    case: Case, tools: Mapping[Tool, Path], rounds: int, *, worktrees: bool
) -> tuple[dict[str, list[float]], dict[str, list[Outcome]]]:
    """Seconds and outcomes of every tool, one of each per round."""
    outcomes: dict[str, list[Outcome]] = {tool.name: [] for tool in tools}

    def variant(tool: Tool) -> Callable[[int], float]:
        def once(_: int) -> float:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                outcome = land(tool, tools[tool], case, Path(folder).resolve() / "scene", worktrees=worktrees)
            outcomes[tool.name].append(outcome)
            sys.stderr.write(f"{case.name} {tool.name}: {_line(outcome)}\n")
            return outcome.seconds

        return once

    return interleaved(rounds, {tool.name: variant(tool) for tool in tools}), outcomes


def broken(case: Case, limits: Limits, outcomes: Sequence[Outcome], against: float | None) -> list[str]:
    """Which limits coffee broke, in words."""
    last = max(outcomes, key=lambda outcome: outcome.runs)
    found = []
    if limits.ratio is not None and against is not None and against > limits.ratio:
        found.append(f"{against:.2f} of the shell loop, limit {limits.ratio}")
    if limits.runs is not None and last.runs > limits.runs:
        found.append(f"{last.runs} runs of the gate, limit {limits.runs}")
    for outcome in outcomes:
        if len(outcome.landed) != case.wanted or case.red & set(outcome.landed):
            found.append(f"landed {len(outcome.landed)} branches of {case.wanted}")
        if not outcome.foreign:
            found.append("the other person's push is lost")
        if outcome.commits_tested != outcome.commits or outcome.untested_tips:
            found.append(f"{outcome.commits_tested} of {outcome.commits} first-parent commits tested")
        if outcome.kept != len(outcome.landed):
            found.append(f"the commits of {outcome.kept} of {len(outcome.landed)} branches kept")
        if outcome.repeats:
            found.append(f"{outcome.repeats} finished verdicts repeated")
        found += outcome.leftovers
        if case.pair and not suspects_named(outcome.said, case.pair):
            found.append("the report does not name the suspect")
    return list(dict.fromkeys(found))


def table(case: Case, seconds: Mapping[str, Sequence[float]], outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """One case as Markdown; counts are those of the last round."""
    lines = [
        "| tool | median s | range s | ratio | gate runs | repeated | landed | 1st-parent tested | untested tips "
        "| branches kept | left over |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, times in seconds.items():
        last = outcomes[name][-1]
        compared = f"{ratio(seconds, name, SHELL.name):.2f}" if _comparable(case, seconds) else ""
        lost = "" if last.foreign else ", other push lost"
        left = [*last.leftovers, *last.notes]
        if last.after_kill:
            left.append(f"(before the second run: {_several(last.after_kill)})")
        lines.append(
            f"| {name} | {statistics.median(times):.2f} | {min(times):.2f}-{max(times):.2f} | {compared} | {last.runs} "
            f"| {last.repeats} | {len(last.landed)}/{case.wanted}{lost} | {last.commits_tested}/{last.commits} "
            f"| {last.untested_tips} | {last.kept} | {_several(left) if left else 'nothing'} |"
        )
    return "\n".join(lines)


def _comparable(case: Case, seconds: Mapping[str, Sequence[float]]) -> bool:
    """Seconds of a second run after a kill say how much was left to do, not how fast it went."""
    return SHELL.name in seconds and case.event not in ("kill-gate", "kill-push")


def _several(things: Sequence[str]) -> str:
    more = f" and {len(things) - 3} more" if len(things) > 3 else ""
    return ", ".join(f"`{thing}`" for thing in things[:3]) + more


def _line(outcome: Outcome) -> str:
    told = {
        "seconds": round(outcome.seconds, 2), "landed": len(outcome.landed), "runs": outcome.runs,
        "repeats": outcome.repeats, "tested": f"{outcome.commits_tested}/{outcome.commits}",
        "tips": outcome.untested_tips, "kept": outcome.kept, "foreign": outcome.foreign, "left": outcome.leftovers,
        "after_kill": outcome.after_kill, "notes": outcome.notes,
    }  # fmt: skip
    return json.dumps(told)


def chosen_tools(options: argparse.Namespace, scratch: Path) -> tuple[dict[Tool, Path], list[str]]:
    """The tools to run with their programs, and what is said of those that are not installed."""
    wanted, tools, skipped = options.tools.split(","), {}, []
    if SHELL.name in wanted:
        tools[SHELL] = Path("bash")
    if "coffee" in wanted:
        arguments = ["--jobs", str(options.jobs)] if options.jobs else []
        tools[coffee(*arguments)] = options.coffee.absolute() if options.coffee else install_wheel(scratch) / "coffee"
    for peer in PEERS:
        if peer.name not in wanted:
            continue
        if options.install:
            install(peer, options.peers)
        program = find(peer, options.peers)
        if program is None:
            skipped.append(f"{peer.name} is not installed: skipped (pip install {peer.package})")
        else:
            tools[peer] = program
    return tools, skipped


def main() -> int:
    """Measure the chosen cases, print the tables, return 0 if coffee held every limit."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        tools, skipped = chosen_tools(options, Path(scratch))
        sys.stderr.writelines(f"{line}\n" for line in skipped)
        parts, bad = [], False
        for name in options.case or CASES:
            case, limits = CASES[name]
            pushing = {tool: program for tool, program in tools.items() if tool.pushes or not _needs_push(case)}
            seconds, outcomes = measure(case, pushing, options.rounds, worktrees=options.worktrees)
            parts.append(f"## {case.title}\n\n{table(case, seconds, outcomes)}\n")
            parts += [f"{tool.name} never pushes.\n" for tool in tools if tool not in pushing]
            if "coffee" in seconds:
                against = ratio(seconds, "coffee", SHELL.name) if _comparable(case, seconds) else None
                found = broken(case, limits, outcomes["coffee"], against)
                bad |= bool(found)
                parts.append(f"coffee: {'; '.join(found) or 'every limit held'}.\n")
    return _tell(options, parts, skipped, bad)


def _needs_push(case: Case) -> bool:
    return case.event in ("race", "kill-push")


def _tell(options: argparse.Namespace, parts: Sequence[str], skipped: Sequence[str], bad: bool) -> int:
    branches = "each in a worktree" if options.worktrees else "without worktrees"
    versions = ", ".join(peer.package for peer in PEERS if peer.package and peer.name in options.tools)
    note = f"{BRANCHES} branches of two commits, {branches}, bare origin on the same disk. Peers: {versions or 'none'}."
    missing = "".join(f"{line}.\n" for line in skipped)
    text = f"# Landing beside the peers\n\n{setting(Path(sys.executable).parent, options.rounds)}\n{note}\n{missing}\n"
    text += "\n".join(parts)
    if options.publish:
        publish("peers", text)
    else:
        sys.stdout.write(text)
    return int(bad)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--case", action="append", choices=list(CASES), help="may be given several times; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    names = [SHELL.name, "coffee", *(peer.name for peer in PEERS)]
    parser.add_argument("--tools", default=",".join(names), help="default: %(default)s")
    parser.add_argument("--coffee", type=Path, help="the program to measure; default: the wheel of this checkout")
    parser.add_argument("--jobs", type=int, help="given to coffee merge")
    parser.add_argument("--peers", type=Path, help="folder with an environment for each peer")
    parser.add_argument("--install", action="store_true", help="make what is missing below --peers")
    parser.add_argument("--no-worktrees", dest="worktrees", action="store_false", help="branches without worktrees")
    parser.add_argument("--publish", action="store_true", help="also write results/peers.md")
    options = parser.parse_args()
    if unknown := set(options.tools.split(",")) - set(names):
        parser.error(f"unknown tools: {', '.join(sorted(unknown))}")
    if options.install and options.peers is None:
        parser.error("--install needs --peers")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
