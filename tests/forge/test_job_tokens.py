"""`coffee` inside jobs: with a token that may push, with one that may not, and with a gate that looks for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miniforge.forge import Forge

Files = Callable[..., dict[str, str]]
Steps = Callable[..., str]

LOOK = r"""
pattern='gh[ps]_[0-9a-f]{36}|eC1hY2Nlc3MtdG9rZW'
pid=$$
while [ "$pid" -gt 1 ]; do
    tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -E "$pattern" && exit 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -E "$pattern" && exit 1
    pid=$(sed 's/.*) . \([0-9]*\).*/\1/' "/proc/$pid/stat")
done
for place in . "$COFFEE_ROOT"; do
    git -C "$place" config --list | grep -iE "extraheader|credential|$pattern" && exit 1
done
grep -rE "$pattern" "$HOME" "$RUNNER_TEMP" "$COFFEE_ROOT/.git" . && exit 1
git push "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" HEAD:refs/heads/roadmap-stolen && exit 1
echo "nothing found"
"""
"""A test that looks for credentials: base64 of ``x-access-token`` is what git sends."""


def job(name: str, grants: str, steps: str) -> str:
    """One job that may do what *grants* says."""
    return f"  {name}:\n    runs-on: ubuntu-latest\n    permissions: {{{grants}}}\n    steps:\n{steps}"


def test_a_gate_finds_credentials_only_where_they_were_kept(
    forge: Forge, consumer: Files, ready: Callable[[int], str], steps: Steps
) -> None:
    """Without kept credentials the check works, also where only a token may read, and moves nothing."""
    check = "coffee merge --check --no-push"
    text = "on: workflow_dispatch\njobs:\n"
    text += job("safe", "contents: read", steps(f"{check} && cat .git/coffee/logs/gate/*", persist=False))
    text += job("kept", "contents: read", steps("COFFEE_ROOT=. sh look.sh", persist=True))
    forge.create(
        consumer("sh", "look.sh", caller=False) | {"look.sh": LOOK, ".github/workflows/check.yml": text}, closed=True
    )
    forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    before = forge.refs()
    forge.dispatch("check.yml", "roadmap", {})
    (run,) = forge.wait_idle()
    assert {name: job.conclusion for name, job in run.jobs.items()} == {"safe": "success", "kept": "failure"}, run.log
    assert "roadmap-wt1 would land" in run.jobs["safe"].log and "nothing found" in run.jobs["safe"].log
    assert "extraheader" in run.jobs["kept"].log
    assert forge.refs() == before


def test_a_token_that_may_only_read_moves_nothing(
    forge: Forge, consumer: Files, ready: Callable[[int], str], steps: Steps
) -> None:
    """The failure says so, with the exit code of the environment."""
    merge = job("land", "contents: read", steps('coffee merge || { echo "exit $?"; sleep 1; false; }', persist=True))
    text = f"on: workflow_dispatch\njobs:\n{merge}"
    forge.create(consumer("true", caller=False) | {".github/workflows/land.yml": text})
    forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    before = forge.refs()
    forge.dispatch("land.yml", "roadmap", {})
    (run,) = forge.wait_idle()
    said = run.jobs["land"].log
    assert run.conclusion == "failure" and "may you push to roadmap there?" in said, run.log
    assert "returned error: 403" in said and "exit 4" in said
    assert forge.refs() == before
