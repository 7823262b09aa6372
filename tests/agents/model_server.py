"""A model that answers without thinking: three APIs of model makers, each as far as one agent of ours speaks it.

To the first question of a conversation it answers with one piece of work, to what comes of that with "done". The
agents are the real programs: what they may do, what they print and what they leave behind is theirs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SENT, RECEIVED = 1200, 34
"""Tokens that every answer claims to have cost."""

SHELLS = ("exec_command", "shell_command", "shell", "local_shell")
"""What Codex has called the tool that runs a command, the newest first."""


@dataclass
class Model:
    """*command* is what the agents with a shell are told to run, *text* what the one without is told to write.

    *made* is the file that the work consists of. *asked* are the questions, as (path, body).
    """

    command: str
    text: str
    made: Path
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, asked: Mapping[str, Any]) -> str | None:
        """The body of the answer, as server-sent events or JSON; None for what we do not know."""
        self.asked.append((path, asked))
        if path.startswith("/v1/messages/count_tokens"):
            return json.dumps({"input_tokens": SENT})
        if path.startswith("/v1/messages"):
            return self._messages(asked)
        if path.startswith("/v1/responses"):
            return self._responses(asked)
        if path.startswith("/v1/chat/completions"):
            return self._completions(asked)
        return None

    def _messages(self, asked: Mapping[str, Any]) -> str:
        tools = [tool.get("name") for tool in asked.get("tools", ())]
        worked = "tool_result" in json.dumps(asked["messages"])
        calls = (
            ("Write", {"file_path": str(self.made), "content": "x = 1\n"}),
            ("Bash", {"command": self.command, "description": "Do the work"}),
        )
        blocks: list[Mapping[str, Any]] = []
        if "Bash" in tools and not worked:
            reason = "tool_use"
            for place, (name, given) in enumerate(calls):
                block = {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": {}}
                blocks += _block(place, block, {"type": "input_json_delta", "partial_json": json.dumps(given)})
        else:
            reason = "end_turn"
            blocks += _block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "done"})
        usage = {
            "input_tokens": SENT,
            "output_tokens": 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        }
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        if not asked.get("stream"):
            message |= {"content": [{"type": "text", "text": "done"}], "stop_reason": "end_turn"}
            return json.dumps(message)
        return events(
            {"type": "message_start", "message": message},
            *blocks,
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
             "usage": {"output_tokens": RECEIVED}},
            {"type": "message_stop"},
        )  # fmt: skip

    def _responses(self, asked: Mapping[str, Any]) -> str:
        tools = {tool.get("name") or tool.get("type") for tool in asked.get("tools", ())}
        shell = next((name for name in SHELLS if name in tools), None)
        worked = any(item.get("type", "").endswith("_output") for item in asked["input"])
        if shell and not worked:
            command = f"echo 'x = 1' > '{self.made}'; {self.command}"
            given = {"exec_command": {"cmd": command}, "shell_command": {"command": command}}.get(
                shell, {"command": ["sh", "-c", command]}
            )
            item = {
                "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": shell,
                "arguments": json.dumps(given), "status": "completed",
            }  # fmt: skip
        else:
            item = {
                "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "done", "annotations": []}],
            }  # fmt: skip
        usage = {
            "input_tokens": SENT, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": RECEIVED,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": SENT + RECEIVED,
        }  # fmt: skip
        response = {"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": usage}
        return events(
            {"type": "response.created", "response": {"id": "resp_1", "object": "response", "status": "in_progress"}},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": response},
        )

    def _completions(self, asked: Mapping[str, Any]) -> str:
        usage = {"prompt_tokens": SENT, "completion_tokens": RECEIVED, "total_tokens": SENT + RECEIVED}
        whole = {"id": "c1", "created": 1, "model": asked["model"]}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": "feat: Do the work"}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            return json.dumps(whole | {"object": "chat.completion", "choices": choices, "usage": usage})
        piece = whole | {"object": "chat.completion.chunk"}
        delta = {"role": "assistant", "content": self.text}
        return "".join(
            f"data: {line}\n\n"
            for line in (
                json.dumps(piece | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}),
                json.dumps(piece | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
                json.dumps(piece | {"choices": [], "usage": usage}),
                "[DONE]",
            )
        )


def _block(place: int, block: Mapping[str, Any], delta: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One content block of a message, in the events that it is sent with."""
    return [
        {"type": "content_block_start", "index": place, "content_block": block},
        {"type": "content_block_delta", "index": place, "delta": delta},
        {"type": "content_block_stop", "index": place},
    ]


def events(*values: Mapping[str, Any]) -> str:
    """Server-sent events, each under the name of its type."""
    return "".join(f"event: {value['type']}\ndata: {json.dumps(value)}\n\n" for value in values)


@contextmanager
def serving(model: Model) -> Iterator[Model]:
    """*model* at a port of this machine; its ``url`` is known from here on."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = model.answer(self.path, json.loads(body or b"{}"))
            data = (said or "{}").encode()
            self.send_response(404 if said is None else 200)
            kind = "application/json" if data.startswith(b"{") else "text/event-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        model.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield model
        finally:
            server.shutdown()
