"""The commits that land: one two-parent merge for each task, and one above them where several land together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coffee_hooks.base import messages
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.objects import commit_body, object_writer
from coffee_hooks.merge.candidate import Chain, Link, parents
from coffee_hooks.merge.revert import revert_message
from coffee_hooks.state.landings import Member


@dataclass(frozen=True, slots=True)
class Commits:
    """*after* is the commit that lands; *members* are the tasks in it, in order."""

    after: Sha
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a commit says: its parents, its subject and its whole message."""

    parents: tuple[Sha, ...]
    subject: str
    message: str


def commit_chain(repo: Repo, chain: Chain, gate: Sequence[str], seconds: float, identity: Mapping[str, str]) -> Commits:
    """Write the commits of *chain* with the messages of the contract. They have exactly the trees that were tested."""
    said = _read(repo, chain)
    seen: set[Sha] = set()
    parent, members = chain.base.commit, []
    with object_writer(repo, "commit") as write:
        for link in chain.links:
            message = _message(link, _own(said, link.work.tip, seen), gate, seconds)
            parent = write(commit_body(link.after.tree, parents(link.work, parent), message, identity))
            work = link.work
            members.append(Member(work.task, work.branch, work.tip, parent, work.reverts, link.roadmap))
        if len(members) > 1:
            text = messages.batch_message([(m.task, m.branch, m.sha) for m in members], gate, seconds)
            parent = write(commit_body(chain.end.tree, (chain.base.commit, parent), text, identity))
    return Commits(parent, tuple(members))


def _read(repo: Repo, chain: Chain) -> dict[Sha, _Said]:
    """Every commit that *chain* brings to its base, the oldest first. One git process."""
    tips = [link.work.tip for link in chain.links]
    out = repo.objects(
        "log", "--topo-order", "--reverse", "--format=%H%x00%P%x00%s%x00%B%x00", *tips, f"^{chain.base.commit}", "--"
    ).out
    fields = [field.decode("utf-8", "replace").lstrip("\n") for field in out.split(b"\0")]
    return {
        Sha(sha): _Said(tuple(map(Sha, parents.split())), subject, message)
        for sha, parents, subject, message in zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False)
    }


def _own(said: Mapping[Sha, _Said], tip: Sha, seen: set[Sha]) -> list[_Said]:
    """The commits below *tip* that no branch before it brought, in the order of *said*, without merges."""
    found, stack = set(), [tip]
    while stack:
        sha = stack.pop()
        if sha in said and sha not in seen:
            seen.add(sha)
            found.add(sha)
            stack += said[sha].parents
    return [each for sha, each in said.items() if sha in found and len(each.parents) < 2]


def _message(link: Link, own: Sequence[_Said], gate: Sequence[str], seconds: float) -> str:
    work = link.work
    if work.reverts:
        return revert_message(link, gate, seconds)
    authors = messages.co_authors(each.message for each in own)
    subjects = [each.subject for each in own]
    return messages.landing_message(
        messages.LandedWork(work.branch, work.task, link.title, work.tip, subjects, authors, gate, seconds, work.undoes)
    )
