"""``coffee demo``: the whole loop on a sample repository, for real, and then what landed, what did not and why."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coffee_hooks.base import output
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.loop.run import Orchestrator, Until
from coffee_hooks.loop.sample import LANDS, LOCAL_EDIT, STAYS, Sample, make_sample
from coffee_hooks.merge.verify import verify
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.claims import ClaimState, read_claims
from coffee_hooks.state.store import open_store


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of wall time: all of it, while an agent ran, while a gate ran, and what was neither."""

    total: float
    agents: float
    gates: float
    ours: float


def run_demo(keep: bool) -> int:
    """Make the sample, run the loop until nothing is left to do, and check the end. 0 when it is as it must be."""
    folder = Path(tempfile.mkdtemp(prefix="coffee-demo-"))
    try:
        output.say(f"a sample repository is being made in {folder}")
        code = _play(make_sample(folder), keep)
    except BaseException:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _play(sample: Sample, keep: bool) -> int:
    def tell(event: str, fields: dict[str, Any]) -> None:
        output.answer_json("demo", {"event": event, "at": round(time.time(), 3), **fields})

    started = time.time()
    project = open_project(sample.work)
    with open_store(project.repo.state_dir) as store:
        orchestrator = Orchestrator(sample.work, store, tell)
        orchestrator.run(Until.IDLE)
        ended = time.time()
        runs = [(run.started, run.ended or ended) for run in all_runs(store)]
    times = measure(started, ended, runs, orchestrator.gates)
    wrong = _differences(project, sample)
    _report(project, sample, times, keep, wrong)
    tell("result", {"landed": list(LANDS) if not wrong else [], "wrong": wrong, "seconds": round(times.total, 3)})
    return 1 if wrong else 0


def measure(
    started: float, ended: float, agents: Iterable[tuple[float, float]], gates: Iterable[tuple[float, float]]
) -> Times:
    """Wall time split up; overlapping intervals count once. Pure; all times in seconds."""
    agents, gates = list(agents), list(gates)
    return Times(ended - started, covered(agents), covered(gates), ended - started - covered([*agents, *gates]))


def covered(intervals: Iterable[tuple[float, float]]) -> float:
    """Length of the union of *intervals*."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _differences(project: Project, sample: Sample) -> list[str]:
    """What is not as the demo promises; nothing when all is well."""
    claims = read_claims(project.repo)
    found = []
    landed = {task for task, claim in claims.items() if claim.state is ClaimState.LANDED}
    if landed != set(LANDS):
        found.append(f"landed: {', '.join(sorted(landed)) or 'nothing'}; expected {', '.join(sorted(LANDS))}")
    for task, code in STAYS.items():
        claim = next((c for t, c in claims.items() if t == task), None)
        if claim is None or claim.state is not ClaimState.BLOCKED or not (claim.reason or "").startswith(code):
            found.append(f"{task} should be blocked with {code}")
    if not (sample.work / "README.md").read_text().endswith(LOCAL_EDIT):
        found.append("the uncommitted edit in README.md is gone")
    status = in_worktree(sample.work, "status", "--porcelain", "-z").text
    if status != " M README.md\0":
        found.append(f"the checkout has other changes: {status!r}")
    if not all(checked.good for checked in verify(project, None)):
        found.append("verify found a commit that was not tested")
    here, there = (_tip(folder) for folder in (sample.work, sample.origin))
    if here != there:
        found.append("roadmap here and on origin differ")
    return found


def _tip(folder: Path) -> str:
    return in_worktree(folder, "rev-parse", "refs/heads/roadmap").text


def _report(project: Project, sample: Sample, times: Times, keep: bool, wrong: list[str]) -> None:
    claims = sorted(read_claims(project.repo).values(), key=lambda claim: claim.task)
    output.answer("")
    for claim in claims:
        if claim.state is ClaimState.LANDED:
            output.answer(f"{claim.task}  landed on roadmap as {(claim.sha or '')[:12]}, worktree and branch removed")
        else:
            output.answer(f"{claim.task}  did not land: {claim.reason}; its work is kept on {claim.branch}")
    checked = verify(project, None)
    ours = sum(c.proof.value == "tested" for c in checked)
    output.answer(f"verify: {ours} landings of ours, each with the tree that the gate passed")
    output.answer("your uncommitted edit in README.md is as you left it")
    output.answer(
        f"{times.total:.1f} s in all; agents {times.agents:.1f} s, gates {times.gates:.1f} s, neither {times.ours:.1f} s"
    )
    for line in wrong:
        output.answer(f"WRONG: {line}")
    if keep:
        kept = [c.branch for c in claims if c.state is not ClaimState.LANDED]
        output.answer(f"kept: {sample.folder} (checkout {sample.work.name}, worktrees of {', '.join(kept)},")
        output.answer("      one warm gate clone, refs/coffee/*, logs below .git/coffee)")
        output.answer(f"look around: coffee -C {sample.work} status")
