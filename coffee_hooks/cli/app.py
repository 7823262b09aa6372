"""The Typer app: three groups of commands, and the flags that every command takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from coffee_hooks.base import output
from coffee_hooks.base.output import Loudness

EVERY_DAY, STEPS, REST = "Every day", "The steps", "The rest"


class _Flag(TyperOption):
    """A flag that says how to speak, allowed before and after the command."""

    def __init__(self, names: Sequence[str], help_: str, set_: Callable[[], None]) -> None:
        def callback(_context: Any, _parameter: Any, value: bool) -> bool:
            if value:
                set_()
            return value

        super().__init__(
            param_decls=list(names), is_flag=True, default=False, expose_value=False, callback=callback, help=help_
        )


def _flags() -> list[_Flag]:
    return [
        _Flag(["--json"], "Print one JSON object for programs.", lambda: output.configure(as_json=True)),
        _Flag(["-q", "--quiet"], "No narration.", lambda: output.configure(loudness=Loudness.QUIET)),
        _Flag(["-v", "--verbose"], "Show each git command.", _verbose),
    ]


def _verbose() -> None:
    import shlex

    from coffee_hooks.base import git

    output.configure(loudness=Loudness.VERBOSE)
    git.trace.append(lambda argv: output.detail("$ " + shlex.join(argv)))


class Command(TyperCommand):
    """A command that takes the common flags too."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.params = [*self.params, *_flags()]


class Group(TyperGroup):
    """Help in three groups; the panel of a command names its group."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.params = [*self.params, *_flags()]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands of each group with the first sentence of their help."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        for group in (EVERY_DAY, STEPS, REST):
            rows = [
                (name, command.get_short_help_str(limit=90))
                for name, command in commands
                if command is not None and not command.hidden and getattr(command, "rich_help_panel", None) == group
            ]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)


app = typer.Typer(
    name="coffee", cls=Group, add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


def command(name: str, group: str | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a command in a group of the help; None hides it."""
    return app.command(
        name, cls=Command, rich_help_panel=group or "", hidden=group is None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        output.answer(f"coffee {version('coffee-hooks')}")
        raise typer.Exit


_started_in: list[Path] = [Path()]


@app.callback()
def root(
    where: Annotated[Path, typer.Option("-C", metavar="PATH", help="Work in the repository around PATH.")] = Path(),
    _show: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Many coding agents on one repository: plan, isolate, test, land, clean up, and lose nothing.

    \b
    Example: try it on a sample repository, then on yours
      coffee demo
      coffee init && coffee run
    """
    _started_in[0] = where


def here() -> Path:
    """Where the user wants to work. Raises UsageError when there is no such folder."""
    from coffee_hooks.base.errors import UsageError

    path = _started_in[0].absolute()
    if not path.is_dir():
        raise UsageError(f"there is no folder {path}", hint="name an existing one with -C PATH")
    return path


def run(argv: list[str]) -> int:
    """Parse *argv*, run the command, return the exit code."""
    from coffee_hooks.cli import everyday, plumbing, rest, steps

    assert everyday and steps and rest and plumbing  # importing them registers their commands
    output.configure(loudness=Loudness.NORMAL, as_json=False)
    root_command = typer.main.get_command(_narrowed(argv))
    result = root_command.main(args=argv or ["--help"], prog_name="coffee", standalone_mode=False)
    return result if isinstance(result, int) else 0


def _narrowed(argv: Sequence[str]) -> typer.Typer:
    """The app with only the command that *argv* names, as the parameters of all others take 10 ms; else all of it."""
    words = iter(argv)
    for word in words:
        if word == "-C":
            next(words, None)
        elif not word.startswith("-"):
            found = [each for each in app.registered_commands if each.name == word]
            if not found:
                break
            one = copy(app)
            one.registered_commands = found
            return one
    return app
