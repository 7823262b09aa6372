"""The parser against a writer that knows what it wrote: any shapes in any order, and any bytes."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.base.model import RoadmapItem, Status, TaskId
from coffee_hooks.sources.marking import mark_complete
from coffee_hooks.sources.roadmap import parse_roadmap

WORDS = st.sampled_from(("loop", "dashboard", "parser", "ranking", "storage", "gateway", "exports", "sync", "chat"))
SAID = {
    Status.COMPLETE: ("✅ Complete", "✅ **COMPLETE**", "✅ MVP COMPLETE"),
    Status.PLANNED: ("📝 Planned", "📝 **PLANNED**", "✅ READY FOR IMPLEMENTATION"),
    Status.IN_PROGRESS: ("🔄 In Progress", "✅ PARTIALLY COMPLETE", "🔄 **MOSTLY COMPLETE**"),
    Status.BLOCKED: ("⏸️ Blocked", "⏸ Blocked"),
    Status.MANUAL_REVIEW: ("🚧 Manual Review Required",),
}
STORIES = (
    "### US-{n}: {title} {status}",
    "## US-{n}: {title} {status}",
    "### 🎯 [US-{n}] {title} {status}",
    "## 🚨 US-{n} - {title} {status}",
    "### **US-{n}**: {title} {status}",
    "### PRIORITY {n}: US-{n} - {title} {status}",
    "## 🔴 NEXT PRIORITY: US-{n} - {title} {status}",
    "### us-{n}: {title} {status}",
)
PRIORITIES = (
    "### PRIORITY {n}.5: {title} {status}",
    "## 📦 PRIORITY {n}.5: {title} {status}",
    "### 🔴 **PRIORITY {n}.5: {title}** {status}",
    "### ☁️ **PRIORITY {n}.5: {title}** {status}",
)
NOISE = (
    "",
    "Some prose about US-1 and PRIORITY 2.",
    "```\n### US-999: Hidden\n```",
    "~~~python\n## PRIORITY 998: Hidden\n~~~",
    "### Notes (Post-PRIORITY 3)",
    "#### Week 4: Work 🔴 PRIORITY 2",
    "- see US-997 for more",
    "**Depends On**: US-996",
    "<!--\n### US-995: Hidden\n-->",
)


@dataclass(frozen=True)
class Written:
    """An item as the writer put it down."""

    task: str
    title: str
    status: Status
    text: str


@st.composite
def written(draw: st.DrawFn, number: int) -> Written:
    title = " ".join(draw(st.lists(WORDS, min_size=1, max_size=4))).capitalize()
    status = draw(st.sampled_from(list(SAID)))
    said = draw(st.sampled_from(SAID[status]))
    story = draw(st.booleans())
    shape = draw(st.sampled_from(STORIES if story else PRIORITIES))
    place = draw(st.sampled_from(["heading", "body", "both"]))
    heading = shape.format(n=number, title=title, status=said if place != "body" else "").rstrip()
    body = f"\n\n**Status**: {said} - since May" if place != "heading" else ""
    noise = "\n".join(draw(st.lists(st.sampled_from(NOISE), max_size=4)))
    return Written(f"US-{number}" if story else f"PRIORITY-{number}.5", title, status, f"{heading}{body}\n{noise}\n")


@st.composite
def roadmaps(draw: st.DrawFn) -> tuple[list[Written], bytes]:
    numbers = draw(st.lists(st.integers(1, 300), unique=True, max_size=8))
    items = [draw(written(number)) for number in numbers]
    text = "# Roadmap\n\n" + "".join(item.text for item in items)
    return items, text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()


def told(item: RoadmapItem) -> tuple[object, ...]:
    return item.id, item.title, item.status, item.line, item.aliases


@given(roadmaps())
def test_exactly_the_written_items_are_found(drawn: tuple[list[Written], bytes]) -> None:
    """Whatever shapes are mixed, every item is found with its title and status, in order, and none is invented."""
    items, data = drawn
    found = parse_roadmap(data).items
    assert [(item.id, item.title, item.status) for item in found] == [
        (item.task, item.title, item.status) for item in items
    ]


@given(roadmaps(), st.data())
@settings(max_examples=60)
def test_marking_completes_one_item_and_changes_no_other(
    drawn: tuple[list[Written], bytes], data: st.DataObject
) -> None:
    """After marking, the item is complete and every other line, with its line end, is as it was."""
    items, before = drawn
    if not items:
        return
    target = data.draw(st.sampled_from(items))
    after = mark_complete(before, TaskId(target.task))
    assert after is not None
    old = {item.id: told(item) for item in parse_roadmap(before).items}
    new = {item.id: item for item in parse_roadmap(after).items}
    assert new[TaskId(target.task)].status is Status.COMPLETE
    assert {name: told(item) for name, item in new.items() if name != target.task} == {
        name: item for name, item in old.items() if name != target.task
    }
    changed = [pair for pair in zip(before.split(b"\n"), after.split(b"\n"), strict=True) if pair[0] != pair[1]]
    assert len(changed) <= 2
    assert all(one.endswith(b"\r") == other.endswith(b"\r") for one, other in changed)
    assert mark_complete(after, TaskId(target.task)) == after


@given(st.binary(max_size=600))
def test_no_bytes_raise(data: bytes) -> None:
    """Any bytes are a roadmap, if one without items, and can be marked."""
    found = parse_roadmap(b"### US-1: A\n" + data)
    assert found.items
    mark_complete(b"### US-1: A \xf0\x9f\x93\x9d Planned\n" + data, TaskId("US-1"))


@given(
    st.lists(
        st.sampled_from(
            [
                *STORIES,
                *PRIORITIES,
                *NOISE,
                "- US-{n}: {title} {status}",
                "```",
                "### US-1 through US-4",
                "**Blocks**: US-2",
            ]
        ),
        max_size=14,
    ),
    st.data(),
)
@settings(max_examples=60)
def test_ids_stay_unique_and_lines_fit(lines: list[str], data: st.DataObject) -> None:
    """Duplicates, aliases, ranges and broken fences in any order: ids are unique and texts are the file's lines."""
    numbers = st.integers(1, 4)
    filled = [
        line.replace("{n}", str(data.draw(numbers)))
        .replace("{title}", data.draw(WORDS))
        .replace("{status}", "📝 Planned")
        for line in lines
    ]
    text = "\n".join(filled)
    found = parse_roadmap(text.encode()).items
    assert len({item.id for item in found}) == len(found)
    for item in found:
        assert item.text == "\n".join(text.split("\n")[item.line - 1 : item.end_line])
        assert item.id not in {reference.task for reference in item.depends_on}
