"""The one error boundary: what a person can fix is one line and a hint; what we broke is a report file."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence

from coffee_hooks.base import environment, output
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.interrupts import never_lost
from coffee_hooks.base.text import printable

CONTROL_C, OUR_BUG = 130, 3
NEW_OBJECTS = 50_000
"""So many until Python looks for cycles: by its own 700 that takes a tenth of the time in which a command starts."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``coffee`` and return its exit code, as the contract lists them."""
    return _guarded("coffee", _coffee, list(sys.argv[1:] if argv is None else argv))


def architect(argv: Sequence[str] | None = None) -> int:
    """Run ``architect``, the verbs of the workflow."""
    return _guarded("architect", _architect, list(sys.argv[1:] if argv is None else argv))


def _coffee(argv: list[str]) -> int:
    from coffee_hooks.cli.app import run

    return run(argv)


def _architect(argv: list[str]) -> int:
    from coffee_hooks.cli.architect import run

    return run(argv)


def _guarded(program: str, run: Callable[[list[str]], int], argv: list[str]) -> int:
    if sys.platform == "win32":
        output.complain("error: coffee runs on Linux and macOS\nhint: on Windows, use it inside WSL")
        return 4
    gc.set_threshold(NEW_OBJECTS)
    _open_standard_files()
    environment.scrub()
    try:
        with never_lost():
            code = _judged(program, run, argv)
    except KeyboardInterrupt:
        code = CONTROL_C
    if code == CONTROL_C:
        output.say("stopped; agents that were started go on (coffee status shows them)")
    return code


def _judged(program: str, run: Callable[[list[str]], int], argv: list[str]) -> int:
    try:
        code = run(argv)
        output.finish()
        return code
    except CoffeeError as error:
        _explain(error)
        return error.exit_code
    except SystemExit:  # how the parser says that the reader of its help has left
        return 0
    except OSError as error:
        with contextlib.suppress(OSError):
            output.finish()  # or Python tries once more at its end, with a traceback
        where = f": {printable(str(error.filename))}" if error.filename else ""
        output.complain(
            f"error: {error.strerror or error}{where}\nhint: check disk space and rights, then run this again"
        )
        return 4
    except Exception as bug:  # noqa: BLE001 - the boundary: everything else is ours, and a report beats a traceback
        if hasattr(bug, "format_message") and hasattr(bug, "exit_code"):
            return _usage(program, bug)
        return _report(program, argv)


def _open_standard_files() -> None:
    """Fill the places of standard files that were closed, so that no file of ours is taken for one of them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _explain(error: CoffeeError) -> None:
    behind = f" ({printable(error.detail)})" if error.detail else ""
    output.complain(f"error: {printable(error.what)}{behind}")
    if error.hint:
        output.complain(f"hint: {printable(error.hint)}")


def _usage(program: str, error: Exception) -> int:
    message = " ".join(str(error.format_message()).split())  # type: ignore[attr-defined]
    path = getattr(getattr(error, "ctx", None), "command_path", program)
    output.complain(f"error: {printable(message)}\nhint: {path} --help")
    return 2


def _report(program: str, argv: Sequence[str]) -> int:
    import tempfile
    import time
    import traceback

    text = f"# {program} {' '.join(map(repr, argv))}\n\nPython {sys.version}\n\n```\n{traceback.format_exc()}```\n"
    name = f"coffee-report-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.md"
    path = os.path.join(tempfile.gettempdir(), name)  # noqa: PTH118 - pathlib is not worth its import here
    try:
        with open(path, "x", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            file.write(text)
    except OSError:
        output.complain(text)
        path = "the lines above"
    output.complain(f"error: this is a bug in coffee\nhint: please report it with {path}")
    return OUR_BUG
