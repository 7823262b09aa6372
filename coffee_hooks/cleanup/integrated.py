"""Is a branch integrated in the target? Four ways to be sure; whoever is not sure keeps the branch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import merge_trees
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.cleanup.squashed import Commit, squashed
from coffee_hooks.cleanup.values import Integration
from coffee_hooks.sources.roadmap_conflict import resolve


def integrated(repo: Repo, target: Sha, tips: Iterable[Sha], roadmaps: Sequence[str] = ()) -> dict[Sha, Integration]:
    """The commits among *tips* that add nothing to *target*, each with the reason; the others are left out.

    *roadmaps*: where the roadmap may be, which is merged item by item. At most six git processes, whatever the number
    of tips, and six more where roadmaps conflict. A commit that git cannot read is left out.
    """
    commits = read_commits(repo, [target, *tips])
    wanted = [tip for tip in dict.fromkeys(tips) if tip in commits]
    if not wanted or target not in commits:
        return {}
    parents = _beyond(repo, target, wanted)
    found = {tip: Integration.ANCESTOR for tip in wanted if tip not in parents}
    bases = {tip: _bases(tip, parents) for tip in wanted if tip not in found}
    commits |= read_commits(repo, {base for ends in bases.values() for base in ends} - commits.keys())
    here = commits[target].tree
    for tip, ends in bases.items():
        if commits[tip].tree in {commits[base].tree for base in ends if base in commits}:
            found[tip] = Integration.NO_CHANGE
        elif commits[tip].tree == here:
            found[tip] = Integration.SAME_TREE
    rest = [tip for tip in wanted if tip not in found]
    pairs = [(target, tip) for tip in rest]
    merges = zip(rest, resolve(repo, target, roadmaps, pairs, merge_trees(repo, pairs)), strict=True)
    found |= {
        tip: Integration.ADDS_NOTHING for tip, merged in merges if merged and merged.clean and merged.tree == here
    }
    left = {tip: bases[tip] for tip in rest if tip not in found}
    return found | dict.fromkeys(squashed(repo, target, left, commits), Integration.SQUASHED)


def read_commits(repo: Repo, names: Iterable[Sha]) -> dict[Sha, Commit]:
    """The named commits, in one process; what is missing or no commit is left out."""
    found = {}
    for sha, data in read_blobs(repo, names).items():
        head = data.partition(b"\n\n")[0].decode("utf-8", "replace")
        tree = re.match(r"tree ([0-9a-f]+)\n", head)
        when = re.search(r"^committer .* (\d+) [+-]\d+$", head, re.M)
        if tree and when:
            parents = tuple(map(Sha, re.findall(r"^parent ([0-9a-f]+)$", head, re.M)))
            found[sha] = Commit(Sha(tree[1]), parents, int(when[1]))
    return found


def _beyond(repo: Repo, target: Sha, tips: Iterable[Sha]) -> dict[Sha, tuple[Sha, ...]]:
    """Every commit of *tips* that *target* does not contain, with its parents."""
    lines = "".join(f"{tip}\n" for tip in tips) + f"^{target}\n"
    said = repo.objects("rev-list", "--parents", "--stdin", stdin=lines.encode())
    return {Sha(sha): tuple(map(Sha, parents)) for sha, *parents in map(str.split, said.text.splitlines())}


def _bases(tip: Sha, parents: Mapping[Sha, tuple[Sha, ...]]) -> frozenset[Sha]:
    """The commits of the target that *tip* grew from: parents of its own commits that are not its own."""
    ends, seen, todo = set(), {tip}, [tip]
    while todo:
        for parent in parents[todo.pop()]:
            if parent not in parents:
                ends.add(parent)
            elif parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return frozenset(ends)
