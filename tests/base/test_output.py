"""The one writer: the answer on stdout, narration on stderr, whatever those two are."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator

import pytest

from coffee_hooks.base import output
from coffee_hooks.base.output import Loudness


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    """The settings of a fresh process, before and after."""
    output.configure(loudness=Loudness.NORMAL, as_json=False)
    yield
    output.configure(loudness=Loudness.NORMAL, as_json=False)


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")


def bytes_of(text: io.TextIOWrapper) -> bytes:
    assert isinstance(text.buffer, io.BytesIO)
    return text.buffer.getvalue()


def test_answer_or_json(capfd: pytest.CaptureFixture[str]) -> None:
    """One of the two is printed, as was asked; the envelope comes first."""
    output.answer("a person")
    output.answer_json("status", {"tasks": []})
    output.configure(as_json=True)
    assert output.wants_json()
    output.answer("a person")
    output.answer_json("status", {"tasks": ["é"]})
    assert capfd.readouterr().out == 'a person\n{"schema": 1, "command": "status", "tasks": ["é"]}\n'


@pytest.mark.parametrize(("loudness", "heard"), [(0, "c"), (1, "ac"), (2, "abc")])
def test_loudness(capfd: pytest.CaptureFixture[str], loudness: int, heard: str) -> None:
    """Quiet hears complaints, normal hears the narration too, verbose everything; stdout stays for the answer."""
    output.configure(loudness=Loudness(loudness))
    output.say("a")
    output.detail("b")
    output.complain("c")
    assert capfd.readouterr() == ("", "".join(f"{letter}\n" for letter in heard))


@pytest.mark.parametrize(
    ("encoding", "environ", "expected"),
    [
        ("utf-8", {}, "🚀 café → x\n".encode()),
        ("utf-8", {"LC_ALL": "C"}, b"caf\\xe9 -> x\n"),
        ("utf-8", {"LANG": "POSIX"}, b"caf\\xe9 -> x\n"),
        ("utf-8", {"LANG": "C", "LC_ALL": "fr_FR.UTF-8"}, "🚀 café → x\n".encode()),
        ("utf-8", {"LC_ALL": "C", "PYTHONUTF8": "1"}, "🚀 café → x\n".encode()),
        ("latin-1", {}, b"caf\xe9 -> x\n"),
        ("ascii", {}, b"caf\\xe9 -> x\n"),
    ],
)
def test_a_stream_that_is_not_utf8(
    monkeypatch: pytest.MonkeyPatch, encoding: str, environ: dict[str, str], expected: bytes
) -> None:
    """Emoji are dropped and nothing else is lost; a user who asked for the C locale gets ASCII from UTF-8 Python."""
    monkeypatch.delenv("LC_ALL", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for name, write in (("stdout", output.answer), ("stderr", output.say)):
        monkeypatch.setattr(sys, name, stream(encoding))
        write("🚀 café → x")
        assert bytes_of(getattr(sys, name)) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "utf-16"])
def test_json_is_utf8_everywhere_and_loses_nothing(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Programs read the same bytes in every locale; a name that is not UTF-8 comes back from its escape."""
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(sys, "stdout", stream(encoding))
    value = {"title": "🚀 café", "path": "caf\udce9\n"}
    output.emit_json("x", value)
    assert json.loads(bytes_of(sys.stdout).decode("utf-8")) == {"schema": 1, "command": "x", **value}  # type: ignore[arg-type]


def test_closed_streams_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has no stream where the caller closed it; there is nobody to write to."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    output.answer("x")
    output.emit_json("x", {})
    output.complain("x")
    output.finish()


def test_a_reader_that_left_and_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed pipe is silence; a full disk is an error for the answer, but never stops the work it narrates."""
    for name in ("stdout", "stderr"):
        reader, writer = os.pipe()
        os.close(reader)
        monkeypatch.setattr(sys, name, open(writer, "w"))  # noqa: PTH123, SIM115
    for _ in range(2):
        output.answer("x")
        output.say("x")
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        return
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, open("/dev/full", "w"))  # noqa: PTH123, SIM115
    output.complain("x")
    with pytest.raises(OSError, match="No space"):
        output.answer("x")
    output.answer("x")


def test_what_others_printed_keeps_its_place(capfd: pytest.CaptureFixture[str]) -> None:
    """Text that a library has put into the stream before comes first."""
    sys.stdout.write("first\n")
    output.answer("second")
    output.finish()
    assert capfd.readouterr().out == "first\nsecond\n"


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a file, not under NO_COLOR (any value), not on a dumb terminal."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert output.colourful()
    for name, value in (("NO_COLOR", ""), ("TERM", "dumb")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert not output.colourful()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert not output.colourful()
