"""The test forge itself: what it imitates of GitHub, shown on small workflows that are executed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from miniforge.bare import run_git
from miniforge.globs import selects
from miniforge.groups import Groups
from miniforge.workflow import Concurrency, Unsupported, Workflow

if TYPE_CHECKING:
    from miniforge.forge import Forge

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"


def file(text: str, name: str = "ci.yml") -> dict[str, str]:
    return {f".github/workflows/{name}": dedent(text)}


def call(forge: Forge, workflow: str, ref: str, token: str | None = None, **inputs: str) -> int:
    """Dispatch through the API; the status of its answer."""
    request = urllib.request.Request(
        f"{forge.url}/repos/{forge.name}/actions/workflows/{workflow}/dispatches",
        data=json.dumps({"ref": ref, "inputs": inputs}).encode(),
        headers={"Authorization": f"Bearer {token or forge.user_token}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize(
    ("patterns", "name", "chosen"),
    [
        (["roadmap-*"], "roadmap-wt1", True),
        (["roadmap-*"], "roadmap", False),
        (["roadmap-*"], "roadmap-a/b", False),
        (["roadmap-**"], "roadmap-a/b", True),
        (["roadmap-*", "!roadmap-x*"], "roadmap-xy", False),
        (["!roadmap-x*", "roadmap-*"], "roadmap-xy", True),
        (["v[12].[0-9]+"], "v2.10", True),
        (["v?1"], "1", True),
        (["a.c"], "abc", False),
        (["roadmap-*"], "roadmap-$(touch x)", True),
    ],
)
def test_patterns_select_as_at_github(patterns: list[str], name: str, chosen: bool) -> None:
    """The examples of GitHub's own cheat sheet, and our branches."""
    assert selects(patterns, name) is chosen


@pytest.mark.parametrize(
    ("on", "ref", "message", "starts"),
    [
        ("push", "refs/heads/x", "", True),
        ("[pull_request, push]", "refs/tags/v1", "", True),
        ("{push: {branches: [x]}}", "refs/tags/x", "", False),
        ("{push: {branches-ignore: [x]}}", "refs/heads/y", "", True),
        ("{push: {tags: [v*]}}", "refs/heads/v1", "", False),
        ("push", "refs/heads/x", "docs: Say it [skip ci]", False),
        ("workflow_dispatch", "refs/heads/x", "", False),
    ],
)
def test_a_push_is_filtered_as_at_github(on: str, ref: str, message: str, starts: bool) -> None:
    """Branches and tags exclude each other once one of them is named."""
    assert Workflow.parse("a.yml", f"on: {on}\njobs: {{}}\n").starts_on_push(ref, message) is starts


@pytest.mark.parametrize("word", ["${{ toJSON(secrets) }}", "${{ secrets['GITHUB_TOKEN'] }}", "${{ toJSON(github) }}"])
def test_what_could_tell_a_token_of_another_job_is_not_run(forge: Forge, word: str) -> None:
    """All tokens of a run are secrets of one `act`; a job that asks for all of them would get too much."""
    forge.create({"a": "1"})
    step = json.dumps({"run": "echo", "env": {"X": word}})
    forge.push("roadmap-wt1", file(f"on: push\njobs: {{x: {{runs-on: ubuntu-latest, steps: [{step}]}}}}\n"))
    with pytest.raises(Unsupported, match="all secrets at once"):
        forge.wait_idle()


