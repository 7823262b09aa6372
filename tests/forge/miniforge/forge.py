"""The forge: a repository that is pushed to, and the runs that follow. README.md beside this folder says more."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from miniforge import events
from miniforge.bare import add_commit, check_out_head, list_workflows, make_bare, read_file, run_git
from miniforge.events import Event
from miniforge.groups import Groups
from miniforge.permissions import DEFAULTS, StartupFailure
from miniforge.plan import Plan, Planner
from miniforge.results import Job, Result
from miniforge.runner import Execution, stand_in
from miniforge.server import Refused, serve
from miniforge.tokens import Holder, Tokens
from miniforge.workflow import FOLDER, Concurrency, Unsupported, Workflow, load_yaml


@dataclass(eq=False)
class Run:
    """One run of a workflow, from the moment when something asked for it."""

    number: int
    workflow: str
    name: str
    event: Event
    execution: Execution
    result: Result | None = None
    started: float = 0.0
    ended: float = 0.0

    @property
    def conclusion(self) -> str | None:
        """How it ended, None while it waits or goes on."""
        return self.result.conclusion if self.result else None

    @property
    def ref(self) -> str:
        """The branch or tag that it is for."""
        return self.event.short_ref

    @property
    def jobs(self) -> dict[str, Job]:
        """Its jobs by their path."""
        return self.result.jobs if self.result else {}

    @property
    def log(self) -> str:
        """Everything that was said, for the message of an assertion."""
        said = [f"run {self.number}: {self.workflow} for {self.ref}: {self.conclusion}"]
        said += [self.result.log] if self.result else []
        said += [f"--- {name}: {job.conclusion}\n{job.log}" for name, job in self.jobs.items()]
        return "\n".join(said)

    def cancel(self) -> None:
        """End it."""
        self.execution.cancel()


class Forge:
    """A forge with one repository. *path* finds ``act`` and what runners have; *libraries* are other repositories."""

    def __init__(self, root: Path, path: str, libraries: Mapping[str, Path]) -> None:
        self.root, self.path, self.libraries = root, path, libraries
        self.name, self.default, self.closed, self.protected = "acme/demo", "roadmap", False, set[str]()
        self.grants = DEFAULTS["read"]
        self.tokens, self.groups = Tokens(), Groups()
        self.runs: list[Run] = []
        self.troubles: list[BaseException] = []
        self._busy, self._changed = 0, threading.Condition()
        self.user_token = self.tokens.issue(Holder("dev", {}))
        self._server = serve(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def bare(self) -> Path:
        """The repository itself."""
        return self.root / f"{self.name}.git"

    @property
    def work(self) -> Path:
        """The user's clone; its remote takes pushes."""
        return self.root / "work"

    def create(
        self, files: Mapping[str, str], *, closed: bool = False, permissions: str = "read", default: str = "roadmap"
    ) -> None:
        """Make the repository, its first commit and the user's clone. *permissions* is the repository's setting."""
        self.closed, self.grants, self.default = closed, DEFAULTS[permissions], default
        make_bare(self.bare, default)
        add_commit(self.bare, f"refs/heads/{default}", None, files, "chore: Start")
        run_git(self.root, "clone", "-q", self.url_of("dev", self.user_token), str(self.work))

    def url_of(self, login: str, token: str) -> str:
        """The address of the repository for whoever holds *token*."""
        return f"{self.url.replace('://', f'://{login}:{token}@')}/{self.name}"

    def push(
        self, branch: str, files: Mapping[str, str | None], message: str = "chore: Change files", base: str = ""
    ) -> str:
        """Commit on top of *branch* (made from *base*, else the default one) and push it as the user; the commit."""
        sha = add_commit(self.work, f"refs/heads/{branch}", base or f"origin/{self.default}", files, message)
        run_git(self.work, "push", "-q", "origin", f"refs/heads/{branch}")
        return sha

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Full ref name -> SHA, as the forge has them."""
        out = run_git(self.bare, "for-each-ref", "--format=%(objectname) %(refname)", prefix)
        return {ref: sha for sha, _, ref in (line.partition(" ") for line in out.splitlines())}

    def wait_idle(self, seconds: float = 90) -> list[Run]:
        """Wait until nothing goes on and nothing waits; every run so far. Trouble of the forge itself is raised."""
        with self._changed:
            idle = self._changed.wait_for(lambda: not self._busy, seconds)
        if self.troubles:
            raise self.troubles[0]
        assert idle, "\n".join(run.log for run in self.runs if run.conclusion is None)
        return list(self.runs)

    def close(self) -> None:
        """End every run and the server."""
        for run in list(self.runs):
            if run.conclusion is None:
                run.cancel()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, 15)
        self._server.shutdown()
        self._server.server_close()

    def pushed(self, updates: list[tuple[str, str, str]], holder: Holder) -> None:
        """Start what a push starts: by the workflow files of the pushed commit, and nothing for the token of a job."""
        if holder.job is not None:
            return
        for old, new, ref in updates:
            if not new.strip("0") or not ref.startswith(("refs/heads/", "refs/tags/")):
                continue
            message = run_git(self.bare, "log", "-1", "--format=%B", new)
            event = events.push(ref, old, new, message)
            try:
                for workflow in self._workflows(event):
                    if workflow.starts_on_push(ref, message):
                        self._start(workflow, event)
            except Unsupported as trouble:  # the push itself is none the worse
                self.troubles.append(trouble)

    def dispatch(self, file: str, ref: str, inputs: dict[str, Any]) -> None:
        """Start a workflow by hand, at the ref that is named. Raises Refused."""
        full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        # It must be known on the default branch, but it is the file of the ref that runs.
        if file not in list_workflows(self.bare, f"refs/heads/{self.default}"):
            raise Refused(HTTPStatus.NOT_FOUND, "Not Found")
        sha = self.refs(full).get(full)
        try:
            if sha is None:
                raise ValueError(f"No ref found for: {ref}")
            workflow = Workflow.parse(file, read_file(self.bare, sha, FOLDER + file))
            if "workflow_dispatch" not in workflow.triggers:
                raise ValueError("Workflow does not have 'workflow_dispatch' trigger")
            event = events.dispatch(full, sha, workflow.dispatch_inputs(inputs))
        except ValueError as broken:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(broken)) from broken
        self._start(workflow, event)

    def schedule(self) -> None:
        """Let the time come for everything that the default branch schedules."""
        event = events.schedule(f"refs/heads/{self.default}", self.refs()[f"refs/heads/{self.default}"])
        for workflow in self._workflows(event):
            if "schedule" in workflow.triggers:
                self._start(workflow, event)

    def _workflows(self, event: Event) -> list[Workflow]:
        found = []
        for file in list_workflows(self.bare, event.sha):
            try:
                found.append(Workflow.parse(file, read_file(self.bare, event.sha, FOLDER + file)))
            except ValueError as broken:  # GitHub shows a run that failed
                self._register(file, file, event).result = Result("startup_failure", str(broken))
        return found

    def _register(self, file: str, name: str, event: Event) -> Run:
        with self._changed:
            number = len(self.runs) + 1
            run = Run(number, file, name, event, Execution(self.root / "runs" / str(number), self.path))
            self.runs.append(run)
        return run

    def _start(self, workflow: Workflow, event: Event) -> None:
        context = {
            "github.ref": event.ref, "github.ref_name": event.short_ref, "github.workflow": workflow.name,
            "github.event_name": event.name, "github.sha": event.sha, "github.repository": self.name,
            **{f"inputs.{name}": value for name, value in (event.more.get("inputs") or {}).items()},
        }  # fmt: skip
        group = workflow.concurrency(context)
        run = self._register(workflow.file, workflow.name, event)
        with self._changed:
            self._busy += 1
        if group:
            self.groups.join(run, group)
        threading.Thread(target=self._carry_out, args=(run, workflow, group), daemon=True).start()

    def _carry_out(self, run: Run, workflow: Workflow, group: Concurrency | None) -> None:
        try:
            mine = group is None or self.groups.wait(run, group.group)
            run.started = time.monotonic()
            try:
                result = self._execute(run, workflow) if mine else Result("cancelled")
            except (StartupFailure, ValueError) as failed:
                result = Result("startup_failure", str(failed))
            finally:
                run.ended = time.monotonic()
                if group:
                    self.groups.leave(run, group.group)
            run.result = result
            self._follow(run)
        except (AssertionError, LookupError, OSError, TypeError, Unsupported) as trouble:
            self.troubles.append(trouble)  # a thread has nobody to raise to; wait_idle does it
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _execute(self, run: Run, workflow: Workflow) -> Result:
        event, place = run.event, run.execution.place
        issued: list[str] = []

        def issue(job: str, grants: Mapping[str, str]) -> str:
            issued.append(self.tokens.issue(Holder("github-actions[bot]", grants, f"{run.number}/{job}")))
            return issued[-1]

        planner = Planner(issue, self._library, _token_inputs, str(place / "homes"))
        about = {
            "GITHUB_SERVER_URL": self.url, "GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": self.name,
            "GITHUB_RUN_ID": str(run.number), "GITHUB_RUN_NUMBER": str(run.number), "GITHUB_ACTOR": "dev",
        }  # fmt: skip
        payload = json.dumps(event.payload(self.name, self.default, self.url))
        try:
            plan: Plan = planner.plan(
                workflow.file, workflow.tree, lambda path: read_file(self.bare, event.sha, path), self.grants
            )
            check_out_head(self.bare, place / "repo", event.ref, event.sha)
            return run.execution.execute(plan, workflow.name, event.name, payload, about)
        finally:
            self.tokens.revoke(issued)

    def _library(self, name: str) -> Any:
        if name not in self.libraries:
            raise Unsupported(f"there is no repository {name}")
        return lambda path: (self.libraries[name] / path).read_text(encoding="utf-8")

    def _follow(self, run: Run) -> None:
        """Start what waits for the end of this run, by the files of the default branch."""
        sha = self.refs()[f"refs/heads/{self.default}"]
        event = events.run_ended(f"refs/heads/{self.default}", sha, run.name, run.conclusion or "", run.event)
        for file in list_workflows(self.bare, sha):
            try:
                workflow = Workflow.parse(file, read_file(self.bare, sha, FOLDER + file))
            except ValueError:
                continue
            if workflow.starts_on_run_of(run.name, run.ref):
                self._start(workflow, event)


def _token_inputs(uses: str) -> tuple[str, ...]:
    inputs = load_yaml((stand_in(uses) / "action.yml").read_text(encoding="utf-8")).get("inputs") or {}
    return tuple(name for name, about in inputs.items() if "github.token" in str(about.get("default")))
