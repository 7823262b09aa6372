"""Take a commit back in the object database, as ``git revert`` does in a checkout."""

from __future__ import annotations

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha

# Nobody ever sees these commits; the same ones are made again each time, so they do not pile up.
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "coffee"), ("EMAIL", "coffee@localhost"), ("DATE", "@1000000000 +0000"))
}


def undoing(repo: Repo, onto: Sha, taken: Sha) -> tuple[Sha, Sha]:
    """Two commits whose merge is *onto* without what the commit *taken* did to its first parent.

    git before 2.40 cannot be told a merge base: so the two are made, with the tree of *taken* below them. Three git
    processes. Raises GitFailed when *taken* has no parent or is not here.
    """
    base = pretend(repo, f"{taken}^{{tree}}")
    return pretend(repo, f"{onto}^{{tree}}", base), pretend(repo, f"{taken}^1^{{tree}}", base)


def pretend(repo: Repo, tree: str, *parents: Sha) -> Sha:
    """A commit that is only there to be merged: nobody's, and it gets no ref."""
    args = [word for parent in parents for word in ("-p", parent)]
    return Sha(repo.objects("commit-tree", tree, *args, "-m", "To be merged", env=_NOBODY).text)
