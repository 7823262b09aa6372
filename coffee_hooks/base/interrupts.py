"""Ctrl-C, which is an exception, and which Python drops where it comes while an object is finalised."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_SECONDS = 0.01
"""After this an object is surely gone."""


@contextmanager
def never_lost() -> Iterator[None]:
    """What Python drops of Ctrl-C comes once more, a moment later; anything else that it drops is told as before."""
    before, over, coming = sys.unraisablehook, threading.Event(), threading.Lock()

    def hear(dropped: sys.UnraisableHookArgs) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            before(dropped)
        elif coming.acquire(blocking=False):  # else one is on its way; two would cut short what the first makes us do
            threading.Thread(target=interrupt, daemon=True).start()

    def interrupt() -> None:
        time.sleep(AGAIN_SECONDS)
        coming.release()
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    sys.unraisablehook = hear
    try:
        yield
    finally:
        over.set()
        sys.unraisablehook = before
