"""Files that spare the next command some work: whole or as they were."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

from coffee_hooks.base.files import keep_lines


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    """The next one begins anew."""
    (tmp_path / "memory.new").write_text("half of a li")
    keep_lines(tmp_path / "memory", ["one", "two"])
    assert (tmp_path / "memory").read_text() == "one\ntwo\n"
    assert [path.name for path in tmp_path.iterdir()] == ["memory"]


def test_of_two_writers_one_writes(tmp_path: Path) -> None:
    """The other one changes nothing, neither what the first is writing nor what it has put in place."""
    file, making = tmp_path / "memory", tmp_path / "memory.new"
    with making.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("the fi")
        held.flush()
        keep_lines(file, ["the second"])
        assert not file.exists() and making.read_text() == "the fi"

    def slow() -> Iterator[str]:
        yield "the first"
        keep_lines(file, ["the second"])
        assert not file.exists()
        yield "is whole"

    keep_lines(file, slow())
    assert file.read_text() == "the first\nis whole\n"
