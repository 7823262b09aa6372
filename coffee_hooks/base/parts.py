"""Many questions shared out to a few processes, the answers in the order of the questions."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from pathlib import Path
from typing import TypeVar

from coffee_hooks.base.process import interrupts_wait

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST_PARTS = 4
LEAST_IN_PART = 32
"""A process costs about as much as ten small questions; below this, sharing out gains nothing."""


def processors() -> int:
    """The processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def in_parts(ask: Callable[[Sequence[Asked]], list[Answer]], items: Sequence[Asked]) -> list[Answer]:
    """What *ask* answers for all *items*, asked for contiguous parts of them side by side.

    *ask* returns one answer for each item and runs in threads; the first error it raises is raised here.
    """
    count = max(1, min(MOST_PARTS, processors(), len(items) // LEAST_IN_PART))
    if count == 1:
        return ask(items)
    ends = [len(items) * number // count for number in range(count + 1)]
    parts = [items[start:end] for start, end in pairwise(ends)]
    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(chain.from_iterable(pool.map(ask, parts)))


def outputs(argv: Sequence[str], asked: Sequence[bytes], *, cwd: Path) -> list[bytes]:
    """What *argv* prints for each of *asked* on its stdin, all side by side; nothing where it fails. Raises OSError."""
    with ThreadPoolExecutor(max_workers=len(asked)) as pool, contextlib.ExitStack() as held:
        children = [held.enter_context(_child(argv, cwd)) for _ in asked]
        return list(pool.map(_said, children, asked))


@contextlib.contextmanager
def _child(argv: Sequence[str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    with interrupts_wait():
        child = subprocess.Popen(
            list(argv), cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def _said(child: subprocess.Popen[bytes], stdin: bytes) -> bytes:
    out, _ = child.communicate(stdin)
    return b"" if child.returncode else out
