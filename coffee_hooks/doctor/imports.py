"""Would the gate test this candidate, or another copy that is installed on the machine?"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path, PurePath

from coffee_hooks.base.clone import MARK
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.process import End, run
from coffee_hooks.base.project import Project
from coffee_hooks.doctor.values import Check, fine, several, wrong
from coffee_hooks.merge.gate_clone import gate_path

SECONDS = 30.0
_SETTINGS = ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini")
# Finding a top-level package runs nothing of it.
_PROBE = """
import importlib.util, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    places = list(spec.submodule_search_locations or ()) if spec else []
    found[name] = (spec.origin if spec else None) or (places[0] if places else None)
print(json.dumps(found))
"""


def check_imports(project: Project) -> Check:
    """Where the gate's own Python finds the packages of the gate's clone: it must be inside the clone."""
    gate, python = gate_path(project), gate_python(project)
    if not (gate / ".git" / MARK).is_file():
        return fine("imports", "not known before the gate has run once")
    packages = _packages(gate)
    if python is None or not packages:
        return fine("imports", "does not apply to this gate")
    found = _ask(gate, python, packages)
    if found is None:
        return wrong("imports", f"unknown: {python} gave no answer in {gate}", f"try: {python} -c pass")
    foreign = {name: origin for name, origin in found.items() if origin and not _inside(origin, gate)}
    if foreign:
        return wrong(
            "imports",
            several([f"the gate would test {name} from {origin}" for name, origin in sorted(foreign.items())]),
            "pip uninstall it, or let gate.setup install the project into a .venv of the gate (keep: [.venv])",
        )
    return fine("imports", f"the gate finds {', '.join(packages)} in its own clone")


def gate_python(project: Project) -> str | None:
    """The interpreter that the gate's command runs its tests with; None when it makes environments of its own."""
    words = project.config.gate.command
    name = PurePath(words[0]).name if words else ""
    if re.fullmatch(r"python[\d.]*", name):
        return _located(project, words[0])
    if name not in ("pytest", "py.test"):
        return None
    script = _located(project, words[0])
    try:
        with open(script, "rb") as file:  # noqa: PTH123 - *script* may be a bare name
            line = file.readline(4096)
    except OSError:
        return None
    shebang = re.match(rb"#!\s*(\S*python[\d.]*)\s*$", line)
    return os.fsdecode(shebang[1]) if shebang else None


def _located(project: Project, program: str) -> str:
    if "/" in program:
        return str(gate_path(project) / program)
    return shutil.which(program) or program


def _packages(gate: Path) -> list[str]:
    """The packages at the top of the clone and of its ``src``."""
    found = [file.parent.name for folder in (gate, gate / "src") for file in folder.glob("*/__init__.py")]
    return sorted({name for name in found if name.isidentifier() and name not in ("tests", "test", "docs")})


def _ask(gate: Path, python: str, packages: list[str]) -> dict[str, str | None] | None:
    with tempfile.TemporaryDirectory(prefix="coffee-doctor-") as scratch:
        answer = Path(scratch) / "answer"
        environment = for_children({"PYTHONPATH": _search_path(gate), "PYTHONDONTWRITEBYTECODE": "1"})
        ended = run([python, "-c", _PROBE, *packages], cwd=gate, env=environment, log=answer, seconds=SECONDS)
        if ended.end is not End.EXITED or ended.rc != 0:
            return None
        try:
            value = json.loads(answer.read_text(errors="replace").splitlines()[-1])
        except (ValueError, IndexError):
            return None
    return value if isinstance(value, dict) else None


def _search_path(gate: Path) -> str:
    """The caller's ``PYTHONPATH`` behind the folders that pytest is told to put first (its ``pythonpath``)."""
    told = []
    for name in _SETTINGS:
        try:
            text = (gate / name).read_text(errors="replace")
        except OSError:
            continue
        for setting in re.findall(r"(?m)^\s*pythonpath\s*=\s*(\[[^\]]*\]|.*)$", text):
            told += [str(gate / word) for word in re.findall(r"[\w./-]+", setting)]
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*told, *([inherited] if inherited else [])])


def _inside(origin: str, gate: Path) -> bool:
    return Path(origin).resolve().is_relative_to(gate.resolve())
