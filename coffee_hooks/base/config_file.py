"""``.coffee.yaml`` and ``COFFEE_SECTION__KEY`` into a Config; every mistake with its file and line.

The nodes of YAML are read here, not the values that PyYAML would make of them: a line number stays at hand, ``3.10``
in a command stays ``3.10``, and no tag makes anything happen.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import types
from collections.abc import Callable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from coffee_hooks.base.config import FILE, Agent, Bytes, Command, Config, Seconds
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.refs import is_branch_name

LONGEST_FILE = 1 << 16
LONGEST_SECONDS = 366 * 86400.0

_PREFIX = "COFFEE_"
_TAG = "tag:yaml.org,2002:"
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_UNIT = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_AUTO_IS_NONE = {("evaluate", "risk"), ("merge", "batch")}
_SIGNALS = ("managed", "required", "none")
_RULES: Mapping[tuple[str, ...], tuple[Callable[[Any], bool], str]] = {
    ("target",): (is_branch_name, "the name of a branch"),
    ("ready", "signal"): (lambda value: value in _SIGNALS, " or ".join(_SIGNALS)),
    ("gate", "jobs"): (lambda value: value > 0, "a whole number from 1"),
    ("review", "jobs"): (lambda value: value > 0, "a whole number from 1"),
    ("review", "command"): (lambda value: bool(value and value[0]), "a list such as [my-reviewer, --strict], or null"),
    ("merge", "batch"): (lambda value: value > 0, "a whole number from 1, or auto"),
}
# Set for agents, setup, hooks and gate; never read back as configuration.
CHILD_VARIABLES = frozenset(
    _PREFIX + name
    for name in ("TASK_ID", "BRANCH", "WORKTREE", "ROOT", "BASE_SHA", "SPEC", "PROMPT_FILE", "PORT", "ATTEMPT")
)

ACTIONS = "GITHUB_ACTIONS"
"""``true`` in a job of GitHub Actions."""


def parse_config(data: bytes, environ: Mapping[str, str], source: str = FILE) -> Config:
    """The configuration in *data*, overridden by the environment. Raises UsageError with file, line and nearest key.

    A variable without ``__`` that is no key and not nearly one is somebody else's: an environment is shared.
    """
    config = Config()
    node = _compose(data, source)
    if node is not None:
        config = _section(config, node, (), source)
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in CHILD_VARIABLES and not _foreign(name):
            config = _override(config, name, environ[name])
    if environ.get(ACTIONS) == "true":  # what is written there is on the remote or it is nowhere
        config = dataclasses.replace(config, shared=True)
    return config


def parse_duration(text: str) -> float | None:
    """Seconds for ``30s 45m 2h 1d`` or a plain number, None for anything else and for more than a year."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", text)
    seconds = float(found[1]) * _UNIT[found[2]] if found else LONGEST_SECONDS + 1
    return seconds if seconds <= LONGEST_SECONDS else None


def parse_size(text: str) -> int | None:
    """Bytes for ``500MB 1.5 GB`` or a plain number, None for anything else. A KB has 1024."""
    found = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,3})?)\s*([kmgt]?)b?\s*", text, re.IGNORECASE)
    return int(float(found[1]) * (1 << _SIZE[found[2].lower()])) if found else None


def _compose(data: bytes, source: str) -> yaml.Node | None:
    if len(data) > LONGEST_FILE:
        raise UsageError(f"{source} is too large", hint=f"keep it below {LONGEST_FILE // 1024} KiB")
    try:
        return yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as broken:
        raise UsageError(f"{source}: this is not text: {broken.reason}", hint="save it as UTF-8") from broken
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        raise UsageError(
            f"{where}: this is not YAML: {getattr(broken, 'problem', None) or 'cannot be read'}",
            hint="check indentation, quotes and brackets on that line",
        ) from broken
    except RecursionError as broken:
        raise UsageError(f"{source}: this is nested too deeply", hint="keep to two levels") from broken


def _section(current: Any, node: yaml.Node, path: tuple[str, ...], source: str) -> Any:
    hints = get_type_hints(type(current))
    known = {field.name.replace("_", "-"): field.name for field in dataclasses.fields(current)}
    changes: dict[str, Any] = {}
    for key, key_node, value in _entries(node, path, source):
        if key not in known:
            raise _unknown(key, known, path, _at(key_node, source))
        name = known[key]
        changes[name] = _value(getattr(current, name), hints[name], value, (*path, key), source)
    return dataclasses.replace(current, **changes)


