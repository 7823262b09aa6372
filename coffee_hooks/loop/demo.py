"""``coffee demo``: the whole loop on a sample repository, for real, and then what landed, what did not and why."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.identity import identify
from coffee_hooks.base.intervals import covered
from coffee_hooks.base.process import reap
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.refs import list_refs
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.loop.run import Orchestrator, Until
from coffee_hooks.loop.sample import GATE, LANDS, LOCAL_EDIT, STAYS, Sample, make_sample
from coffee_hooks.merge.verify import Proof, verify
from coffee_hooks.spawn.living import at_work
from coffee_hooks.spawn.stop import stop
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.store import open_store

STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of wall time: all of it, while an agent ran, while a gate ran, and what was neither."""

    total: float
    agents: float
    gates: float
    ours: float


def run_demo(keep: bool) -> int:
    """Make the sample, run the loop until nothing is left to do, and check the end. 0 when it is as it must be.

    However it ends, no process of it goes on, and without *keep* no file stays.
    """
    started = time.time()
    folder = Path(tempfile.mkdtemp(prefix="coffee-demo-")).resolve()
    with _alone():
        try:
            output.say(f"a sample repository is being made in {folder}")
            return _play(make_sample(folder), started, keep)
        finally:
            with _undisturbed():
                _end_agents(folder)
                if not keep:
                    shutil.rmtree(folder, ignore_errors=True)


def _play(sample: Sample, started: float, keep: bool) -> int:
    def tell(event: str, fields: Mapping[str, Any]) -> None:
        output.answer_json("demo", {"event": event, "at": round(time.time(), 3), **fields})

    orchestrator = Orchestrator(sample.work, tell)
    orchestrator.run(Until.IDLE)
    project = orchestrator.project
    claims = read_claims(project.repo)
    checked = verify(project, None)
    wrong = _differences(project, sample, claims)
    if not all(commit.good for commit in checked):
        wrong.append("verify found a commit that was not tested")
    with open_store(project.repo.state_dir) as store:
        runs = [(run.started, run.ended or time.time()) for run in all_runs(store)]
    times = measure(started, time.time(), runs, orchestrator.memory.gates)
    tested = sum(commit.proof is Proof.TESTED for commit in checked)
    _report(sorted(claims.values(), key=lambda claim: claim.task), tested, times)
    for line in wrong:
        output.answer(f"WRONG: {line}")
    if keep:
        _name_what_is_kept(project, sample)
    else:
        output.answer("the sample is gone again; to look around in it: coffee demo --keep")
    landed = sorted(task for task, claim in claims.items() if claim.state is ClaimState.LANDED)
    tell(
        "result",
        {"landed": landed, "wrong": wrong, "kept": str(sample.folder) if keep else None,
         "seconds": {"total": round(times.total, 3), "agents": round(times.agents, 3), "gates": round(times.gates, 3),
                     "neither": round(times.ours, 3)}},
    )  # fmt: skip
    return 1 if wrong else 0


