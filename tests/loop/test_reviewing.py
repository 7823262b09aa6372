"""``coffee review``: the target's command at one commit in a clone of its own, its report, and its verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks import boundary
from coffee_hooks.base import git as gate
from coffee_hooks.base.config import Review
from coffee_hooks.base.process import End, Ended, alive, identify
from coffee_hooks.base.project import open_project
from coffee_hooks.notify import received
from coffee_hooks.ready.review_report import EXCERPT
from coffee_hooks.ready.review_run import REPORT_LIMIT, conclude
from coffee_hooks.state.reviewing import ReviewOrder, take_order
from coffee_hooks.state.reviews import Opinion, read_reviews
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Completed, Sandbox

Git = Callable[..., str]
MINE = "roadmap-mine"
SCHEMA = Draft202012Validator(json.loads(files("coffee_hooks").joinpath("schemas/review.json").read_text()))


class Desk:
    """A sandbox with a reviewer, which is a shell script, and one branch to review."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def configure(self, script: str, **more: Any) -> None:
        review = {"command": ["sh", "-c", script, "reviewer", "{branch}", "{base}"], **more}
        self.box.commit({".coffee.yaml": json.dumps({"gate": {"command": ["true"]}, "review": review})})
        self.box.push()

    def branch(self, name: str = MINE, text: str = "1\n") -> str:
        return self.box.branch(name, {"pkg/mine.py": text}, "feat: mine")

    def review(self, *args: str, env: dict[str, str] | None = None) -> Completed:
        said = self.box.coffee("--json", "review", *args, env=env)
        if said.rc in (0, 1, 4) and said.out:
            SCHEMA.validate(said.json)
        return said

    def codes(self, name: str = MINE) -> list[str]:
        (found,) = self.box.coffee("--json", "detect-ready", "--branch", name).json["worktrees"]
        return [reason["code"] for reason in found["reasons"]]

    @property
    def known(self) -> dict[Any, Any]:
        return dict(read_reviews(open_project(self.box.work).repo))

    @property
    def state_dir(self) -> Path:
        return self.box.work / ".git" / "coffee"

    @property
    def told(self) -> list[tuple[str, str]]:
        with open_store(self.state_dir) as store:
            return [(n.level.value, n.title) for n in received(store, "architect") if n.sender == "code-reviewer"]

    def nothing_is_left(self) -> bool:
        """No clone and no order."""
        root = self.box.work.parent / "work.worktrees"
        left = list(root.glob("review-*")) if root.is_dir() else []
        return not left and not list((self.state_dir / "reviews").glob("*"))


@pytest.fixture
def desk(sandbox: Sandbox) -> Desk:
    return Desk(sandbox)


def until(true: Callable[[], object]) -> None:
    """Wait until something is true; too long is a failure of the test."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


# --- the three words ------------------------------------------------------------------------------


def test_an_approval_makes_the_branch_ready(desk: Desk, git: Git) -> None:
    """It is seen in the commit's own clone, told where the branch left the target, and the verdict is under the SHA."""
    desk.configure('git rev-parse HEAD; echo "$1 $2 $COFFEE_BASE_SHA $COFFEE_BRANCH"; pwd; cat pkg/mine.py >&2')
    tip = desk.branch()
    assert desk.codes() == ["review-pending"]
    base = git(desk.box.work, "rev-parse", "roadmap")
    said = desk.review(MINE)
    assert said.rc == 0, said.err
    review = said.json["reviews"][0]
    assert {key: said.json[key] for key in review} == review
    assert (review["sha"], review["verdict"], review["reason"]) == (tip, "approved", None)
    head, words, where = Path(review["report"]).read_text().splitlines()
    assert (head, words) == (tip, f"{MINE} {base} {base} {MINE}")
    assert Path(where).parent.name == "work.worktrees" and not Path(where).exists()
    assert Path(review["report"]).name == f"REVIEW-{time.strftime('%Y-%m-%d')}-{tip[:7]}.md"
    assert desk.known[tip].verdict is Opinion.APPROVED and desk.codes() == []
    assert desk.told == [("info", f"Review Approved: {MINE}")]
    assert git(desk.box.work, "status", "--porcelain") == "" and desk.nothing_is_left()
    desk.branch(text="2\n")
    assert desk.codes() == ["review-pending"]  # the next commit was seen by nobody


