"""What GitHub Actions reads from a step: the two files that it names."""

from __future__ import annotations

import os
from pathlib import Path


def tell_actions(outputs: str, summary: str) -> None:
    """Append to the files that Actions names; without them there is nobody to tell."""
    for variable, text in (("GITHUB_OUTPUT", outputs), ("GITHUB_STEP_SUMMARY", summary)):
        if path := os.environ.get(variable):
            with Path(path).open("a", encoding="utf-8", errors="replace") as file:
                file.write(text)
