"""The workflows that call ours. Pure: the text for a target and the place that this package is published at."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from coffee_hooks.base.errors import UsageError
from coffee_hooks.init.pre_commit import Published

FOLDER = ".github/workflows"
CALLERS = ("coffee-ready.yml", "coffee-land.yml", "coffee-agents.yml")
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def workflows(target: str, published: Published | None) -> dict[str, str]:
    """The text of each of :data:`CALLERS`. Raises UsageError when there is no place on GitHub to call."""
    found = _GITHUB.fullmatch(published.url) if published else None
    if published is None or found is None:
        raise UsageError(
            "the workflows call those of the repository that coffee was installed from, and that is not on GitHub",
            hint="pip install 'coffee-hooks @ git+https://github.com/OWNER/coffee-hooks', then: coffee init --github",
        )
    return render(
        target, f"{found[1]}/{FOLDER}", f"@{published.revision}",
        f"coffee-hooks @ git+https://github.com/{found[1]}@{published.revision}",
    )  # fmt: skip


def render(target: str, place: str, revision: str, package: str) -> dict[str, str]:
    """The texts with the folder *place* and the *revision* (with its ``@``) that they call, and what pip installs."""
    words = {
        "__TARGET__": _quoted(re.sub(r"([+!])", r"\\\1", target)),  # a pattern
        "__NAME__": _quoted(target), "__GROUP__": _quoted(f"coffee-land-{target}"),
        "__WORKFLOWS__": place, "__REVISION__": revision, "__PACKAGE__": _quoted(package),
    }  # fmt: skip
    texts = {}
    for name in CALLERS:
        text = files("coffee_hooks.init").joinpath("workflows", name).read_text(encoding="utf-8")
        texts[name] = re.sub("|".join(words), lambda word: words[word[0]], text)
    return texts


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
