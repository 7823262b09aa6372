"""The rule of sound: at run time and in Python source."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from coffee_hooks.guard.cfr_009 import CFR009ViolationError, check_sound, violations


def places(source: str) -> list[tuple[int, int]]:
    return [(each.line, each.column) for each in violations(textwrap.dedent(source).encode(), "m.py")]


@pytest.mark.parametrize("agent", ["code_developer", "architect", "", "user_listener ", None])
def test_sound_is_the_listeners_alone(agent: str | None) -> None:
    """sound=True from anyone else, None included, raises; silence never does."""
    check_sound(False, agent)
    with pytest.raises(CFR009ViolationError) as caught:
        check_sound(True, agent)
    assert caught.value.exit_code == 1


def test_the_listener_may_make_a_sound() -> None:
    """user_listener passes with and without sound."""
    check_sound(True, "user_listener")
    check_sound(False, "user_listener")


@pytest.mark.parametrize(
    "call",
    [
        'create_notification(title="t", message="m", agent_id="a")',
        'create_notification(sound=False, agent_id="a")',
        'create_notification(sound=True, agent_id="user_listener")',
        'create_notification(sound=wanted, agent_id="user_listener")',
        'create_notification(agent_id="user_listener", **options)',
        'create_notification(sound=False, agent_id="a", **options)',
        'other(sound=True, agent_id="a")  # create_notification',
        "def create_notification(sound=True): pass",
        "record.send(sound=True); send = create_notification",
    ],
)
def test_silent_calls_and_the_listeners_pass(call: str) -> None:
    """An absent or False sound, the literal listener, and other functions are no findings."""
    assert places(call) == []


@pytest.mark.parametrize(
    "call",
    [
        'create_notification(title="t", sound=True, agent_id="a")',
        "create_notification(sound=True)",
        "create_notification(sound=True, agent_id=None)",
        "create_notification(sound=True, agent_id=LISTENER)",
        'create_notification(sound=wanted, agent_id="a")',
        'create_notification(sound=0, agent_id="a")',
        'create_notification(agent_id="a", **options)',
        'notify.create_notification(sound=True, agent_id="a")',
        'db().create_notification(sound=not True, agent_id="a")',
        "functools.partial(create_notification, sound=True)",
        'partial(notify.create_notification, sound=True)(agent_id="a")',
    ],
)
def test_calls_that_may_be_loud_are_found(call: str) -> None:
    """Everything that is not literally silent and not literally the listener's is found, where it stands."""
    assert places(f"if True:\n    {call}\n") == [(2, 5)]


def test_aliases_of_the_same_file_are_followed() -> None:
    """An import under another name, and an assignment of that name, are still the function."""
    source = """\
    from coffee_hooks.notify import create_notification as notify
    ring = notify
    notify(sound=True, agent_id="a")
    ring(sound=True, agent_id="a")
    (bell := ring)(agent_id="a")
    bell(sound=True)
    """
    assert places(source) == [(3, 1), (4, 1), (6, 1)]


def test_an_unreadable_file_that_names_the_function_is_a_finding() -> None:
    """What cannot be parsed cannot be shown to be silent; a file without the name is nobody's business."""
    (found,) = violations(b"create_notification(\n  sound=True", "broken.py")
    assert (found.path, found.message.startswith("cannot be checked: ")) == ("broken.py", True)
    (latin,) = violations("x = 'caf\u00e9'\ncreate_notification(sound=False)".encode("latin-1"), "latin.py")
    assert latin.message.startswith("cannot be checked: ")
    (nulls,) = violations(b"create_notification()\0", "nulls.py")
    assert nulls.message.startswith("cannot be checked: ")
    (deep,) = violations(b"create_notification(" + b"(" * 100_000, "deep.py")
    assert deep.message.startswith("cannot be checked: ")
    assert violations(b"\xff\xfe not python (", "other.py") == ()


def test_a_declared_encoding_is_read() -> None:
    """PEP 263: source that says it is Latin-1 is parsed as such."""
    source = "# coding: latin-1\nx = 'caf\u00e9'; create_notification(sound=True)\n".encode("latin-1")
    assert [(each.line, each.column) for each in violations(source, "m.py")] == [(2, 14)]


def test_the_rule_at_run_time_needs_no_parser() -> None:
    """The notifications import the rule alone: ast and warnings wait until source is checked."""
    code = "import sys; import coffee_hooks.guard.cfr_009; print('ast' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout == "False\n"
