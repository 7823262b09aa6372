"""Who may do what at the forge: one token for its user, and one for each job of each run while the run lasts."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from miniforge.permissions import Grants, allows


@dataclass(frozen=True)
class Holder:
    """Whoever shows a token. *job* None is a person, who may do everything."""

    login: str
    grants: Grants
    job: str | None = None

    def may(self, scope: str, level: str) -> bool:
        """Whether this is allowed."""
        return self.job is None or allows(self.grants, scope, level)


@dataclass
class Tokens:
    """The tokens that are valid now."""

    _holders: dict[str, Holder] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, holder: Holder) -> str:
        """A new token."""
        token = f"{'ghp' if holder.job is None else 'ghs'}_{secrets.token_hex(18)}"
        with self._lock:
            self._holders[token] = holder
        return token

    def holder(self, token: str) -> Holder | None:
        """Whose it is, None where it is not valid."""
        with self._lock:
            return self._holders.get(token)

    def revoke(self, tokens: Iterable[str]) -> None:
        """They are worth nothing from now on, as at the end of a run."""
        with self._lock:
            for token in tokens:
                self._holders.pop(token, None)