def test_a_rejection_is_told_once_with_high_priority(desk: Desk) -> None:
    """Exit 1; the architect hears of the issues once for each commit, however often it is reviewed."""
    desk.configure("echo '- no tests'; exit 1")
    desk.branch()
    for _ in range(2):
        said = desk.review(MINE)
        assert (said.rc, said.json["verdict"]) == (1, "rejected")
    assert desk.codes() == ["review-rejected"]
    assert desk.told == [("high", f"Review Rejected: {MINE}")]
    with open_store(desk.state_dir) as store:
        (notice,) = received(store, "architect")
    assert "> - no tests" in notice.message and "Report: " in notice.message
    assert len(list((desk.state_dir / "logs" / "reviews").glob("REVIEW-*.md"))) == 2  # none is overwritten


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 2", "the reviewer ended with 2"),
        ("kill -9 $$", "the reviewer was killed by signal 9"),
        ("sleep 60 & wait", "did not end within 1 s"),
    ],
)
def test_anything_else_decides_nothing(desk: Desk, script: str, why: str) -> None:
    """Exit 4 and the reason; it stays pending, nobody is told, and every try is counted."""
    desk.configure(f"echo half a word; {script}", timeout="1s")
    tip = desk.branch()
    for tries in (1, 2):
        said = desk.review(MINE)
        assert (said.rc, said.json["verdict"]) == (4, "pending") and why in said.json["reason"]
        assert (desk.known[tip].verdict, desk.known[tip].tries) == (Opinion.PENDING, tries)
    (reason,) = desk.box.coffee("--json", "detect-ready").json["worktrees"][0]["reasons"]
    assert reason["code"] == "review-pending" and why in reason["detail"]
    assert reason["hint"] == f"coffee review {MINE}"
    assert desk.told == [] and desk.nothing_is_left()


def test_a_reviewer_that_is_not_there(desk: Desk) -> None:
    """A missing command decides nothing, none configured is a mistake of the configuration."""
    desk.branch()
    assert desk.review(MINE).rc == 2
    desk.configure("true")
    said = desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": "[no-such-reviewer]"})
    assert said.rc == 4 and said.json["reason"] == "the review command 'no-such-reviewer' was not found"
    wrong = desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": "[echo, '{prompt}']"})
    assert wrong.rc == 4 and "unknown placeholder {prompt}" in wrong.json["reason"]
    assert desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": "[]"}).rc == 2


@pytest.mark.parametrize(
    ("end", "free", "verdict"),
    [
        (Ended(End.EXITED, 0, 1.0), 0, Opinion.APPROVED),
        (Ended(End.EXITED, 1, 1.0), 1 << 30, Opinion.REJECTED),
        (Ended(End.EXITED, 1, 1.0), 0, Opinion.PENDING),
        (Ended(End.STOPPED, -9, 1.0), 1 << 30, Opinion.PENDING),
    ],
)
def test_what_an_end_means(end: Ended, free: int, verdict: Opinion) -> None:
    """Where there is no room most programs fail with 1: nobody is rejected by that."""
    said = conclude(end, Review(("reviewer",)), free)
    assert said[0] is verdict and bool(said[1]) is (verdict is Opinion.PENDING)


def test_a_failed_run_never_takes_a_verdict_away(desk: Desk) -> None:
    """A person reviews again, the reviewer dies: what was said before still counts."""
    desk.configure("exit 0")
    tip = desk.branch()
    assert desk.review(MINE).rc == 0
    assert desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": "[sh, -c, exit 7]"}).rc == 4
    assert desk.known[tip].verdict is Opinion.APPROVED and desk.codes() == []
    assert desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": "['false']"}).rc == 1
    assert desk.codes() == ["review-rejected"]


# --- which branches -------------------------------------------------------------------------------


def test_without_a_name_all_that_wait_are_reviewed(desk: Desk) -> None:
    """Not those that wait for something else, and none twice."""
    desk.configure('echo "$1" >> "$COFFEE_ROOT/../reviewed"')
    tips = {name: desk.box.branch(name, {f"{name}.py": "1\n"}) for name in ("roadmap-a", "roadmap-b")}
    desk.box.branch("roadmap-clash", {"pkg/alpha.py": "x\n"})
    desk.box.commit({"pkg/alpha.py": "y\n"})
    said = desk.review()
    assert said.rc == 0 and {each["branch"]: each["sha"] for each in said.json["reviews"]} == tips
    assert "branch" not in said.json
    again = desk.review()
    assert (again.rc, again.json["reviews"]) == (0, [])
    assert (desk.box.work.parent / "reviewed").read_text() == "roadmap-a\nroadmap-b\n"


