"""Only the runner of GitPython is loaded, in every circumstance it works, and it is in nobody's way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coffee_hooks.base import runner as base_runner

ASK = 'assert runner().git().execute(["git", "version"]).startswith("git version")\n'
LOAD = "import sys\nfrom coffee_hooks.base.runner import runner\n" + ASK


@pytest.mark.parametrize(
    "program",
    [
        LOAD + "assert not {'git.repo', 'git.objects', 'git.remote', 'git'} & sys.modules.keys()",
        LOAD + "import git\nassert git.cmd.Git().version_info and git.Repo",
        "import git\n" + LOAD + "assert runner().git is git.cmd.Git",
        LOAD + "from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "assert len(set(Pool(8).map(lambda _: runner(), range(64)))) == 1",
        # A GitPython whose runner cannot be loaded alone.
        "import coffee_hooks.base.runner as ours\nours._without_package = lambda: None\n" + LOAD,
    ],
    ids=["alone", "before a whole one", "after a whole one", "threads", "not alone"],
)
def test_the_runner_works(program: str) -> None:
    """In a process of its own, because what is loaded stays."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_git_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """It raises what the gate to git looks for."""
    monkeypatch.setenv("PATH", "/nowhere")
    found = base_runner.runner()
    with pytest.raises(found.missing):
        found.git().execute(["git", "version"])


def test_a_package_that_cannot_be_split_leaves_nothing_half_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names under which it was tried are free again."""
    monkeypatch.setattr(base_runner, "PACKAGE", "wsgiref")
    assert base_runner._without_package() is None
    assert not [name for name in sys.modules if name.startswith("wsgiref")]