# --- the world around -----------------------------------------------------------------------------


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Nothing of the user's or a runner's settings reaches the sample; a request to end is Ctrl-C."""
    before = dict(os.environ)
    ours = ("COFFEE_", "GITHUB_", "GIT_CONFIG_", "GIT_AUTHOR_", "GIT_COMMITTER_")
    for name in [name for name in before if name.startswith(ours)]:
        del os.environ[name]
    os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        os.environ.clear()
        os.environ |= before


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave behind what the first one is tidying up."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _end_agents(folder: Path) -> None:
    """End every agent and wait until its supervisor has gone too."""
    state_dir = folder / "brewery" / ".git" / "coffee"
    if not state_dir.is_dir():  # interrupted before anything was started
        return
    deadline = time.monotonic() + STOP_SECONDS
    with open_store(state_dir) as store:
        while time.monotonic() < deadline:
            reap()
            if busy := at_work(state_dir, store):
                project = open_project(folder / "brewery")
                for claim in read_claims(project.repo).values():
                    with contextlib.suppress(CoffeeError):
                        stop(project, store, claim)
            known = {run.supervisor_pid for run in all_runs(store)} - {0}
            if not busy and not any(map(identify, known)):
                break
            time.sleep(0.01)


# --- the end --------------------------------------------------------------------------------------


def measure(
    started: float, ended: float, agents: Iterable[tuple[float, float]], gates: Iterable[tuple[float, float]]
) -> Times:
    """Wall time split up; overlapping intervals count once. Pure; all times in seconds."""
    agents, gates = list(agents), list(gates)
    return Times(ended - started, covered(agents), covered(gates), ended - started - covered([*agents, *gates]))


def _differences(project: Project, sample: Sample, claims: Mapping[Any, Claim]) -> list[str]:
    """What is not as the demo promises; nothing when all is well."""
    found = []
    landed = {task for task, claim in claims.items() if claim.state is ClaimState.LANDED}
    if landed != set(LANDS):
        found.append(f"landed: {', '.join(sorted(landed)) or 'nothing'}; expected {', '.join(sorted(LANDS))}")
    for task, code in STAYS.items():
        claim = claims.get(task)
        if claim is None or claim.state is not ClaimState.BLOCKED or not (claim.reason or "").startswith(code):
            found.append(f"{task} should be blocked with {code}")
    if not (sample.work / "README.md").read_text().endswith(LOCAL_EDIT):
        found.append("the uncommitted edit in README.md is gone")
    status = in_worktree(sample.work, "status", "--porcelain", "-z").text
    if status != " M README.md\0":
        found.append(f"the checkout has other changes: {status!r}")
    return found + _strays(project, sample, {claims[task].branch for task in STAYS if task in claims})


def _strays(project: Project, sample: Sample, kept: set[str]) -> list[str]:
    """Worktrees, branches, refs and files that nobody promised to keep."""
    here = list_refs(project.repo, "refs/")
    there = in_worktree(sample.origin, "for-each-ref", "--format=%(refname) %(objectname)").text.split("\n")
    expected = {"refs/heads/roadmap", "refs/remotes/origin/roadmap", *(f"refs/heads/{name}" for name in kept)}
    ours = ("refs/coffee/", "refs/coffee-remote/")
    strays = [ref for ref in here if ref not in expected and not ref.startswith(ours)]
    strays += [ref for ref in there if ref.split(" ")[0] not in ("refs/heads/roadmap", "refs/coffee/landings")]
    homes = {sample.work, *(project.worktrees_root / name.removeprefix("roadmap-") for name in kept)}
    strays += [str(w.path) for w in list_worktrees(project.repo) if w.path not in homes]
    files = {*homes, sample.origin, sample.agent, project.worktrees_root, project.worktrees_root / GATE}
    found = [path for top in (sample.folder, project.worktrees_root) for path in top.iterdir()]
    strays += [str(path) for path in found if path not in files]
    wrong = [f"nobody promised to keep {stray}" for stray in strays]
    if f"refs/heads/roadmap {here['refs/heads/roadmap']}" not in there:
        wrong.append("roadmap here and on origin differ")
    return wrong


def _report(claims: Iterable[Claim], tested: int, times: Times) -> None:
    output.answer("")
    for claim in claims:
        if claim.state is ClaimState.LANDED:
            output.answer(f"{claim.task}  landed on roadmap as {(claim.sha or '')[:12]}, worktree and branch removed")
        else:
            output.answer(f"{claim.task}  did not land: {claim.reason}; its work is kept on {claim.branch}")
    output.answer(f"verify: {tested} landings of ours, each with the tree that the gate passed")
    output.answer("your uncommitted edit in README.md is as you left it")
    parts = f"agents {times.agents:.1f} s, gates {times.gates:.1f} s, neither {times.ours:.1f} s"
    output.answer(f"{times.total:.1f} s in all; {parts}")


def _name_what_is_kept(project: Project, sample: Sample) -> None:
    homes = [worktree for worktree in list_worktrees(project.repo) if worktree.path != sample.work]
    state = project.repo.state_dir
    output.answer(f"kept in {sample.folder}:")
    for what, where in (
        ("checkout", f"{sample.work} (with .env and your edit)"),
        ("origin", str(sample.origin)),
        ("agent", str(sample.agent)),
        *(("worktree", f"{home.path} (branch {home.branch})") for home in homes),
        ("gate clone", str(project.worktrees_root / GATE)),
        ("refs", "refs/coffee/* and refs/coffee-remote/* (claims, verdicts, landing record, parked branches)"),
        ("state", f"{state} (state.db, logs, prompts, locks)"),
    ):
        output.answer(f"  {what:<10}  {where}")
    output.answer(f"look around: coffee -C {sample.work} status")
