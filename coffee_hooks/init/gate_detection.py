"""How a project tests itself, read from what is committed. Pure: names and texts in, a gate out.

Nothing is guessed that could be green without testing: where no test is found there is no gate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from coffee_hooks.base.config import Command, Gate

MOST_TESTS = 200
"""So many test files are read at most; one ``import pytest`` among them decides."""

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_MANIFESTS = ("pyproject.toml", "setup.cfg", "tox.ini", "package.json", *MAKEFILES)
_REQUIREMENTS = re.compile(r"(requirements/)?[\w.-]*requirements[\w.-]*\.(txt|in)|requirements/[\w.-]+\.(txt|in)")
_TEST_FILE = re.compile(r"(?:.*/)?(?:test[^/]*|[^/]+_test)\.py")
_UNITTEST_FILE = re.compile(r"(?:.*/)?test[^/]*\.py")
_NO_TEST = re.compile(r"\s*|.*no test specified.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A gate and the evidence for it in one clause."""

    gate: Gate
    why: str


@dataclass(frozen=True, slots=True)
class Detection:
    """*chosen* is None where nothing tests this project; *others* are test commands that it has besides."""

    chosen: Found | None
    others: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lock:
    """A lock file of Node, the tool it belongs to and what installs exactly that."""

    name: str
    tool: str
    setup: Command


_LOCKS = (
    _Lock("package-lock.json", "npm", ("npm", "ci")),
    _Lock("npm-shrinkwrap.json", "npm", ("npm", "ci")),
    _Lock("pnpm-lock.yaml", "pnpm", ("pnpm", "install", "--frozen-lockfile")),
    _Lock("yarn.lock", "yarn", ("yarn", "install", "--frozen-lockfile")),
)


def worth_reading(names: Collection[str]) -> tuple[str, ...]:
    """The files among *names* whose text `detect` wants, at most ``MOST_TESTS`` tests among them."""
    manifests = [name for name in sorted(names) if name in _MANIFESTS or _REQUIREMENTS.fullmatch(name)]
    return (*manifests, *_tests(names)[:MOST_TESTS])


def detect(names: Collection[str], texts: Mapping[str, str]) -> Detection:
    """The gate of a project whose committed files are *names*; *texts* holds what `worth_reading` asked for.

    A ``make test`` that stands beside two or more languages is taken for the one that joins them.
    """
    languages = [
        found for found in (_python(names, texts), _node(names, texts), _go(names), _rust(names)) if found is not None
    ]
    make = _make(names, texts)
    ranked = [make, *languages] if make and len(languages) > 1 else [*languages, *([make] if make else [])]
    return Detection(ranked[0], tuple(ranked[1:])) if ranked else Detection(None)


def _tests(names: Collection[str]) -> list[str]:
    return [name for name in sorted(names) if _TEST_FILE.fullmatch(name) and "node_modules/" not in name]


def _python(names: Collection[str], texts: Mapping[str, str]) -> Found | None:
    if "noxfile.py" in names:
        return Found(Gate(command=("nox",), keep=(".nox",)), "there is a noxfile.py")
    if re.search(r"(?m)^\[(tox|testenv)", texts.get("tox.ini", "")):
        return Found(Gate(command=("tox",), keep=(".tox",)), "tox.ini has a test environment")
    why = _configured(names, texts) or _imported(names, texts) or _required(names, texts)
    if why:
        return Found(_through_uv(names, ("pytest", "-q")), why)
    tests = [name for name in _tests(names) if _UNITTEST_FILE.fullmatch(name)]
    return _unittest(names, tests) if tests else None


def _configured(names: Collection[str], texts: Mapping[str, str]) -> str | None:
    places = (
        ("pyproject.toml", r"^\[tool\.pytest\b"),
        ("setup.cfg", r"^\[tool:pytest\]"),
        ("tox.ini", r"^\[pytest\]"),
    )
    for name, section in places:
        if re.search(section, texts.get(name, ""), re.MULTILINE):
            return f"{name} configures pytest"
    return next((f"there is a {n}" for n in ("pytest.ini", ".pytest.ini", "pytest.toml") if n in names), None)


