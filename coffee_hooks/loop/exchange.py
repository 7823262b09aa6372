"""What machines tell each other around a command, where claims are shared. Neither side stops work when it fails."""

from __future__ import annotations

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.project import Project
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.text import printable
from coffee_hooks.state.sharing import share


def catch_up(project: Project) -> None:
    """See what others have claimed and finished meanwhile; without the remote, go on with what is known here."""
    if not project.config.shared:
        return
    try:
        fetch(project)
    except CoffeeError as gone:
        output.say(f"warning: {printable(gone.what)}: what other machines did lately is not known here")


def tell_others(project: Project) -> None:
    """Let the remote know what changed here; what cannot be told now is told by the next command."""
    try:
        why = share(project)
    except CoffeeError as failed:
        why = failed.what
    if why is not None:
        output.say(f"warning: {printable(why)}: other machines hear of it with the next command")
