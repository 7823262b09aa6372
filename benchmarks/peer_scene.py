"""A repository with sixteen branches and a gate that keeps a log, for ``peers.py``; and what a tool made of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

BRANCHES = 16
MODULES = 200
HOLD_AT = 6
"""The run of the gate in which a tool is killed; one that needs fewer is killed in its last."""
SECONDS = 300.0
"""After that a tool is stopped, and what it has landed counts."""

_MODULE = '''"""Module {k}."""


def value_{k:03}():
    """The value of module {k}."""
    return {value}


{helpers}'''
_HELPER = "def helper_{k:03}_{j}(x):\n    return x + {j}\n\n\n"
_SUITE = """\
import importlib, time, unittest


class Everything(unittest.TestCase):
    def test_values(self):
        for k in range(200):
            module = importlib.import_module(f"pkg.mod_{k:03}")
            self.assertIsInstance(getattr(module, f"value_{k:03}")(), int)

    def test_slow(self):
        time.sleep(0.5)
"""
_GATE = """\
#!/bin/sh
# The index's tree: it is HEAD's for a tool that commits before it tests, and the candidate's for one that does not.
tree=$(git write-tree) || exit 3
echo "start $tree" >>{log}
{event}
{body}
code=$?
echo "end $tree $code" >>{log}
exit $code
"""
_HOLD = """\
if [ "$(grep -c ^start {log})" -ge "$(cat {arm} 2>/dev/null || echo 9999)" ] && mv {arm} {arm}.done; then
    sleep 60
fi"""
_RACE = """\
if mv {arm} {arm}.done 2>/dev/null; then
    env -i PATH="$PATH" HOME={home} git -C {other} push -q origin HEAD:roadmap
fi"""
_RECEIVE = """\
#!/bin/sh
while read -r old new ref; do
    if [ "$ref" = refs/heads/roadmap ] && mv {arm} {arm}.done 2>/dev/null; then sleep 1.5; fi
done
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What is special about the sixteen branches, and what happens while they land.

    *red*: branches that fail alone. *pair*: both are green alone and red together. *event*: ``race`` (somebody pushes
    to the target during a run of the gate), ``kill-gate`` or ``kill-push`` (then the same command is run again).
    """

    name: str
    title: str
    suite: bool = False
    red: frozenset[int] = frozenset()
    pair: tuple[int, int] | None = None
    event: str | None = None

    @property
    def wanted(self) -> int:
        """How many branches can land."""
        return BRANCHES - len(self.red) - (self.pair is not None)


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one scene."""

    root: Path

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.root / "origin.git"

    @property
    def clone(self) -> Path:
        """The user's checkout, on the target."""
        return self.root / "clone"

    @property
    def trees(self) -> Path:
        """The folder of the branches' worktrees."""
        return self.root / "trees"

    @property
    def gate(self) -> Path:
        """The command that every tool tests with."""
        return self.root / "gate.sh"

    @property
    def log(self) -> Path:
        """What the gate was asked, and said: outside every repository."""
        return self.root / "gate.log"

    @property
    def arm(self) -> Path:
        """While this file exists the event of the case is still to come."""
        return self.root / "event"


@dataclass(frozen=True, slots=True)
class Habits:
    """What a scene must know of a tool: its own *files* on the target, and refs that it says it keeps."""

    files: Mapping[str, str]
    documented: re.Pattern[str]
    pushes: bool = True


@dataclass(slots=True)
class Outcome:
    """What a tool made of a scene. *after_kill* is what the first of two commands left."""

    seconds: float
    landed: list[int] = field(default_factory=list)
    kept: int = 0
    runs: int = 0
    repeats: int = 0
    commits: int = 0
    commits_tested: int = 0
    untested_tips: int = 0
    foreign: bool = True
    leftovers: list[str] = field(default_factory=list)
    after_kill: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: str = ""


def changed_module(k: int, step: int, case: Case) -> str:
    """Module *k* on its branch after commit *step*, 0 being the base. One of a pair needs the other's old value."""
    value = str(k if step == 0 else 1000 * step + k)
    extra = ""
    if k in case.red and step == 2:
        value = "'BROKEN'"
    if case.pair and step:
        first, second = case.pair
        if k == first:
            value = f"{k} * 100  # in cents"
        if k == second:
            extra = f"def total():\n    from pkg.mod_{first:03} import value_{first:03}\n\n"
            extra += f"    return value_{first:03}() + 1\n"
        if k in case.pair and step == 2:
            extra += "# reviewed\n"
    helpers = "".join(_HELPER.format(k=k, j=j) for j in range(5))
    return _MODULE.format(k=k, value=value, helpers=helpers) + extra


