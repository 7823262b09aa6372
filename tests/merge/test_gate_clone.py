"""The gate's clone is exactly the candidate, it is ours, and nothing done in it reaches anybody."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Lane

from coffee_hooks.base.clone import MARK


def test_stale_bytecode_cannot_turn_red_into_green(lane: Lane) -> None:
    """A changed module of the same size and second is compiled anew: its predecessor's bytecode is gone."""
    python = shutil.which("python3")
    check = "import pkg.alpha, sys; sys.exit(pkg.alpha.VALUE != 1)"
    touch = "find . -name '*.py' -exec touch -d '2020-01-01' {} +"
    lane.with_gate(f'{touch}; {python} -c "{check}"', retries=0)
    lane.branch(1, {"pkg/alpha.py": "VALUE = 1\n"})
    lane.branch(2, {"pkg/alpha.py": "VALUE = 2\n"})
    assert lane.merge("roadmap-wt1", "--check").outcome == "would-land"
    said = lane.merge("roadmap-wt2", "--check")
    assert said.result["reason"] == "the gate is red on the target itself, so no branch is blamed"


@pytest.mark.parametrize("left", ["pkg/__pycache__/beta.pyc", "build/out.py", "pkg/gone/mod.pyc", "nested/.git/HEAD"])
def test_nothing_of_one_candidate_is_there_for_the_next(lane: Lane, left: str) -> None:
    """Ignored, untracked and nested repositories' files go before the next candidate is tested."""
    folder = str(Path(left).parent)
    lane.box.commit({".gitignore": "__pycache__/\n*.pyc\nbuild/\n"})
    lane.with_gate(f"if [ -e pkg/new1.py ]; then mkdir -p {folder}; echo x > {left}; else [ ! -e {left} ]; fi")
    lane.branch(1)
    lane.branch(2)
    assert lane.merge("roadmap-wt1", "--check").outcome == "would-land"
    assert lane.merge("roadmap-wt2", "--check").outcome == "would-land"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("git -c user.name=x -c user.email=x commit -q --allow-empty -m x", "HEAD was another commit"),
        ("git checkout -q HEAD~1", "HEAD was another commit"),
        ("echo x >> pkg/alpha.py", "tracked files were changed: pkg/alpha.py"),
        ("rm pkg/alpha.py", "tracked files were changed: pkg/alpha.py"),
        ("git add --force .; echo x > y; git add y", "tracked files were changed: y"),
        ("git update-index --assume-unchanged pkg/alpha.py; echo x >> pkg/alpha.py", "hidden from git"),
        ("git update-index --skip-worktree pkg/alpha.py; echo x >> pkg/alpha.py", "hidden from git"),
        ("rm -rf .git", "clone is broken"),
        ("mv .git/HEAD .git/GONE", "clone is broken"),
    ],
)
def test_a_gate_that_changes_what_it_judges_proves_nothing(lane: Lane, script: str, why: str) -> None:
    """Error and not green, and the next branch finds a clone in order."""
    lane.with_gate(f"[ -e pkg/new2.py ] || {{ {script}; }}")
    lane.branch(1)
    lane.branch(2)
    said = lane.merge()
    assert (said.rc, said.outcome) == (4, "error")
    assert why in said.result["reason"]
    assert lane.verdicts() == {}
    lane.assert_landed(lane.merge("roadmap-wt2"), 2)


def test_what_the_gate_does_with_git_stays_in_its_clone(lane: Lane) -> None:
    """Stash, configuration, branches, tags and pushes of a test reach neither the user's repository nor the origin."""
    script = (
        "echo x > junk; git add junk; git -c user.name=x -c user.email=x stash -q; git config user.name Gate;"
        "git branch b; git tag t; git push -q origin HEAD:refs/heads/x; git push -q . HEAD:refs/heads/y; true"
    )
    lane.with_gate(script)
    lane.branch()
    config, before = (lane.work / ".git/config").read_bytes(), lane.box.refs()
    origin = lane.box.refs(where=lane.box.origin)
    lane.merge("roadmap-wt1", "--check")
    changed = {ref for ref, sha in lane.box.refs().items() if before.get(ref) != sha}
    assert {ref.split("/")[2] for ref in changed} == {"verdicts"}
    assert (lane.work / ".git/config").read_bytes() == config
    assert lane.box.refs(where=lane.box.origin) == origin
    assert lane.git(lane.work, "stash", "list") == ""


