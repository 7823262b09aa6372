"""The forge as it is seen from outside: git over smart HTTP, and the one call of GitHub's REST that starts runs."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
import tempfile
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from miniforge.tokens import Holder, Tokens

_GIT = re.compile(r"/(?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)")
_DISPATCH = re.compile(r"/repos/(?P<name>[\w.-]+/[\w.-]+)/actions/workflows/(?P<file>[^/]+)/dispatches")


class Refused(Exception):
    """An answer of the API that is not yes."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Host(Protocol):
    """What the server needs of the forge behind it."""

    tokens: Tokens
    root: Path
    name: str
    closed: bool
    protected: set[str]

    def pushed(self, updates: list[tuple[str, str, str]], holder: Holder) -> None:
        """Refs were moved: (old, new, ref) of each."""

    def dispatch(self, file: str, ref: str, inputs: dict[str, Any]) -> None:
        """Start a workflow by hand. Raises Refused."""


def serve(host: Host) -> ThreadingHTTPServer:
    """A server on a free port, at work in a thread of its own."""

    class Handler(_Handler):
        forge = host

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    forge: Host
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Not to the tests' stderr."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self._body()
        try:
            path, _, query = self.path.partition("?")
            if git := _GIT.fullmatch(path):
                self._git(git["name"], git["rest"], query, body)
            elif (call := _DISPATCH.fullmatch(path)) and self.command == "POST":
                self._dispatch(call["name"], call["file"], body)
            else:
                raise Refused(HTTPStatus.NOT_FOUND, "Not Found")
        except Refused as refused:
            # git shows plain text to its user, and nothing else.
            plain = _GIT.fullmatch(self.path.partition("?")[0]) is not None
            said = str(refused) if plain else json.dumps({"message": str(refused)})
            kind = "text/plain" if plain else "application/json"
            self._send(refused.status, {"Content-Type": kind}, said.encode() + b"\n")

    def _git(self, name: str, rest: str, query: str, body: bytes) -> None:
        writes = "git-receive-pack" in rest + query
        holder = self._holder()
        if holder is None and (writes or self.forge.closed):
            raise Refused(HTTPStatus.UNAUTHORIZED, "Authentication required")
        if name != self.forge.name or (self.forge.closed and holder and not holder.may("contents", "read")):
            raise Refused(HTTPStatus.NOT_FOUND, "Repository not found.")
        if writes and holder and not holder.may("contents", "write"):
            raise Refused(HTTPStatus.FORBIDDEN, f"Permission to {name}.git denied to {holder.login}.")
        with tempfile.TemporaryDirectory(dir=self.forge.root) as scratch:
            events = Path(scratch) / "events"
            status, headers, said = self._backend(f"/{name}.git/{rest}", query, body, holder, events)
            if events.exists() and holder:
                lines = events.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
                # Before the answer: whoever pushed may wait for the runs at once.
                self.forge.pushed([(old, new, ref) for old, new, ref in (line.split(" ", 2) for line in lines)], holder)
        self._send(status, headers, said)

    def _backend(
        self, path: str, query: str, body: bytes, holder: Holder | None, events: Path
    ) -> tuple[HTTPStatus, dict[str, str], bytes]:
        about = {
            "GIT_PROJECT_ROOT": str(self.forge.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "REQUEST_METHOD": self.command, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_ADDR": "127.0.0.1",
            "PATH": os.environ["PATH"], "HOME": str(self.forge.root), "GIT_CONFIG_NOSYSTEM": "1",
            "FORGE_EVENTS": str(events), "FORGE_JOB": (holder.job or "") if holder else "",
            "FORGE_PROTECTED": " ".join(self.forge.protected),
        }  # fmt: skip
        about |= {"REMOTE_USER": holder.login} if holder else {}
        done = subprocess.run(["git", "http-backend"], input=body, env=about, capture_output=True, check=False)
        head, _, said = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        return HTTPStatus(int(headers.pop("Status", "200").split()[0])), headers, said

    def _dispatch(self, name: str, file: str, body: bytes) -> None:
        holder = self._holder()
        if holder is None or name != self.forge.name:
            raise Refused(HTTPStatus.NOT_FOUND, "Not Found")
        if not holder.may("actions", "write"):
            raise Refused(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")
        try:
            asked = json.loads(body)
            ref, inputs = str(asked["ref"]), dict(asked.get("inputs") or {})
        except (ValueError, KeyError, TypeError) as broken:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Problems parsing JSON") from broken
        self.forge.dispatch(file, ref, inputs)
        self._send(HTTPStatus.NO_CONTENT, {}, b"")

    def _holder(self) -> Holder | None:
        """Whoever asks; None without credentials. Raises Refused for wrong ones, as they are never overlooked."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if not value:
            return None
        if kind.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                value = ""
        holder = self.forge.tokens.holder(value)
        if holder is None:
            raise Refused(HTTPStatus.UNAUTHORIZED, "Bad credentials")
        return holder

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: HTTPStatus, headers: dict[str, str], said: bytes) -> None:
        self.send_response(status)
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", 'Basic realm="forge"')
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