def test_a_push_starts_what_the_pushed_commit_says(forge: Forge) -> None:
    """Filters, outputs, needs, called workflows, summaries and annotations; the file is that of the branch."""
    main = file("""\
        name: CI
        on: {push: {branches: ["roadmap-*"]}}
        jobs:
          one:
            runs-on: ubuntu-latest
            outputs: {said: "${{ steps.say.outputs.word }}"}
            steps:
              - id: say
                run: |
                  echo "word=hello" >> "$GITHUB_OUTPUT"
                  echo "# Seen" >> "$GITHUB_STEP_SUMMARY"
                  echo "::warning file=a.py,line=3::look%0Ahere"
          two:
            needs: one
            uses: ./.github/workflows/called.yml
            with: {word: "${{ needs.one.outputs.said }}"}
          three:
            if: failure()
            needs: two
            runs-on: ubuntu-latest
            steps: [{run: "false"}]
        """) | file("""\
        name: Called
        on: {workflow_call: {inputs: {word: {type: string, required: true}}}}
        jobs:
          inner:
            runs-on: ubuntu-latest
            steps: [{run: 'echo "$WORD, $GITHUB_REF_NAME at $GITHUB_SHA"', env: {WORD: "${{ inputs.word }}"}}]
        """, "called.yml")  # fmt: skip
    forge.create(main)
    forge.push("roadmap", {"a": "1"})
    forge.push("topic", {"a": "1"})
    sha = forge.push("roadmap-wt1", {"a": "2"})
    (run,) = forge.wait_idle()
    assert (run.workflow, run.ref, run.event.sha, run.conclusion) == ("ci.yml", "roadmap-wt1", sha, "success"), run.log
    ends = {name: job.conclusion for name, job in run.jobs.items()}
    assert ends == {"one": "success", "two/inner": "success", "three": "skipped"}
    one = run.jobs["one"]
    assert (one.outputs, one.summary) == ({"say.word": "hello"}, "# Seen\n")
    assert [(a.level, a.message, a.properties["line"]) for a in one.annotations] == [("warning", "look\nhere", "3")]
    assert f"hello, roadmap-wt1 at {sha}" in run.jobs["two/inner"].log
    forge.push("roadmap-wt1", file("on: push\njobs: {x: {runs-on: ubuntu-latest, steps: [{run: 'exit 3'}]}}\n"))
    assert [run.conclusion for run in forge.wait_idle()] == ["success", "failure"]


TOUCH = """\
    jobs:
      job:
        runs-on: ubuntu-latest
        permissions: {{{grants}}}
        steps:
          - uses: {checkout}
            with: {{persist-credentials: {persist}}}
          - run: |
              git switch -q -c {branch}
              git -c user.name=x -c user.email=x commit -q --allow-empty -m Touched
              git push -q origin {branch} || {{ code=$?; sleep 1; exit $code; }}
    """
"""A step that ends at once may take its last words with it: `act` reads them from a terminal."""


def pushing(branch: str, grants: str = "contents: write", persist: str = "true", on: str = "push") -> str:
    """A workflow whose job pushes a new branch."""
    return f"on: {on}\n" + dedent(TOUCH).format(grants=grants, checkout=CHECKOUT, persist=persist, branch=branch)


def test_a_job_may_do_what_its_permissions_say(forge: Forge) -> None:
    """Pushing takes `contents: write`, kept credentials and no rule against it; what a job pushes starts nothing."""
    flows = {
        "may.yml": pushing("roadmap-may"),
        "forgets.yml": pushing("roadmap-forgets", persist="false"),
        "kept-out.yml": pushing("roadmap-kept-out"),
        "nothing.yml": pushing("roadmap-nothing", ""),
        "reads.yml": pushing("roadmap-reads", "contents: read"),
    }
    forge.create(file("on: push\njobs: {x: {runs-on: ubuntu-latest, steps: [{run: echo}]}}\n"), closed=True)
    forge.protected.add("refs/heads/roadmap-kept-out")
    forge.push("roadmap", {f".github/workflows/{name}": text for name, text in flows.items()})
    runs = {run.workflow: run for run in forge.wait_idle()}
    assert runs["may.yml"].conclusion == "success", runs["may.yml"].log
    assert "could not read Username" in runs["forgets.yml"].log
    assert "Protected branch update failed for refs/heads/roadmap-kept-out" in runs["kept-out.yml"].log
    assert "Repository not found" in runs["nothing.yml"].log
    assert "Permission to acme/demo.git denied to github-actions[bot]" in runs["reads.yml"].log
    assert set(forge.refs("refs/heads/")) == {"refs/heads/roadmap", "refs/heads/roadmap-may"}
    assert len(runs) == len(forge.runs) == 6


