"""What a merge does to the roadmap file: item by item where git's own merge conflicts, and never an item twice."""

from __future__ import annotations

from collections import Counter

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.sources.headings import Form
from coffee_hooks.sources.markdown import decode, scan
from coffee_hooks.sources.roadmap import parse_roadmap
from coffee_hooks.sources.roadmap_merge import merge_roadmaps
from coffee_hooks.sources.sections import read_sections
from coffee_hooks.sources.task_names import task_key


def new_duplicates(ours: bytes, theirs: bytes, merged: bytes) -> tuple[str, ...]:
    """Ids whose heading with the same title stands more often in *merged* than in either parent. Pure."""
    if merged in (ours, theirs):
        return ()
    before, after, both = (item_counts(data) for data in (ours, theirs, merged))
    return tuple(
        f"{task} ({title})"
        for (task, title), count in both.items()
        if count > 1 and count > max(before[task, title], after[task, title])
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


def title_of(data: bytes, task: TaskId) -> str:
    """The title of *task*'s item, empty when there is none. Pure."""
    wanted = task_key(task)
    return next((item.title for item in parse_roadmap(data).items if task_key(item.id) == wanted), "")


def merged_roadmap(repo: Repo, ours: Sha, theirs: Sha, path: str) -> bytes | None:
    """The roadmap of a merge in which git found a conflict in it, None where it stays one. Raises GitFailed."""
    args = ("merge-tree", "--write-tree", "-z", "--no-messages", ours, theirs)
    stages: dict[str, str] = {}
    for record in repo.objects(*args, ok=(0, 1)).records[1:]:
        meta, _, name = record.partition("\t")
        if name == path:
            mode, blob, stage = meta.split(" ")
            if mode not in ("100644", "100755"):
                return None
            stages[stage] = blob
    if not {"2", "3"} <= stages.keys():
        return None
    blobs = read_blobs(repo, stages.values())
    base, mine, other = (blobs.get(Sha(stages.get(stage, "")), b"") for stage in "123")
    return merge_roadmaps(base, mine, other)
