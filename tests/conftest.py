"""A sealed environment for every test, and a small real repository with a bare origin to play in.

Take ``git`` and ``sandbox`` as fixtures; to annotate, ``if TYPE_CHECKING: from conftest import Sandbox``.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from coffee_hooks import boundary
from coffee_hooks.base import git as gate
from coffee_hooks.base import output

ROOT = Path(__file__).resolve().parent.parent

# No deadline and no stored examples: a slow or a second run must not change the verdict.
settings.register_profile("house", deadline=None, database=None, derandomize=True)
settings.load_profile("house")

FOREIGN = ("GIT_", "COFFEE_", "GITHUB_", "RUNNER_", "ACTIONS_", "PRE_COMMIT", "PYTHON", "XDG_", "LC_", "NOX_")
FOREIGN_NAMES = ("CI", "GH_TOKEN", "NO_COLOR", "FORCE_COLOR", "LANG", "LANGUAGE", "SKIP", "COLUMNS", "LINES")

ENCODING = ("utf-8", "surrogateescape")

GITCONFIG = """\
[user]
\tname = Dev Eloper
\temail = dev@example.invalid
[init]
\tdefaultBranch = main
[core]
\tfsync = none
[maintenance]
\tauto = false
[receive]
\tautogc = false
"""
"""Who commits, and no work that proves nothing: no test cuts the power or fills a repository."""


def pytest_configure() -> None:
    """Under nox the installed wheel is what is tested, never the checkout."""
    import coffee_hooks

    gc.set_threshold(boundary.NEW_OBJECTS)
    where = Path(coffee_hooks.__file__).resolve()
    if os.environ.get("EXPECT_WHEEL") and where.parent.parent == ROOT:
        raise pytest.UsageError(f"the checkout is tested instead of the wheel: {where}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes a minute of waiting begins first: at the end everybody would wait for it."""
    items.sort(key=lambda item: item.path.name != "test_soak.py")


def pytest_collection_finish() -> None:
    """Four thousand tests stay until the end: to look for garbage among them takes a sixth of our time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def hermetic(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own and none of the caller's git, CI or locale settings; yields the home."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name in FOREIGN_NAMES:
            monkeypatch.delenv(name)
    (home / ".gitconfig").write_text(GITCONFIG)
    sealed = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": home / ".gitconfig",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    for name, value in sealed.items():
        monkeypatch.setenv(name, str(value))
    yield home


@dataclass(frozen=True)
class Completed:
    """How a command ended."""

    rc: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Stdout as the one JSON object of the contract."""
        try:
            value = json.loads(self.out)
        except ValueError as error:
            raise AssertionError(f"not JSON, exit {self.rc}\n{self.out}\n{self.err}") from error
        assert isinstance(value, dict), self.out
        return value


def completed(command: Sequence[str], stdin: str | None, **where: Any) -> Completed:
    """Run a command to its end. Every byte of what it writes is kept, carriage returns too."""
    done = subprocess.run(
        command, input=(stdin or "").encode(*ENCODING), capture_output=True, check=False, timeout=300, **where
    )
    return Completed(done.returncode, done.stdout.decode(*ENCODING), done.stderr.decode(*ENCODING))


