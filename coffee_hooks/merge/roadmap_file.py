"""Did a merge put an item into the roadmap twice that neither side held twice?"""

from __future__ import annotations

from collections import Counter

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.sources.headings import Form
from coffee_hooks.sources.markdown import decode, scan
from coffee_hooks.sources.sections import read_sections


def new_duplicates(repo: Repo, path: str, ours: Sha, theirs: Sha, merged: Sha) -> tuple[str, ...]:
    """Ids whose heading with the same title stands more often in *merged* than in either parent. One git process."""
    names = [f"{side}:{path}" for side in (ours, theirs, merged)]
    blobs = read_blobs(repo, names)
    before, after, both = (blobs.get(Sha(name), b"") for name in names)
    if both in (before, after):
        return ()
    counts = [item_counts(data) for data in (before, after, both)]
    return tuple(
        f"{task} ({title})"
        for (task, title), count in counts[2].items()
        if count > 1 and count > max(counts[0][task, title], counts[1][task, title])
    )


def item_counts(data: bytes) -> Counter[tuple[str, str]]:
    """How often each (id, normalised title) is the heading of an item. Pure."""
    sections = read_sections(scan(decode(data)[0]))
    return Counter(
        (str(task), " ".join(section.title.casefold().split()))
        for section in sections
        if section.form is not Form.BULLET
        for task in section.ids
    )
