"""CFR-009: only ``user_listener`` makes a sound. The rule at run time, and in Python source.

The source check sees calls of ``create_notification`` by that name, as an attribute, under an alias of the same file
and through ``functools.partial``. Whatever it cannot see, the rule at run time stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coffee_hooks.base.errors import RuleError

if TYPE_CHECKING:
    import ast

LISTENER = "user_listener"
FUNCTION = "create_notification"


class CFR009ViolationError(RuleError):
    """Somebody other than ``user_listener`` asked for a sound."""


class Violation(NamedTuple):
    """A place in Python source that breaks CFR-009, or that cannot be checked. Line and column are 1-based."""

    path: str
    line: int
    column: int
    message: str


def check_sound(sound: bool, agent_id: str | None) -> None:
    """Let the notification pass, or raise ``CFR009ViolationError``: sound is the listener's alone."""
    if sound and agent_id != LISTENER:
        raise CFR009ViolationError(
            f"CFR-009: sound=True from agent_id={agent_id!r} is refused: only {LISTENER!r} may make a sound",
            hint="pass sound=False; user_listener rings the bell for every unread notification",
        )


def violations(source: bytes, path: str) -> tuple[Violation, ...]:
    """Find the calls in ``source`` whose ``sound`` is not literally False while ``agent_id`` is not the listener.

    An absent ``sound`` is the default, False. ``**options`` may carry a sound, so such a call needs ``sound=False``
    of its own. A file that names the function and cannot be parsed is a violation: it cannot be shown to be silent.
    """
    if FUNCTION.encode() not in source:
        return ()
    import ast

    tree = _parsed(source, path)
    if isinstance(tree, Violation):
        return (tree,)
    nodes = list(ast.walk(tree))
    names = _names(nodes)
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_notification(node, names)]
    found = [Violation(path, call.lineno, call.col_offset + 1, reason) for call in calls if (reason := _loud(call))]
    return tuple(sorted(found))


def _parsed(source: bytes, path: str) -> ast.Module | Violation:
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source, filename="<source>")
    except SyntaxError as error:
        return Violation(path, error.lineno or 1, error.offset or 1, f"cannot be checked: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Violation(path, 1, 1, f"cannot be checked: {error or 'too deeply nested'}")


def _names(nodes: list[ast.AST]) -> frozenset[str]:
    """The function's name and every name that the file gives to it, aliases of aliases included."""
    names = {FUNCTION}
    aliases = [pair for node in nodes for pair in _aliases(node)]
    for _ in aliases:
        more = {new for new, old in aliases if old in names} - names
        if not more:
            break
        names |= more
    return frozenset(names)


def _aliases(node: ast.AST) -> list[tuple[str, str]]:
    """The pairs (new name, old name) that an import or an assignment makes."""
    import ast

    if isinstance(node, ast.ImportFrom):
        return [(each.asname, each.name) for each in node.names if each.asname]
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        targets = [node.target]
    else:
        return []
    old = _referred(node.value) if node.value else ""
    return [(target.id, old) for target in targets if isinstance(target, ast.Name) and old]


def _is_notification(call: ast.Call, names: frozenset[str]) -> bool:
    if _referred(call.func) == "partial" and call.args:
        return _is_one_of(call.args[0], names)
    return _is_one_of(call.func, names)


def _is_one_of(node: ast.expr, names: frozenset[str]) -> bool:
    import ast

    # An alias is a name of this file; another object's attribute of the same name is not it.
    return _referred(node) in (names if isinstance(node, ast.Name) else {FUNCTION})


def _referred(node: ast.expr) -> str:
    """The last name of ``name`` or ``a.b.name``; empty for anything else."""
    import ast

    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _loud(call: ast.Call) -> str:
    """Why the call may make a sound that is not the listener's; empty if it cannot."""
    sound, agent = _argument(call, "sound"), _argument(call, "agent_id")
    if _is_literal(agent, LISTENER) or _is_literal(sound, False):
        return ""
    if sound is not None:
        return f"CFR-009: sound is not literally False and agent_id is not literally {LISTENER!r}"
    if any(keyword.arg is None for keyword in call.keywords):
        return f"CFR-009: ** may carry a sound and agent_id is not literally {LISTENER!r}: add sound=False"
    return ""


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _is_literal(node: ast.expr | None, value: object) -> bool:
    import ast

    # The type as well, because 0 == False and the rule asks for the literal.
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value
