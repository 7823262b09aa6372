"""The taste of the house where no linter looks; imports are judged by the contracts in .importlinter."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "coffee_hooks").rglob("*.py"))
TEST_FILES = sorted((ROOT / "tests").rglob("test_*.py"))

LINES = 300
WRITERS = {"base/output.py", "hook.py", "spawn/supervisor.py"}
"""The modules that may print, relative to the package."""

BOUNDARY = {"boundary.py"}
"""The one module that may catch whatever comes."""

# In pieces, or this file would break its own rule.
MACHINE = [
    *(re.compile(rf"(?<![\w}}.]){re.escape('/' + folder + '/')}") for folder in ("work", "root", "opt")),
    *(
        re.compile(re.escape(host))
        for host in ("pypi" + ".org", "python" + "hosted", "npmjs" + ".org", "deb" + "ian.org")
    ),
]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=named(path))


def prints(tree: ast.AST) -> Iterator[int]:
    """The lines that call ``print``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno


def catches_all(tree: ast.AST) -> Iterator[int]:
    """The lines that catch everything, save ``except BaseException`` that undoes and raises again."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else {"bare"}
        last = node.body[-1]
        passes_on = isinstance(last, ast.Raise) and last.exc is None
        if kinds & {"bare", "Exception"} or ("BaseException" in kinds and not passes_on):
            yield node.lineno


def repository_files() -> list[Path]:
    """What is committed or about to be, as git sees it."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_the_checks_see_what_they_look_for() -> None:
    """Each check of this file finds the fault it is there for, so a green one means something."""
    faulty = ast.parse("try:\n  print()\nexcept Exception:\n  raise\nexcept:\n  pass\nexcept BaseException:\n  x()\n")
    sound = ast.parse("try:\n  console.print()\nexcept OSError:\n  pass\nexcept BaseException:\n  undo()\n  raise\n")
    assert (list(prints(faulty)), list(catches_all(faulty))) == ([2], [3, 5, 7])
    assert (list(prints(sound)), list(catches_all(sound))) == ([], [])
    assert all(any(rule.search(text) for rule in MACHINE) for text in ("cd /" + "work/x", "https://pypi" + ".org/"))
    assert not any(rule.search("${HOME}/" + "work/x, sub/" + "work/x, /tmp/worktrees") for rule in MACHINE)


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_module_keeps_the_house_rules(module: Path) -> None:
    """A module is short, prints only where an answer is written, and catches only what it can name."""
    inside = module.relative_to(ROOT / "coffee_hooks").as_posix()
    tree = parsed(module)
    assert len(module.read_text(encoding="utf-8").splitlines()) <= LINES
    assert inside in WRITERS or not list(prints(tree))
    assert inside in BOUNDARY or not list(catches_all(tree))


def test_every_test_says_what_it_proves() -> None:
    """A test without a docstring is a riddle when it fails."""
    silent = [
        f"{named(path)}:{node.lineno} {node.name}"
        for path in TEST_FILES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_test_files_have_names_of_their_own() -> None:
    """Without packages two test files of one name would shadow each other."""
    counted = Counter(path.name for path in TEST_FILES)
    assert [name for name, times in counted.items() if times > 1] == []


def test_the_repository_speaks_of_itself_alone() -> None:
    """No committed file names a folder of somebody's machine or the host of a package registry."""
    found = []
    for path in repository_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{named(path)}: {hit.group()}" for rule in MACHINE for hit in rule.finditer(text)]
    assert found == []


def test_the_readme_has_the_command_that_ci_runs() -> None:
    """The marked block of the README holds one line, which makes an environment and runs every check."""
    blocks = re.findall(
        r"^<!-- test command -->$\s*^```\w*\n(.*?)^```$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.M | re.S,
    )
    assert len(blocks) == 1
    assert re.fullmatch(r"python3 -m venv \.venv && .* && \.venv/bin/nox\n", blocks[0])
