"""The gate to git: whatever the user, the caller or the folder is set to, the same question gets the same answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.discover import discover
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.git import GitFailed, Repo, Result, in_worktree

Git = Callable[..., str]
ODD = ["with space", "new\nline", "$(touch owned)", '-q"uote', "ünïcode ☕", "ends\n", "caf\udce9", "x" * 200]


@pytest.mark.parametrize("name", ODD)
def test_a_repository_in_an_odd_folder_is_found(tmp_path: Path, git: Git, name: str) -> None:
    """Spaces, newlines (at the end too), shell, quotes, other bytes: the paths are those of the folder."""
    top = tmp_path / name
    top.mkdir()
    git(top, "init", "-q")
    git(top, "commit", "-q", "--allow-empty", "-m", "Start")
    (top / "sub").mkdir()
    repo = discover(top / "sub")
    assert (repo.top, repo.main, repo.common_dir) == (top, top, top / ".git")
    assert repo.objects("rev-parse", "HEAD").text == git(top, "rev-parse", "HEAD")
    assert not (tmp_path / "owned").exists()


def test_every_place_of_a_repository_means_it(repo: Repo, git: Git, tmp_path: Path) -> None:
    """A linked worktree, a subfolder of one and a symbolic link lead to the same common dir and main worktree."""
    git(repo.top, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "roadmap-wt1")
    (tmp_path / "linked/sub").mkdir()
    (tmp_path / "alias").symlink_to(repo.top)
    for start, top in (("linked", "linked"), ("linked/sub", "linked"), ("alias", "work")):
        found = discover(tmp_path / start)
        assert (found.common_dir, found.main, found.top) == (repo.common_dir, repo.main, tmp_path / top)


def test_an_ordinary_clone_is_found_with_two_processes(repo: Repo) -> None:
    """Every command pays for it."""
    seen: list[Sequence[str]] = []
    gate.trace.append(seen.append)
    try:
        assert discover(repo.top) == repo
    finally:
        gate.trace.remove(seen.append)
    assert len(seen) == 2


def test_a_submodule_and_a_separate_git_dir_have_their_own_main_worktree(repo: Repo, git: Git, tmp_path: Path) -> None:
    """git lists the git directory as their main worktree; the folder in which a person works is meant."""
    git(repo.top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo.top), "sub")
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere.git"), str(tmp_path / "apart"))
    sub, apart = discover(repo.top / "sub"), discover(tmp_path / "apart")
    assert (sub.main, sub.top) == (repo.top / "sub", repo.top / "sub")
    assert sub.common_dir == repo.common_dir / "modules/sub"
    assert (apart.main, apart.common_dir) == (tmp_path / "apart", tmp_path / "elsewhere.git")


def test_where_there_is_nothing_to_work_on(repo: Repo, git: Git, tmp_path: Path) -> None:
    """No repository, a bare one, the inside of ``.git``: exit 2; a shallow clone: exit 4; each with what to type."""
    git(tmp_path, "init", "-q", "--bare", "bare")
    git(repo.top, "commit", "-q", "--allow-empty", "-m", "Second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo.top}", "shallow")
    (tmp_path / "none").mkdir()
    for folder, kind, words in (
        ("none", UsageError, "not a git repository"),
        ("bare", UsageError, "bare repository"),
        ("work/.git", UsageError, "not inside a worktree"),
        ("shallow", EnvironmentFailure, "shallow"),
    ):
        with pytest.raises(kind, match=words) as failed:
            discover(tmp_path / folder)
        assert failed.value.hint
    with pytest.raises(UsageError):
        discover(tmp_path / "missing")


def test_a_worktree_of_a_bare_repository_is_fine(repo: Repo, git: Git, tmp_path: Path) -> None:
    """A bare hub with linked worktrees is a common way to work."""
    git(tmp_path, "clone", "-q", "--bare", str(repo.top), "hub.git")
    git(tmp_path / "hub.git", "worktree", "add", "-q", str(tmp_path / "tree"), "roadmap")
    found = discover(tmp_path / "tree")
    assert (found.top, found.common_dir) == (tmp_path / "tree", tmp_path / "hub.git")
    assert found.objects("rev-parse", "roadmap").text == git(repo.top, "rev-parse", "roadmap")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else_is_refused_with_the_way_out(repo: Repo, git: Git) -> None:
    """git's own protection stays, its fix is the hint, and once trusted every context works."""
    subprocess.run(["chown", "-R", "12345", str(repo.top)], check=True)
    with pytest.raises(UsageError) as failed:
        discover(repo.top)
    assert failed.value.hint == f"run: git config --global --add safe.directory {repo.top}"
    git(repo.top.parent, "config", "--global", "--add", "safe.directory", str(repo.top))
    found = discover(repo.top)
    assert found.objects("rev-parse", "--verify", "HEAD").text


