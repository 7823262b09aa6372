"""Which symbols of a spec say something about what it shares."""

from __future__ import annotations

from types import SimpleNamespace

from coffee_hooks.base.model import SymbolRole
from coffee_hooks.evaluate.sightings import COMMON, sightings


def names(found: object) -> set[str]:
    assert isinstance(found, dict)
    return {key.name for key in found}


def test_the_strongest_role_counts(make: SimpleNamespace) -> None:
    """A spec that uses, changes and introduces a class introduces it, at that line."""
    (found,) = sightings([make.spec(7, symbols=["uses class A", "introduces class A", "changes class A"])])
    (seen,) = found.values()
    assert (seen.role, seen.where) == (SymbolRole.INTRODUCES, "SPEC-7 line 51")


def test_names_that_everybody_uses_are_left_out(make: SimpleNamespace) -> None:
    """Tests, private functions, short and generic names say nothing; a class of such a name does."""
    said = ["def test_x", "def _hidden", "def run", "def execute", "class Config", "def load_plan", "class Store"]
    (found,) = sightings([make.spec(7, symbols=[f"introduces {each}" for each in said])])
    assert names(found) == {"load_plan", "Store"}


def test_a_common_function_is_no_structure_but_a_common_class_is(make: SimpleNamespace) -> None:
    """What several specs introduce under one name is a habit for functions, a shared structure for classes."""
    specs = [make.spec(n, symbols=["introduces def summarise", "introduces class Store"]) for n in range(COMMON)]
    assert [names(found) for found in sightings(specs)] == [{"Store"}] * COMMON
    assert [names(found) for found in sightings(specs[1:])] == [{"Store", "summarise"}] * (COMMON - 1)
