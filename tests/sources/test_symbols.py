"""The shared structures that a spec introduces, changes and uses."""

from __future__ import annotations

import pytest

from coffee_hooks.base.model import Symbol, SymbolKind, SymbolRole
from coffee_hooks.sources.markdown import scan
from coffee_hooks.sources.symbols import named_symbols

CLASS, FUNCTION, TABLE, ROUTE = SymbolKind.CLASS, SymbolKind.FUNCTION, SymbolKind.TABLE, SymbolKind.ROUTE
INTRODUCES, CHANGES, USES = SymbolRole.INTRODUCES, SymbolRole.CHANGES, SymbolRole.USES


def symbols(text: str) -> set[tuple[str, SymbolKind, SymbolRole]]:
    return {(symbol.name, symbol.kind, symbol.role) for symbol in named_symbols(scan(text))}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```python\nclass Store:\n    def save(self): ...\n```", {("Store", CLASS, INTRODUCES)}),
        ("```python\nclass Store(BaseStore):\n```", {("Store", CLASS, INTRODUCES), ("BaseStore", CLASS, USES)}),
        ("```python\n@dataclass\nclass Row:\n```", {("Row", CLASS, INTRODUCES)}),
        ("```python\nasync def load_rows(x):\n```", {("load_rows", FUNCTION, INTRODUCES)}),
        (
            "```ts\nexport interface Row {}\nexport function load(x) {}\n```",
            {("Row", CLASS, INTRODUCES), ("load", FUNCTION, INTRODUCES)},
        ),
        (
            "```go\ntype Row struct {\nfunc Load(x int) {\n```",
            {("Row", CLASS, INTRODUCES), ("Load", FUNCTION, INTRODUCES)},
        ),
        ("```sql\nCREATE TABLE IF NOT EXISTS rows (id INT);\n```", {("rows", TABLE, INTRODUCES)}),
        ("```sql\nALTER TABLE rows ADD x INT;\n```", {("rows", TABLE, CHANGES)}),
        (
            '```python\n@app.get("/api/rows")\ndef rows_view():\n```',
            {("/api/rows", ROUTE, INTRODUCES), ("rows_view", FUNCTION, INTRODUCES)},
        ),
        ("Modify the class:\n```python\nclass Store:\n```", {("Store", CLASS, CHANGES)}),
        ("### Extend Store\n\n```python\nclass Store:\n```", {("Store", CLASS, CHANGES)}),
        (
            "```python\nclass Store:\n    # ... existing methods ...\n    def new(self): ...\n```",
            {("Store", CLASS, CHANGES)},
        ),
        ("## Current State\n```python\nclass Store:\n```", {("Store", CLASS, USES)}),
        ("Extend `NotificationDB` with a column", {("NotificationDB", CLASS, CHANGES)}),
        ("Add a column to `Store`", {("Store", CLASS, CHANGES)}),
        ("Update `Store.save()` too", {("Store", CLASS, CHANGES)}),
        (
            "It calls `NotificationDB` and `load_rows()`",
            {("NotificationDB", CLASS, USES), ("load_rows", FUNCTION, USES)},
        ),
        ("The client sends POST /api/rows", {("/api/rows", ROUTE, USES)}),
        (
            "```python\nfrom pkg.store import Store, load_rows\n```",
            {("Store", CLASS, USES), ("load_rows", FUNCTION, USES)},
        ),
    ],
)
def test_roles(text: str, found: set[tuple[str, SymbolKind, SymbolRole]]) -> None:
    """A definition introduces unless the text speaks of something that exists; names elsewhere are used."""
    assert symbols(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "```python\nfrom typing import Optional\nfrom dataclasses import dataclass\n```",
        "```python\ndef test_x():\ndef main():\ndef _private():\nclass TestStore:\n```",
        "```bash\nclass=x function foo(\n```",
        "`daemon.py`, `README.md`, `True` or `US-104`",
        "plain Words and NotificationDB without marks",
    ],
)
def test_what_is_not_shared(text: str) -> None:
    """The standard library, tests, private names, shells, files and prose are no shared structures."""
    assert {name for name, _, _ in symbols(text)} <= {"True"}


def test_a_symbol_counts_once_at_its_strongest() -> None:
    """What is used first and defined later is introduced, at the line that defines it."""
    (symbol,) = named_symbols(scan("uses `RowStore`\n\n```python\nclass RowStore:\n```"))
    assert symbol == Symbol("RowStore", CLASS, INTRODUCES, 4)