def test_an_old_git_is_refused(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is needed."""
    monkeypatch.setattr("coffee_hooks.base.discover.git_version", lambda: (2, 38))
    with pytest.raises(EnvironmentFailure, match=r"git 2\.38 is too old"):
        discover(repo.top)


def test_no_git_at_all(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git is told to install it."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EnvironmentFailure, match="git was not found"):
        repo.objects("version")


def test_a_missing_folder_never_means_another_repository(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run inside a repository for a worktree that is gone, git fails instead of working on where we are."""
    monkeypatch.chdir(repo.top)
    (repo.top / "precious").touch()
    with pytest.raises(GitFailed) as failed:
        in_worktree(repo.top / "gone", "clean", "-ffdx")
    assert "gone" in failed.value.detail
    assert (repo.top / "precious").exists()


def test_a_failure_says_what_git_said() -> None:
    """The line that matters is quoted, not the advice behind it, and the subcommand is named."""
    said = "hint: a\nfatal: not possible\nhint: use --force\n"
    failed = GitFailed(["git", "-C", "/x", "-c", "a=b", "--no-pager", "push", "--all"], Result(128, b"", said))
    assert (failed.what, failed.detail) == ("git push failed with exit code 128", "fatal: not possible")
    assert GitFailed(["git"], Result(1, b"", "")).detail == ""
    assert GitFailed(["git", "x"], Result(-9, b"", "Timeout\nkilled")).detail == "killed"
    full = "fatal: unable to write loose object file: No space left on device"
    assert GitFailed(["git", "x"], Result(128, b"", full)).hint == "free some disk space, then run this again"


def test_a_result_keeps_every_byte() -> None:
    """Text loses one newline at most and can be turned back into the bytes; records end at NUL."""
    assert Result(0, b"caf\xe9\n\n", "").text == "caf\udce9\n"
    cases = {b"": [], b"a\0": ["a"], b"a\0b\n": ["a", "b\n"], b"\0": [""], b"a\0\0": ["a", ""], b"a": ["a"]}
    assert {data: Result(0, data, "").records for data in cases} == cases


HOSTILE = """\
[alias]
\trev-parse = !touch owned
[core]
\tpager = touch owned
\tquotePath = false
\thooksPath = HOOKS
\tfsmonitor = touch owned
\teditor = touch owned
\tabbrev = 4
\tattributesFile = ATTRIBUTES
[color]
\tui = always
\tdiff = always
\tstatus = always
[diff]
\texternal = touch owned
\tnoprefix = true
\tmnemonicPrefix = true
\trenames = false
[merge]
\trenames = false
\tdirectoryRenames = true
\tconflictStyle = zdiff3
[commit]
\tgpgSign = true
[gpg]
\tprogram = HOOKS/pre-commit
[log]
\tshowSignature = true
\tfollow = true
\tdate = relative
[format]
\tpretty = oneline
[i18n]
\tlogOutputEncoding = latin1
\tcommitEncoding = latin1
[status]
\tshowUntrackedFiles = no
\tbranch = true
\tshort = true
\trelativePaths = true
[pager]
\tlog = touch owned
[advice]
\tdetachedHead = true
[push]
\tgpgSign = true
"""


def poisoned(repo: Repo, where: Path) -> None:
    """Write the hostile configuration to *where*, with hooks that would leave a trace."""
    hooks = repo.top.parent / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-checkout", "post-index-change", "pre-push", "pre-commit", "post-merge"):
        (hooks / name).write_text("#!/bin/sh\ntouch owned\nexit 1\n")
        (hooks / name).chmod(0o755)
    (repo.top.parent / "attributes").write_text("* -merge\n")
    text = HOSTILE.replace("HOOKS", str(hooks)).replace("ATTRIBUTES", str(repo.top.parent / "attributes"))
    where.write_text(where.read_text() + text)


def answers(repo: Repo) -> list[object]:
    """What the object database says about a merge with a rename, a commit, its log and the tree."""
    ours, theirs = (repo.objects("rev-parse", "--verify", name).text for name in ("roadmap", "other"))
    merged = repo.objects("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, ok=(0, 1))
    identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "1760900000 +0000", "GIT_COMMITTER_DATE": "1760900000 +0000"}
    commit = repo.objects("commit-tree", "-F", "-", f"{ours}^{{tree}}", stdin="é\n".encode(), env=identity | dates).text
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\n"
    text = repo.objects("cat-file", "commit", commit).out.decode().replace("\n\n", "\n" + signature, 1)
    commit = repo.objects("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()).text
    assert repo.objects("update-ref", "refs/coffee/made", commit).rc == 0
    log = repo.objects("log", "--format=%H%x00%B%x00", commit, "--")
    return [merged.rc, merged.records, commit, log.out, repo.objects("ls-tree", "-r", "--name-only", ours).out]


def test_the_object_database_answers_alike_for_everybody(repo: Repo, git: Git, hermetic: Path) -> None:
    """Aliases, pagers, colours, signing, renames off, encodings, hooks: set globally or locally, nothing changes."""
    lines = [f"{number}\n" for number in range(20)]
    (repo.top / "ünïcode").write_text("".join(lines))
    git(repo.top, "add", "--all")
    git(repo.top, "commit", "-q", "-m", "Add")
    git(repo.top, "branch", "other")
    (repo.top / "ünïcode").write_text("".join(["first\n", *lines[1:]]))
    git(repo.top, "mv", "a.txt", "b.txt")
    git(repo.top, "commit", "-q", "-a", "-m", "Move")
    git(repo.top, "switch", "-q", "other")
    (repo.top / "a.txt").write_text("one\ntwo\n")
    (repo.top / "ünïcode").write_text("".join([*lines[:-1], "last\n"]))
    git(repo.top, "commit", "-q", "-a", "-m", "Edit")
    plain = answers(repo)
    assert plain[0] == 0  # it would conflict without renames, or with the attributes of the configuration
    for where in (hermetic / ".gitconfig", repo.common_dir / "config"):
        poisoned(repo, where)
        assert answers(repo) == plain
    assert repo.objects("config", "--global", "--list").out == b""
    assert not list(repo.top.parent.rglob("owned"))


def test_a_checkout_is_read_and_moved_without_hooks_or_programs(repo: Repo, git: Git, hermetic: Path) -> None:
    """In a worktree the user's configuration counts, but none of the programs it names is started."""
    git(repo.top, "branch", "other")
    for where in (hermetic / ".gitconfig", repo.common_dir / "config"):
        poisoned(repo, where)
    (repo.top / "a.txt").write_text("two\n")
    (repo.top / "ünïcode").touch()
    status = in_worktree(repo.top, "status", "--porcelain=v2", "-z", "--untracked-files=all").records
    assert [line.split(" ")[0] for line in status] == ["1", "?"]
    assert in_worktree(repo.top, "diff", "--no-ext-diff", "--name-only", "-z").records == ["a.txt"]
    in_worktree(repo.top, "checkout", "-q", "-f", "other")
    in_worktree(repo.top, "commit", "-q", "--allow-empty", "-m", "é")
    assert not list(repo.top.parent.rglob("owned"))


def test_the_users_filters_count_in_a_checkout(repo: Repo, git: Git) -> None:
    """A clean filter (as LFS has) of the user's configuration is used by status, or a clean tree would look dirty."""
    git(repo.top, "config", "filter.up.clean", "tr a-z A-Z")
    git(repo.top, "config", "filter.up.smudge", "tr A-Z a-z")
    (repo.top / ".gitattributes").write_text("*.txt filter=up\n")
    git(repo.top, "add", "--all")
    git(repo.top, "add", "--renormalize", "a.txt")
    git(repo.top, "commit", "-q", "-m", "Filter")
    os.utime(repo.top / "a.txt", (1, 1))
    assert in_worktree(repo.top, "status", "--porcelain", "-z").out == b""


RUN_INSIDE_HOOK = """\
import sys
from pathlib import Path
from coffee_hooks.base.environment import scrub
from coffee_hooks.base.discover import discover
from coffee_hooks.base.git import in_worktree
scrub()
repo = discover(Path(sys.argv[1]))
print(repo.top.name, repo.objects("rev-parse", "--verify", "HEAD").text, in_worktree(repo.top, "ls-files").text)
"""


def test_inside_a_hook_of_another_worktree_the_right_repository_is_meant(repo: Repo, git: Git, tmp_path: Path) -> None:
    """A hook exports GIT_DIR, GIT_INDEX_FILE and ``-c`` settings of the worktree it runs for; they are not followed."""
    git(tmp_path, "init", "-q", "-b", "roadmap", "other")
    git(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "Other")
    git(repo.top, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "roadmap-wt1")
    hook = repo.common_dir / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    script = tmp_path / "inside.py"
    script.write_text(RUN_INSIDE_HOOK)
    hook.write_text(f'#!/bin/sh\n"{sys.executable}" "{script}" "{tmp_path}/other" > "{tmp_path}/said" 2>&1\n')
    hook.chmod(0o755)
    git(tmp_path / "linked", "-c", "core.worktree=/nowhere", "commit", "-q", "--allow-empty", "-m", "x")
    assert (tmp_path / "said").read_text().split() == ["other", git(tmp_path / "other", "rev-parse", "HEAD")]


def test_another_language_changes_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words that we read are git's own, whatever language the user speaks."""
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.setenv(name, "fr_FR.UTF-8")
    with pytest.raises(UsageError, match="not a git repository"):
        discover(tmp_path)


def test_input_and_output_of_many_bytes(repo: Repo) -> None:
    """What is written to git and what it says travel whole, however much it is."""
    data = b"0123456789" * 500_000
    sha = repo.objects("-c", "core.compression=0", "hash-object", "-w", "--stdin", stdin=data).text
    assert repo.objects("cat-file", "blob", sha).out == data


def test_the_path_of_a_remote_is_relative_to_the_main_worktree(repo: Repo, git: Git, tmp_path: Path) -> None:
    """As git itself has it, from a linked worktree too."""
    git(tmp_path, "init", "-q", "--bare", "there.git")
    git(repo.top, "remote", "add", "origin", os.path.relpath(tmp_path / "there.git", repo.top))
    git(repo.top, "worktree", "add", "-q", "-b", "x", str(tmp_path / "far/away/x"))
    for start in (repo.top, tmp_path / "far/away/x"):
        assert discover(start).network("ls-remote", "origin").rc == 0


def test_a_slow_network_command_is_given_up(repo: Repo, git: Git, tmp_path: Path) -> None:
    """A remote that never answers ends in an error within the limit, and what was started for it is gone."""
    (tmp_path / "ssh").write_text(f'#!/bin/sh\necho $$ > "{tmp_path}/pid"\nexec sleep 60\n')
    (tmp_path / "ssh").chmod(0o755)
    git(repo.top, "config", "core.sshCommand", str(tmp_path / "ssh"))
    git(repo.top, "remote", "add", "origin", "ssh://example.invalid/x")
    with pytest.raises(GitFailed) as failed:
        repo.network("ls-remote", "origin", seconds=1.0)
    assert failed.value.result.rc == -9
    from coffee_hooks.base.identity import identify

    left = identify(int((tmp_path / "pid").read_text()))
    deadline = time.monotonic() + 20  # it has been killed, and dies when the kernel comes to it
    while left is not None and _sleeps(left.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left is None or not _sleeps(left.pid)


def _sleeps(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_worktree_keeps_running_from_a_folder_that_is_gone(repo: Repo, tmp_path: Path) -> None:
    """Started in a folder that was deleted, git still does what it was told about another one."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; from pathlib import Path\nfrom coffee_hooks.base.discover import discover\n"
        "os.rmdir(os.getcwd()); print(discover(Path(sys.argv[1])).top)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(repo.top)], cwd=gone, capture_output=True, check=False)
    assert done.stdout == os.fsencode(repo.top) + b"\n", done.stderr
    assert shutil.which("git")


def test_settings_that_the_user_gave_in_the_environment_count(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are handed over like this in CI: the network sees them beside ours, an object command does not."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    for number, (name, value) in enumerate((("http.extraHeader", "Authorization: x"), ("gc.auto", "7"))):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", name)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    for ask in (repo.network, lambda *args, **more: in_worktree(repo.top, *args, **more)):
        assert ask("config", "http.extraHeader").text == "Authorization: x"
        assert ask("config", "gc.auto").text == "0"
    assert repo.objects("config", "http.extraHeader", ok=(0, 1)).rc == 1
