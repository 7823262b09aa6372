"""What is known of a run and its jobs, read from the log that ``act --json`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from miniforge.plan import CALLED


@dataclass(frozen=True)
class Annotation:
    """A workflow command for people: *level* is ``notice``, ``warning`` or ``error``."""

    level: str
    message: str
    properties: dict[str, str]


@dataclass
class Job:
    """One job; a job of a called workflow is ``caller/called``, one of a matrix ends in ``-1``, ``-2`` ...

    *outputs* are those of its steps, as ``step.name``; *summary* is what its steps wrote for people, as Markdown.
    """

    conclusion: str = "cancelled"
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    annotations: list[Annotation] = field(default_factory=list)


@dataclass
class Result:
    """How a run ended: ``success failure cancelled startup_failure timed_out``; *log* is of the run itself."""

    conclusion: str
    log: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)


def read_log(lines: Iterable[str], workflow: str, planned: Sequence[str]) -> dict[str, Job]:
    """The jobs that *lines* speak of, and as ``skipped`` the planned ones of which they say nothing."""
    jobs: dict[str, Job] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("job"):
            _add(jobs.setdefault(_path(entry["job"], workflow), Job()), entry)
    for path in planned:
        if not any(name == path or name.startswith((f"{path}/", f"{path}-")) for name in jobs):
            jobs[path] = Job("skipped")
    return jobs


def _path(job: str, workflow: str) -> str:
    return "/".join(part for part in job.removeprefix(workflow + "/").split("/") if part != CALLED)


def _add(job: Job, entry: dict[str, Any]) -> None:
    if "jobResult" in entry:
        job.conclusion = entry["jobResult"]
    if entry.get("raw_output") or entry.get("level") == "error" or "Failure" in entry["msg"]:
        job.log += entry["msg"].rstrip("\n") + "\n"
    command = entry.get("command")
    if command == "set-output":
        job.outputs[f"{entry['stepID'][-1]}.{entry['name']}"] = entry["arg"]
    elif command == "summary":
        job.summary += entry["content"]
    elif command in ("notice", "warning", "error"):
        job.annotations.append(Annotation(command, entry["arg"], entry.get("kvPairs") or {}))