@pytest.mark.parametrize("name", ["roadmap", "main", "roadmap-nobody", "-x", "roadmap-\x1b[31m", "x/roadmap-y", ""])
def test_a_name_that_is_no_branch_of_ours(desk: Desk, name: str) -> None:
    """Refused before anything runs, in one line without control characters."""
    desk.configure('touch "$COFFEE_ROOT/../ran"')
    said = desk.box.coffee("review", "--", name)
    assert said.rc == 2 and "\x1b" not in said.err
    assert not (desk.box.work.parent / "ran").exists()


def test_odd_characters_of_a_name_are_data(desk: Desk) -> None:
    """Everything that CFR-013 allows, to the reviewer, in the ref and in the report's name."""
    name = "roadmap-A.b_c--x.9"
    desk.configure('echo "<$1>"')
    desk.box.branch(name, {"odd.py": "1\n"})
    said = desk.review(name)
    assert said.rc == 0 and Path(said.json["report"]).read_text() == f"<{name}>\n"


def test_a_reviewer_in_the_repository_is_the_commits_own(desk: Desk) -> None:
    """As the README warns: a relative program is that of the clone, which is why it should be protected."""
    desk.configure("true")
    desk.box.commit({"scripts/review.sh": "#!/bin/sh\nexit 1\n"})
    (desk.box.work / "scripts/review.sh").chmod(0o755)
    desk.box.commit({"scripts/review.sh": "#!/bin/sh\necho strict\nexit 1\n"})
    desk.box.push()
    desk.branch()
    said = desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": "[scripts/review.sh, '{base}']"})
    assert said.rc == 1 and Path(said.json["report"]).read_text() == "strict\n"


def test_the_branch_cannot_choose_its_reviewer(desk: Desk) -> None:
    """Its own configuration is not read, whatever it says."""
    desk.configure("exit 1")
    easy = json.dumps({"gate": {"command": ["true"]}, "review": {"command": ["true"]}})
    desk.box.branch(MINE, {".coffee.yaml": easy})
    assert desk.review(MINE).rc == 1


def test_the_reviewer_sees_no_token_and_no_other_repository(desk: Desk, git: Git) -> None:
    """Forge tokens and COFFEE_* settings are not passed on; what it does with git stays in its clone."""
    desk.configure(
        'echo "[$GITHUB_TOKEN] [$COFFEE_REVIEW__TIMEOUT]"; git tag evil; git checkout -q -b roadmap-evil;'
        " echo x > new; git add new; git -c user.name=x -c user.email=x@x commit -qm evil; git stash -q; true"
    )
    desk.branch()
    before = desk.box.refs()
    said = desk.review(MINE, env={"GITHUB_TOKEN": "secret", "COFFEE_REVIEW__TIMEOUT": "20s"})
    assert Path(said.json["report"]).read_text() == "[] []\n"
    changed = {ref for ref, sha in desk.box.refs().items() if before.get(ref) != sha}
    assert {ref.rsplit("/", 1)[0] for ref in changed} == {"refs/coffee/reviews"}
    assert git(desk.box.work, "stash", "list") == ""


# --- hostile reviewers ----------------------------------------------------------------------------


def test_a_report_of_50_megabytes_with_control_characters(desk: Desk) -> None:
    """What is kept is short, one can `cat` it, and nothing of it reaches a terminal as a command."""
    noise = (
        r"import sys; sys.stdout.buffer.write(b'\x1b]0;title\x07\x00\xff<script>\r\n' + b'x' * 50_000_000); sys.exit(1)"
    )
    desk.configure("true")
    desk.branch()
    said = desk.review(MINE, env={"COFFEE_REVIEW__COMMAND": json.dumps([sys.executable, "-c", noise])})
    assert said.rc == 1
    text = Path(said.json["report"]).read_text()
    assert len(text) < REPORT_LIMIT + 200 and text.endswith("[cut off: the reviewer wrote 50000022 bytes]\n")
    assert text.startswith("\\x1b]0;title\\x07\\x00\ufffd<script>\nxxx")
    assert len(desk.known[said.json["sha"]].excerpt) < EXCERPT + 100
    shown = desk.box.coffee("notifications")
    assert "\x1b" not in shown.out and len(shown.out) < 4_000


