"""Replay the two-parent merges of other people's repositories through our merge code, beside git itself.

``python benchmarks/replay_merges.py [--most N] [--timed N] [--rounds N] [NAME=]CLONE...`` writes
results/replay_merges.md; exit 1 when an answer differs or a limit is broken. The Python that runs it must have
coffee-hooks installed. Nothing is written into the clones: each side has an empty object database of its own that
borrows from them.

Equal: tree and list of conflicts of every merge, from `merge_trees` and for a sample from `merge_tree`, against one
``git merge-tree --write-tree`` per merge in a worktree that holds the ``.gitattributes`` of the first parent, which
git itself put there. Time: against one ``git merge-tree --stdin`` for all of them.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from measure import RESULTS, interleaved, ratio

from coffee_hooks.base.attributes import with_attributes_of
from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.merge_tree import Merged, merge_in_one_process, merge_tree, merge_trees
from coffee_hooks.base.model import Sha
from coffee_hooks.ready.changes import find_effects
from coffee_hooks.ready.foresee import foresee
from coffee_hooks.ready.radar import find_conflicts, shared_paths

Pair = tuple[Sha, Sha]
LIMIT, PRECHECK_LIMIT = 1.3, 2.0
READY, MANY_FILES = 60, 40
ALONE = 200
GIT, OURS, ONE = "git merge-tree --stdin", "merge_trees", "in one process"
PAIRS, WHOLE = "pairs", "whole"
ATTRIBUTES = ":(glob)**/.gitattributes"
MERGES = ("--min-parents=2", "--max-parents=2", "--format=%H %T %P")


@dataclass(frozen=True)
class Merge:
    """One merge of the history and the tree that it was given there."""

    commit: Sha
    tree: Sha
    ours: Sha
    theirs: Sha

    @property
    def pair(self) -> Pair:
        """What is merged."""
        return self.ours, self.theirs


@dataclass(frozen=True)
class Row:
    """What came out for one repository. *history* counts answers by their relation to what people committed."""

    name: str
    merges: int
    unequal: tuple[str, ...]
    history: Counter[str]
    seconds: dict[str, list[float]]
    alone: tuple[float, float]
    pairs: int
    precheck: dict[str, list[float]]


def environment() -> dict[str, str]:
    """The caller's without anything that changes what git says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}


