"""Classes, functions, tables and routes as the things that specs share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from coffee_hooks.base.model import Spec, Symbol, SymbolKind, SymbolRole
from coffee_hooks.evaluate.footprint import cite

COMMON = 3
"""A function that this many specs introduce is a habit (``execute``, ``to_dict``), not a shared structure."""

_GENERIC_FUNCTION = re.compile(
    r"_.*|test_.*|.{1,3}|main|setup|teardown|execute|process|handle|init|call|wrapper|decorator|helper|post|create"
    r"|update|delete|remove|load|save|read|write|open|close|start|stop|build|parse|render|validate|check|test"
    r"|(?:to|from)_(?:dict|json)"
)
_GENERIC_CLASS = re.compile(r"Config|Meta|Base|Args")
_STRONGEST = {SymbolRole.INTRODUCES: 0, SymbolRole.CHANGES: 1, SymbolRole.USES: 2}


class SymbolKey(NamedTuple):
    """What two mentions of one symbol have in common. Classes and functions share a namespace."""

    space: str
    name: str


class Sighting(NamedTuple):
    """A symbol in one spec: what the spec does with it, and where (``SPEC-104 line 12``)."""

    key: SymbolKey
    kind: SymbolKind
    role: SymbolRole
    where: str


def sightings(specs: Sequence[Spec]) -> tuple[Mapping[SymbolKey, Sighting], ...]:
    """For each spec its symbols, one sighting each with the strongest role; names that say nothing left out."""
    found = [_sightings(spec) for spec in specs]
    introduced: dict[SymbolKey, int] = {}
    for each in found:
        for seen in each.values():
            introduced[seen.key] = introduced.get(seen.key, 0) + (seen.role is SymbolRole.INTRODUCES)
    return tuple(
        {key: seen for key, seen in each.items() if seen.kind is not SymbolKind.FUNCTION or introduced[key] < COMMON}
        for each in found
    )


def _sightings(spec: Spec) -> dict[SymbolKey, Sighting]:
    found: dict[SymbolKey, Sighting] = {}
    for symbol in _telling(spec.symbols):
        seen = Sighting(_key(symbol), symbol.kind, symbol.role, cite(spec, symbol.line))
        known = found.get(seen.key)
        if known is None or _STRONGEST[seen.role] < _STRONGEST[known.role]:
            found[seen.key] = seen
    return found


def _telling(symbols: Iterable[Symbol]) -> Iterable[Symbol]:
    return (symbol for symbol in symbols if not _is_generic(symbol))


def _is_generic(symbol: Symbol) -> bool:
    name = symbol.name.rpartition(".")[2]
    if symbol.kind is SymbolKind.FUNCTION:
        return _GENERIC_FUNCTION.fullmatch(name) is not None
    return symbol.kind is SymbolKind.CLASS and _GENERIC_CLASS.fullmatch(name) is not None


def _key(symbol: Symbol) -> SymbolKey:
    if symbol.kind is SymbolKind.TABLE:
        return SymbolKey("table", symbol.name.lower())
    return SymbolKey("route" if symbol.kind is SymbolKind.ROUTE else "code", symbol.name)
