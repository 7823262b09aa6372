"""The one family of errors that a user can act on; everything else is our bug."""

from __future__ import annotations


class CoffeeError(Exception):
    """Something a person can fix: what happened, and the next command to type.

    ``exit_code`` is the one of the contract: 1 the answer is no, 2 usage or configuration,
    4 the environment failed, 75 somebody else holds the lock.
    """

    exit_code = 2

    def __init__(self, what: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.detail = detail


class RuleError(CoffeeError):
    """The command ran and the answer is no."""

    exit_code = 1


class UsageError(CoffeeError):
    """Wrong usage or configuration; nothing was done."""

    exit_code = 2


class EnvironmentFailure(CoffeeError):
    """The machine, the remote or a program failed; nothing is half done."""

    exit_code = 4


class LockedError(CoffeeError):
    """Somebody else holds the lock."""

    exit_code = 75
