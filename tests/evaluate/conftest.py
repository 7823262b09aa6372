"""Tasks, specs and trees made by hand, for decisions that read values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from coffee_hooks.base.model import (
    Intent,
    NamedPath,
    PathKind,
    Reference,
    RoadmapItem,
    Sha,
    Spec,
    Status,
    Symbol,
    SymbolKind,
    SymbolRole,
    TaskId,
)
from coffee_hooks.evaluate.assess import Question, assess
from coffee_hooks.evaluate.verdicts import Evaluation

ROADMAP = "docs/roadmap/ROADMAP.md"
KINDS = {"class": SymbolKind.CLASS, "def": SymbolKind.FUNCTION, "table": SymbolKind.TABLE, "route": SymbolKind.ROUTE}


def named(pattern: str, line: int, intent: Intent = Intent.WRITE) -> NamedPath:
    """A path as a spec would name it: ``pkg/`` a folder, ``*`` a wildcard, no slash a bare name."""
    if pattern.endswith("/"):
        kind = PathKind.DIRECTORY
    elif "*" in pattern:
        kind = PathKind.GLOB
    else:
        kind = PathKind.FILE if "/" in pattern else PathKind.BARE
    return NamedPath(pattern.rstrip("/"), kind, intent, line)


def make_spec(
    number: int,
    writes: Sequence[str] = (),
    mentions: Sequence[str] = (),
    symbols: Sequence[str] = (),
    needs: Sequence[str] = (),
    text: str = "What is to be done.",
    readable: bool = True,
) -> Spec:
    """SPEC-<number>; paths from line 10 on, symbols (``introduces class Store``) from line 50 on, needs on line 3."""
    paths = [named(path, 10 + at) for at, path in enumerate(writes)]
    paths += [named(path, 30 + at, Intent.MENTION) for at, path in enumerate(mentions)]
    found = []
    for at, said in enumerate(symbols):
        role, kind, name = said.split(" ")
        found.append(Symbol(name, KINDS[kind], SymbolRole(role), 50 + at))
    return Spec(
        path=f"docs/architecture/specs/SPEC-{number}-topic.md",
        title=f"Topic {number}",
        text=text,
        readable=readable,
        paths=tuple(paths),
        symbols=tuple(found),
        depends_on=tuple(Reference(TaskId(need.rstrip("+")), 3, need.endswith("+")) for need in needs),
    )


def make_item(
    task: str, line: int, status: Status = Status.PLANNED, needs: Sequence[str] = (), text: str = ""
) -> RoadmapItem:
    """An item at *line*; a need that ends in ``+`` is ticked off in the text."""
    references = tuple(Reference(TaskId(need.rstrip("+")), line + 1, need.endswith("+")) for need in needs)
    return RoadmapItem(TaskId(task), f"Title of {task}", status, line, line + 5, text, depends_on=references)


@dataclass(frozen=True)
class Given:
    """A task of a scenario: ``US-<number>`` with its spec, None for no spec."""

    number: int
    spec: Spec | None
    status: Status = Status.PLANNED
    needs: Sequence[str] = ()
    text: str = ""


def judge(
    *given: Given,
    tree: Iterable[str] = (),
    wanted: Iterable[str] | None = None,
    running: Mapping[str, Status] | None = None,
    complete: Iterable[str] = (),
    threshold: float = 0.2,
    limit: int | None = None,
) -> Evaluation:
    """Assess the given tasks, in this order; all of them unless *wanted* names some."""
    items = tuple(make_item(f"US-{g.number}", 10 * at + 1, g.status, g.needs, g.text) for at, g in enumerate(given))
    return assess(
        Question(
            base=Sha("a" * 40),
            roadmap=ROADMAP,
            items=items,
            specs={TaskId(f"US-{g.number}"): g.spec for g in given if g.spec},
            tree=tuple(tree),
            wanted=frozenset(map(TaskId, wanted)) if wanted is not None else frozenset(item.id for item in items),
            running={TaskId(task): status for task, status in (running or {}).items()},
            complete=frozenset(map(TaskId, complete)),
            threshold=threshold,
            limit=limit,
        )
    )


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """``spec``, ``item``, ``given``, ``judge`` and ``named`` as above; property tests may take it too."""
    return SimpleNamespace(spec=make_spec, item=make_item, given=Given, judge=judge, named=named)