def _entries(node: yaml.Node, path: tuple[str, ...], source: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
    """Key, the node of the key and the node of the value; nothing for an empty section."""
    if isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null":
        return []
    if not isinstance(node, yaml.MappingNode) or node.tag != _TAG + "map":
        raise _wrong(node, path, "a mapping of keys to values", source)
    found: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
    for key_node, value in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _wrong(key_node, path, "a mapping whose keys are words", source)
        key = str(key_node.value)
        if key in found:
            raise UsageError(f"{_at(key_node, source)}: {_dotted((*path, key))} is there twice", hint="keep one")
        found[key] = (key, key_node, value)
    return list(found.values())


def _value(current: Any, hint: Any, node: yaml.Node, path: tuple[str, ...], source: str) -> Any:
    if dataclasses.is_dataclass(current):
        return _section(current, node, path, source)
    if path == ("agents",):
        agents = {
            name: _section(current.get(name, Agent()), value, (*path, name), source)
            for name, _, value in _entries(node, path, source)
        }
        return {**current, **agents}
    allowed = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    tag = node.tag.removeprefix(_TAG) if isinstance(node, yaml.ScalarNode) else ""
    if (tag == "null" and type(None) in allowed) or (node.value == "auto" and path in _AUTO_IS_NONE):
        return None
    good, wanted = _RULES.get(path, (lambda _: True, _kinds_in_words(allowed)))
    for kind in allowed:
        found = _convert(node, tag, kind)
        if found is not None and good(found):
            return found
    raise _wrong(node, path, wanted, source)


def _convert(node: yaml.Node, tag: str, kind: Any) -> Any:
    """What *node* says as a *kind*, None when it says no such thing."""
    if kind is Command or get_origin(kind) is tuple:
        return _words(node)
    text = node.value
    if kind is bool and tag == "bool":
        return _TRUTH.get(text.lower())
    if kind is str and tag == "str":
        return text if text and _passable(text) else None
    if kind is Seconds and tag in ("int", "float", "str"):
        seconds = parse_duration(text)
        return None if seconds is None else Seconds(seconds)
    if kind is Bytes and tag in ("int", "float", "str"):
        size = parse_size(text)
        return None if size is None else Bytes(size)
    if kind is int and tag == "int":
        return int(text) if re.fullmatch(r"\d{1,9}", text) else None
    if kind is float and tag in ("int", "float"):
        return float(text) if re.fullmatch(r"0|1|[01]?\.\d+", text) and float(text) <= 1 else None
    return None


def _words(node: yaml.Node) -> tuple[str, ...] | None:
    """A list of scalars as they are written: ``[tox, -e, 3.10]`` and ``[yes]`` are words, not numbers or truths."""
    if not isinstance(node, yaml.SequenceNode) or node.tag != _TAG + "seq":
        return None
    for word in node.value:
        plain = isinstance(word, yaml.ScalarNode) and word.tag.startswith(_TAG) and word.tag != _TAG + "null"
        if not plain or not _passable(word.value):
            return None
    return tuple(word.value for word in node.value)


def _passable(text: str) -> bool:
    """Whether *text* can be an argument of a program or the name of a file."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _foreign(name: str) -> bool:
    key = name.removeprefix(_PREFIX).lower().replace("_", "-")
    known = [field.name.replace("_", "-") for field in dataclasses.fields(Config)]
    return "__" not in name and not difflib.get_close_matches(key, known, 1, 0.8)


def _override(config: Config, name: str, text: str) -> Config:
    keys = [part.lower().replace("_", "-") for part in name.removeprefix(_PREFIX).split("__")]
    mark = yaml.Mark(name, 0, 0, 0, "", 0)
    node = _compose(text.encode("utf-8", "surrogateescape"), name) or yaml.ScalarNode(_TAG + "null", "", mark, mark)
    for key in reversed(keys):
        node = yaml.MappingNode(_TAG + "map", [(yaml.ScalarNode(_TAG + "str", key, mark, mark), node)], mark, mark)
    section = _section(config, node, (), name)
    assert isinstance(section, Config)
    return section


def _at(node: yaml.Node, source: str) -> str:
    return source if source.startswith(_PREFIX) else f"{source}:{node.start_mark.line + 1}"


def _unknown(key: str, known: Mapping[str, str], path: tuple[str, ...], where: str) -> UsageError:
    near = difflib.get_close_matches(key, known, 1, 0.0)
    return UsageError(f"{where}: unknown key {_dotted((*path, key))}", hint=f"did you mean {_dotted((*path, *near))}?")


def _wrong(node: yaml.Node, path: tuple[str, ...], wanted: str, source: str) -> UsageError:
    return UsageError(
        f"{_at(node, source)}: {_dotted(path) or 'the file'} must be {wanted}",
        hint="see the configuration in the README",
    )


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(repr(part)[1:-1] for part in path)


def _kinds_in_words(kinds: tuple[Any, ...]) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number from 0 to 1",
        str: "text",
        Seconds: "a duration such as 30s, 45m or 2h",
        Bytes: "a size such as 500MB or 2GB",
        type(None): "null",
    }
    return " or ".join(names.get(kind, "a list such as [make, test]") for kind in kinds)
