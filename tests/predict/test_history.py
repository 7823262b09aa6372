"""The output of ``git log``, whatever is in messages and names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.predict.history import LOG, read_changes

if TYPE_CHECKING:
    from conftest import Git

PATHS = [b"plain.py", b"with blank.py", b"qu'o\"te.py", b"caf\xc3\xa9.py", b"bad\xff.py", b"line\nbreak.py", b"a/b.py"]
MESSAGES = [
    b"Subject\n\nBody\n\nwith blank lines\n",
    b"",
    b"\n\n",
    b"a sign \x01 of ours\n",
    b"\x01" + b"a" * 40 + b"\nlooks like a head\n",
    b"not UTF-8 \xff\xfe\n",
]


@pytest.fixture
def raw(tmp_path: Path, git: Git) -> bytes:
    """The log of one commit for each message, which touches one path more than the last one."""
    git(tmp_path, "init", "-q")
    stream = []
    for number, message in enumerate(MESSAGES):
        stream.append(
            b"commit refs/heads/main\ncommitter A <a@example.invalid> %d +0000\ndata %d\n" % (number, len(message))
        )
        stream.append(message + b"\n")
        for path in PATHS[: number + 1]:
            quoted = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
            stream.append(b'M 100644 inline "%b"\ndata 2\n%d\n' % (quoted, number))
    subprocess.run(["git", "-C", tmp_path, "fast-import", "--quiet"], input=b"".join(stream), check=True)
    return subprocess.run(["git", "-C", tmp_path, *LOG, "main"], check=True, capture_output=True).stdout


def test_every_commit_with_its_message_and_its_files(raw: bytes) -> None:
    """The newest first; messages keep what they say, names their bytes. Nothing that a message says is a commit."""
    found = list(reversed(read_changes(raw)))
    assert [change.message.strip() for change in found] == [os.fsdecode(message).strip() for message in MESSAGES]
    wanted = [sorted(PATHS[: number + 1]) for number in range(len(MESSAGES))]
    assert [sorted(map(os.fsencode, change.files)) for change in found] == wanted
    assert len({change.sha for change in found}) == len(MESSAGES)


@pytest.mark.parametrize("raw", [b"", b"\0\0", b"\x01short\n\0path\0", b"path without a commit\0"], ids=str)
def test_what_is_no_log_has_no_changes(raw: bytes) -> None:
    """Nothing is made up."""
    assert read_changes(raw) == ()
