"""How long a roadmap of 32,000 lines and 90 specs take to read, and to match with each other, in processor time.

``python benchmarks/parse.py [ROADMAP SPEC_FOLDER]`` writes results/parse.md; exit 1 above the limit. Without
arguments both are made up, in the sizes and the mixture of a real project's.
"""

from __future__ import annotations

import datetime
import platform
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from measure import publish

from coffee_hooks.sources.roadmap import Roadmap, parse_roadmap
from coffee_hooks.sources.specs import find_spec, parse_spec

LIMIT = 1.0
ROUNDS = 9
LINES, SPECS, SPEC_LINES = 32_000, 90, 662
WORDS = ("agent", "branch", "daemon", "parser", "roadmap", "session", "status", "storage", "tests", "update", "works")


def prose(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(3, 11))).capitalize() + "."


def body(chance: random.Random, lines: int) -> Iterator[str]:
    """Lines as specs and long roadmaps have them: prose, lists and code in about equal parts."""
    written = 0
    while written < lines:
        block = chance.choice((paragraph, paragraph, bullets, code))(chance)
        yield from block
        written += len(block)


def paragraph(chance: random.Random) -> list[str]:
    return [f"#### {chance.choice(WORDS).title()} {chance.choice(WORDS)}", "", *(prose(chance) for _ in range(4)), ""]


def bullets(chance: random.Random) -> list[str]:
    path = f"pkg/{chance.choice(WORDS)}/{chance.choice(WORDS)}.py"
    listed = [f"- **{chance.choice(WORDS).title()}**: {prose(chance)}" for _ in range(6)]
    return [f"**File**: `{path}`", "", *listed, f"- [ ] Update `{path}` with `{chance.choice(WORDS).title()}Store`", ""]


def code(chance: random.Random) -> list[str]:
    name = chance.choice(WORDS).title()
    lines = [f"        self.{chance.choice(WORDS)} = {chance.choice(WORDS)}(config, {number})" for number in range(6)]
    lines += [f'        log.info("{prose(chance)}")' for _ in range(3)]
    return [
        "```python",
        f"# pkg/{name.lower()}.py",
        f"class {name}Store(Base):",
        "    def run(self):",
        *lines,
        "```",
        "",
    ]


def made_up_roadmap(chance: random.Random) -> bytes:
    """110 items of about 290 lines each."""
    parts = ["# Roadmap", ""]
    for number in range(1, 111):
        parts += [f"## US-{number:03d}: {prose(chance)} 📝 Planned", "", "**Status**: 📝 Planned", ""]
        parts += [f"**Depends On**: US-{max(1, number - 7):03d}", "", *body(chance, LINES // 110)]
    return "\n".join(parts).encode()


def made_up_specs(chance: random.Random) -> list[tuple[str, bytes]]:
    specs = []
    for number in range(1, SPECS + 1):
        head = [f"# SPEC-{number:03d}: {prose(chance)}", "", f"**User Story**: US-{number:03d}", ""]
        specs.append((f"SPEC-{number:03d}-x.md", "\n".join([*head, *body(chance, SPEC_LINES)]).encode()))
    return specs


def given(arguments: list[str]) -> tuple[bytes, list[tuple[str, bytes]]]:
    if not arguments:
        chance = random.Random(7)
        return made_up_roadmap(chance), made_up_specs(chance)
    files = sorted(Path(arguments[1]).rglob("SPEC-*.md"))
    return Path(arguments[0]).read_bytes(), [(file.as_posix(), file.read_bytes()) for file in files]


def measured(roadmap: bytes, specs: list[tuple[str, bytes]]) -> tuple[list[float], Roadmap]:
    """Seconds of processor time of one reading: roadmap, specs, matching."""
    began = time.process_time()
    read = parse_roadmap(roadmap)
    roadmap_read = time.process_time()
    parsed = [parse_spec(data, path) for path, data in specs]
    specs_read = time.process_time()
    for item in read.items:
        find_spec(item, parsed)
    return [roadmap_read - began, specs_read - roadmap_read, time.process_time() - specs_read], read


def main() -> int:
    roadmap, specs = given(sys.argv[1:])
    rounds = [measured(roadmap, specs) for _ in range(ROUNDS)]
    seconds = [[times[step] for times, _ in rounds] for step in range(3)]
    total = [sum(times) for times, _ in rounds]
    spec_lines = sum(data.count(b"\n") for _, data in specs)
    names = (
        f"roadmap: {roadmap.count(10):,} lines, {len(roadmap) / 1e6:.1f} MB, {len(rounds[0][1].items)} items",
        f"{len(specs)} specs: {spec_lines:,} lines",
        "the spec of every item",
        "**in all**",
    )
    rows = [
        f"| {name} | {1000 * median(times):.0f} | {1000 * min(times):.0f}-{1000 * max(times):.0f} |"
        for name, times in zip(names, [*seconds, total], strict=True)
    ]
    where = f"{datetime.date.today()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    made = "given files" if sys.argv[1:] else "made-up files"
    how = f"{ROUNDS} rounds over {made}; processor time; limit {LIMIT:.0f} s in all"
    head = f"# Reading a roadmap and its specs\n\n{where}; {how}.\n\n"
    publish("parse", head + "| what | median ms | range ms |\n|---|---:|---:|\n" + "\n".join(rows) + "\n")
    return int(median(total) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
