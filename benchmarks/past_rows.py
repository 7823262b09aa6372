"""What `fit_prediction` and `evaluate_history` share: tasks that landed, with a row of signals for each file.

The rows are those of `Scout.look`, one matrix for each task, its columns named by what the rows hold: nothing here
knows which signals there are. Nothing is written into the clones; each is read through a repository that borrows its
objects.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import process_time

import numpy as np
from replay_merges import borrowing, git, opened

import coffee_hooks.predict.predict as prediction
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.grammars import grammars
from coffee_hooks.predict.index import File
from coffee_hooks.predict.model import Row
from coffee_hooks.predict.past import Work, read_past
from coffee_hooks.predict.predict import Scout
from coffee_hooks.predict.question import ask
from coffee_hooks.predict.read import replay_corpus
from coffee_hooks.predict.source import Source
from coffee_hooks.sources.plan import may_be_spec
from coffee_hooks.sources.roadmap_places import ROADMAPS

SPECS = "docs/architecture/specs"
LANGUAGES = {
    "c": "C", "cc": "C++", "cpp": "C++", "cs": "C#", "ex": "Elixir", "go": "Go", "java": "Java", "js": "JavaScript",
    "kt": "Kotlin", "php": "PHP", "py": "Python", "rb": "Ruby", "rs": "Rust", "swift": "Swift", "ts": "TypeScript",
}  # fmt: skip
_OF_NO_SIGNAL = {"answers.py", "index.py", "model.py", "new_files.py"}


@dataclass(frozen=True)
class Clone:
    """Where tasks come from: what landed on *rev* of *folder*, or what the file *truth* says."""

    name: str
    folder: Path
    rev: str = "HEAD"
    truth: Path | None = None

    @property
    def label(self) -> str:
        """The name, with the revision where it is not the newest."""
        return self.name if self.rev == "HEAD" else f"{self.name}@{self.rev}"


@dataclass(frozen=True)
class Task:
    """Past *work*, the paths of the tree before it, the *files* that anything points to, and a row for each of them.

    *planned*: it comes from a spec, and what says what is to be done was not looked at.
    """

    work: Work
    tree: Sequence[str]
    files: Sequence[str]
    rows: np.ndarray
    planned: bool

    @cached_property
    def touched(self) -> np.ndarray:
        """Whether the work touched the file of each row."""
        wanted = set(self.work.files)
        return np.array([path in wanted for path in self.files], bool)

    @cached_property
    def corpus(self) -> Corpus:
        """What was looked at, by its paths alone."""
        told = _plans(self.tree) if self.planned else frozenset()
        return Corpus([path for path in self.tree if path not in told], (), ())


@dataclass(frozen=True)
class Past:
    """The tasks of one clone. *signals* are the names of the columns of their rows."""

    clone: Clone
    language: str
    signals: tuple[str, ...]
    tasks: tuple[Task, ...]


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that both programs have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("clones", nargs="+", metavar="[NAME=]CLONE[@REV]", type=clone_of)
    parser.add_argument("--truth", nargs=2, action="append", default=[], metavar=("[NAME=]CLONE", "FILE.json"))
    parser.add_argument("--tasks", type=int, default=100, metavar="N", help="tasks of each clone, the last")
    parser.add_argument("--rows", type=Path, metavar="FOLDER", help="keeps rows, for the next run")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that make rows")
    return parser


def clone_of(said: str, truth: str | None = None) -> Clone:
    """The clone that ``[NAME=]CLONE[@REV]`` means."""
    name, given, place = said.rpartition("=")
    place, _, rev = place.partition("@")
    folder = Path(place).absolute()
    return Clone(name if given else folder.name, folder, rev or "HEAD", Path(truth) if truth else None)


def make_rows(clones: Sequence[Clone], tasks: int, jobs: int, folder: Path) -> list[Path]:
    """For each of *clones* the file in *folder* that holds its last *tasks* tasks, made by *jobs* processes."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(_kept_rows, clones, [tasks] * len(clones), [folder] * len(clones)))


@contextmanager
def place_for_rows(kept: Path | None) -> Iterator[Path]:
    """The folder *kept*, or one that goes away."""
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="rows-") as scratch:
        yield Path(scratch)


def _kept_rows(clone: Clone, tasks: int, folder: Path) -> Path:
    """The file that holds the rows, made where there is none for this commit, number and code."""
    head = git(clone.folder, "rev-parse", "--verify", f"{clone.rev}^{{commit}}").decode().strip()
    truth = clone.truth.read_bytes() if clone.truth else b""
    key = hashlib.sha256(f"{head} {tasks} {_code()} {grammars()}".encode() + truth).hexdigest()[:12]
    place = folder / f"{clone.name.replace('/', '+')}-{key}.npz"
    if not place.exists():
        began = process_time()
        past = _extract(clone, Sha(head), tasks)
        _save(place, past)
        say(f"{clone.label}: {len(past.tasks)} tasks, {process_time() - began:.0f} s")
    return place