@pytest.mark.parametrize(
    "script",
    [
        "git config core.autocrlf true",
        "mkdir -p .git/info; echo '*.py filter=evil' > .git/info/attributes; git config filter.evil.smudge 'echo ok'",
        "git replace $(echo 'VALUE = 2' | git hash-object -w --stdin) $(echo evil | git hash-object -w --stdin)",
        "git update-index --assume-unchanged pkg/alpha.py; kill -9 $PPID $$",
        "touch .git/index.lock .git/HEAD.lock",
        "mkdir -p deep/er; touch deep/er/file; chmod 000 deep/er; chmod 500 deep",
        "echo garbage > .git/index; kill -9 $$",
    ],
)
def test_one_run_cannot_prepare_the_verdict_of_the_next(lane: Lane, script: str) -> None:
    """Whatever a test does to the clone's own git, the next candidate is checked out byte for byte."""
    lane.with_gate(
        "if [ -e pkg/new2.py ]; then grep -q '^VALUE = 2$' pkg/alpha.py && [ -z \"$(git status --porcelain)\" ];"
        f" else {script}; fi"
    )
    lane.branch(1)
    lane.branch(2, {"pkg/new2.py": "x = 2\n", "pkg/alpha.py": "VALUE = 2\n"})
    pid = os.fork()
    if not pid:  # one of the scripts kills its parent
        try:
            lane.merge("roadmap-wt1", "--check")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    said = lane.merge("roadmap-wt2", "--check")
    assert said.outcome == "would-land", said.told


def test_a_foreign_folder_in_its_place_is_refused_untouched(lane: Lane) -> None:
    """What is not provably ours is never emptied: not a folder, not somebody's repository, not a link."""
    lane.branch()
    mine = lane.work.parent / "mine"
    mine.mkdir()
    (mine / "work.txt").write_text("work\n")
    lane.gate.parent.mkdir()
    for make in (
        lambda: shutil.copytree(mine, lane.gate),
        lambda: lane.git(lane.work, "clone", "-q", str(lane.work), str(lane.gate)),
        lambda: lane.gate.symlink_to(mine),
        lambda: shutil.copytree(mine, lane.gate.with_name("gate1.making")),
    ):
        make()
        before = {str(p): p.lstat().st_mtime_ns for p in lane.gate.parent.rglob("*") if ".git" not in p.parts}
        said = lane.merge()
        assert (said.rc, said.outcome) == (4, "error")
        assert "is not a gate of coffee" in said.result["reason"]
        assert {str(p): p.lstat().st_mtime_ns for p in lane.gate.parent.rglob("*") if ".git" not in p.parts} == before
        for path in lane.gate.parent.iterdir():
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
    assert (mine / "work.txt").read_text() == "work\n"
    lane.assert_landed(lane.merge())


def test_the_gate_of_another_repository_is_not_taken(lane: Lane, tmp_path: Path) -> None:
    """Two repositories that share a worktrees.root would test in one clone at the same time."""
    shared = str(tmp_path / "shared")
    lane.configure(worktrees={"root": shared})
    other = tmp_path / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    lane.branch()
    lane.git(other, "fetch", "-q", str(lane.work), "roadmap-wt1:roadmap-wt1")
    assert lane.merge("roadmap-wt1", "--check").outcome == "would-land"
    said = lane.merge("roadmap-wt1", "--check", where=other)
    assert "is the gate of another repository" in said.result["reason"]
    lane.work.rename(tmp_path / "gone")
    assert lane.merge("roadmap-wt1", "--check", where=other).outcome == "would-land"