class Scene:
    """One repository for one tool in one case: built, landed, observed."""

    def __init__(self, place: Place, case: Case, tool: Habits, *, worktrees: bool) -> None:
        """Build the repository; the branches come with :meth:`branch`."""
        self.case, self.place, self.tool, self.worktrees = case, place, tool, worktrees
        folder = place.root
        self.tag = f"{os.getpid()}-{time.monotonic_ns()}"
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("GIT_", "COFFEE_", "XDG_"))}
        home = folder / "home"
        self.env = {
            **kept, "HOME": str(home), "TMPDIR": str(folder / "tmp"), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1", "PEERS_SCENE": self.tag,
        }  # fmt: skip
        for made in (home, folder / "tmp", self.place.trees):
            made.mkdir(parents=True)
        identity = "[user]\n\tname = Bench\n\temail = bench@example.invalid\n"
        (home / ".gitconfig").write_text(f"{identity}[gc]\n\tauto = 0\n[init]\n\tdefaultBranch = roadmap\n")
        self._write_gate("")
        self._build(tool.files)
        self.base = self._tip()
        self._branches: dict[int, str] = {}
        self._before: set[str] = set()

    def git(self, *args: str | Path, at: Path | None = None, stdin: str | None = None, ok: bool = True) -> str:
        """Run git in the clone, or *at* another repository; returns what it said."""
        argv = ["git", "-C", str(at or self.place.clone), *map(str, args)]
        done = subprocess.run(argv, check=ok, capture_output=True, text=True, input=stdin, env=self.env)
        return done.stdout.strip()

    def _build(self, files: Mapping[str, str]) -> None:
        place = self.place
        body = {"pkg/__init__.py": "", "tests/__init__.py": "", "tests/test_all.py": _SUITE, **files}
        body |= {f"pkg/mod_{k:03}.py": changed_module(k, 0, self.case) for k in range(MODULES)}
        self.git("init", "-q", "--bare", place.origin, at=place.root)
        self.git("config", "core.logAllRefUpdates", "always", at=place.origin)
        self.git("fast-import", "--quiet", at=place.origin, stdin=_commit("refs/heads/roadmap", 1, "Base", body))
        self.git("clone", "-q", place.origin, place.clone, at=place.root)
        (place.clone / ".git/info/exclude").write_text(".mergetrain/\n")

    def branch(self, numbers: Iterable[int]) -> None:
        """Make the branches ``roadmap-wt<number>``, two commits each, here and on the remote."""
        numbers = list(numbers)
        self.base = self._tip()
        stream = ""
        for k in numbers:
            ref, path = f"refs/heads/roadmap-wt{k}", f"pkg/mod_{k:03}.py"
            for step in (1, 2):
                parent = self.base if step == 1 else f":{10 * k + 1}"
                changed = {path: changed_module(k, step, self.case)}
                stream += _commit(ref, 10 * k + step, f"task {k}, step {step}", changed, parent)
        self.git("fast-import", "--quiet", stdin=stream)
        names = [f"refs/heads/roadmap-wt{k}" for k in numbers]
        self.git("push", "-q", "origin", *names)
        self._branches = dict(zip(numbers, self.git("rev-parse", *names).split(), strict=True))
        if self.worktrees:
            for k in numbers:
                self.git("worktree", "add", "-q", self.place.trees / f"wt{k}", f"roadmap-wt{k}")

    def forget(self, number: int) -> None:
        """Remove a branch that has landed, so that only the sixteen are left."""
        with suppress(subprocess.CalledProcessError):
            self.git("worktree", "remove", "--force", self.place.trees / f"wt{number}")
        self.git("branch", "-q", "-D", f"roadmap-wt{number}", ok=False)
        self.git("push", "-q", "origin", f":refs/heads/roadmap-wt{number}", ok=False)
        self.git("fetch", "-q", "--prune", "origin")

    def arm(self) -> None:
        """Empty the log, put the event of the case in place, and remember what is there before the tool runs."""
        place, event = self.place, self.case.event
        quoted = {"log": _sh(place.log), "arm": _sh(place.arm), "home": _sh(self.env["HOME"])}
        if event == "race":
            other = place.root / "other"
            self.git("clone", "-q", place.origin, other, at=place.root)
            (other / "foreign.txt").write_text("somebody else's work\n")
            self.git("add", "foreign.txt", at=other)
            self.git("commit", "-q", "-m", "Somebody else's work", at=other)
            self._write_gate(_RACE.format(**quoted, other=_sh(other)))
        elif event == "kill-gate":
            self._write_gate(_HOLD.format(**quoted))
        elif event == "kill-push":
            hook = place.origin / "hooks/pre-receive"
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(_RECEIVE.format(**quoted))
            hook.chmod(0o755)
        if event:
            place.arm.write_text(f"{HOLD_AT}\n")
        place.log.write_text("")
        self._before = self._things()

    def _write_gate(self, event: str) -> None:
        place = self.place
        first, second = self.case.pair or (0, 0)
        grep = "! grep -rq BROKEN pkg"
        if self.case.pair:
            needs = f"grep -q value_{first:03} pkg/mod_{second:03}.py"
            grep += f" && ! {{ grep -q 'in cents' pkg/mod_{first:03}.py && {needs}; }}"
        suite = f"{_sh(sys.executable)} -m unittest -q tests.test_all"
        text = _GATE.format(log=_sh(place.log), event=event, body=suite if self.case.suite else grep)
        place.gate.write_text(text)
        place.gate.chmod(0o755)
        place.log.touch()

    def land(self, script: str) -> Outcome:
        """Run the tool, twice where the case kills it, and say what became of the branches."""
        after_kill: list[str] = []
        if self.case.event in ("kill-gate", "kill-push"):
            killed = self.run(script, kill=True)
            after_kill = self._leftovers()
            if killed is None:
                after_kill.append("(ended before it could be killed)")
        seconds = self.run(script)
        outcome = self._observe(SECONDS if seconds is None else seconds)
        outcome.after_kill = after_kill
        if seconds is None:
            outcome.notes.append(f"stopped after {SECONDS:.0f} s")
        self._kill()
        return outcome

    def run(self, script: str, *, kill: bool = False) -> float | None:
        """Seconds of the script; None when it ran out of time. With *kill*: when it ended before the event."""
        begun = time.perf_counter()
        with (self.place.root / "said").open("wb") as out, (self.place.root / "narrated").open("ab") as err:
            process = subprocess.Popen(
                ["bash", "-c", script], cwd=self.place.clone, env=self.env, stdin=subprocess.DEVNULL, stdout=out,
                stderr=err, start_new_session=True,
            )  # fmt: skip
            if kill:
                return self._kill_at_event(process)
            watch = threading.Timer(SECONDS, self._kill)
            watch.start()
            process.wait()  # without a time limit, which would look every 50 ms only
            seconds = time.perf_counter() - begun
            watch.cancel()
            return seconds if seconds < SECONDS else None

    def _kill_at_event(self, process: subprocess.Popen[bytes]) -> float | None:
        while process.poll() is None and self.place.arm.exists():
            time.sleep(0.005)
        if self.place.arm.exists():
            return None
        time.sleep(0.2)
        self._kill()
        process.wait()
        time.sleep(2.5 if self.case.event == "kill-push" else 0)  # the server goes on, and moves its refs
        return 0.0

    def _processes(self) -> list[int]:
        """Processes that carry this scene's mark in their environment: all that descend from the tool.

        The server's are left out: it is another machine, which lives on when the client is killed.
        """
        parents, served, mark = {}, set(), f"PEERS_SCENE={self.tag}".encode()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    pid = int(entry.name)
                    parents[pid] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if b"receive-pack" in (entry / "cmdline").read_bytes():
                        served.add(pid)
        for _ in parents:
            served |= {pid for pid, parent in parents.items() if parent in served}
        return [pid for pid in parents if pid not in served]

    def _kill(self) -> None:
        for _ in range(10):
            alive = self._processes()
            for pid in alive:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not alive:
                return
            time.sleep(0.02)

    def _tip(self) -> str:
        """Where the target is for everybody: on the remote, or in the clone for a tool that never pushes."""
        return self.git("rev-parse", "refs/heads/roadmap", at=self._home())

    def _home(self) -> Path:
        return self.place.origin if self.tool.pushes else self.place.clone

    def _observe(self, seconds: float) -> Outcome:
        home, tip = self._home(), self._tip()
        log = [line.split() for line in self.place.log.read_text().splitlines()]
        ended = [(words[1], words[2] == "0") for words in log if words[0] == "end"]
        green = {tree for tree, good in ended if good}
        commits = self.git("log", "--first-parent", "--format=%T", f"{self.base}..{tip}", at=home).split()
        reflog = self.git("reflog", "show", "--format=%H %T", "refs/heads/roadmap", at=home).splitlines()
        tips = dict(line.split() for line in reflog)
        new = set(self.git("rev-list", f"{self.base}..{tip}", at=home).split())
        there = _blobs(self.git("ls-tree", "-r", tip, at=home))
        outcome = Outcome(seconds, runs=len(ended), repeats=len(ended) - len({tree for tree, _ in ended}))
        for k in range(1, BRANCHES + 1):
            path = f"pkg/mod_{k:03}.py"
            tip_of = self._branches[k]  # by name in the object database: the branch itself may be gone
            said = self.git("rev-parse", tip_of, f"{tip_of}^", f"{tip_of}:{path}").split()
            if there.get(path) == said[-1]:
                outcome.landed.append(k)
                outcome.kept += new.issuperset(said[:2])
        outcome.commits, outcome.commits_tested = len(commits), sum(tree in green for tree in commits)
        ours = {tree for sha, tree in tips.items() if sha in new}
        foreign = set()
        if self.case.event == "race":
            outcome.foreign = "foreign.txt" in there
            foreign = set(self.git("log", "-1", "--format=%T", at=self.place.root / "other").split())
            outcome.commits -= bool(foreign & set(commits))
        outcome.untested_tips = len(ours - green - foreign)
        outcome.leftovers = self._leftovers()
        outcome.said = (self.place.root / "said").read_text(errors="replace")
        return outcome

    def _things(self) -> set[str]:
        """Worktrees, refs, lock files, temporary files and processes; what was not there before is a leftover."""
        found = {f"process {pid}" for pid in self._processes()}
        for line in self.git("worktree", "list", "--porcelain").splitlines():
            if line.startswith("worktree "):
                found.add(f"worktree {Path(line.removeprefix('worktree ')).relative_to(self.place.root)}")
        for name, repository in (("clone", self.place.clone / ".git"), ("origin", self.place.origin)):
            refs = self.git("for-each-ref", "--format=%(refname)", at=repository).split()
            found |= {f"{name} {ref}" for ref in refs if not self.tool.documented.match(ref)}
            found |= {f"{name} {path.relative_to(repository)}" for path in repository.rglob("*.lock")}
            found |= {f"{name} {path.name}" for path in repository.glob("*_HEAD") if path.name == "MERGE_HEAD"}
        found |= {f"temporary {path.name}" for path in (self.place.root / "tmp").iterdir()}
        return found

    def _leftovers(self) -> list[str]:
        left = sorted(self._things() - self._before)
        left += [f"edited {line}" for line in self.git("status", "--porcelain").splitlines()]
        if self.tool.pushes:
            there = {**self.env, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.place.origin / "objects")}
            argv = ["git", "-C", str(self.place.clone), "rev-list", "--count", f"{self._tip()}..roadmap"]
            ahead = subprocess.run(argv, check=True, capture_output=True, text=True, env=there).stdout.strip()
            left += [f"checkout {ahead} commits ahead of origin"] if ahead != "0" else []
        return left


def suspects_named(said: str, pair: Sequence[int]) -> bool:
    """Whether the answer about the branch of *pair* that stayed out names the other one."""
    names = [f"roadmap-wt{k}" for k in pair]
    with suppress(ValueError, KeyError, TypeError):
        for result in json.loads(said)["results"]:
            if result["branch"] in names and result["outcome"] == "gate-failed":
                other = names[1 - names.index(result["branch"])]
                return other in json.dumps({**result, "branch": None})
    return False


def _commit(ref: str, mark: int, subject: str, files: Mapping[str, str], parent: str | None = None) -> str:
    now = int(time.time())
    lines = [f"commit {ref}", f"mark :{mark}", f"committer Bench <bench@example.invalid> {now} +0000"]
    lines += [f"data {len(subject)}", subject, *([f"from {parent}"] if parent else [])]
    for path, text in files.items():
        lines += [f"M 100644 inline {path}", f"data {len(text.encode())}", text]
    return "\n".join(lines) + "\n"


def _blobs(listing: str) -> dict[str, str]:
    return {path: meta.split()[2] for meta, path in (line.split("\t", 1) for line in listing.splitlines())}


def _sh(text: str | Path) -> str:
    return shlex.quote(str(text))