def _code() -> str:
    """Tells apart what different code found."""
    root = Path(prediction.__file__).parent
    files = sorted(path for path in root.rglob("*.py") if path.name not in _OF_NO_SIGNAL)
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _extract(clone: Clone, head: Sha, most: int) -> Past:
    with tempfile.TemporaryDirectory(prefix="borrowing-") as scratch:
        repo = opened(borrowing(clone.folder, Path(scratch) / "repo.git"))
        works = _told(repo, clone.truth) if clone.truth else read_past(repo, head, most)
        known: dict[File, Source] = {}
        found = []
        for number, work in enumerate(works, 1):
            found.append(_look(repo, work, known, told=clone.truth is not None))
            if number % 10 == 0:
                say(f"{clone.label}: {number} of {len(works)}")
    signals = tuple(sorted({name for _, rows in found for row in rows.values() for name in row}))
    tasks = [
        Task(work, tree, list(rows), _matrix(list(rows.values()), signals), clone.truth is not None)
        for work, (tree, rows) in zip(works, found, strict=True)
    ]
    return Past(clone, _language(found[0][0]), signals, tuple(tasks))


def _look(repo: Repo, work: Work, known: dict[File, Source], *, told: bool) -> tuple[list[str], dict[str, Row]]:
    """The tree before *work*, and the row of each file; *known* are the sources of other trees."""
    tree = repo.objects("ls-tree", "-r", "-z", "--name-only", "--full-tree", work.base).records
    corpus = replay_corpus(repo, work.base, known, _plans(tree) if told else frozenset())
    question = ask(work.text)
    rows, _ = Scout(corpus, [question]).look(question)
    return tree, {corpus.paths[at]: row for at, row in rows.items()}


def _plans(tree: Sequence[str]) -> frozenset[str]:
    """The files that ``evaluate`` leaves out of its predictions."""
    roadmap = next((path for path in ROADMAPS if path in tree), "")
    return frozenset({roadmap, *(path for path in tree if may_be_spec(path, SPECS))})


def _told(repo: Repo, truth: Path) -> list[Work]:
    """The tasks of a file: a spec as it was, and the commits that did what it says."""
    found = []
    for each in json.loads(truth.read_text(encoding="utf-8")):
        if each["files_changed"]:
            text = repo.objects("show", f"{each['spec_commit']}:{each['spec_path']}").out.decode("utf-8", "replace")
            first = repo.objects("rev-list", "--no-walk", "--date-order", *each["commits"]).text.split()[-1]
            base = Sha(repo.objects("rev-parse", f"{first}^").text)
            found.append(Work(Sha(each["us"]), base, text, tuple(sorted(each["files_changed"])), 0, 0))
    return found


def _matrix(rows: Sequence[Row], signals: Sequence[str]) -> np.ndarray:
    column = {name: at for at, name in enumerate(signals)}
    found = np.zeros((len(rows), len(signals)), np.float32)
    for at, row in enumerate(rows):
        for name, value in row.items():
            found[at, column[name]] = value
    return found


def _language(tree: Sequence[str]) -> str:
    """The one that most files are written in."""
    counted = Counter(path.rpartition(".")[2] for path in tree)
    known = {ending: counted[ending] for ending in LANGUAGES}
    return LANGUAGES[max(known, key=lambda ending: known[ending])]


def _save(place: Path, past: Past) -> None:
    """One file: every path once, trees and files by their numbers."""
    numbers = {path: at for at, path in enumerate(sorted({p for t in past.tasks for p in (*t.tree, *t.files)}))}
    works = [
        [work.commit, work.base, work.text, work.files, work.started, work.ended]
        for work in (task.work for task in past.tasks)
    ]
    said = json.dumps([past.language, past.signals, list(numbers), works]).encode()
    arrays = {"said": np.frombuffer(said, np.uint8)}
    for at, task in enumerate(past.tasks):
        arrays[f"tree {at}"] = np.array([numbers[path] for path in task.tree], np.int32)
        arrays[f"files {at}"] = np.array([numbers[path] for path in task.files], np.int32)
        arrays[f"rows {at}"] = task.rows
    unfinished = place.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
    unfinished.rename(place)


def load(place: Path, clone: Clone) -> Past:
    """The tasks that a file holds."""
    with np.load(place) as arrays:
        language, signals, paths, works = json.loads(arrays["said"].tobytes())

        def named(key: str) -> list[str]:
            return [paths[at] for at in arrays[key]]

        tasks = [
            Task(
                Work(Sha(commit), Sha(base), text, tuple(files), started, ended),
                named(f"tree {at}"),
                named(f"files {at}"),
                arrays[f"rows {at}"],
                clone.truth is not None,
            )
            for at, (commit, base, text, files, started, ended) in enumerate(works)
        ]
    return Past(clone, language, tuple(signals), tuple(tasks))


def stacked(pasts: Sequence[Past], signals: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """All rows with the columns *signals*, and for each whether its file was touched."""
    blocks = list(_blocks(pasts, signals))
    return np.concatenate([rows for rows, _ in blocks]), np.concatenate([touched for _, touched in blocks])


def _blocks(pasts: Sequence[Past], signals: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for past in pasts:
        for task in past.tasks:
            yield columns(past, task, signals), task.touched


def columns(past: Past, task: Task, signals: Sequence[str]) -> np.ndarray:
    """The rows of *task* with the columns *signals*; one that its repository does not have is 0."""
    found = np.zeros((len(task.rows), len(signals)))
    known = {name: at for at, name in enumerate(past.signals)}
    for at, name in enumerate(signals):
        if name in known:
            found[:, at] = task.rows[:, known[name]]
    return found


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