def test_a_half_made_or_half_removed_clone_is_made_anew(lane: Lane) -> None:
    """What a kill leaves while the clone is made or thrown away is recognised as ours."""
    lane.branch()
    making = lane.gate.with_name("gate1.making")
    (making / ".git").mkdir(parents=True)
    (lane.gate / ".git").mkdir(parents=True)
    assert lane.merge("roadmap-wt1", "--check").outcome == "would-land"
    for path in [*lane.gate.iterdir(), *(lane.gate / ".git").iterdir()]:
        if path.name not in (".git", MARK):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = lane.merge("roadmap-wt1", "--check", "--retest")
    assert said.outcome == "would-land", said.told
    lane.assert_tidy()


def test_what_is_kept_is_set_up_once_and_again_when_its_files_change(lane: Lane, tmp_path: Path) -> None:
    """``gate.keep`` survives cleaning; setup runs again for another content of ``gate.environment``, from nothing."""
    setup = f"echo run >> {tmp_path}/setups; mkdir -p .cache; cp pins .cache/; [ ! -e .cache/old ]; touch .cache/old"
    lane.box.commit({"pins": "one\n", ".gitignore": ".cache/\n"})
    lane.with_gate(
        "x",
    )
    lane.configure(
        gate={
            "command": ["cmp", "pins", ".cache/pins"], "setup": ["sh", "-c", setup], "keep": [".cache"],
            "environment": ["pins"],
        }
    )  # fmt: skip

    def runs() -> int:
        return (tmp_path / "setups").read_text().count("run")

    lane.branch(1)
    lane.branch(2)
    lane.branch(3, {"pins": "two\n"})
    for number, wanted in ((1, 1), (2, 1), (3, 2), (1, 3)):
        assert lane.merge(f"roadmap-wt{number}", "--check", "--retest").outcome == "would-land"
        assert runs() == wanted


def test_without_kept_files_setup_runs_every_time(lane: Lane, tmp_path: Path) -> None:
    """What setup makes is cleaned away when nothing is kept, so it is made again."""
    lane.box.commit({".gitignore": "made\n"})
    lane.configure(
        gate={"command": ["test", "-e", "made"], "setup": ["sh", "-c", f"echo x >> {tmp_path}/n; touch made"]}
    )
    for number in (1, 2):
        lane.branch(number)
        assert lane.merge(f"roadmap-wt{number}", "--check").outcome == "would-land"
    assert (tmp_path / "n").read_text() == "x\nx\n"


def test_a_setup_that_failed_half_way_is_not_trusted(lane: Lane) -> None:
    """After a failed setup for other files, the kept folder is not taken for what it was before."""
    setup = "mkdir -p .cache; cp pins .cache/pins; ! grep -q bad pins"
    lane.box.commit({"pins": "good\n", ".gitignore": ".cache/\n"})
    gate = {"command": ["cmp", "pins", ".cache/pins"], "setup": ["sh", "-c", setup], "keep": [".cache"]}
    lane.configure(gate={**gate, "environment": ["pins"]})
    lane.branch(1)
    lane.branch(2, {"pins": "bad\n"})
    assert lane.merge("roadmap-wt1", "--check").outcome == "would-land"
    assert lane.merge("roadmap-wt2", "--check").outcome == "error"
    assert lane.merge("roadmap-wt1", "--check", "--retest").outcome == "would-land"


def test_the_environment_files_are_part_of_the_verdict(lane: Lane) -> None:
    """The same tree is the same verdict; another content of an environment file is another tree anyway."""
    lane.configure(gate={"command": ["true"], "environment": ["pins", "no/such/file", "pkg"]})
    lane.branch(1)
    assert lane.merge("roadmap-wt1", "--check").json["gate_runs"] == 1
    assert lane.merge("roadmap-wt1", "--check").json["gate_runs"] == 0


