"""What ``init`` would change, decided before anything is touched."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.config import FILE, Config
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, list_refs, read_blobs
from coffee_hooks.base.text import printable
from coffee_hooks.init import github, pre_commit
from coffee_hooks.init.config_text import render_config
from coffee_hooks.init.gate_detection import Detection, detect, worth_reading
from coffee_hooks.init.merge_driver import Tie, choose_roadmap, look_at_driver, plan_driver
from coffee_hooks.init.pre_commit import Published
from coffee_hooks.init.write import Draft, read_regular

HEADS = "refs/heads/"
FRAMEWORK = pre_commit.FILE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for; *target* None is the one that is configured, else ``roadmap``."""

    target: str | None = None
    pre_commit: bool = False
    hooks: bool = False
    github: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to write, what is there already, and the target branch to make (None: it exists).

    *detection* is None where a configuration exists; *committed* says that the target holds one. *names* are the files
    of the tree that was looked at. *tie* is what git is told about merging the roadmap.
    """

    target: str
    config: Config
    committed: bool
    names: frozenset[str]
    detection: Detection | None
    drafts: tuple[Draft, ...]
    kept: tuple[str, ...]
    branch: Move | None
    tie: Tie


def make_plan(project: Project, head: Sha, wanted: Wanted) -> Plan:
    """Plan for the target that is *wanted* (None: the configured one), made at the remote's target or else at *head*.

    Raises UsageError for a target that is refused and for a file that cannot be written or extended.
    """
    repo, target = project.repo, _choose_target(project, wanted.target)
    remote_ref = f"refs/remotes/{project.remote}/{target}"
    refs = list_refs(repo, HEADS, remote_ref)
    _check_room(target, refs)
    commit = refs.get(HEADS + target) or refs.get(remote_ref) or head
    names, detection, config = _list_files(repo, commit), None, project.config
    text = read_committed(project, target)
    committed = text is not None
    drafts, kept = [], []
    if text is not None:
        config = parse_config(text, os.environ, f"{FILE} of {target}")
    if committed or read_regular(repo.main / FILE) is not None:
        kept.append(FILE)
    else:
        detection = detect(names, _read_texts(repo, commit, names))
        drafts.append(Draft(repo.main / FILE, None, render_config(target, detection, shared=wanted.github).encode()))
        config = Config(gate=detection.chosen.gate if detection.chosen else Config().gate, shared=wanted.github)
    if wanted.pre_commit:
        draft = _extend_framework(repo, target)
        drafts += [draft] if draft else []
        kept += [] if draft else [FRAMEWORK]
    for name, called in github.workflows(target, published()).items() if wanted.github else ():
        path = repo.main / github.FOLDER / name
        if any((repo.main / folder).is_symlink() for folder in (".github", github.FOLDER)):
            raise UsageError(f"{github.FOLDER} is a link, which git would commit in its place", hint="make it a folder")
        if read_regular(path) is None:
            drafts.append(Draft(path, None, called.encode()))
        else:
            kept.append(f"{github.FOLDER}/{name}")
    branch = None if HEADS + target in refs else Move(HEADS + target, ABSENT, commit)
    kept += [] if branch else [HEADS + target]
    tie = plan_driver(repo, look_at_driver(repo, choose_roadmap(repo, commit, config.roadmap)))
    drafts += [tie.draft] if tie.draft else []
    return Plan(target, config, committed, names, detection, tuple(drafts), tuple(kept), branch, tie)


def _choose_target(project: Project, asked: str | None) -> str:
    configured = project.config.target
    target = asked or configured
    good = target.isprintable() and "\\" not in target and not target.startswith(("-", "@"))
    if good:
        good = project.repo.objects("check-ref-format", HEADS + target, ok=(0, 1, 128)).rc == 0
    if not good or re.fullmatch(r"roadmap-wt\d+", target):
        why = "is kept for the branches of agents" if good else "is no branch name"
        raise UsageError(f"{printable(target)!r} {why}", hint="coffee init --target roadmap")
    if target != configured and _is_configured(project):
        raise UsageError(
            f"{FILE} says target: {configured}", hint=f"change it there, commit it on {target}, then: coffee init"
        )
    return target


def _is_configured(project: Project) -> bool:
    file = project.repo.main / FILE
    return read_regular(file) is not None or read_committed(project, project.config.target) is not None


def read_committed(project: Project, target: str) -> bytes | None:
    """The configuration that *target* holds, here or else on the remote."""
    places = (HEADS + target, f"refs/remotes/{project.remote}/{target}")
    found = read_blobs(project.repo, [f"{ref}:{FILE}" for ref in places])
    return next(iter(found.values()), None)


def _check_room(target: str, refs: Iterable[str]) -> None:
    parents = {str(parent) for parent in Path(HEADS + target).parents}
    clash = next((ref for ref in refs if ref.startswith(f"{HEADS}{target}/") or ref in parents), None)
    if clash:
        raise UsageError(
            f"git cannot have a branch {target} beside {printable(clash.removeprefix(HEADS))}",
            hint="rename that branch, or choose another: coffee init --target NAME",
        )


def _list_files(repo: Repo, commit: Sha) -> frozenset[str]:
    listed = repo.objects("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).records
    return frozenset(name for name in listed if "\n" not in name)


def _read_texts(repo: Repo, commit: Sha, names: frozenset[str]) -> dict[str, str]:
    blobs = read_blobs(repo, [f"{commit}:{name}" for name in worth_reading(names)])
    return {key.partition(":")[2]: data.decode("utf-8", "replace") for key, data in blobs.items()}


def _extend_framework(repo: Repo, target: str) -> Draft | None:
    path = repo.main / FRAMEWORK
    before = read_regular(path)
    try:
        text = before.decode() if before is not None else None
    except UnicodeDecodeError as broken:
        raise UsageError(f"{path.name} is not UTF-8", hint="repair it, then: coffee init --pre-commit") from broken
    if text is not None and pre_commit.has_hook(text):
        return None
    item = pre_commit.stanza(target, published())
    return Draft(path, before, pre_commit.with_hook(text, item).encode())


def published() -> Published | None:
    """The public repository that this package was installed from, as the installer recorded it (PEP 610)."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        origin = json.loads(distribution("coffee-hooks").read_text("direct_url.json") or "{}")
        url, revision = str(origin["url"]), str(origin["vcs_info"]["commit_id"])
    except (PackageNotFoundError, ValueError, KeyError, TypeError):
        return None
    return Published(url, revision) if re.fullmatch(r"https://[^@\s]+|ssh://\S+", url) else None
