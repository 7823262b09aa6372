"""The pictures that the README shows are there, are small, and are what they are called."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_BYTES = 300_000


def test_every_picture_of_the_readme_is_there_and_described() -> None:
    """Each is checked in and has words for who cannot see it; nothing else is in the folder; all are light together."""
    text = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r'<img [^>]*src="(docs/pictures/[^"]+)"[^>]*alt="[^"]{20,}"', text)
    shown += re.findall(r"!\[[^\]]{20,}\]\((docs/pictures/[^)]+)\)", text)
    there = sorted((ROOT / "docs/pictures").iterdir())
    assert sorted(ROOT / name for name in shown) == there and len(there) > 3
    assert sum(path.stat().st_size for path in there) < MOST_BYTES
    for path in there:
        data = path.read_bytes()
        if path.suffix == ".svg":
            names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(data).iter()}
            assert names <= {"svg", "title", "rect", "text", "tspan"}
        else:
            assert data.startswith(b"\x89PNG\r\n")