def test_a_reviewer_that_forks_and_hangs(desk: Desk, tmp_path: Path) -> None:
    """Its child keeps stdout open in a session of its own: the verdict counts, the child is ended, nobody waits."""
    child = (
        f"import os,time; os.setsid(); open({str(tmp_path / 'child')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    desk.configure(f'{sys.executable} -c "{child}" & while [ ! -s {tmp_path}/child ]; do sleep 0.02; done; echo ok')
    desk.branch()
    said = desk.review(MINE)
    assert said.rc == 0 and Path(said.json["report"]).read_text() == "ok\n"
    who = identify(int((tmp_path / "child").read_text()))
    assert who is None or not alive(who)
    assert desk.nothing_is_left()


def test_a_reviewer_that_makes_its_clone_stubborn(desk: Desk) -> None:
    """Folders without rights, a repository in the repository, no .git any more: the clone goes all the same."""
    for script in ("mkdir -p a/b; chmod 0 a/b; chmod 500 a", "git init -q inner", "rm -rf .git", "rm -rf ../review-*"):
        desk.configure(script)
        desk.branch(text=f"{script}\n")
        assert desk.review(MINE).rc == 0, script
        assert desk.nothing_is_left(), script


def test_what_is_not_ours_is_left_alone(desk: Desk) -> None:
    """A folder of the user in the clone's place decides nothing, and stays."""
    desk.configure("true")
    tip = desk.branch()
    place = desk.box.work.parent / "work.worktrees" / f"review-{tip[:12]}"
    place.mkdir(parents=True)
    (place / "precious").write_text("mine")
    said = desk.review(MINE)
    assert said.rc == 4 and "is not a clone of coffee" in said.json["reason"]
    assert (place / "precious").read_text() == "mine"


def test_the_commit_moves_while_it_is_reviewed(desk: Desk) -> None:
    """The verdict is bound to what was seen; the new tip waits."""
    desk.configure(
        'git -C "$COFFEE_ROOT" update-ref refs/heads/roadmap-mine '
        '$(git -C "$COFFEE_ROOT" commit-tree -p HEAD -m more HEAD:)'
    )
    tip = desk.branch()
    said = desk.review(MINE)
    assert (said.rc, said.json["sha"]) == (0, tip)
    now = desk.box.refs("refs/heads/")[f"refs/heads/{MINE}"]
    assert now != tip and list(desk.known) == [tip]


# --- reports --------------------------------------------------------------------------------------


def test_reports_may_be_published_in_a_folder(desk: Desk) -> None:
    """`review.reports`, below the main checkout; if it cannot be written they are beside the logs, and it is said."""
    desk.configure("echo fine", reports="docs/code-reviews")
    tip = desk.branch()
    report = Path(desk.review(MINE).json["report"])
    assert report.parent == desk.box.work / "docs/code-reviews" and report.read_text() == "fine\n"
    desk.configure("echo fine", reports="README.dir/x")
    (desk.box.work / "README.dir").write_text("")
    said = desk.review(MINE)
    assert "warning: review.reports cannot be written" in said.err
    assert Path(said.json["report"]).parent == desk.state_dir / "logs" / "reviews"
    assert tip[:7] in said.json["report"]


def test_nothing_said_is_no_report(desk: Desk) -> None:
    """Neither a file nor a notification."""
    desk.configure("printf '\\n \\n'")
    desk.branch()
    assert desk.review(MINE).json["report"] is None
    assert desk.told == []


def test_a_rejection_on_stderr_is_told_too(desk: Desk) -> None:
    """No report was printed, and the agent and the architect still learn what is wrong, of this run alone."""
    desk.configure('echo "bad: $RANDOM_WORD" >&2; exit 1')
    tip = desk.branch()
    for word in ("one", "two"):
        said = desk.review(MINE, env={"RANDOM_WORD": word})
        assert (said.rc, said.json["report"]) == (1, None)
        assert desk.known[tip].excerpt == f"bad: {word}\n"


# --- two at once, and kill -9 ---------------------------------------------------------------------


def test_two_never_review_one_commit_at_once(desk: Desk) -> None:
    """Of four typed at the same moment one runs; the others are told that it is going on (exit 75)."""
    gate = desk.box.work.parent / "go"
    desk.configure(f'echo run >> "$COFFEE_ROOT/../runs"; while [ ! -e {gate} ]; do sleep 0.02; done')
    desk.branch()
    ends: list[int] = []
    threads = [threading.Thread(target=lambda: ends.append(desk.box.coffee_apart("review", MINE).rc)) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(ends) == 2)
    assert desk.codes() == ["review-pending"]
    (found,) = desk.box.coffee("--json", "detect-ready").json["worktrees"]
    assert "its review is going on" in found["reasons"][0]["detail"]
    gate.touch()
    for thread in threads:
        thread.join()
    assert sorted(ends) == [0, 75, 75] and (desk.box.work.parent / "runs").read_text() == "run\n"


def test_a_killed_review_leaves_nothing_in_the_way(desk: Desk, tmp_path: Path) -> None:
    """kill -9 in the middle: no verdict; the next one ends what is still at work before it begins."""
    busy = tmp_path / "busy"
    desk.configure(f"[ -e {tmp_path}/again ] && exit 0; echo $$ > {busy}; exec sleep 600")
    tip = desk.branch()
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "coffee_hooks", "review", MINE], cwd=desk.box.work,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: busy.exists() and busy.read_text().strip())
    child.kill()
    child.wait()
    orphan = identify(int(busy.read_text()))
    assert orphan is not None and alive(orphan) and tip not in desk.known
    (tmp_path / "again").touch()
    assert desk.review(MINE).rc == 0
    assert not alive(orphan) and desk.nothing_is_left()