def test_a_job_may_not_push_workflows(forge: Forge) -> None:
    """Neither may anybody read a closed repository without a token."""
    forge.create({"a": "1"})
    forge.push("roadmap-wt1", {".github/workflows/may.yml": pushing("roadmap-may")})
    (run,) = forge.wait_idle()
    assert "without `workflows` permission" in run.log and "refs/heads/roadmap-may" not in forge.refs()
    assert run_git(forge.root, "ls-remote", f"{forge.url}/{forge.name}")
    forge.closed = True
    with pytest.raises(AssertionError, match="could not read Username"):
        run_git(forge.root, "ls-remote", f"{forge.url}/{forge.name}")


def test_the_rest_of_the_rules_for_tokens(forge: Forge) -> None:
    """A dispatch takes `actions: write` and does start a run; a called workflow stays within its caller's rights."""
    ask = """\
        on: push
        jobs:
          asks:
            runs-on: ubuntu-latest
            permissions: {actions: LEVEL}
            steps:
              - env: {TOKEN: "${{ github.token }}"}
                run: |
                  curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" \\
                    -d '{"ref": "roadmap", "inputs": {"n": 7}}' \\
                    "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/actions/workflows/asked.yml/dispatches" \\
                    || { sleep 1; exit 1; }
        """
    asked = """\
        on: {workflow_dispatch: {inputs: {n: {type: string}, m: {type: string, default: "8"}}}}
        jobs:
          x:
            runs-on: ubuntu-latest
            steps: [{run: 'echo "$N $GITHUB_REF_NAME"', env: {N: "${{ inputs.n }}${{ inputs.m }}"}}]
        """
    calls = """\
        on: push
        permissions: {contents: read}
        jobs: {land: {uses: ./.github/workflows/called.yml}}
        """
    called = """\
        on: workflow_call
        jobs: {x: {runs-on: ubuntu-latest, permissions: {contents: write}, steps: [{run: echo}]}}
        """
    forge.create(file(asked, "asked.yml"))
    asks = [file(ask.replace("LEVEL", level), name) for level, name in (("write", "a.yml"), ("read", "b.yml"))]
    forge.push("roadmap-wt1", asks[0] | asks[1])
    forge.push("roadmap-wt2", file(calls, "c.yml") | file(called, "called.yml"))
    runs = {run.workflow: run for run in forge.wait_idle()}
    assert runs["a.yml"].conclusion == "success" and "78 roadmap" in runs["asked.yml"].log, runs["a.yml"].log
    assert "Resource not accessible by integration" in runs["b.yml"].log
    assert runs["c.yml"].conclusion == "startup_failure"
    assert "the job land/x asks for 'contents: write', but is only allowed 'contents: read'" in runs["c.yml"].log
    assert call(forge, "asked.yml", "roadmap", other="1") == 422
    assert call(forge, "none.yml", "roadmap") == 404
    assert call(forge, "asked.yml", "roadmap", token="wrong") == 401
    assert len(forge.wait_idle()) == 4


@dataclass
class Waiting:
    """A run that only waits."""

    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@pytest.mark.parametrize(
    ("queue", "cancel", "cancelled"),
    [
        ("single", False, [False, True, False]),
        ("max", False, [False, False, False]),
        ("single", True, [True, True, False]),
    ],
)
def test_a_group_keeps_whom_github_keeps(queue: str, cancel: bool, cancelled: list[bool]) -> None:
    """One goes on and two wait: by default the newer takes the place of the older."""
    groups, members = Groups(), [Waiting() for _ in range(3)]
    for number, member in enumerate(members):
        groups.join(member, Concurrency("g", cancel, queue))
        assert number or groups.wait(member, "g")
    assert [member.cancelled for member in members] == cancelled
    groups.leave(members[0], "g")
    turns = []
    for member in members[1:]:
        turns.append(groups.wait(member, "g"))
        groups.leave(member, "g")
    assert turns == [queue == "max", True]