def test_strange_paths_of_a_repository(lane: Lane, tmp_path: Path) -> None:
    """Spaces, newlines, quotes and letters beyond ASCII in the repository's path are only a path."""
    strange = tmp_path / 'a b\n"é#\\' / "wörk"
    strange.parent.mkdir()
    shutil.copytree(lane.work, strange, symlinks=True)
    lane.branch()
    lane.git(strange, "fetch", "-q", str(lane.work), "roadmap-wt1:roadmap-wt1")
    said = lane.merge(where=strange)
    assert (said.rc, said.outcome) == (0, "landed"), said.told
    assert lane.remote_target == said.json["after"]
    again = lane.merge(where=strange)
    assert again.outcome == "already-landed"


def test_a_repository_that_borrows_its_objects(lane: Lane, tmp_path: Path) -> None:
    """Objects behind two alternates, one of them relative, are found by the gate."""
    first, second = tmp_path / "first", tmp_path / "second"
    lane.git(lane.work, "clone", "-q", "--shared", str(lane.work), str(first))
    (first / ".git/objects/info/alternates").write_text(
        os.path.relpath(lane.work / ".git/objects", first / ".git/objects") + "\n"
    )
    lane.git(lane.work, "clone", "-q", "--shared", str(first), str(second))
    lane.git(second, "remote", "remove", "origin")
    lane.git(second, "branch", "-q", "roadmap-wt1", "roadmap")
    lane.git(second, "switch", "-q", "roadmap-wt1")
    lane.box.commit({"pkg/new.py": "x = 1\n"}, cwd=second)
    said = lane.merge(where=second)
    assert (said.rc, said.outcome) == (0, "landed"), said.told


def test_a_bare_repository_with_worktrees(lane: Lane, tmp_path: Path) -> None:
    """Worktrees of a bare repository have no main checkout; landing works from any of them."""
    bare, tree = tmp_path / "bare.git", tmp_path / "tree"
    lane.branch()
    lane.git(lane.work, "clone", "-q", "--bare", str(lane.work), str(bare))
    lane.git(bare, "remote", "remove", "origin")
    lane.git(bare, "worktree", "add", "-q", str(tree), "roadmap")
    said = lane.merge(where=tree)
    assert (said.rc, said.outcome) == (0, "landed"), said.told
    assert lane.git(tree, "status", "--porcelain") == ""
    assert (tree / "pkg/new1.py").is_file()


