"""Executes a plan with ``act`` in host mode: no container, every step a real process of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from miniforge.plan import Plan
from miniforge.results import Result, read_log
from miniforge.workflow import Unsupported

SECONDS = 60
_STAND_INS = Path(__file__).resolve().parent.parent / "actions"


def stand_in(uses: str) -> Path:
    """The folder of ours that takes the place of a published action. Raises Unsupported where there is none."""
    name = uses.partition("@")[0].removeprefix("actions/")
    folder = _STAND_INS / name
    if "/" in name or not folder.is_dir():
        raise Unsupported(f"there is no stand-in for {uses}")
    return folder


@dataclass
class Execution:
    """One run of ``act`` in *place*, which is gone afterwards. *path* is searched for ``act`` and by the steps."""

    place: Path
    path: str
    cancelled: bool = False
    _process: subprocess.Popen[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        """End it with everything that it started."""
        with self._lock:
            self.cancelled = True
            if self._process is not None:
                _end(self._process)

    def execute(self, plan: Plan, workflow: str, event: str, payload: str, about: Mapping[str, str]) -> Result:
        """Run it to its end; *workflow* is its name. *about* is what the environment of every step says of the run."""
        try:
            return self._execute(plan, workflow, self._command(plan, event, payload, about))
        finally:
            shutil.rmtree(self.place, ignore_errors=True)

    def _command(self, plan: Plan, event: str, payload: str, about: Mapping[str, str]) -> list[str]:
        for name in ("runner", "homes", "tmp", "artifacts"):
            (self.place / name).mkdir(parents=True)
        for name, text in plan.files.items():
            file = self.place / "repo" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (self.place / "event.json").write_text(payload, encoding="utf-8")
        secrets = self.place / "secrets"
        secrets.touch(0o600)
        secrets.write_text("".join(f"{name}={value}\n" for name, value in plan.secrets.items()))
        variables = {**about, "FORGE_ARTIFACTS": str(self.place / "artifacts")}
        return [
            "act", event, "--json", "--no-cache-server", "--no-skip-checkout", "-P", "ubuntu-latest=-self-hosted",
            "-C", str(self.place / "repo"), "-W", plan.main, "-e", str(self.place / "event.json"),
            "--secret-file", str(secrets), "--actor", about["GITHUB_ACTOR"],
            *(word for uses in plan.actions for word in ("--local-repository", f"{uses}={stand_in(uses)}")),
            *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
        ]  # fmt: skip

    def _execute(self, plan: Plan, workflow: str, command: list[str]) -> Result:
        # What is set here is seen by every step, so nothing of the caller's own environment is.
        environment = {
            "PATH": self.path, "HOME": str(self.place / "runner"), "TMPDIR": str(self.place / "tmp"),
            "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # `act` gives the steps a terminal, runners do not.
            "GIT_TERMINAL_PROMPT": "0",
        }  # fmt: skip
        with self._lock:
            if self.cancelled:
                return Result("cancelled")
            errors = (self.place / "errors").open("w+")
            self._process = process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                encoding="utf-8", errors="replace", start_new_session=True,
            )  # fmt: skip
        alarm = threading.Timer(SECONDS, _end, [process])
        alarm.daemon = True
        alarm.start()
        assert process.stdout is not None
        lines = []
        with errors, process.stdout as output:
            for line in output:
                # It was read before the first line: no step shall find it.
                (self.place / "secrets").unlink(missing_ok=True)
                lines.append(line)
            code = process.wait()
            errors.seek(0)
            said = "".join(line for line in errors if "docker" not in line)
        late = not alarm.is_alive()
        alarm.cancel()
        jobs = read_log(lines, workflow, plan.jobs)
        if self.cancelled or late:
            return Result("cancelled" if self.cancelled else "timed_out", said, jobs)
        if code and not any(job.conclusion == "failure" for job in jobs.values()):
            return Result("startup_failure", said + "".join(lines[-5:]), jobs)
        return Result("failure" if code else "success", said, jobs)


def _end(process: subprocess.Popen[Any]) -> None:
    """An interrupt lets ``act`` end its steps; what is still there after it is killed."""
    if process.poll() is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGINT)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
