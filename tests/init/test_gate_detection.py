"""Which gate is chosen for which project, and that what is written means what was chosen."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.config import Gate
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.init.config_text import render_config
from coffee_hooks.init.gate_detection import MOST_TESTS, detect, worth_reading

PYTEST = Gate(("python3", "-m", "pytest", "-q"))
UNITTEST = Gate(("python3", "-m", "unittest"))
UNIT = "import unittest\n"


def node(scripts: object, **more: object) -> str:
    return json.dumps({"scripts": scripts, **more})


PROJECTS: dict[str, tuple[dict[str, str], Gate | None]] = {
    "pyproject configures pytest": ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, PYTEST),
    "native pytest table": ({"pyproject.toml": "[tool.pytest]\n"}, PYTEST),
    "pytest.ini": ({"pytest.ini": ""}, PYTEST),
    "setup.cfg": ({"setup.cfg": "[tool:pytest]\n"}, PYTEST),
    "tox.ini that only configures pytest": ({"tox.ini": "[pytest]\n"}, PYTEST),
    "a test imports pytest": ({"tests/test_a.py": "import os\nimport pytest\n"}, PYTEST),
    "a test imports from pytest": ({"tests/a_test.py": "from pytest import raises\n"}, PYTEST),
    "conftest": ({"tests/conftest.py": ""}, PYTEST),
    "requirements": ({"requirements-dev.txt": "black\npytest>=8\n", "tests/test_a.py": UNIT}, PYTEST),
    "dependency": ({"pyproject.toml": 'dev = ["pytest>=8"]\n', "tests/test_a.py": UNIT}, PYTEST),
    "a comment on pytest is no import": ({"test_a.py": "# import pytest\nimport unittest\n"}, UNITTEST),
    "unittest in a package": ({"tests/__init__.py": "", "tests/test_a.py": UNIT}, UNITTEST),
    "unittest at the top": ({"test_a.py": UNIT}, UNITTEST),
    "unittest in a lone folder": (
        {"tests/test_a.py": UNIT},
        Gate(("python3", "-m", "unittest", "discover", "-s", "tests")),
    ),
    "tests that unittest would not find": ({"a/test_a.py": UNIT, "b/test_b.py": UNIT}, PYTEST),
    "uv": (
        {"uv.lock": "", "pytest.ini": ""},
        Gate(("uv", "run", "--frozen", "python", "-m", "pytest", "-q"), keep=(".venv",), environment=("uv.lock",)),
    ),
    "nox": ({"noxfile.py": "", "pytest.ini": ""}, Gate(("nox",), keep=(".nox",))),
    "tox": ({"tox.ini": "[tox]\nenvlist = py\n", "pytest.ini": ""}, Gate(("tox",), keep=(".tox",))),
    "python without a test": ({"pyproject.toml": "[project]\nname = 'a'\n", "a.py": ""}, None),
    "npm with a lock": (
        {"package.json": node({"test": "jest"}), "package-lock.json": "{}"},
        Gate(("npm", "test"), ("npm", "ci"), keep=("node_modules",), environment=("package-lock.json",)),
    ),
    "npm without a lock": (
        {"package.json": node({"test": "jest"}, devDependencies={"jest": "*"})},
        Gate(
            ("npm", "test"), ("npm", "install", "--no-package-lock"),
            keep=("node_modules",), environment=("package.json",),
        ),
    ),
    "npm without dependencies": ({"package.json": node({"test": "node --test"})}, Gate(("npm", "test"))),
    "pnpm": (
        {"package.json": node({"test": "vitest run"}), "pnpm-lock.yaml": ""},
        Gate(
            ("pnpm", "test"), ("pnpm", "install", "--frozen-lockfile"),
            keep=("node_modules",), environment=("pnpm-lock.yaml",),
        ),
    ),
    "npm's placeholder": ({"package.json": node({"test": 'echo "Error: no test specified" && exit 1'})}, None),
    "npm with an empty script": ({"package.json": node({"test": " "})}, None),
    "npm with a script of another type": ({"package.json": node({"test": ["x"]})}, None),
    "package.json that is no object": ({"package.json": "[1]"}, None),
    "package.json that is broken": ({"package.json": "{"}, None),
    "package.json with a byte order mark": ({"package.json": "\ufeff" + node({"test": "x"})}, Gate(("npm", "test"))),
    "go": ({"go.mod": "module a\n"}, Gate(("go", "test", "./..."))),
    "rust": ({"Cargo.toml": "[package]\n"}, Gate(("cargo", "test"), keep=("target",))),
    "make test": ({"Makefile": ".PHONY: test\nall: build\n\ntest: all\n\ttrue\n"}, Gate(("make", "test"))),
    "make check": ({"GNUmakefile": "build check: x\n"}, Gate(("make", "check"))),
    "make with several targets": ({"makefile": "check test::\n"}, Gate(("make", "test"))),
    "make without a test": ({"Makefile": "test := 1\ntests: x\ncheck = 2\n\tcheck: no\n# test: no\n"}, None),
    "a language before make": ({"Makefile": "test:\n", "go.mod": ""}, Gate(("go", "test", "./..."))),
    "make that joins two languages": ({"Makefile": "test:\n", "go.mod": "", "Cargo.toml": ""}, Gate(("make", "test"))),
    "only below the top": ({"sub/go.mod": "", "sub/Makefile": "test:\n"}, None),
    "nothing": ({"README.md": "run pytest"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", PROJECTS)
def test_each_kind_of_project(name: str) -> None:
    """The gate follows from the files; written to the configuration it is read back as it was meant."""
    files, gate = PROJECTS[name]
    found = detect(files, {path: files[path] for path in worth_reading(files)})
    assert (found.chosen.gate if found.chosen else None) == gate
    text = render_config("roadmap", found)
    assert parse_config(text.encode(), {}).gate == (gate or Gate())
    assert ("NOTHING WILL LAND" in text) == (gate is None)
    assert "\t" not in text and all(len(line) <= 120 for line in text.splitlines())


def test_other_languages_are_named() -> None:
    """What the gate leaves out is said in the file, so that nobody believes it is tested."""
    found = detect({"go.mod": "", "Cargo.toml": ""}, {})
    assert [other.gate.command for other in found.others] == [("cargo", "test")]
    assert "# Not part of it: cargo test (there is a Cargo.toml)" in render_config("roadmap", found)


def test_few_files_are_read() -> None:
    """A huge suite is not read whole, and nothing is read that no rule asks for."""
    names = [f"tests/test_{n:05}.py" for n in range(5000)] + ["a.py", "docs/setup.cfg", "setup.cfg", "requirements.txt"]
    wanted = worth_reading(names)
    assert wanted[:2] == ("requirements.txt", "setup.cfg")
    assert len(wanted) == 2 + MOST_TESTS


@given(st.dictionaries(st.sampled_from(sorted({f for files, _ in PROJECTS.values() for f in files})), st.text()))
def test_hostile_texts(files: dict[str, str]) -> None:
    """Whatever the files hold, detection ends with a gate or none, and its configuration can be read."""
    render_config("roadmap", detect(files, files))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_any_target_is_written_as_meant(target: str) -> None:
    """A branch name that YAML would read as something else is quoted, or it is refused: never another name."""
    try:
        text = render_config(target, detect((), {}))
    except UsageError:
        return
    assert parse_config(text.encode(), {}).target == target


@pytest.mark.parametrize(
    "target", ["no", "1.5", "null", "0x1f", "a#b", "#a", "&a", "!a", "{a}", "%a", "2026-01-01", "Ünïcode", "😀"]
)
def test_targets_that_look_like_other_things(target: str) -> None:
    """Words of YAML stay words."""
    assert parse_config(render_config(target, detect((), {})).encode(), {}).target == target
