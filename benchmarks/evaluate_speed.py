"""How long ``coffee evaluate --all --json`` takes on a large repository, with and without what it remembers.

Makes a repository with files of seven languages, a history and tasks with specs, then evaluates it cold (nothing is
remembered), warm (nothing has changed since) and one commit later. Writes results/evaluate_speed.md; exit 1 if a limit
is broken. The limits are on the time of the processor, git included: the machine may be busy with other things. Set
TMPDIR to a folder in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from measure import install_wheel, publish, setting

COLD, WARM, MEGABYTES = 60.0, 3.0, 1000
COMMITS = 1500
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu al en is or un".split()  # noqa: SIM905
SECONDS = "seconds of the processor"


@dataclass(frozen=True)
class Used:
    """What one run took: seconds of the processor and of the clock, and the most memory of one process in MB."""

    processor: float
    clock: float
    megabytes: float


class Author:
    """Writes files, specs and changes out of a vocabulary, some words of which are much commoner than others."""

    def __init__(self, seed: int, words: int = 20_000) -> None:
        self.chance = random.Random(seed)
        self.words = sorted(
            {"".join(self.chance.choices(SYLLABLES, k=self.chance.randint(2, 4))) for _ in range(words)}
        )
        self.pile = list(accumulate(1 / (10 + rank) for rank in range(len(self.words))))

    def some(self, number: int) -> list[str]:
        """*number* words, the common ones oftener."""
        return self.chance.choices(self.words, cum_weights=self.pile, k=number)

    def any(self, number: int) -> list[str]:
        """*number* words, all alike: folders and files are named for what is special about them."""
        return self.chance.choices(self.words, k=number)

    def name(self) -> str:
        """An identifier of two words."""
        return "_".join(self.some(2))


def camel(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


Writer = Callable[[Author, Sequence[str]], Iterator[str]]


def python(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield from (f"from {other.rpartition('.')[0].replace('/', '.')} import {author.name()}" for other in others)
    while True:
        yield f'\n\ndef {author.name()}({", ".join(author.some(2))}):\n    """{" ".join(author.some(9))}."""'
        yield from (f"    {author.name()} = {author.name()}({author.name()})" for _ in range(8))


def typescript(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield from (f'import {{ {camel(author.name())} }} from "{other.rpartition(".")[0]}";' for other in others)
    while True:
        yield f"\n// {' '.join(author.some(6))}"
        yield f"export function {camel(author.name())}({author.name()}: string): void {{"
        yield from (f"  const {author.name()} = {author.name()}({author.name()});" for _ in range(8))
        yield "}"


def go(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield "package main\n\nimport ("
    yield from (f'\t"example.org/{other.rpartition("/")[0]}"' for other in others)
    yield ")"
    while True:
        yield f"\n// {' '.join(author.some(9))}\nfunc {camel(author.name())}({author.name()} string) error {{"
        yield from (f"\t{author.name()} := {author.name()}({author.name()})" for _ in range(8))
        yield "}"


def rust(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield from (f"use crate::{other.rpartition('.')[0].replace('/', '::')};" for other in others)
    while True:
        yield f"\n/// {' '.join(author.some(9))}\npub fn {author.name()}({author.name()}: &str) {{"
        yield from (f"    let {author.name()} = {author.name()}({author.name()});" for _ in range(8))
        yield "}"


def java(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield from (f"import {other.rpartition('.')[0].replace('/', '.')};" for other in others)
    while True:
        yield f"\n    /** {' '.join(author.some(9))} */\n    public void {author.name()}(String {author.name()}) {{"
        yield from (f"        var {author.name()} = {author.name()}({author.name()});" for _ in range(8))
        yield "    }"


def c(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield from (f'#include "{other}"' for other in others)
    while True:
        yield f"\n/* {' '.join(author.some(9))} */\nstatic int {author.name()}(int {author.name()}) {{"
        yield from (f"    int {author.name()} = {author.name()}({author.name()});" for _ in range(8))
        yield "}"


def prose(author: Author, others: Sequence[str]) -> Iterator[str]:
    yield f"# {' '.join(author.some(4))}\n"
    yield from (f"See `{other}`." for other in others)
    while True:
        yield " ".join(author.some(14)) + "."


LANGUAGES: dict[str, Writer] = {"py": python, "ts": typescript, "go": go, "rs": rust, "java": java, "c": c, "md": prose}


def files(author: Author, number: int) -> Iterator[tuple[str, str]]:
    """Paths with their texts of 5 to 10 KB; of each folder a part are tests."""
    made: list[str] = []
    for at in range(number):
        ending = list(LANGUAGES)[at % len(LANGUAGES)]
        if at % 20 == 0 or not made:
            folder = "/".join(("src", *author.any(3)))
        test = "test_" if at % 5 == 4 else ""
        path = f"{folder}/{test}{'_'.join(author.any(2))}_{at}.{ending}"
        text, size, least = [], 0, author.chance.randint(5_000, 10_000)
        for line in LANGUAGES[ending](author, author.chance.choices(made, k=4) if made else ()):
            text.append(line)
            size += len(line) + 1
            if size > least:
                break
        made.append(path)
        yield path, "\n".join(text)


def plan(author: Author, paths: Sequence[str], tasks: int) -> Iterator[tuple[str, str]]:
    """A roadmap and the specs of its items; a third of the specs declares nothing."""
    items = []
    for number in range(1, tasks + 1):
        title = " ".join(author.some(4))
        items.append(
            f"### US-{number}: {title}\n\n**Status**: 📝 Planned\n**Estimated Effort**: {number % 7 + 1} days\n"
        )
        lines = [f"# SPEC-{number}: {title}", "", f"**Related**: US-{number}", ""]
        for _ in range(12):
            lines += ["## " + " ".join(author.some(3)), ""]
            lines += [" ".join(author.some(14)) + f" `{author.name()}`." for _ in range(8)] + [""]
        named = author.chance.sample(paths, 5)
        lines += ["## Files to modify" if number % 3 else "## Background", "", *(f"- `{path}`" for path in named)]
        yield f"docs/architecture/specs/SPEC-{number}-{title.replace(' ', '-')}.md", "\n".join(lines) + "\n"
    yield "docs/roadmap/ROADMAP.md", "# Roadmap\n\n" + "\n".join(items)


def make_repository(place: Path, number: int, tasks: int) -> None:
    """A repository with branch ``roadmap``, by one ``git fast-import``."""
    author = Author(number)
    tree = dict(files(author, number))
    paths = list(tree)
    subprocess.run(["git", "init", "-q", "-b", "roadmap", str(place)], check=True)
    importing = subprocess.Popen(["git", "-C", str(place), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert importing.stdin is not None
    write = importing.stdin.write
    write(commit("Start", {**tree, **dict(plan(author, paths, tasks))}))
    for _ in range(COMMITS):
        changed = author.chance.sample(paths, author.chance.randint(1, 6))
        for path in changed:
            tree[path] += f"\n{author.name()}\n"
        write(commit(" ".join(author.some(9)), {path: tree[path] for path in changed}))
    importing.stdin.close()
    if importing.wait():
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "-C", str(place), "read-tree", "roadmap"], check=True)


def commit(message: str, changed: dict[str, str]) -> bytes:
    """A commit on ``roadmap`` for ``git fast-import``."""
    found = [b"commit refs/heads/roadmap\ncommitter A <a@example.invalid> 0 +0000\n", data(message.encode())]
    for path, text in changed.items():
        found.append(b"M 100644 inline " + path.encode() + b"\n" + data(text.encode()))
    return b"".join(found)


def data(raw: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(raw), raw)


def run(command: Sequence[str | Path], where: Path, answer: Path) -> Used:
    """Run *command* in *where*, its output into *answer*; what it took, with all that it started."""
    timed = (
        "import json, os, resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "found = [used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024]\n"
        "sys.stderr.buffer.write(done.stderr if done.returncode else json.dumps(found).encode())\n"
        "sys.exit(done.returncode)\n"
    )
    with answer.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", timed, *command], cwd=where, stdout=out, stderr=subprocess.PIPE, check=False
        )
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return Used(*json.loads(done.stderr))


def measure(coffee: Path, place: Path, rounds: int) -> dict[str, list[Used]]:
    """Cold, warm and one commit later, so often. The same question has to be answered alike."""
    found: dict[str, list[Used]] = {"cold": [], "warm": [], "one commit later": []}
    command = [coffee, "--quiet", "evaluate", "--all", "--json"]
    cold, warm = place.with_name("cold.json"), place.with_name("warm.json")
    for _ in range(rounds):
        shutil.rmtree(place / ".git/coffee/predict", ignore_errors=True)
        found["cold"].append(run(command, place, cold))
        found["warm"].append(run(command, place, warm))
        if cold.read_bytes() != warm.read_bytes():
            raise SystemExit("the answer from what was remembered is another one")
        git = ["git", "-C", str(place), "-c", "user.name=A", "-c", "user.email=a@example.invalid"]
        tree = ["git", "-C", str(place), "rev-parse", "roadmap^{tree}"]
        named = subprocess.run(tree, check=True, capture_output=True, text=True).stdout.strip()
        subprocess.run([*git, "update-ref", "refs/heads/roadmap", next_commit(git, named)], check=True)
        found["one commit later"].append(run(command, place, warm))
    return found


def next_commit(git: Sequence[str], tree: str) -> str:
    asked = [*git, "commit-tree", "-p", "roadmap", "-m", "Another one", tree]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def table(found: dict[str, list[Used]]) -> str:
    """Medians as a markdown table."""
    lines = [f"| run | {SECONDS} | seconds of the clock | MB |", "|---|---:|---:|---:|"]
    for name, used in found.items():
        processor, clock, size = (
            statistics.median(values)
            for values in zip(*((each.processor, each.clock, each.megabytes) for each in used), strict=True)
        )
        lines.append(f"| {name} | {processor:.2f} | {clock:.2f} | {size:.0f} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, help="files of the repository (default: 20000)")
    parser.add_argument("--tasks", type=int, default=300, help="items of the roadmap, with a spec each (default: 300)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is run (default: 3)")
    parser.add_argument("--repository", type=Path, help="measure a clone of this one instead, without limits")
    parser.add_argument("--make", type=Path, metavar="FOLDER", help="only make the repository, there")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    if asked.make:
        make_repository(asked.make, asked.files, asked.tasks)
        return 0
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "repository"
        programs = install_wheel(Path(folder))
        if asked.repository:
            subprocess.run(["git", "clone", "-q", "--no-local", str(asked.repository), str(place)], check=True)
            subprocess.run(["git", "-C", str(place), "remote", "remove", "origin"], check=True)
        else:
            make_repository(place, asked.files, asked.tasks)
        subprocess.run([programs / "coffee", "--version"], check=True, capture_output=True)
        found = measure(programs / "coffee", place, asked.rounds)
        answer = json.loads((Path(folder) / "cold.json").read_bytes())
        measured = setting(programs, asked.rounds)
    said = f"{len(answer['tasks'])} tasks, {len(answer['pairs'])} pairs"
    if asked.repository:
        sys.stdout.write(f"{measured}\n{said}\n\n{table(found)}\n")
        return 0
    cold, warm = (statistics.median(each.processor for each in found[name]) for name in ("cold", "warm"))
    most = max(each.megabytes for used in found.values() for each in used)
    publish(
        "evaluate_speed",
        f"# Evaluating a large repository\n\n{measured}\n"
        f"{asked.files} files of {len(LANGUAGES)} languages, 5 to 10 KB each, {COMMITS} commits; {said}.\n"
        f"Limits: {COLD:.0f} {SECONDS} cold, {WARM:.0f} warm, {MEGABYTES} MB.\n\n{table(found)}\n",
    )
    return int(cold > COLD or warm > WARM or most > MEGABYTES)


if __name__ == "__main__":
    raise SystemExit(main())
