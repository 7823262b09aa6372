"""What reviewers said: kept under the commit that they looked at, moved by compare-and-swap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import REVIEWS, Move, Stored, read_stored, to_sha, to_text, transact, write_json
from coffee_hooks.base.remote import COPIES, OURS


class Opinion(Enum):
    """The word of a reviewer. ``PENDING``: there was none, as it was ended, missing or undecided."""

    APPROVED = "approved"
    REJECTED = "rejected"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What is known of the review of *sha*, which was the tip of *branch*.

    *report* is the path of the report where it was made, *excerpt* its beginning. *why* says why there is no verdict
    after *tries* in a row. *when* is UNIX time. *blob* is where this was read: the old value of the next move.
    """

    sha: Sha
    verdict: Opinion
    branch: str
    report: str | None = None
    excerpt: str = ""
    why: str = ""
    tries: int = 0
    when: int = 0
    blob: Sha = ABSENT

    @property
    def final(self) -> bool:
        """Whether a reviewer has decided."""
        return self.verdict is not Opinion.PENDING


def read_reviews(repo: Repo, remote: str | None = None) -> dict[Sha, Reviewed]:
    """Every review, those too that other machines pushed to *remote*, as far as they were fetched. One git process.

    Of two words on one commit the later one counts; its *blob* is always the one here.
    """
    copies = copies_of(remote) if remote else None
    stored = read_stored(repo, REVIEWS, *([copies] if copies else []))
    found: dict[Sha, Reviewed] = {}
    for review in filter(None, (_of(ref, each) for ref, each in stored.items() if ref.startswith(REVIEWS))):
        found[review.sha] = review
    for ref, each in stored.items():
        theirs = _of(REVIEWS + ref.removeprefix(copies), each) if copies and ref.startswith(copies) else None
        if theirs is None:
            continue
        mine = found.get(theirs.sha)
        if mine is None or wins(theirs, mine):
            here = mine.blob if mine else ABSENT
            found[theirs.sha] = replace(theirs, blob=here, report=None)  # the file is not here
    return found


def wins(one: Reviewed, other: Reviewed) -> bool:
    """Whether *one* counts where both are known: a verdict before none, then the later one, then the stricter. Pure."""
    return _weight(one) > _weight(other)


def _weight(review: Reviewed) -> tuple[bool, int, bool]:
    return review.final, review.when, review.verdict is Opinion.REJECTED


def record(repo: Repo, review: Reviewed) -> bool:
    """Write *review* in place of what was in ``review.blob``; False when somebody else wrote first."""
    value = {
        "sha": review.sha, "verdict": review.verdict.value, "branch": review.branch, "report": review.report,
        "excerpt": review.excerpt, "why": review.why, "tries": review.tries, "when": review.when,
    }  # fmt: skip
    return transact(repo, [Move(REVIEWS + review.sha, review.blob, write_json(repo, value))], reason="coffee review")


def copies_of(remote: str) -> str:
    """Where a fetch puts the reviews of *remote*."""
    return f"{COPIES}{remote}/{REVIEWS.removeprefix(OURS)}"


def decode(ref: str, value: Mapping[str, Any], blob: Sha) -> Reviewed | None:
    """What *value* under *ref* says; None when that is no review of this commit."""
    try:
        sha = to_sha(ref.removeprefix(REVIEWS))
        if value.get("sha", sha) != sha:
            return None
        return Reviewed(
            sha, Opinion(value["verdict"]), to_text(value.get("branch", "")), _text_or_none(value.get("report")),
            to_text(value.get("excerpt", "")), to_text(value.get("why", "")), int(value.get("tries", 0)),
            int(value.get("when", 0)), blob,
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, OverflowError):  # by hand or by a later version: it counts as no review
        return None


def _of(ref: str, stored: Stored) -> Reviewed | None:
    return decode(ref, stored.value, stored.blob)


def _text_or_none(value: object) -> str | None:
    return None if value is None else to_text(value)
