"""The process beside the loop that makes one review: ``python -m coffee_hooks.loop.reviewer ROOT ORDER LOCK``.

LOCK is the inherited descriptor that holds the kernel's lock on the order file, so that there is no moment at which a
second process could begin the same review.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.held import Held
from coffee_hooks.base.model import Sha
from coffee_hooks.base.output import complain
from coffee_hooks.base.project import open_project
from coffee_hooks.base.text import printable
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.loop.reviewing import make_review
from coffee_hooks.state.reviewing import read_review_order
from coffee_hooks.state.reviews import read_reviews
from coffee_hooks.state.store import open_store


def main(argv: Sequence[str]) -> int:
    """Carry out one order. What goes wrong is in the log that stderr is; the loop tries again."""
    turn = Held(Path(argv[1]), int(argv[2]))
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        order = read_review_order(turn.descriptor)
        project = open_project(Path(argv[0]))
        known = read_reviews(project.repo, project.remote).get(Sha(order.sha))
        if project.config.review.command is None or (known is not None and known.final):
            return 0
        with open_store(project.repo.state_dir) as store:
            make_review(project, store, order)
        tell_others(project)
    except CoffeeError as failed:
        complain(f"{printable(failed.what)} {printable(failed.detail)}")
        return failed.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        turn.finish()
    return 0


if __name__ == "__main__":
    from coffee_hooks.base.environment import scrub

    scrub()
    sys.exit(main(sys.argv[1:]))