def test_line_endings_that_git_calls_changed(lane: Lane) -> None:
    """Files stored with CRLF under a text attribute are dirty in every fresh clone; that is not the gate's doing."""
    lane.git(lane.work, "config", "core.autocrlf", "false")
    lane.box.commit({"dos.txt": "one\r\ntwo\r\n"})
    (lane.work / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    lane.box.commit({".gitattributes": "*.txt text eol=lf\n*.bat text eol=crlf\n", "a.bat": "echo\n"})
    lane.with_gate("grep -q . dos.txt; [ ! -e pkg/new2.py ] || echo x >> dos.txt")
    lane.branch(1)
    lane.branch(2)
    said = lane.merge("roadmap-wt1", "--check")
    assert said.outcome == "would-land", said.told


def test_links_and_executables_are_checked_out_as_such(lane: Lane) -> None:
    """A symbolic link, a dangling one and an executable file reach the gate unchanged."""
    (lane.work / "link").symlink_to("pkg/alpha.py")
    (lane.work / "dangling").symlink_to("/no/such/file")
    (lane.work / "run.sh").write_text("#!/bin/sh\nexit 0\n")
    (lane.work / "run.sh").chmod(0o755)
    lane.git(lane.work, "add", "link", "dangling", "run.sh")
    lane.git(lane.work, "commit", "-q", "-m", "chore: Links")
    lane.with_gate("[ -L link ] && [ -L dangling ] && grep -q alpha link && ./run.sh")
    lane.branch()
    lane.assert_landed(lane.merge())


def test_pointers_of_large_files_without_their_program(lane: Lane) -> None:
    """A filter that is declared but not installed leaves pointers; one that is required and missing is an error."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    lane.box.commit({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "big.bin": pointer})
    lane.with_gate("grep -q git-lfs big.bin")
    lane.branch()
    assert lane.merge("roadmap-wt1", "--check").outcome == "would-land"
    home = Path(os.environ["HOME"]) / ".gitconfig"
    home.write_text(home.read_text() + '[filter "lfs"]\n\tsmudge = no-such-lfs smudge\n\trequired = true\n')
    shutil.rmtree(lane.gate)
    said = lane.merge("roadmap-wt1", "--check", "--retest")
    assert (said.rc, said.outcome) == (4, "error")
    assert "could not check out the candidate" in said.result["reason"]


def test_submodules_that_setup_brings(lane: Lane, tmp_path: Path) -> None:
    """Each candidate is tested with the submodule commit that it names, also after a bump, with and without keep."""
    home = Path(os.environ["HOME"]) / ".gitconfig"
    home.write_text(home.read_text() + '[protocol "file"]\n\tallow = always\n')
    library = tmp_path / "library"
    lane.git(tmp_path, "init", "-q", str(library))
    lane.box.commit({"version": "1\n"}, cwd=library)
    lane.git(lane.work, "submodule", "--quiet", "add", str(library), "sub")
    lane.git(lane.work, "commit", "-q", "-m", "chore: Submodule")
    lane.box.commit({"version": "2\n"}, cwd=library)
    setup = ["git", "submodule", "--quiet", "update", "--init"]
    for keep in ([], [".cache"]):
        command = ["sh", "-c", "touch sub/junk; [ $(cat sub/version) = $(cat want 2>/dev/null || echo 1) ]"]
        lane.configure(gate={"command": command, "setup": setup, "keep": keep})
        number = 3 + bool(keep)
        lane.git(lane.work, "branch", f"roadmap-wt{number}", "roadmap")
        tree = tmp_path / f"tree{number}"
        lane.git(lane.work, "worktree", "add", "-q", str(tree), f"roadmap-wt{number}")
        lane.git(tree, "submodule", "--quiet", "update", "--init")
        lane.git(tree / "sub", "fetch", "-q")
        lane.git(tree / "sub", "checkout", "-q", "origin/HEAD")
        lane.box.commit({"want": "2\n"}, cwd=tree)
        lane.git(tree, "commit", "-q", "-a", "-m", "feat: Bump")
        lane.branch(1)
        for branch in ("roadmap-wt1", f"roadmap-wt{number}", "roadmap-wt1"):
            said = lane.merge(branch, "--check", "--retest")
            assert said.outcome == "would-land", said.told


def test_a_sha256_repository(lane: Lane, tmp_path: Path) -> None:
    """Longer object names change nothing: landing, record and proof, with a remote."""
    origin, work = tmp_path / "sha256.git", tmp_path / "sha256"
    lane.git(tmp_path, "init", "-q", "--bare", "-b", "roadmap", "--object-format=sha256", str(origin))
    lane.git(tmp_path, "init", "-q", "-b", "roadmap", "--object-format=sha256", str(work))
    lane.git(work, "remote", "add", "origin", str(origin))
    lane.box.commit({".coffee.yaml": json.dumps({"gate": {"command": ["true"]}}), "a": "1\n"}, cwd=work)
    lane.git(work, "push", "-q", "origin", "roadmap")
    lane.git(work, "switch", "-q", "-c", "roadmap-wt1")
    lane.box.commit({"b": "1\n"}, "feat: Implement US-104 - Feature X", cwd=work)
    lane.git(work, "switch", "-q", "roadmap")
    said = lane.merge(where=work)
    assert (said.rc, said.outcome) == (0, "landed"), said.told
    assert len(said.json["after"]) == 64
    assert lane.git(origin, "rev-parse", "roadmap") == said.json["after"] == lane.git(work, "rev-parse", "roadmap")
    assert [c["verdict"] for c in lane.verify(where=work).json["commits"]] == ["tested", "other"]
