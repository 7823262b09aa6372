"""``.coffee.yaml`` and ``COFFEE_SECTION__KEY`` into a Config; every mistake with its file and line."""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from coffee_hooks.base.config import FILE, Agent, Command, Config, Seconds
from coffee_hooks.base.errors import UsageError

_UNIT = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AUTO_IS_NONE = {("evaluate", "risk"), ("merge", "batch")}
_CHOICES = {("ready", "signal"): ("managed", "required", "none")}
# Set for agents, setup, hooks and gate; never read back as configuration.
CHILD_VARIABLES = frozenset(
    ["COFFEE_TASK_ID", "COFFEE_BRANCH", "COFFEE_WORKTREE", "COFFEE_ROOT", "COFFEE_BASE_SHA", "COFFEE_SPEC", "COFFEE_PROMPT_FILE", "COFFEE_PORT", "COFFEE_ATTEMPT"]
)


def parse_config(data: bytes, environ: Mapping[str, str], source: str = FILE) -> Config:
    """The configuration in *data*, overridden by the environment. Raises UsageError with file, line and nearest key."""
    config = Config()
    node = _compose(data, source)
    if node is not None:
        config = _section(config, node, (), source)
    for name in sorted(environ):
        if name.startswith("COFFEE_") and name not in CHILD_VARIABLES:
            config = _override(config, name, environ[name])
    return config


def _compose(data: bytes, source: str) -> yaml.Node | None:
    try:
        return yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f"{source}:{mark.line + 1}" if mark else source
        raise UsageError(
            f"{where}: this is not YAML: {getattr(broken, 'problem', None) or 'cannot be read'}",
            hint="check indentation, quotes and brackets on that line",
        ) from broken


def _section(current: Any, node: yaml.Node, path: tuple[str, ...], source: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
            return current
        raise _wrong(node, path, "a mapping", source)
    hints = get_type_hints(type(current))
    known = {field.name.replace("_", "-"): field.name for field in dataclasses.fields(current)}
    changes: dict[str, Any] = {}
    for key_node, value in node.value:
        key = str(key_node.value)
        if key not in known:
            raise _unknown(key, known, path, f"{source}:{key_node.start_mark.line + 1}")
        if known[key] in changes:
            raise UsageError(
                f"{source}:{key_node.start_mark.line + 1}: {_dotted((*path, key))} is there twice",
                hint="keep one",
            )
        name = known[key]
        changes[name] = _value(getattr(current, name), hints[name], value, (*path, key), source)
    return dataclasses.replace(current, **changes)


def _value(current: Any, hint: Any, node: yaml.Node, path: tuple[str, ...], source: str) -> Any:
    if dataclasses.is_dataclass(current):
        return _section(current, node, path, source)
    if path == ("agents",):
        return _agents(node, path, source)
    allowed = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    plain = _plain(node)
    if plain is None and (type(None) in allowed):
        return None
    if plain == "auto" and path in _AUTO_IS_NONE:
        return None
    for kind in allowed:
        found = _convert(plain, kind)
        if found is not None:
            if path in _CHOICES and found not in _CHOICES[path]:
                raise _wrong(node, path, " or ".join(_CHOICES[path]), source)
            return found
    raise _wrong(node, path, _words(allowed), source)


def _agents(node: yaml.Node, path: tuple[str, ...], source: str) -> dict[str, Agent]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, path, "a mapping of names to agents", source)
    return {str(key.value): _section(Agent(), value, (*path, str(key.value)), source) for key, value in node.value}


def _plain(node: yaml.Node) -> Any:
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except yaml.YAMLError:
        return node  # an unknown tag: no kind accepts it, so it is reported as a wrong value


def _convert(value: Any, kind: Any) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else None
    if kind is Seconds:
        return _duration(value)
    if kind is int:
        return value if type(value) is int and value >= 0 else None
    if kind is float:
        return float(value) if type(value) in (int, float) and 0 <= value <= 1 else None
    if kind is str:
        return value if isinstance(value, str) and value and "\0" not in value else None
    if get_origin(kind) is tuple or kind is Command:
        words = (
            [str(word) if type(word) in (int, float) else word for word in value] if isinstance(value, list) else None
        )
        good = words is not None and all(isinstance(word, str) and "\0" not in word for word in words)
        return tuple(words) if words is not None and good else None
    return None


def _duration(value: Any) -> Seconds | None:
    if type(value) in (int, float) and value >= 0:
        return Seconds(float(value))
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", value) if isinstance(value, str) else None
    return Seconds(float(found[1]) * _UNIT[found[2]]) if found else None


def parse_duration(text: str) -> float | None:
    """Seconds for ``30s 45m 2h 1d`` or a plain number, None for anything else."""
    return _duration(float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text)


def _override(config: Config, name: str, text: str) -> Config:
    keys = tuple(part.lower().replace("_", "-") for part in name.removeprefix("COFFEE_").split("__"))
    node = _compose(text.encode("utf-8", "surrogateescape"), name)
    if node is None:
        node = yaml.ScalarNode("tag:yaml.org,2002:null", "", _mark(), _mark())
    for key in reversed(keys):
        node = yaml.MappingNode(
            "tag:yaml.org,2002:map",
            [(yaml.ScalarNode("tag:yaml.org,2002:str", key, _mark(), _mark()), node)],
            _mark(),
            _mark(),
        )
    section = _section(config, node, (), name)
    assert isinstance(section, Config)
    return section


def _mark() -> yaml.Mark:
    return yaml.Mark("environment", 0, 0, 0, "", 0)


def _unknown(key: str, known: Mapping[str, str], path: tuple[str, ...], where: str) -> UsageError:
    near = difflib.get_close_matches(key, known, 1, 0.0)
    return UsageError(f"{where}: unknown key {_dotted((*path, key))}", hint=f"did you mean {_dotted((*path, *near))}?")


def _wrong(node: yaml.Node, path: tuple[str, ...], wanted: str, source: str) -> UsageError:
    line = node.start_mark.line + 1 if node.start_mark else 1
    return UsageError(
        f"{source}:{line}: {_dotted(path) or 'the file'} must be {wanted}",
        hint="see the configuration in the README",
    )


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(repr(part)[1:-1] for part in path)


def _words(kinds: tuple[Any, ...]) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number from 0 to 1",
        str: "text",
        Seconds: "a duration such as 30s, 45m or 2h",
        type(None): "null",
    }
    return " or ".join(names.get(kind, "a list such as [make, test]") for kind in kinds)