def killing(after: int) -> Callable[[object], None]:
    """What ends this process at its first git call behind *after* of them."""
    left = iter(range(after))
    return lambda _argv: None if next(left, None) is not None else os.kill(os.getpid(), signal.SIGKILL)


def test_killed_before_every_git_call(desk: Desk, git: Git, tmp_path: Path) -> None:
    """kill -9 wherever it may come: no verdict or the right one, and the next review brings it to its end."""
    runs = tmp_path / "runs"
    desk.configure(f"echo run >> {runs}; echo found; exit 1")
    tip, calls = desk.branch(), 0
    while True:
        calls += 1
        child = os.fork()
        if child == 0:
            gate.trace.append(killing(calls))
            os._exit(boundary.main(["-q", "-C", str(desk.box.work), "review"]))
        _, status = os.waitpid(child, 0)
        known = desk.known.get(tip)
        assert known is None or known.verdict is Opinion.REJECTED
        assert desk.review().rc in (0, 1)  # 0: it was recorded before the kill
        assert desk.codes() == ["review-rejected"] and desk.nothing_is_left()
        if not os.WIFSIGNALED(status):
            break
        git(desk.box.work, "update-ref", "-d", f"refs/coffee/reviews/{tip}")
    assert os.waitstatus_to_exitcode(status) == 1 and calls > 8
    assert desk.told == [("high", f"Review Rejected: {MINE}")]


def test_ctrl_c_ends_the_reviewer(desk: Desk, tmp_path: Path) -> None:
    """Exit 130, and neither a process nor a clone nor a verdict stays."""
    busy = tmp_path / "busy"
    desk.configure(f"echo $$ > {busy}; exec sleep 600")
    tip = desk.branch()
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "coffee_hooks", "review", MINE], cwd=desk.box.work,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    until(lambda: busy.exists() and busy.read_text().strip())
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(60) == 130
    who = identify(int(busy.read_text()))
    assert (who is None or not alive(who)) and tip not in desk.known and desk.nothing_is_left()


def test_an_order_without_a_process_is_no_review(desk: Desk) -> None:
    """The file of a dead process is taken over."""
    desk.configure("true")
    tip = desk.branch()
    turn = take_order(desk.state_dir, ReviewOrder(tip, MINE, None, tip))
    assert turn is not None
    assert desk.review(MINE).rc == 75
    os.close(turn.descriptor)
    assert desk.review(MINE).rc == 0


# --- afterwards -----------------------------------------------------------------------------------


def test_cleanup_forgets_reviews_of_branches_that_are_gone(desk: Desk, git: Git) -> None:
    """And of commits that are no branch's tip any more; a dry run says so first."""
    desk.configure("true")
    tip = desk.branch()
    other = desk.box.branch("roadmap-other", {"other.py": "1\n"})
    assert desk.review().rc == 0 and set(desk.known) == {tip, other}
    git(desk.box.work, "update-ref", "-d", f"refs/heads/{MINE}")
    said = desk.box.coffee("cleanup", "--dry-run")
    assert f"would forget the review refs/coffee/reviews/{tip} (" in said.out
    assert desk.box.coffee("cleanup").rc == 0
    assert set(desk.known) == {other}