def _imported(names: Collection[str], texts: Mapping[str, str]) -> str | None:
    conftest = next((n for n in sorted(names) if PurePosixPath(n).name == "conftest.py"), None)
    if conftest:
        return f"there is a {conftest}"
    using = (n for n in _tests(names) if re.search(r"(?m)^\s*(import|from)\s+pytest\b", texts.get(n, "")))
    return next((f"{name} imports pytest" for name in using), None)


def _required(names: Collection[str], texts: Mapping[str, str]) -> str | None:
    if not _tests(names):
        return None
    for name, text in texts.items():
        if _REQUIREMENTS.fullmatch(name) and re.search(r"(?mi)^\s*pytest\b", text):
            return f"{name} asks for pytest"
    return "pyproject.toml asks for pytest" if re.search(r"[\"']pytest\b", texts.get("pyproject.toml", "")) else None


def _unittest(names: Collection[str], tests: list[str]) -> Found:
    """unittest finds tests below folders that are packages; a lone folder without ``__init__.py`` must be named."""
    hidden = sorted({str(PurePosixPath(t).parent) for t in tests if not _importable(t, names)})
    if not hidden:
        return Found(_through_uv(names, ("unittest",)), f"{tests[0]} is a test")
    if len(hidden) == 1 and all(str(PurePosixPath(t).parent) == hidden[0] for t in tests):
        return Found(
            _through_uv(names, ("unittest", "discover", "-s", hidden[0])), f"{hidden[0]} holds tests and is no package"
        )
    return Found(_through_uv(names, ("pytest", "-q")), f"unittest would not find {hidden[0]}, which has no __init__.py")


def _importable(test: str, names: Collection[str]) -> bool:
    folders = [str(folder) for folder in PurePosixPath(test).parents if str(folder) != "."]
    return all(f"{folder}/__init__.py" in names for folder in folders)


def _through_uv(names: Collection[str], module: Command) -> Gate:
    # As a module of the interpreter: that puts the candidate's own folder before anything installed.
    if "uv.lock" in names:
        command = ("uv", "run", "--frozen", "python", "-m", *module)
        return Gate(command=command, keep=(".venv",), environment=("uv.lock",))
    return Gate(command=("python3", "-m", *module))


def _node(names: Collection[str], texts: Mapping[str, str]) -> Found | None:
    try:
        manifest = json.loads(texts.get("package.json", "").removeprefix("\ufeff"))
        script = manifest["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(script, str) or _NO_TEST.fullmatch(script):
        return None
    why = "package.json has a test script"
    lock = next((lock for lock in _LOCKS if lock.name in names), None)
    if lock:
        gate = Gate((lock.tool, "test"), lock.setup, keep=("node_modules",), environment=(lock.name,))
        return Found(gate, why)
    if manifest.get("dependencies") or manifest.get("devDependencies"):
        setup = ("npm", "install", "--no-package-lock")
        return Found(Gate(("npm", "test"), setup, keep=("node_modules",), environment=("package.json",)), why)
    return Found(Gate(("npm", "test")), why)


def _go(names: Collection[str]) -> Found | None:
    return Found(Gate(("go", "test", "./...")), "there is a go.mod") if "go.mod" in names else None


def _rust(names: Collection[str]) -> Found | None:
    if "Cargo.toml" not in names:
        return None
    return Found(Gate(("cargo", "test"), keep=("target",)), "there is a Cargo.toml")


def _make(names: Collection[str], texts: Mapping[str, str]) -> Found | None:
    name = next((name for name in MAKEFILES if name in names), None)
    rules = re.findall(r"(?m)^([^\s:=#.][^:=#\n]*)::?(?![:=])", texts.get(name, "")) if name else []
    targets = {word for rule in rules for word in rule.split()}
    wanted = next((target for target in ("test", "check") if target in targets), None)
    return Found(Gate(("make", wanted)), f"{name} has a rule {wanted}") if wanted else None
