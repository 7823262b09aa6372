"""How each tool of ``peers.py`` is installed, told about sixteen branches, and made to land them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from peer_scene import Habits, Place, Scene

REMOTES = r"refs/remotes/"
COFFEE = rf"{REMOTES}|refs/coffee-remote/|refs/coffee/(landings|seq|(tasks|verdicts|reviews|graveyard)/)"


@dataclass(frozen=True, slots=True)
class Tool:
    """A way to land branches.

    *script* is timed: its arguments are the place, the program and the numbers of the branches. *queue* puts branches
    into a queue that somebody else would have filled, untimed. *documented* matches refs that the tool says it keeps.
    """

    name: str
    package: str | None
    script: Callable[[Place, Path, Sequence[int]], str]
    files: Callable[[Place], Mapping[str, str]] = lambda _place: {}
    queue: Callable[[Scene, Path, Sequence[int]], None] = lambda _scene, _program, _numbers: None
    documented: str = REMOTES
    pushes: bool = True

    def habits(self, place: Place) -> Habits:
        """What a scene at *place* must know of it."""
        return Habits(self.files(place), re.compile(self.documented), self.pushes)


def find(tool: Tool, folder: Path | None) -> Path | None:
    """The program of a peer: in an environment of its own below *folder*, else on the path."""
    if folder is not None and (program := folder / tool.name / "bin" / tool.name).exists():
        return program
    found = shutil.which(tool.name)
    return Path(found) if found else None


def install(tool: Tool, folder: Path) -> None:
    """Give a peer an environment below *folder*, unless it has one."""
    if tool.package is None or (folder / tool.name).exists():
        return
    venv.create(folder / tool.name, with_pip=True)
    python = str(folder / tool.name / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", tool.package], check=True)


def _shell(place: Place, _program: Path, numbers: Sequence[int]) -> str:
    """Checkout, merge, test, push. What is red or not pushed is taken back, as a careful person would."""
    return f"""
for n in {" ".join(map(str, numbers))}; do
    git checkout -q roadmap
    if ! git merge -q --no-ff -m "Merge roadmap-wt$n" roadmap-wt$n; then git merge --abort; continue; fi
    if ! {_sh(place.gate)}; then git reset -q --hard HEAD~1; continue; fi
    if ! git push -q origin roadmap; then git fetch -q origin && git reset -q --hard origin/roadmap; fi
done
"""


def coffee(*options: str) -> Tool:
    """Our own command on everything that is ready; *options* are added to it."""

    def script(place: Place, program: Path, _numbers: Sequence[int]) -> str:
        return shlex.join(["exec", str(program), "-C", str(place.clone), "merge", "--json", *options])

    def files(place: Place) -> Mapping[str, str]:
        command = json.dumps([str(place.gate)])
        return {".coffee.yaml": f"gate: {{command: {command}, retries: 0}}\nready: {{signal: none}}\n"}

    return Tool("coffee", None, script, files, documented=COFFEE)


def _mergetrain(place: Place, program: Path, numbers: Sequence[int]) -> str:
    """Enqueue each branch (there is no command for several), then one batch, unattended."""
    command = shlex.join([str(program), "--repo", str(place.clone)])
    return f"""
for n in {" ".join(map(str, numbers))}; do
    tree=
    if [ -d {_sh(place.trees)}/wt$n ]; then tree="--worktree {_sh(place.trees)}/wt$n"; fi
    {command} enqueue --task t$n --branch roadmap-wt$n $tree --auto --json >/dev/null
done
{command} daemon --once
"""


def _mergetrain_files(place: Place) -> Mapping[str, str]:
    return {
        ".mergetrain.yaml": "version: 2\nproject: {name: bench}\n"
        "git: {integration_branch: roadmap, push_refs: [roadmap]}\nqueue: {processing: batch}\n"
        f"gates:\n  - {{name: tests, run: {json.dumps(_sh(place.gate))}}}\n"
    }


def _alluvium(place: Place, program: Path, _numbers: Sequence[int]) -> str:
    return shlex.join(["exec", str(program), "integrate-once", "--config", str(place.root / "alluvium/config.toml")])


def _alluvium_queue(scene: Scene, program: Path, numbers: Sequence[int]) -> None:
    """Finished tasks, as its own workers would have left them."""
    place, root = scene.place, scene.place.root / "alluvium"
    if not root.exists():
        subprocess.run([program, "init", root], check=True, capture_output=True, env=scene.env)
        places = f"root = {_toml(root)}\nrepo_path = {_toml(place.clone)}\nworktrees_path = {_toml(place.trees)}\n"
        tests = f'[integration]\nbase_branch = "roadmap"\nrun_tests = [{_toml(_sh(place.gate))}]\n'
        (root / "config.toml").write_text(places + tests)
    for n in numbers:
        system = root / "tasks" / f"wt{n}" / ".system"
        (system / "repo").mkdir(parents=True)
        (system.parent / ".agent").mkdir()
        done = {"status": "pending", "has_repo_changes": True, "branch": f"roadmap-wt{n}", "base_commit": scene.base}
        (system / "integration.json").write_text(json.dumps(done))


def _sh(text: str | Path) -> str:
    return shlex.quote(str(text))


def _toml(text: str | Path) -> str:
    return json.dumps(str(text))


SHELL = Tool("shell", None, _shell)
PEERS = (
    Tool(
        "mergetrain", "mergetrain==3.7.1", _mergetrain, _mergetrain_files,
        documented=rf"{REMOTES}|refs/mergetrain/deploys/",
    ),
    Tool("alluvium", "alluvium-swarm==0.5.1", _alluvium, queue=_alluvium_queue, pushes=False),
)  # fmt: skip
