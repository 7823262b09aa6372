"""What ``act`` is given instead of the workflow: the same jobs, with what it cannot do itself made explicit.

``act`` knows one token for a whole run and no permissions. So each job, also those of called workflows, gets a token of
its own under a secret of its own, and everywhere in the job where the workflow says ``github.token`` or
``secrets.GITHUB_TOKEN`` that secret is put. A job has no way to name the secret of another one, save by asking for all
of them, which is refused. What else is changed: ``concurrency`` goes, because the forge has seen to it; names of jobs
go, so that the log names them by their ids; each job begins with a step that makes a home of its own, because on a
real runner no job sees the files of another.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from miniforge.permissions import Grants, check_within, of_job
from miniforge.workflow import FOLDER, Unsupported, load_yaml

CALLED = "called"
"""The name of every called workflow in the log; there it stands between the ids of the calling and the called job."""

_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_TOKEN = re.compile(r"\b(?:github\.token|secrets\.GITHUB_TOKEN)\b", re.IGNORECASE)
_ALL = re.compile(r"\(\s*(?:secrets|github)\s*\)|\b(?:secrets|github)\s*\[", re.IGNORECASE)
_REMOTE = re.compile(r"([^/@]+/[^/@]+)/(\.github/workflows/[^/@]+)@([^@]+)")
_HOME = {"run": 'mkdir -p "$HOME"', "shell": "sh", "working-directory": "${{ github.workspace }}"}

Read = Callable[[str], str]
"""Gives the text of a file by its path, in the repository and at the commit that a workflow comes from."""


@dataclass
class Plan:
    """The files for ``act`` by path, the one to start with, and the token of each job under its secret.

    *jobs* are the paths of all jobs (``land/gate`` for a called one), *actions* every ``uses`` of a step.
    """

    main: str
    files: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)
    actions: set[str] = field(default_factory=set)


@dataclass
class Planner:
    """*issue* makes a token for a job and its grants; *library* reads other repositories by their name.

    *wants_token* says which inputs of an action stand for the job's token when they are not given.
    """

    issue: Callable[[str, Grants], str]
    library: Callable[[str], Read]
    wants_token: Callable[[str], tuple[str, ...]]
    homes: str

    def plan(self, file: str, tree: Mapping[str, Any], read: Read, default: Grants) -> Plan:
        """Raises StartupFailure or ValueError where GitHub would not start it, Unsupported where this forge cannot."""
        plan = Plan(FOLDER + file)
        self._workflow(plan, plan.main, tree, read, default, "")
        return plan

    def _workflow(
        self, plan: Plan, path: str, tree: Mapping[str, Any], read: Read, ceiling: Grants, above: str
    ) -> list[str]:
        """Add one workflow and what it calls; the secrets that its jobs need."""
        new = copy.deepcopy(dict(tree))
        if _TOKEN.search(str(new.get("env"))):
            raise Unsupported(f"{path}: the token in the environment of the whole workflow")
        new.pop("concurrency", None)
        new.pop("permissions", None)
        new["name"] = CALLED if above else name_of(tree, path)
        needed: list[str] = []
        for name, job in new["jobs"].items():
            grants = of_job(tree, job, ceiling)
            if above:
                check_within(grants, ceiling, above + name)
            job.pop("permissions", None)
            job.pop("name", None)
            job.pop("cache-mode", None)  # there is no cache here, and act does not know the word
            plan.jobs.append(above + name)
            if "uses" in job:
                needed += self._call(plan, job, read, grants, above + name)
            else:
                needed.append(self._job(plan, job, grants, above + name))
        plan.files[path] = yaml.safe_dump(new, sort_keys=False, allow_unicode=True, width=10_000)
        return needed

    def _call(self, plan: Plan, job: dict[str, Any], read: Read, grants: Grants, path: str) -> list[str]:
        uses = str(job["uses"])
        if remote := _REMOTE.fullmatch(uses):
            read, inside = self.library(remote[1]), remote[2]
        elif uses.startswith("./" + FOLDER):
            inside = uses.removeprefix("./")
        else:
            raise Unsupported(f"{path}: uses: {uses}")
        file = f"{FOLDER}forge-{len(plan.files)}-{len(plan.jobs)}-{PurePosixPath(inside).name}"
        needed = self._workflow(plan, file, load_yaml(read(inside)), read, grants, path + "/")
        job["uses"] = "./" + file
        if job.get("secrets") != "inherit":
            job["secrets"] = {**(job.get("secrets") or {}), **{name: f"${{{{ secrets.{name} }}}}" for name in needed}}
        return needed

    def _job(self, plan: Plan, job: dict[str, Any], grants: Grants, path: str) -> str:
        for key in ("container", "services"):
            if key in job:
                raise Unsupported(f"{path}: {key}")
        if job.get("runs-on") != "ubuntu-latest":
            raise Unsupported(f"{path}: runs-on: {job.get('runs-on')}")
        secret = f"FORGE_{len(plan.secrets)}"
        plan.secrets[secret] = self.issue(path, grants)
        for step in job["steps"]:
            if "uses" in step and not step["uses"].startswith("./"):
                plan.actions.add(step["uses"])
                given = step.get("with") or {}
                step["with"] = dict.fromkeys(self.wants_token(step["uses"]), "${{ github.token }}") | given
        job["steps"] = [dict(_HOME), *_with_token(job["steps"], secret, path)]
        home = f"{self.homes}/{path.replace('/', '.')}-${{{{ strategy.job-index }}}}"
        job["env"] = {**_with_token(job.get("env") or {}, secret, path), "HOME": home}
        return secret


def name_of(tree: Mapping[str, Any], path: str) -> str:
    """What people see: the name of a workflow, else the path of its file."""
    return str(tree.get("name") or path)


def _with_token(value: Any, secret: str, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_token(each, secret, path) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_token(each, secret, path) for each in value]
    if not isinstance(value, str):
        return value

    def named(found: re.Match[str]) -> str:
        if _ALL.search(found[0]):
            raise Unsupported(f"{path}: all secrets at once: {found[0]}")
        return _TOKEN.sub(f"secrets.{secret}", found[0])

    return _EXPRESSION.sub(named, value)
