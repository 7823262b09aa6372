"""What the remote has: brought here, and what others wrote into claims taken over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import ABSENT, NETWORK_SECONDS, Result
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import CLAIMS, Move, list_refs, transact

OURS = "refs/coffee/"
COPIES = "refs/coffee-remote/"
_ALWAYS, _SHARED = ("landings*",), ("tasks/*", "verdicts/*", "reviews/*", "seq*")
"""What travels below ``refs/coffee/``: the landing record always, the rest in shared mode."""


def copy_of(project: Project, ref: str) -> str:
    """Where a fetch puts the remote's *ref*, which is below ``refs/coffee/``."""
    return f"{COPIES}{project.remote}/{ref.removeprefix(OURS)}"


def fetch(project: Project) -> None:
    """Bring the remote's target, ``roadmap-*`` branches and landing record here.

    In shared mode claims, verdicts, reviews and the last branch number too, and claims that somebody else changed
    become ours.
    Raises EnvironmentFailure when it cannot be reached.
    """
    if project.remote is None:
        return
    if not project.config.shared:
        _fetch(project, project.remote)
        return
    with exchanging(project):
        fetch_shared(project)


@contextmanager
def exchanging(project: Project) -> Iterator[None]:
    """Only one process here compares claims with the remote's at a time. Raises LockedError."""
    with hold(project.repo, "exchange", wait=2 * NETWORK_SECONDS):
        yield


def fetch_shared(project: Project) -> None:
    """As :func:`fetch`, for a caller that is :func:`exchanging`."""
    assert project.remote is not None
    copies = copy_of(project, CLAIMS)
    before = list_refs(project.repo, copies)
    _fetch(project, project.remote)
    own, now = list_refs(project.repo, CLAIMS), list_refs(project.repo, copies)
    for move in adoptions(
        {ref.removeprefix(CLAIMS): sha for ref, sha in own.items()},
        {ref.removeprefix(copies): sha for ref, sha in before.items()},
        {ref.removeprefix(copies): sha for ref, sha in now.items()},
    ):
        transact(
            project.repo, [move], reason="coffee: taken over from the remote"
        )  # who changes it now is next in line


def adoptions(own: Mapping[str, Sha], before: Mapping[str, Sha], now: Mapping[str, Sha]) -> list[Move]:
    """The claims to take over: those that changed on the remote between *before* and *now*, and unknown ones. Pure.

    Keyed by what comes behind ``refs/coffee/tasks/``. What changed on both sides becomes the remote's, which all see.
    """
    return [
        Move(CLAIMS + name, own.get(name, ABSENT), theirs)
        for name, theirs in now.items()
        if own.get(name) != theirs and (name not in own or theirs != before.get(name))
    ]


def _fetch(project: Project, remote: str) -> None:
    # The patterns end in `*` because git refuses to fetch a ref that does not exist yet, but not a pattern without one.
    kinds = (*_ALWAYS, *(_SHARED if project.config.shared else ()))
    said = project.repo.network(
        "fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "--", remote,
        *(
            f"+refs/heads/{prefix}*:refs/remotes/{remote}/{prefix}*"
            for prefix in dict.fromkeys((project.config.target, "roadmap-"))
        ),
        *(f"+{OURS}{kind}:{COPIES}{remote}/{kind}" for kind in kinds),
        ok=(0, 1, 128, -9),
    )  # fmt: skip
    if said.rc:
        raise _unreachable(remote, said)


def follows_all(project: Project) -> bool:
    """Whether a plain ``git fetch`` brings every branch here; it does not in a clone of a single branch."""
    if project.remote is None:
        return True
    asked = project.repo.objects("config", "--get-all", f"remote.{project.remote}.fetch", ok=(0, 1))
    return any(line.lstrip("+").startswith("refs/heads/*:") for line in asked.text.splitlines())


def remote_tips(project: Project, branches: Iterable[str]) -> dict[str, Sha]:
    """Where *branches* are on the remote now; those that are not there are left out. Brings nothing here.

    Raises EnvironmentFailure when it cannot be reached.
    """
    wanted = {f"refs/heads/{branch}": branch for branch in branches}
    if project.remote is None or not wanted:
        return {}
    said = project.repo.network("ls-remote", "--quiet", "--refs", "--", project.remote, *wanted, ok=(0, 1, 128, -9))
    if said.rc:
        raise _unreachable(project.remote, said)
    rows = (line.split("\t", 1) for line in said.text.splitlines() if "\t" in line)
    return {wanted[ref]: Sha(sha) for sha, ref in rows if ref in wanted}


def _unreachable(remote: str, said: Result) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the remote {remote} cannot be read",
        hint="check the network and your rights, then run this again",
        detail=next((line for line in said.err.strip().splitlines() if line.strip()), ""),
    )
