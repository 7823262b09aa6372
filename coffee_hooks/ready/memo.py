"""What the last look at the branches found out about merges, so that the next one asks only for what has moved.

A landing never relies on it: a branch that looks ready is merged again before anything is tested. It is a file of
its own in the state folder and may be deleted at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coffee_hooks.base.files import keep_json, recall_json
from coffee_hooks.base.git import OID, Repo
from coffee_hooks.base.merge_tree import Merged
from coffee_hooks.base.model import Sha
from coffee_hooks.ready.changes import Effect
from coffee_hooks.ready.unwanted import Policy
from coffee_hooks.sources import roadmap_conflict

FORM = 3
FILE = "merges.json"


@dataclass(frozen=True, slots=True)
class Memo:
    """*effects* of tips on one target; *conflicts* says of pairs of tips whether git cannot merge the two."""

    effects: Mapping[Sha, Effect] = field(default_factory=dict)
    conflicts: Mapping[tuple[Sha, Sha], bool] = field(default_factory=dict)


def key_of(repo: Repo, target: Sha, roadmaps: Sequence[str], policy: Policy) -> str:
    """What the answers depend on besides the tips: the target with its attributes, git, and settings we cannot pin.

    And where the roadmap may be, how it is merged, and what is not to be brought along.
    """
    return json.dumps(
        [
            FORM,
            roadmap_conflict.FORM,
            roadmaps,
            policy.secrets,
            policy.largest,
            policy.copied,
            repo.version,
            target,
            *map(_stamp, _settings(repo.common_dir)),
        ]
    )


def recall(repo: Repo, key: str) -> Memo:
    """The memo kept under *key*; an empty one when there is none, it is another's, or the file is no memo."""
    held = recall_json(repo.state_dir / FILE)
    try:
        if held["key"] != key:
            return Memo()
        effects = {_sha(tip): _effect(*values) for tip, values in held["effects"].items()}
        conflicts = {(_sha(a), _sha(b)): bool(conflict) for a, b, conflict in held["conflicts"]}
    except (ValueError, LookupError, TypeError, AttributeError):
        return Memo()
    return Memo(effects, conflicts)


def keep(repo: Repo, key: str, memo: Memo) -> None:
    """Replace the memo. Where it cannot be written (a full or read-only disk) the next look takes longer."""
    value = {
        "key": key,
        "effects": {
            tip: [e.merged.tree, e.merged.clean, e.merged.conflicts, e.paths, e.secrets, e.large]
            for tip, e in memo.effects.items()
        },
        "conflicts": [[a, b, conflict] for (a, b), conflict in memo.conflicts.items()],
    }
    keep_json(repo.state_dir / FILE, value)


def _settings(common_dir: Path) -> tuple[Path, ...]:
    """The user's own files that an object-database command reads, whatever we do."""
    return common_dir / "config", common_dir / "config.worktree", common_dir / "info" / "attributes"


def _stamp(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_size, found.st_ino]


def _effect(tree: Any, clean: Any, conflicts: Any, *paths: Any) -> Effect:
    touched, secrets, large = (tuple(map(str, each)) for each in paths)
    return Effect(Merged(_sha(tree), bool(clean), tuple(map(str, conflicts))), touched, secrets, large)


def _sha(value: Any) -> Sha:
    if not OID.fullmatch(value):
        raise ValueError(value)
    return Sha(value)
