"""What GitHub tells a workflow of the event that started it, as far as a workflow can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """An event for *ref* at *sha*; *more* is what its payload says beside what all payloads say."""

    name: str
    ref: str
    sha: str
    more: dict[str, Any]

    @property
    def short_ref(self) -> str:
        """The name of the branch or tag."""
        return self.ref.split("/", 2)[2]

    def payload(self, repository: str, default: str, server: str) -> dict[str, Any]:
        """The text of the event file."""
        owner, _, name = repository.partition("/")
        about = {
            "full_name": repository, "name": name, "owner": {"login": owner}, "default_branch": default,
            "html_url": f"{server}/{repository}", "clone_url": f"{server}/{repository}.git",
        }  # fmt: skip
        return {"repository": about, "sender": {"login": "dev"}, **self.more}


def push(ref: str, old: str, new: str, message: str) -> Event:
    """A ref was moved or made."""
    made = not old.strip("0")
    commit = {"id": new, "message": message}
    more = {"ref": ref, "before": old, "after": new, "created": made, "deleted": False, "head_commit": commit}
    return Event("push", ref, new, more)


def dispatch(ref: str, sha: str, inputs: dict[str, str]) -> Event:
    """Somebody asked for a run."""
    return Event("workflow_dispatch", ref, sha, {"ref": ref, "inputs": inputs})


def schedule(ref: str, sha: str) -> Event:
    """It is time."""
    return Event("schedule", ref, sha, {"schedule": "*/15 * * * *"})


def run_ended(ref: str, sha: str, name: str, conclusion: str, of: Event) -> Event:
    """A run of the workflow *name* ended; *ref* is the default branch."""
    about = {
        "name": name, "event": of.name, "conclusion": conclusion, "head_branch": of.short_ref, "head_sha": of.sha,
    }  # fmt: skip
    return Event("workflow_run", ref, sha, {"action": "completed", "workflow_run": about})
