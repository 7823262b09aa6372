"""Commands run in this very process, as their console script would."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base import git as gate
from coffee_hooks.boundary import architect, main


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    rc: int
    out: str
    err: str

    @property
    def error(self) -> list[str]:
        """The lines of stderr that are no narration: one error, and its hint."""
        return [line for line in self.err.splitlines() if line.startswith(("error: ", "hint: "))]


def run_command(*args: str, program: str = "coffee") -> Said:
    """Run a command."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    listeners = list(gate.trace)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        rc = (main if program == "coffee" else architect)(args)
    gate.trace[:] = listeners
    texts = []
    for stream in (out, err):
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        texts.append(buffer.getvalue().decode())
    return Said(rc, *texts)


@cache
def validator(command: str) -> Draft202012Validator:
    """The validator of a command's output by the schema that ships, which is valid itself."""
    schema = json.loads(files("coffee_hooks").joinpath(f"schemas/{command}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def validated(command: str, text: str) -> list[dict[str, Any]]:
    """The JSON lines of an answer, each valid by the schema that ships."""
    found = []
    for line in text.splitlines():
        value = json.loads(line)
        validator(command).validate(value)
        assert value["schema"] == 1 and value["command"] == command
        found.append(value)
    return found


@pytest.fixture
def say() -> Callable[..., Said]:
    """``say(*args, program="coffee") -> Said``."""
    return run_command


@pytest.fixture
def valid() -> Callable[[str, str], list[dict[str, Any]]]:
    """``valid(command, text)``: the JSON lines of an answer, each valid by the schema that ships."""
    return validated
