"""The environment at entry and for children: inherited GIT_* and forge tokens are not ours to pass on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping

# What a person sets to reach a remote, to find git or a repository, or to say who they are. Everything else
# named GIT_* is either state of the hook we were started from or changes what git answers.
_KEPT = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|TERMINAL_PROMPT|ALLOW_PROTOCOL|EXEC_PATH"
    r"|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM"
    r"|(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)|(HTTP|SSL|PROXY|CURL)_\w+"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)
# A forge's name and a credential's, as whole words in this order: RELEASE_GITHUB_TOKEN, CI_JOB_JWT_V2. The others
# hold one without saying so.
_TOKENS = re.compile(
    r"(\w+_)?(GH|GITHUB|GITLAB|GL|GLAB|GITEA|FORGEJO|CODEBERG|BITBUCKET|AZURE_DEVOPS|ACTIONS"
    r"|CI_(JOB|BUILD|REGISTRY|DEPLOY|DEPENDENCY_PROXY))_(\w+_)?(TOKEN|PAT|PASSWORD|JWT)(_\w+)?"
    r"|SYSTEM_ACCESSTOKEN|CI_REPOSITORY_URL|(GIT|SSH)_ASKPASS|GIT_CONFIG_(COUNT|KEY_\d+|VALUE_\d+)",
    re.IGNORECASE,
)


def scrub(environ: MutableMapping[str, str] = os.environ) -> None:
    """Forget every ``GIT_*`` variable that would point git at another repository or index."""
    for name in [n for n in environ if n.startswith("GIT_") and not _KEPT.fullmatch(n)]:
        del environ[name]
    environ["GIT_PYTHON_REFRESH"] = "quiet"
    environ.setdefault("GIT_TERMINAL_PROMPT", "0")


def for_children(
    extra: Mapping[str, str], keep: Iterable[str] = (), environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of agents, setup and gate: ours without forge tokens, without ``COFFEE_*``, plus *extra*.

    *keep* names variables that are passed on although they look like a token.
    """
    kept = frozenset(keep)
    inherited = {
        name: value
        for name, value in environ.items()
        if name in kept
        or not (
            name.startswith("COFFEE_")
            or name in ("GIT_TERMINAL_PROMPT", "GIT_PYTHON_REFRESH")
            or _TOKENS.fullmatch(name)
        )
    }
    return inherited | dict(extra)