def git(
    folder: Path, *args: str, stdin: bytes = b"", ok: Sequence[int] = (0,), env: Mapping[str, str] | None = None
) -> bytes:
    """Stdout of a plain git."""
    command = ["git", "-C", str(folder), *args]
    done = subprocess.run(command, input=stdin, capture_output=True, env={**environment(), **(env or {})}, check=False)
    if done.returncode not in ok:
        raise SystemExit(f"git {' '.join(args[:3])}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def borrowing(clone: Path, folder: Path) -> Path:
    """A bare repository at *folder* without refs that reads the objects of *clone* and writes its own."""
    objects = git(clone, "rev-parse", "--path-format=absolute", "--git-path", "objects").decode().removesuffix("\n")
    git(folder.parent, "init", "-q", "--bare", str(folder))
    (folder / "objects/info/alternates").write_text(objects + "\n")
    return folder


def opened(folder: Path, attributes: Path | None = None) -> Repo:
    """The bare repository as our code sees one."""
    return Repo(folder, folder, folder, attributes=attributes)


def read_merges(clone: Path, most: int | None) -> list[Merge]:
    """The newest two-parent merges of all refs."""
    count = [f"--max-count={most}"] if most else []
    lines = git(clone, "log", "--all", *MERGES, *count).decode().splitlines()
    return [Merge(*map(Sha, line.split())) for line in lines]


class Reference:
    """``git merge-tree --write-tree`` as a person would run it who has the first parent checked out."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self._repository, self._worktree = repository, folder
        self._at: Sha | None = None

    def merge(self, pair: Pair) -> Merged | None:
        """The answer with the attributes of the first of *pair*; None when git fails."""
        self.check_out(pair[0])
        return self.ask(pair)

    def ask(self, pair: Pair) -> Merged | None:
        """The answer with what is checked out, read from the long form: every stage of every conflict."""
        done = subprocess.run(
            ["git", "-C", str(self._worktree), "merge-tree", "--write-tree", "-z", *pair],
            env=self._places(), capture_output=True, check=False,
        )  # fmt: skip
        fields = done.stdout.split(b"\0")
        if done.returncode not in (0, 1) or len(fields[0]) < 40:
            return None
        end = fields.index(b"", 1) if b"" in fields[1:] else len(fields)
        paths = [os.fsdecode(field.partition(b"\t")[2]) for field in fields[1:end]]
        return Merged(Sha(fields[0].decode()), done.returncode == 0, tuple(dict.fromkeys(paths)))

    def check_out(self, commit: Sha) -> None:
        """Put the attributes of *commit* into the worktree, unless they are those that are there."""
        if self._at is not None:
            asked = [
                "git",
                "-C",
                str(self._repository),
                "diff-tree",
                "-r",
                "--quiet",
                self._at,
                commit,
                "--",
                ATTRIBUTES,
            ]
            same = subprocess.run(asked, env=environment(), check=False).returncode == 0
            self._at = commit
            if same:
                return
        self._at = commit
        shutil.rmtree(self._worktree, ignore_errors=True)
        self._worktree.mkdir()
        # It fails where there are none.
        git(self._worktree, "checkout", "-q", commit, "--", ATTRIBUTES, ok=(0, 1), env=self._variables())

    def _variables(self) -> dict[str, str]:
        index = self._worktree.with_suffix(".index")
        return {"GIT_DIR": str(self._repository), "GIT_WORK_TREE": str(self._worktree), "GIT_INDEX_FILE": str(index)}

    def _places(self) -> dict[str, str]:
        return environment() | self._variables()


def in_groups(repo: Repo, merges: Sequence[Merge]) -> dict[Path | None, list[Merge]]:
    """The merges by the attributes of their targets: the folders that `with_attributes_of` makes."""
    targets = list(dict.fromkeys(merge.ours for merge in merges))
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = dict(zip(targets, pool.map(lambda target: with_attributes_of(repo, target), targets), strict=True))
    groups: dict[Path | None, list[Merge]] = {}
    for merge in merges:
        groups.setdefault(found[merge.ours].attributes, []).append(merge)
    return groups


def replayed(
    folder: Path,
    groups: dict[Path | None, list[Merge]],
    run: Callable[[Repo, Sequence[Pair]], list[Merged | None]] = merge_trees,
) -> dict[Merge, Merged | None]:
    """Every merge through our code, in the pinned context and with the attributes of its target."""
    found: dict[Merge, Merged | None] = {}
    for attributes, merges in groups.items():
        answers = run(opened(folder, attributes), [merge.pair for merge in merges])
        found |= zip(merges, answers, strict=True)
    return found


def one_by_one(repo: Repo, reference: Reference, merges: Sequence[Merge]) -> tuple[list[Merge], tuple[float, float]]:
    """A sample as a landing merges: those that differ, and milliseconds per merge of ours and of git alone."""
    sample = merges[:: max(1, len(merges) // ALONE)]
    unequal: list[Merge] = []
    ours = theirs = 0.0
    for merge in sample:
        target = with_attributes_of(repo, merge.ours)
        began = perf_counter()
        try:
            answer: Merged | None = merge_tree(target, *merge.pair)
        except GitFailed:
            answer = None
        ours += perf_counter() - began
        reference.check_out(merge.ours)
        began = perf_counter()
        expected = reference.ask(merge.pair)
        theirs += perf_counter() - began
        if answer != expected:
            unequal.append(merge)
    return unequal, (1000 * ours / len(sample), 1000 * theirs / len(sample))


def relation(merge: Merge, answer: Merged | None, parents: dict[Sha, Sha]) -> str:
    """How the answer compares with what people committed."""
    if answer is None:
        return "git cannot"
    if not answer.clean:
        return "conflict"
    if answer.tree == merge.tree:
        return "equal"
    if merge.tree in (parents.get(merge.ours), parents.get(merge.theirs)):
        return "one side kept"
    return "edited"


def timed(clone: Path, folder: Path, merges: dict[Merge, Merged | None], rounds: int) -> dict[str, list[float]]:
    """Seconds for all merges that git can do, each time into an empty object database."""
    able = [merge for merge, answer in merges.items() if answer is not None]
    prepared = in_groups(opened(borrowing(clone, folder / "prepared.git")), able)
    lines = "".join(f"{a} {b}\n" for a, b in (merge.pair for merge in able)).encode()

    def fresh(run: Callable[[Path], object]) -> Callable[[int], float]:
        def once(_: int) -> float:
            with tempfile.TemporaryDirectory(dir=folder) as name:
                place = borrowing(clone, Path(name) / "x.git")
                began = perf_counter()
                run(place)
                return perf_counter() - began

        return once

    plain = ("merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages")
    return interleaved(
        rounds,
        {
            GIT: fresh(lambda place: git(place, *plain, stdin=lines)),
            OURS: fresh(lambda place: replayed(place, prepared)),
            ONE: fresh(lambda place: replayed(place, prepared, merge_in_one_process)),
        },
    )


def prechecked(clone: Path, folder: Path, rounds: int) -> tuple[int, dict[str, list[float]]]:
    """Seconds to find the conflicts among the last branches merged, as if all of them were ready at once."""
    lines = git(clone, "log", "--first-parent", "--max-count=300", *MERGES, "HEAD").decode().splitlines()
    last = [Merge(*map(Sha, line.split())) for line in lines]
    target = last[-1].ours
    repo = with_attributes_of(opened(borrowing(clone, folder / "ready.git")), target)
    effects = find_effects(repo, target, list(dict.fromkeys(merge.theirs for merge in last)))
    ready = {tip: effect.paths for tip, effect in effects.items() if 0 < len(effect.paths) <= MANY_FILES}
    touched = dict(list(ready.items())[:READY])
    tips = {str(tip): tip for tip in touched}
    named = {str(tip): paths for tip, paths in touched.items()}
    shared = [(Sha(a), Sha(b)) for a, b in shared_paths(named)]
    # git's one process would end at a pair of unrelated histories, which a repository that grew from several has.
    able = find_conflicts(repo, shared)
    named = {tip: paths for tip, paths in named.items() if all(p in able for p in shared if tip in p)}
    tips = {name: tips[name] for name in named}
    pairs = [(Sha(a), Sha(b)) for a, b in shared_paths(named)]
    asked = "".join(f"{a} {b}\n" for a, b in pairs).encode()

    def fresh(run: Callable[[Path], object]) -> Callable[[int], float]:
        def once(_: int) -> float:
            with tempfile.TemporaryDirectory(dir=folder) as name:
                place = borrowing(clone, Path(name) / "x.git")
                (place / "coffee").mkdir()
                began = perf_counter()
                run(place)
                return perf_counter() - began

        return once

    def ours(place: Path) -> None:
        found = find_conflicts(replace(repo, common_dir=place), [(Sha(a), Sha(b)) for a, b in shared_paths(named)])
        assert len(found) == len(pairs)

    plain = ("merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages")
    seconds = interleaved(
        rounds,
        {
            GIT: fresh(lambda place: git(place, *plain, stdin=asked)),
            PAIRS: fresh(ours),
            WHOLE: fresh(lambda place: foresee(opened(place), target, tips, every=True)),
        },
    )
    return len(pairs), seconds


def measure(name: str, clone: Path, most: int | None, times: int | None, rounds: int) -> Row:
    """Everything about one repository."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        merges = read_merges(clone, most)
        place = borrowing(clone, folder / "ours.git")
        answers = replayed(place, in_groups(opened(place), merges))
        reference = Reference(borrowing(clone, folder / "reference.git"), folder / "worktree")
        unequal = [merge for merge in merges if answers[merge] != reference.merge(merge.pair)]
        more, alone = one_by_one(opened(place), reference, merges)
        ends = sorted({sha for merge in merges for sha in merge.pair})
        trees = git(clone, "cat-file", "--batch-check", stdin="".join(f"{sha}^{{tree}}\n" for sha in ends).encode())
        parents = dict(zip(ends, (Sha(line.split()[0]) for line in trees.decode().splitlines()), strict=True))
        history = Counter(relation(merge, answers[merge], parents) for merge in merges)
        some = merges[:: max(1, len(merges) // times)] if times else merges
        seconds = timed(clone, folder, {merge: answers[merge] for merge in some}, rounds)
        pairs, precheck = prechecked(clone, folder, rounds)
    return Row(
        name, len(merges), tuple(merge.commit for merge in (*unequal, *more)), history, seconds, alone, pairs, precheck
    )


def report(rows: Sequence[Row], asked: argparse.Namespace) -> str:
    """The table."""
    version = git(Path(), "version").decode().split()[2]
    total = sum(row.merges for row in rows)
    equal = total - sum(len(set(row.unequal)) for row in rows)
    lines = [
        "# Replaying merges of other repositories",
        "",
        f"{datetime.date.today()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, git {version}; {asked.rounds} interleaved rounds"
        f"{f', times of about {asked.timed} merges of each' if asked.timed else ''}. "
        f"{total:,} merges, {equal:,} equal to `git merge-tree --write-tree` in tree and conflicts.",
        "",
        "| repository | merges | equal | equal to history | conflict | edited by hand | one side kept | git cannot "
        "| ratio (limit 1.3) | in one process | alone, ms: ours, git | pairs of 60 | pre-check (limit 2) | with all |",
        "|---|" + "---:|" * 13,
    ]
    for row in rows:
        share = (row.merges - len(set(row.unequal))) / row.merges
        history = [
            f"{100 * row.history[kind] / row.merges:.1f} %" for kind in ("equal", "conflict", "edited", "one side kept")
        ]
        ratios = [ratio(row.seconds, OURS, GIT), ratio(row.seconds, ONE, GIT)]
        checks = [ratio(row.precheck, PAIRS, GIT), ratio(row.precheck, WHOLE, GIT)]
        cells = [
            row.name, f"{row.merges:,}", f"{100 * share:.2f} %", *history, str(row.history["git cannot"]),
            *(f"{value:.2f}" for value in ratios), f"{row.alone[0]:.1f}, {row.alone[1]:.1f}", str(row.pairs),
            *(f"{value:.2f}" for value in checks),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "ratio: `merge_trees` to one `git merge-tree --stdin` for the same merges, both into an empty object database; "
        "attributes were read before. in one process: the same without sharing out to the cores. alone: one "
        "`merge_tree` per merge, as a landing does, and one git. pre-check: the pairs of 60 branches that share a "
        "path, to `git merge-tree --stdin` of those pairs; with all: with the 60 merges that find the shared paths.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clones", nargs="+", metavar="[NAME=]CLONE")
    parser.add_argument("--most", type=int, help="only so many of the newest merges of each")
    parser.add_argument("--timed", type=int, help="take the time of about so many of them")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    rows = []
    for clone in asked.clones:
        name, _, path = clone.rpartition("=")
        row = measure(name or Path(path).resolve().name, Path(path).resolve(), asked.most, asked.timed, asked.rounds)
        sys.stderr.write(f"{row.name}: {row.merges} merges, {len(set(row.unequal))} differ {' '.join(row.unequal)}\n")
        rows.append(row)
        RESULTS.mkdir(exist_ok=True)  # after each, because all of them take long
        (RESULTS / "replay_merges.md").write_text(report(rows, asked), encoding="utf-8")
    sys.stdout.write(report(rows, asked))
    slow = any(ratio(row.seconds, OURS, GIT) > LIMIT for row in rows)
    slow |= any(ratio(row.precheck, PAIRS, GIT) > PRECHECK_LIMIT for row in rows)
    return int(slow or any(row.unequal for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