def in_this_process(args: Sequence[str], where: Path, environ: Mapping[str, str], stdin: str | None) -> Completed:
    """How ``coffee`` ends: the start of a Python costs more than most commands, and nine tests of ten run one."""
    with ExitStack() as after:
        for number in (signal.SIGINT, signal.SIGTERM):
            after.callback(signal.signal, number, signal.getsignal(number))
        after.callback(output.configure, loudness=output.Loudness.NORMAL, as_json=False)
        after.callback(gate.trace.__setitem__, slice(None), list(gate.trace))
        before = os.open(".", os.O_RDONLY)
        after.callback(os.close, before)
        after.callback(os.fchdir, before)
        after.enter_context(environment(environ))
        os.chdir(where)
        files = [after.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write((stdin or "").encode(*ENCODING))
        files[0].seek(0)
        with standard_files(*(file.fileno() for file in files)):
            rc = boundary.main(args)
        said = [os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(*ENCODING) for file in files[1:]]
    return Completed(rc, *said)


@contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """The environment with *changes*, and afterwards as it was."""
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


@contextmanager
def standard_files(*files: int) -> Iterator[None]:
    """Descriptors in the place of stdin, stdout and stderr, for Python and for whatever it starts."""
    names, modes = ("stdin", "stdout", "stderr"), ("r", "w", "w")
    ours, streams = [os.dup(place) for place in range(3)], [getattr(sys, name) for name in names]
    for stream in streams[1:]:
        stream.flush()
    try:
        for place, file in enumerate(files):
            os.dup2(file, place)
            setattr(sys, names[place], os.fdopen(place, modes[place], encoding="utf-8", closefd=False))
        yield
    finally:
        for place, stream in enumerate(streams):
            getattr(sys, names[place]).close()
            setattr(sys, names[place], stream)
            os.dup2(ours[place], place)
            os.close(ours[place])


def run_git(cwd: Path, *args: str, input: str | None = None, check: bool = True) -> str:
    """Stdout of ``git -C cwd args``, without its last newline; a failure raises with git's own words."""
    done = completed(["git", "-C", str(cwd), *args], input)
    if check and done.rc:
        raise AssertionError(f"git {' '.join(args)} -> {done.rc}\n{done.out}{done.err}")
    return done.out.removesuffix("\n")


@pytest.fixture
def git() -> Callable[..., str]:
    """``git(cwd, *args, input=None, check=True) -> str``, see ``run_git``."""
    return run_git


SPEC = """\
# SPEC-{number}: {title}

**Depends on**: {depends}

## Files to modify

- `{module}`
- `{test}`
"""

MODULE = 'def {name}() -> str:\n    return "{name}"\n'

TEST = """\
import unittest

from pkg.{name} import {name}


class Test(unittest.TestCase):
    def test_{name}(self) -> None:
        self.assertEqual({name}(), "{name}")
"""

ITEM = """\
### US-{number}: {title} 📝 Planned

**Status**: 📝 Planned
**Estimated Effort**: 2 hours

Do {title}.

"""

TASKS = (
    ("104", "Feature X", "alpha", "None"),
    ("105", "Feature Y", "beta", "None"),
    ("106", "Feature Z", "beta", "US-105"),
)


def sample() -> dict[str, str]:
    """Three planned tasks (104 and 105 independent, 106 after 105), their specs, code and a quick gate."""
    files = {
        ".gitignore": "__pycache__/\n.env\n",
        ".coffee.yaml": f"gate: {{command: {json.dumps([sys.executable, '-m', 'unittest', '-q'])}}}\n",
        "docs/roadmap/ROADMAP.md": "# Roadmap\n\n" + "".join(ITEM.format(number=n, title=t) for n, t, _, _ in TASKS),
        "pkg/__init__.py": "",
        "tests/__init__.py": "",
    }
    for number, title, name, depends in TASKS:
        module, test = f"pkg/{name}.py", f"tests/test_{name}.py"
        slug = title.lower().replace(" ", "-")
        files[f"docs/architecture/specs/SPEC-{number}-{slug}.md"] = SPEC.format(
            number=number, title=title, depends=depends, module=module, test=test
        )
        files[module], files[test] = MODULE.format(name=name), TEST.format(name=name)
    return files


def import_stream(ref: str, parent: str | None, files: Mapping[str, str | None], message: str) -> str:
    """One commit in the format of git-fast-import(1); a file of None is deleted. Dates are fixed."""

    def data(text: str) -> str:
        return f"data {len(text.encode(*ENCODING))}\n{text}\n"

    def quoted(path: str) -> str:
        return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = [
        f"commit {ref}\nmark :1\n",
        "committer Dev Eloper <dev@example.invalid> 1760900000 +0000\n",
        data(message),
    ]
    if parent:
        lines.append(f"from {parent}\n")
    for path, text in files.items():
        lines.append(f"D {quoted(path)}\n" if text is None else f"M 100644 inline {quoted(path)}\n{data(text)}")
    return "".join(lines)


@dataclass(frozen=True)
class Sandbox:
    """A bare ``origin`` and its clone ``work``, which has ``roadmap`` checked out, with the sample in it."""

    origin: Path
    work: Path

    def branch(
        self,
        name: str,
        files: Mapping[str, str | None],
        message: str = "feat: Implement US-104 - Feature X",
        base: str = "roadmap",
    ) -> str:
        """Put one commit on top of branch ``name`` (made from ``base`` if missing) and return its SHA.

        No checkout is touched, so ``name`` must not be checked out anywhere. A file of None is deleted.
        """
        ref = f"refs/heads/{name}"
        asked = f"{ref}^{{commit}}\n{base}^{{commit}}\n"
        found = run_git(self.work, "cat-file", "--batch-check=%(objectname)", input=asked).splitlines()
        parent = next(line for line in found if not line.endswith(" missing"))
        stream = import_stream(ref, parent, files, message) + "get-mark :1\n"
        return run_git(self.work, "fast-import", "--quiet", input=stream)

    def commit(self, files: Mapping[str, str], message: str = "chore: Change files", cwd: Path | None = None) -> str:
        """Write the files in a checkout (default ``work``), commit them there and return the SHA."""
        where = cwd or self.work
        for path, text in files.items():
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            (where / path).write_text(text, encoding="utf-8")
        run_git(where, "add", "--", *files)
        run_git(where, "commit", "-q", "--no-verify", "-m", message)
        return run_git(where, "rev-parse", "HEAD")

    def push(self, *branches: str) -> None:
        """Push branches (default: the one checked out in ``work``) to the origin under their own names."""
        run_git(self.work, "push", "-q", "origin", *(branches or ("HEAD",)))

    def coffee(
        self,
        *args: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
    ) -> Completed:
        """Run a command as its console script would, from ``work`` unless told otherwise, in this very process."""
        return in_this_process(list(map(str, args)), cwd or self.work, env or {}, stdin)

    def coffee_apart(
        self, *args: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Completed:
        """As ``coffee``, in a process of its own: for what a process is, and for several side by side."""
        # -I keeps the sandbox's files out of sys.path, as for the installed console script.
        command = [sys.executable, "-I", "-m", "coffee_hooks", *map(str, args)]
        return completed(command, None, cwd=cwd or self.work, env={**os.environ, **(env or {})})

    def refs(self, prefix: str = "refs/", where: Path | None = None) -> dict[str, str]:
        """Full ref name -> SHA below a prefix, of ``work`` or of another repository."""
        out = run_git(where or self.work, "for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return dict(line.split(" ") for line in out.splitlines())


@dataclass(frozen=True)
class Cast:
    """What a folder held right after it was made: name, mode and bytes of each file, no bytes for a folder."""

    root: Path
    entries: tuple[tuple[str, int, bytes | None], ...]

    @classmethod
    def of(cls, root: Path) -> Cast:
        """Everything below *root*, folders before what is in them."""
        found = sorted(root.rglob("*"))
        assert not any(path.is_symlink() for path in found)
        return cls(
            root,
            tuple((str(p.relative_to(root)), p.stat().st_mode, None if p.is_dir() else p.read_bytes()) for p in found),
        )

    def pour(self, place: Path) -> None:
        """Make the same in *place*; files that name the folder they were made in name this one."""
        here, there = os.fsencode(self.root), os.fsencode(place)
        for name, mode, data in self.entries:
            if data is None:
                os.mkdir(place / name, mode)  # noqa: PTH102 - a thousand tests wait for this loop
                continue
            file = os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            os.write(file, data.replace(here, there))
            os.close(file)


Pour = Callable[[str, Path, Callable[[], object]], bool]


@pytest.fixture(scope="session")
def casts() -> dict[str, Cast]:
    """What ``made_once`` has seen being made in this process."""
    return {}


@pytest.fixture
def made_once(casts: dict[str, Cast]) -> Pour:
    """``made_once(name, place, make)`` fills *place* by calling *make*, the next time by copying what that made."""

    def fill(name: str, place: Path, make: Callable[[], object]) -> bool:
        if name not in casts:
            make()
            casts[name] = Cast.of(place)
            return False
        casts[name].pour(place)
        return True

    return fill


def make_sandbox(box: Sandbox) -> None:
    """An origin and its clone. One pack instead of loose objects, and no sample hooks: every file is copied often."""
    place = box.origin.parent
    run_git(place, "init", "-q", "--bare", "-b", "roadmap", str(box.origin))
    run_git(
        box.origin,
        *("-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"),
        input=import_stream("refs/heads/roadmap", None, sample(), "chore: Start")
        + "\nreset refs/heads/main\nfrom refs/heads/roadmap\n\n",
    )
    run_git(place, "clone", "-q", str(box.origin), str(box.work))
    for hook in (*box.origin.glob("hooks/*.sample"), *box.work.glob(".git/hooks/*.sample")):
        hook.unlink()


BoxWith = Callable[[str, Callable[[Sandbox], object]], Sandbox]


@pytest.fixture
def sandbox_with(tmp_path: Path, made_once: Pour) -> BoxWith:
    """``sandbox_with(name, change)`` is a fresh sandbox in which *change* has been made, once per process."""

    def fresh(name: str, change: Callable[[Sandbox], object]) -> Sandbox:
        box = Sandbox(tmp_path / "origin.git", tmp_path / "work")

        def make() -> None:
            make_sandbox(box)
            change(box)

        if made_once(name, tmp_path, make):
            run_git(box.work, "update-index", "-q", "--refresh")
        return box

    return fresh


@pytest.fixture
def sandbox(sandbox_with: BoxWith) -> Sandbox:
    """A fresh origin and clone; ``main`` and ``roadmap`` start at the same commit."""
    return sandbox_with("sandbox", lambda _: None)
