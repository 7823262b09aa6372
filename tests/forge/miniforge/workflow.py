"""A workflow file as the forge needs it: what starts it, in which group it waits, what its jobs ask for. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from miniforge.globs import selects

FOLDER = ".github/workflows/"
_SKIP = re.compile(r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]")
_PUSH_FILTERS = {"branches", "branches-ignore", "tags", "tags-ignore"}


class Unsupported(Exception):
    """A workflow uses something that this forge does not imitate; better no answer than a wrong one."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2 booleans: ``on`` is a key, not true."""


_Loader.yaml_implicit_resolvers = copy.deepcopy(yaml.SafeLoader.yaml_implicit_resolvers)
for _first, _known in _Loader.yaml_implicit_resolvers.items():
    _Loader.yaml_implicit_resolvers[_first] = [each for each in _known if each[0] != "tag:yaml.org,2002:bool"]
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false"), list("tf"))


def load_yaml(text: str) -> dict[str, Any]:
    """The mapping in *text*. Raises ValueError where there is none."""
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as broken:
        raise ValueError(f"not YAML: {broken}") from broken
    if not isinstance(value, dict):
        raise ValueError("not a mapping")
    return value


@dataclass(frozen=True)
class Concurrency:
    """A group: *cancel* ends the run that is there, *queue* ``max`` lets all wait, ``single`` only the newest."""

    group: str
    cancel: bool
    queue: str


@dataclass(frozen=True)
class Workflow:
    """One file of the workflows folder, by its name without the folder."""

    file: str
    tree: Mapping[str, Any]

    @classmethod
    def parse(cls, file: str, text: str) -> Workflow:
        """Raises ValueError for a file that is no workflow."""
        tree = load_yaml(text)
        if not isinstance(tree.get("jobs"), dict) or "on" not in tree:
            raise ValueError(f"{file} has no jobs, or nothing starts it")
        return cls(file, tree)

    @property
    def name(self) -> str:
        """What people see, and what ``github.workflow`` and ``on.workflow_run`` say."""
        return str(self.tree.get("name") or FOLDER + self.file)

    @property
    def triggers(self) -> dict[str, dict[str, Any]]:
        """Each event that starts it, with its filters."""
        on = self.tree["on"]
        if isinstance(on, str):
            return {on: {}}
        if isinstance(on, list):
            return {str(event): {} for event in on}
        return {str(event): filters if isinstance(filters, dict) else {} for event, filters in on.items()}

    def starts_on_push(self, ref: str, message: str) -> bool:
        """Whether a push to *ref* whose last commit says *message* starts it."""
        filters = self.triggers.get("push")
        if filters is None or _SKIP.search(message):
            return False
        if unknown := set(filters) - _PUSH_FILTERS:
            raise Unsupported(f"{self.file}: on.push.{unknown.pop()}")
        kind, other = ("branches", "tags") if ref.startswith("refs/heads/") else ("tags", "branches")
        name = ref.split("/", 2)[2]
        if kind in filters:
            return selects(filters[kind], name)
        if f"{kind}-ignore" in filters:
            return not selects(filters[f"{kind}-ignore"], name)
        return other not in filters and f"{other}-ignore" not in filters

    def starts_on_run_of(self, workflow: str, branch: str) -> bool:
        """Whether the end of a run of *workflow* for *branch* starts it."""
        filters = self.triggers.get("workflow_run")
        if filters is None or workflow not in filters.get("workflows", []):
            return False
        if filters.get("types", ["completed"]) != ["completed"] or "branches-ignore" in filters:
            raise Unsupported(f"{self.file}: filters of on.workflow_run")
        return selects(filters.get("branches", ["**"]), branch)

    def dispatch_inputs(self, given: Mapping[str, Any]) -> dict[str, str]:
        """The inputs of a dispatch with their defaults. Raises ValueError for what GitHub answers with 422."""
        declared: Mapping[str, Any] = self.triggers["workflow_dispatch"].get("inputs") or {}
        if foreign := set(given) - set(declared):
            raise ValueError(f"Unexpected inputs provided: {sorted(foreign)}")
        values = {}
        for name, about in declared.items():
            if about.get("required") and not given.get(name) and "default" not in about:
                raise ValueError(f"Required input '{name}' not provided")
            value = given.get(name, about.get("default", ""))
            values[name] = str(value).lower() if isinstance(value, bool) else str(value)
        return values

    def concurrency(self, context: Mapping[str, str]) -> Concurrency | None:
        """The group of a whole run, its expressions filled in from *context* (``github.ref`` and its like)."""
        for job, about in self.tree["jobs"].items():
            if "concurrency" in about:
                raise Unsupported(f"{self.file}: concurrency of the job {job}")
        told = self.tree.get("concurrency")
        if told is None:
            return None
        about = {"group": told} if isinstance(told, str) else told
        cancel = about.get("cancel-in-progress", False)
        if not isinstance(cancel, bool):
            raise Unsupported(f"{self.file}: an expression as cancel-in-progress")
        return Concurrency(_fill(str(about["group"]), context), cancel, str(about.get("queue", "single")))


def _fill(text: str, context: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in context:
            raise Unsupported(f"the expression {found[1]} in a concurrency group")
        return context[found[1]]

    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", value, text)
