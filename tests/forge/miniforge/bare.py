"""The repository behind the forge, and the hooks that it runs on a push."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from miniforge.workflow import FOLDER

_PRE_RECEIVE = """\
#!/bin/sh
# What a real forge forbids the token of a job, whatever its permissions: a protected branch, and workflow files.
[ -n "$FORGE_JOB" ] || exit 0
while read -r old new ref; do
    for protected in $FORGE_PROTECTED; do
        if [ "$ref" = "$protected" ]; then
            echo "error: GH006: Protected branch update failed for $ref." >&2
            exit 1
        fi
    done
    case $ref in refs/heads/*) ;; *) continue ;; esac
    case $new in *[!0]*) ;; *) continue ;; esac
    case $old in *[!0]*) ;; *) old=HEAD ;; esac
    if ! git diff-tree --quiet "$old^{tree}" "$new^{tree}" -- .github/workflows; then
        echo "refusing to allow a GitHub App to create or update a workflow without \\`workflows\\` permission" >&2
        exit 1
    fi
done
"""

_POST_RECEIVE = """\
#!/bin/sh
# The server reads it when the push is over. Nothing is started here: GIT_DIR would be inherited.
exec cat >> "$FORGE_EVENTS"
"""

_SETTINGS = {
    "http.receivepack": "true", "uploadpack.allowAnySHA1InWant": "true", "receive.autogc": "false", "gc.auto": "0",
}  # fmt: skip


def run_git(place: Path, *args: str, input: str | None = None) -> str:
    """Stdout of git in *place* without its last newline. A failure raises with git's own words."""
    done = subprocess.run(
        ["git", "-C", str(place), *args], input=(input or "").encode("utf-8", "surrogateescape"), capture_output=True,
        check=False, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"git {' '.join(args)} -> {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def make_bare(place: Path, default: str) -> None:
    """An empty repository with the forge's hooks."""
    place.mkdir(parents=True)
    run_git(place, "init", "-q", "--bare", "--template=", "-b", default)
    for name, value in _SETTINGS.items():
        run_git(place, "config", name, value)
    (place / "hooks").mkdir(exist_ok=True)
    for hook, text in (("pre-receive", _PRE_RECEIVE), ("post-receive", _POST_RECEIVE)):
        (place / "hooks" / hook).write_text(text)
        (place / "hooks" / hook).chmod(0o755)


def read_file(bare: Path, commit: str, path: str) -> str:
    """A file of a commit. Raises ValueError where there is none."""
    try:
        return run_git(bare, "show", f"{commit}:{path}") + "\n"
    except AssertionError as missing:
        raise ValueError(f"workflow was not found: {path} at {commit}") from missing


def list_workflows(bare: Path, commit: str) -> list[str]:
    """The names of the workflow files of a commit."""
    listed = run_git(bare, "ls-tree", "-z", "--name-only", commit, "--", FOLDER).split("\0")
    return [os.path.basename(name) for name in listed if name.endswith((".yml", ".yaml"))]  # noqa: PTH119


def check_out_head(bare: Path, place: Path, ref: str, commit: str) -> None:
    """A repository in *place* whose HEAD says which commit of which branch a run is for; no files."""
    run_git(bare, "clone", "-q", "--shared", "--no-checkout", "--template=", str(bare), str(place))
    if ref.startswith("refs/heads/"):
        run_git(place, "update-ref", ref, commit)
        run_git(place, "symbolic-ref", "HEAD", ref)
    else:
        run_git(place, "update-ref", "--no-deref", "HEAD", commit)


def add_commit(clone: Path, ref: str, base: str | None, files: Mapping[str, str | None], message: str) -> str:
    """Put one commit on top of *ref* in a clone (made from *base* where it is missing); None deletes a file."""

    def data(text: str) -> str:
        return f"data {len(text.encode())}\n{text}\n"

    known = run_git(clone, "for-each-ref", "--format=%(objectname)", ref)
    parent = known or (run_git(clone, "rev-parse", f"{base}^{{commit}}") if base else "")
    lines = [f"commit {ref}\ncommitter Dev Eloper <dev@example.invalid> 1760900000 +0000\n", data(message)]
    lines += [f"from {parent}\n"] if parent else []
    for path, text in files.items():
        lines.append(f"D {path}\n" if text is None else f"M 100644 inline {path}\n{data(text)}")
    run_git(clone, "fast-import", "--quiet", input="".join(lines))
    return run_git(clone, "rev-parse", ref)
