"""Ctrl-C, which is an exception, and which Python drops where it comes while an object is finalised."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def never_lost() -> Iterator[Callable[[], None]]:
    """A check that raises KeyboardInterrupt when one was asked for meanwhile, also where nobody saw it."""
    caught: list[int] = []

    def check() -> None:
        if caught:
            raise KeyboardInterrupt

    def remembering(before: Callable[[int, FrameType | None], object]) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            caught.append(number)
            before(number, frame)

        return handle

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, before in handlers.items():
        if callable(before):
            signal.signal(number, remembering(before))
    try:
        yield check
    finally:
        for number, before in handlers.items():
            signal.signal(number, before)
