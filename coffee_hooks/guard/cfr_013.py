"""CFR-013: work happens on the target or on ``roadmap-*``, nowhere else. Pure policy.

Every commit runs this module in a fresh interpreter, so it imports nothing that start-up has not loaded.
"""

from __future__ import annotations

from coffee_hooks.base.errors import RuleError

DEFAULT_TARGET = "roadmap"
PREFIX = "roadmap-"
HEADS = "refs/heads/"

_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_REST = _FIRST | frozenset("._-")


class CFR013ViolationError(RuleError):
    """A commit, push or agent on a branch that CFR-013 does not allow."""


def branch_allowed(branch: str, target: str = DEFAULT_TARGET) -> bool:
    """Whether ``branch`` (short name) is the target or matches ``roadmap-[A-Za-z0-9][A-Za-z0-9._-]*`` in full."""
    if branch == target:
        return True
    rest = branch.removeprefix(PREFIX)
    return rest != branch and rest[:1] in _FIRST and _REST.issuperset(rest)


def check_branch(branch: str, target: str = DEFAULT_TARGET) -> None:
    """Let work on ``branch`` pass, or raise ``CFR013ViolationError`` with the command that fixes it."""
    if not branch_allowed(branch, target):
        raise CFR013ViolationError(
            f"CFR-013: branch {visible(branch)} may not be worked on: {rule(target)}", hint=_move_hint(target)
        )


def check_detached(branch: str | None, target: str = DEFAULT_TARGET) -> None:
    """Judge a detached HEAD by the branch it belongs to; raise ``CFR013ViolationError`` if it is none or forbidden.

    ``branch`` is the one being rebased, merged, bisected or picked onto, or the one that the CI event names.
    """
    if branch is None:
        raise CFR013ViolationError(
            f"CFR-013: HEAD is detached, so a commit would be on no branch: {rule(target)}", hint=_move_hint(target)
        )
    if not branch_allowed(branch, target):
        raise CFR013ViolationError(
            f"CFR-013: HEAD is detached from branch {visible(branch)}, which may not be worked on: {rule(target)}",
            hint=f"leave it (git rebase --abort, git bisect reset), then: {_move_hint(target)}",
        )


def rule(target: str) -> str:
    """The rule in one clause, for messages."""
    return f"only {visible(target)} and {PREFIX}NAME are allowed"


def visible(name: str) -> str:
    """``name`` on one line: characters that could forge or hide output become backslash escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in name)


def quoted(word: str) -> str:
    """``word`` as one literal POSIX shell word."""
    if word and _REST.issuperset(word) and word[0] in _FIRST:
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def _move_hint(target: str) -> str:
    return f"git switch -c {PREFIX}NAME   (takes your changes along; or: git switch {visible(quoted(target))})"
