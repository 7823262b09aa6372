"""What is a path of the repository, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import PathKind
from coffee_hooks.sources.file_trees import is_tree, tree_paths
from coffee_hooks.sources.paths import classify, find_paths, may_hold_path

FILE, GLOB, DIRECTORY, BARE = PathKind.FILE, PathKind.GLOB, PathKind.DIRECTORY, PathKind.BARE


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("- `src/app.py` - the app", [("src/app.py", FILE)]),
        ("see src/main.rs, web/app.component.ts.", [("src/main.rs", FILE), ("web/app.component.ts", FILE)]),
        (
            "`.github/workflows/ci.yml` and `docker/Dockerfile`",
            [(".github/workflows/ci.yml", FILE), ("docker/Dockerfile", FILE)],
        ),
        (
            ".claude/skills/architect/task-separator/skill.py",
            [(".claude/skills/architect/task-separator/skill.py", FILE)],
        ),
        ("migrations/001.sql", [("migrations/001.sql", FILE)]),
        (
            "`daemon.py`, pyproject.toml and `.gitignore`",
            [("daemon.py", BARE), ("pyproject.toml", BARE), (".gitignore", BARE)],
        ),
        ("`Makefile`", [("Makefile", BARE)]),
        ("**docs/x.md** (new)", [("docs/x.md", FILE)]),
        (
            "`src/x.py:12-30` `tests/test_a.py::test_x()` docs/a.md#anchor",
            [("src/x.py", FILE), ("tests/test_a.py", FILE), ("docs/a.md", FILE)],
        ),
        ("x.py,y.py", [("x.py", BARE), ("y.py", BARE)]),
        ("`src/**/*.py` test_*.py `docs/*`", [("src/**/*.py", GLOB), ("test_*.py", GLOB), ("docs/*", GLOB)]),
        (
            "`src/{a,b}.py` `src/{name}.py` `src/<name>.py`",
            [("src/a.py", FILE), ("src/b.py", FILE), ("src/*.py", GLOB), ("src/*.py", GLOB)],
        ),
        ("in `src/pkg/` and `a/b/c`", [("src/pkg", DIRECTORY), ("a/b/c", DIRECTORY)]),
        ("./src/a.py", [("src/a.py", FILE)]),
        ("[x](docs/x.md)", [("docs/x.md", FILE)]),
    ],
)
def test_paths_are_found(line: str, found: list[tuple[str, PathKind]]) -> None:
    """Any language and extension, dots and dashes, globs, braces, line numbers, markup and lists."""
    assert may_hold_path(line)
    assert [(path.pattern, path.kind) for path in find_paths(line)] == found


@pytest.mark.parametrize(
    "line",
    [
        "/etc/passwd and ~/.ssh/config and $HOME/x.py and C:\\x.py",
        "../outside.py and src/../../x.py",
        "https://example.com/a/b.py http://x.org/y.md github.com/a/b.py",
        "git@host:a/b.py",
        "v1.2.3 and 3.10 and 2.x and rich>=13.0",
        "e.g. i.e. etc. and/or CI/CD input/output US-012/US-013 10/20.5",
        "example.com Node.js Vue.js Next.js socket.io",
        "os.path, response.json(), self.app.run",
        "feature/us-104 origin/main",
        "*.py and */x",
        "A sentence. Another one... and more.",
        "1.5/2.x",
        "a" * 300 + ".py",
    ],
)
def test_lookalikes_are_refused(line: str) -> None:
    """Absolute and escaping paths, addresses, versions, domains, products, attributes, branches, half words."""
    assert list(find_paths(line)) == []


def test_code_quotes_its_names() -> None:
    """In code a dotted word is an attribute unless it is a string; a path with folders speaks for itself."""
    found = find_paths('x = config.yaml + open("data.json") + load("src/a.py")', code=True)
    assert [path.pattern for path in found] == ["data.json", "src/a.py"]


@given(st.text(max_size=200))
def test_no_line_raises_and_every_path_stays_inside(line: str) -> None:
    """Whatever is written, a path is relative, below the root, and really in the line."""
    for code in (False, True):
        for path in find_paths(line, code=code):
            assert not path.pattern.startswith(("/", "~", "-")) and ".." not in path.pattern.split("/")
            assert 0 <= path.start < path.end <= len(line)
            assert path.pattern.isprintable() and len(path.pattern) <= 250


@pytest.mark.parametrize("text", ["src/a.py", "a.py", ".env", "src/*.py", "src/"])
def test_classify_agrees_with_what_is_found(text: str) -> None:
    """A token alone on a line is found as what it is."""
    assert [path.kind for path in find_paths(f"`{text}`")] == [classify(text)]


DRAWN = """\
pkg/
├── cli/
│   ├── __init__.py
│   └── new.py          # NEW: commands
├── core.py             # UPDATE: use it
└── README.md
tests/
└── test_new.py"""
TREE = DRAWN.split("\n")


def test_a_tree_is_read_back_into_paths() -> None:
    """Folders above a file, by indentation, are its path."""
    assert is_tree(TREE)
    assert [(offset, path) for offset, path, _ in tree_paths(TREE)] == [
        (2, "pkg/cli/__init__.py"),
        (3, "pkg/cli/new.py"),
        (4, "pkg/core.py"),
        (5, "pkg/README.md"),
        (7, "tests/test_new.py"),
    ]


def test_a_flow_chart_is_no_tree() -> None:
    """The same lines also draw calls and decisions."""
    chart = ["Daemon", "├── Responds to user", "│   └── Writes status", "├── Done?", "│   └── stop.py", "└── start.py"]
    assert not is_tree(chart)
