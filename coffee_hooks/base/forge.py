"""Ask GitHub to start a workflow: by its REST API where there is a token, else with `gh`, which has one of its own."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.process import End, run
from coffee_hooks.base.text import printable

SECONDS = 60.0
TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")

_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/|(?:[^@/:]+@)?(?P<scp>[^/:]+):)"
    r"(?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A repository of a forge."""

    host: str
    path: str

    @property
    def api(self) -> str:
        """The root of the REST API: as Actions names it, else as GitHub and GitHub Enterprise have it."""
        told = os.environ.get("GITHUB_API_URL")
        return told or ("https://api.github.com" if self.host == "github.com" else f"https://{self.host}/api/v3")


def place_of(url: str) -> Place:
    """The repository behind a remote's *url*. Raises UsageError when it is none of a forge."""
    found = _REMOTE.fullmatch(url)
    if found is None:
        raise UsageError(
            f"{printable(_without_secret(url))} is no repository on GitHub", hint="set the remote in .coffee.yaml"
        )
    return Place(found["host"] or found["scp"], found["path"])


def dispatch(place: Place, file: str, ref: str, inputs: Mapping[str, str], log: Path) -> None:
    """Start the workflow *file* on the branch *ref*; *log* is where `gh` may write.

    Raises EnvironmentFailure when GitHub or the network says no, or there is neither token nor `gh`.
    """
    token = next((value for name in TOKENS if (value := os.environ.get(name))), None)
    if token:
        _post(place, file, {"ref": ref, "inputs": dict(inputs)}, token)
        return
    words = [word for name, value in inputs.items() for word in ("-f", f"{name}={value}")]
    repo = place.path if place.host == "github.com" else f"{place.host}/{place.path}"
    argv = ["gh", "workflow", "run", file, "--repo", repo, "--ref", ref, *words]
    ended = run(argv, cwd=Path.cwd(), env=for_children({}), log=log, seconds=SECONDS)
    if ended.end is End.NOT_FOUND:
        raise EnvironmentFailure(
            "GitHub cannot be asked: there is no token and no gh", hint="set GH_TOKEN, or install gh: gh auth login"
        )
    if ended.rc != 0:
        raise EnvironmentFailure(f"gh could not start {file}", hint=f"read {log}, then: gh auth status")


def _post(place: Place, file: str, body: Mapping[str, object], token: str) -> None:
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    url = f"{place.api}/repos/{place.path}/actions/workflows/{file}/dispatches"
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise UsageError(
            f"a token is not sent to {printable(place.api)}", hint="GITHUB_API_URL must begin with https://"
        )
    headers = {
        "Accept": "application/vnd.github+json", "Content-Type": "application/json", "User-Agent": "coffee-hooks",
    }  # fmt: skip
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=SECONDS):
            return
    except HTTPError as refused:
        hint = {
            307: "the repository was renamed or moved: git remote set-url",
            401: "the token is not valid: set GH_TOKEN",
            403: "the token needs the right to write actions",
            404: f"is {file} on the default branch, and may the token see {place.path}? See: coffee init --github",
            422: f"{file} must have workflow_dispatch with the input tasks: coffee init --github",
        }.get(refused.code, "try again in a minute")
        raise EnvironmentFailure(
            f"GitHub did not start {file}: HTTP {refused.code}", hint=hint,
            detail=printable(refused.read(500).decode("utf-8", "replace")),
        ) from refused  # fmt: skip
    except (URLError, OSError) as gone:
        raise EnvironmentFailure(
            f"{printable(place.api)} cannot be reached", hint="check the network, then run this again",
            detail=printable(str(gone)),
        ) from gone  # fmt: skip


def _without_secret(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//", url)
