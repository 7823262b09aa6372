"""``coffee-hook``: the rules as git hooks. Standard library only, and nothing imported before it is needed."""

from __future__ import annotations

import os
import sys

from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, UsageError
from coffee_hooks.guard.cfr_013 import DEFAULT_TARGET, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from coffee_hooks.guard.install import Installation

HEAD_STAGES = ("pre-commit", "pre-merge-commit", "manual")
PUSH_STAGE = "pre-push"


class Arguments:
    """What was typed behind a command. A plain class: dataclasses alone would double the start-up."""

    __slots__ = ("stage", "strict", "target", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.target = DEFAULT_TARGET
        self.stage = ""
        self.strict = False


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (default: of ``sys.argv``) and return its exit code: 0, 1 rule broken, 2 usage, 4 environment."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except CoffeeError as error:
        return _fail(error)
    except OSError as error:
        where = f": {visible(os.fsdecode(error.filename))}" if error.filename else ""
        return _fail(EnvironmentFailure(f"{error.strerror or error}{where}", hint="coffee doctor"))
    except KeyboardInterrupt:
        return 130


def _run(words: list[str]) -> int:
    while words[:1] == ["-C"]:
        if len(words) < 2:
            raise UsageError("-C needs a folder", hint="coffee-hook --help")
        os.chdir(words[1])
        words = words[2:]
    command = words[0] if words else "--help"
    if command == "--version":
        from importlib.metadata import version

        _say(f"coffee-hook {version('coffee-hooks')}")
        return 0
    # Alone, or a remote called --help would be a way around the rule.
    if command in ("-h", "--help", "help") or words[1:] in (["-h"], ["--help"]):
        from coffee_hooks.guard.usage import USAGE

        _say(USAGE.rstrip())
        return 0
    if command not in COMMANDS:
        raise UsageError(f"no command {visible(command)}", hint="coffee-hook --help")
    run, options = COMMANDS[command]
    return run(_parse(words[1:], options))


def _parse(words: list[str], options: tuple[str, ...]) -> Arguments:
    arguments = Arguments()
    rest = iter(words)
    for word in rest:
        name, given, value = word.partition("=")
        if word == "--":
            arguments.words.extend(rest)
        elif not word.startswith("-") or word == "-":
            arguments.words.append(word)
        elif name not in options or (name == "--strict" and given):
            raise UsageError(f"no option {visible(word)} here", hint="coffee-hook --help")
        elif name == "--strict":
            arguments.strict = True
        else:
            found = value if given else next(rest, "")
            if not found:
                raise UsageError(f"{name} needs a value", hint="coffee-hook --help")
            setattr(arguments, name[2:], found)
    return arguments


def _cfr_013(arguments: Arguments) -> int:
    # Two words are what git gives to pre-push (remote, URL); the framework shows a push in variables.
    is_push = len(arguments.words) == 2 or bool(os.environ.get("PRE_COMMIT_REMOTE_BRANCH"))
    stage = arguments.stage or (PUSH_STAGE if is_push else "pre-commit")
    if stage in HEAD_STAGES:
        from coffee_hooks.guard.head import check_head

        _no_words(arguments)
        check_head(arguments.target, os.environ)
        return 0
    if stage != PUSH_STAGE:
        stages = ", ".join((*HEAD_STAGES, PUSH_STAGE))
        raise UsageError(f"no stage {visible(stage)}: one of {stages}", hint="coffee-hook --help")
    from coffee_hooks.guard.plumbing import is_ancestor
    from coffee_hooks.guard.push import check_push, from_framework, parse_pre_push

    # The framework gives its hooks no input; a stage that was named is asked for first, for its input is git's own.
    listed = parse_pre_push(sys.stdin.buffer.read()) if arguments.stage or arguments.words else ()
    updates = listed or from_framework(os.environ)
    check_push(updates, arguments.target, is_ancestor)
    return 0


def _pre_receive(arguments: Arguments) -> int:
    from coffee_hooks.guard.plumbing import is_ancestor
    from coffee_hooks.guard.push import check_push, parse_pre_receive

    _no_words(arguments)
    check_push(parse_pre_receive(sys.stdin.buffer.read()), arguments.target, is_ancestor)
    return 0


def _cfr_009(arguments: Arguments) -> int:
    from coffee_hooks.guard.cfr_009 import CFR009ViolationError, violations

    if not arguments.words:
        raise UsageError("cfr-009 needs files", hint="git ls-files -z '*.py' | xargs -0 coffee-hook cfr-009")
    found = [each for path in arguments.words for each in violations(_source(path), path)]
    for path, line, column, message in found:
        _say(f"{visible(path)}:{line}:{column}: {visible(message)}")
        _annotate(path, line, message)
    if found:
        raise CFR009ViolationError(
            f"CFR-009: {len(found)} place{'s' * (len(found) > 1)} where a notification may make a sound",
            hint="pass sound=False; user_listener rings the bell for every unread notification",
        )
    return 0


def _source(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs half of the start-up
            return file.read()
    except FileNotFoundError as error:
        raise UsageError(f"no file {visible(path)}", hint="coffee-hook cfr-009 FILE...") from error


def _roadmap_lint(arguments: Arguments) -> int:
    from coffee_hooks.guard.roadmap_lint import check, lint_staged

    findings = lint_staged(arguments.words)
    for notice in findings.known:
        _warn(f"warning: {visible(str(notice))}")
    for notice in findings.new:
        _say(visible(str(notice)))
        _annotate(notice.path, notice.line, notice.message)
    check(findings)
    return 0


def _install(arguments: Arguments) -> int:
    from pathlib import Path

    from coffee_hooks.guard.install import install
    from coffee_hooks.guard.scripts import STANDARD, STRICT

    _no_words(arguments)
    _report(install(Path.cwd(), arguments.target, STRICT if arguments.strict else STANDARD))
    return 0


def _uninstall(arguments: Arguments) -> int:
    from pathlib import Path

    from coffee_hooks.guard.install import uninstall

    _no_words(arguments)
    _report(uninstall(Path.cwd()))
    return 0


def _report(installation: Installation) -> None:
    for warning in installation.warnings:
        _warn(f"warning: {warning}")
    for hook, path, outcome, chained in installation.files:
        behind = f", then {visible(chained.name)}" if chained else ""
        _say(f"{outcome.value} {hook.value}: {visible(str(path))}{behind}")


def _no_words(arguments: Arguments) -> None:
    if arguments.words:
        raise UsageError(f"unexpected argument {visible(arguments.words[0])}", hint="coffee-hook --help")


def _say(line: str) -> None:
    sys.stdout.write(_encodable(line, sys.stdout.encoding) + "\n")


def _annotate(path: str, line: int, message: str) -> None:
    """Under GitHub Actions the finding stands at its line in the files of a pull request too."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from coffee_hooks.base.actions import annotation

        _say(annotation("error", message, file=path, line=str(line or 1)))


def _warn(line: str) -> None:
    sys.stderr.write(line + "\n")


def _encodable(line: str, encoding: str) -> str:
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _fail(error: CoffeeError) -> int:
    behind = f" ({visible(error.detail)})" if error.detail else ""
    _warn(f"error: {error.what}{behind}")
    if error.hint:
        _warn(f"hint: {error.hint}")
    return error.exit_code


COMMANDS = {
    "cfr-013": (_cfr_013, ("--target", "--stage")),
    "cfr-009": (_cfr_009, ()),
    "roadmap-lint": (_roadmap_lint, ()),
    "install": (_install, ("--target", "--strict")),
    "uninstall": (_uninstall, ()),
    "pre-receive": (_pre_receive, ("--target",)),
}

if __name__ == "__main__":
    sys.exit(main())