def test_runs_of_a_group_do_not_overlap(forge: Forge) -> None:
    """The third push makes the second wait in vain; a run that is cancelled leaves no process behind."""
    text = """\
        name: Slow
        on: push
        concurrency: {group: "all-${{ github.workflow }}"}
        jobs: {x: {runs-on: ubuntu-latest, steps: [{run: "while [ ! -e MARK ]; do sleep 0.05; done"}]}}
        """
    mark = forge.bare.parent / "mark"
    forge.create(file(text.replace("MARK", f"'{mark}'")))
    for number in range(3):
        forge.push(f"roadmap-wt{number}", {"a": str(number)})
    mark.touch()
    runs = forge.wait_idle()
    assert [run.conclusion for run in runs] == ["success", "cancelled", "success"], [run.log for run in runs]
    assert runs[0].ended <= runs[2].started


def test_what_follows_a_run_is_of_the_default_branch(forge: Forge) -> None:
    """`workflow_run` and `schedule` start the default branch's file, whatever the branch that was pushed says."""
    first = """\
        name: First
        on: {push: {branches: ["roadmap-*"]}}
        jobs: {x: {runs-on: ubuntu-latest, steps: [{run: echo}]}}
        """
    then = """\
        on:
          workflow_run: {workflows: [First], types: [completed]}
          schedule: [{cron: "*/15 * * * *"}]
        jobs:
          x:
            runs-on: ubuntu-latest
            steps:
              - run: echo "ORIGINAL $GITHUB_REF_NAME after '$BRANCH'"
                env: {BRANCH: "${{ github.event.workflow_run.head_branch }}"}
        """
    forge.create(file(first, "first.yml") | file(then, "then.yml"))
    forge.push("roadmap-wt1", file(then.replace("ORIGINAL", "FORGED"), "then.yml"))
    one, two = forge.wait_idle()
    assert (one.workflow, two.workflow, two.ref) == ("first.yml", "then.yml", "roadmap")
    assert "ORIGINAL roadmap after 'roadmap-wt1'" in two.log
    forge.schedule()
    assert "ORIGINAL roadmap after ''" in forge.wait_idle()[-1].log


def test_jobs_share_nothing_but_artifacts(forge: Forge) -> None:
    """A home of its own for each job, a fresh workspace, and shallow or whole clones as they were asked for."""
    text = f"""\
        on: push
        jobs:
          one:
            runs-on: ubuntu-latest
            steps:
              - uses: {CHECKOUT}
              - run: git rev-parse --is-shallow-repository; git config --global a.b c; echo x > left; ls -a ~
              - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f
                with: {{name: left, path: left}}
          two:
            needs: one
            runs-on: ubuntu-latest
            steps:
              - run: ls -a . ~; ! git config --global a.b
              - uses: {CHECKOUT}
                with: {{fetch-depth: 0, ref: roadmap, persist-credentials: false}}
              - uses: actions/download-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f
                with: {{name: left}}
              - run: echo "$(git rev-parse --is-shallow-repository) $(git rev-list --count HEAD) $(cat left)"
              - run: echo "$(git branch --show-current) $(git branch -r | wc -l)"
              - run: grep -rI ghs_ "$HOME" . "$RUNNER_TEMP"
        """
    forge.create({"a": "1"})
    forge.push("roadmap", {"a": "2"})
    forge.push("roadmap-wt1", file(text))
    (run,) = forge.wait_idle()
    assert "true" in run.jobs["one"].log and ".gitconfig" in run.jobs["one"].log
    two = run.jobs["two"]
    assert ".gitconfig" not in two.log and "false 2 x" in two.log and "roadmap 2" in two.log, run.log
    assert two.conclusion == "failure"  # grep found nothing
