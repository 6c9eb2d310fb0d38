"""An OpenAI-compatible endpoint on this machine: answers as it is told, byte for byte, and counts what it was asked."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = {"Content-Type": "application/json"}
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}


@dataclass(frozen=True)
class Request:
    """What was asked."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True)
class Answer:
    """What is sent: ``missing`` bytes are announced and never sent; ``gate`` is waited for before the body.

    After the body ``lingers`` is waited for before the connection is closed.
    """

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    missing: int = 0
    gate: threading.Event | None = None
    lingers: threading.Event | None = None


def chat(text: Any, finish_reason: str = "stop", usage: Mapping[str, Any] | None = None, **choice: Any) -> Answer:
    """A whole answer."""
    message = {"role": "assistant", "content": text}
    chosen = {"index": 0, "message": message, "finish_reason": finish_reason, **choice}
    document: dict[str, Any] = {"id": "c1", "object": "chat.completion", "choices": [chosen]}
    return answered(document | ({} if usage is None else {"usage": dict(usage)}))


def answered(document: Any, status: int = 200, is_ascii: bool = False, **headers: str) -> Answer:
    """A document as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps(document, ensure_ascii=is_ascii).encode(), status, JSON | named)


def failing(status: int, message: str = "no", code: str | None = None, **headers: str) -> Answer:
    """An error as OpenAI words it."""
    return answered({"error": {"message": message, "type": code, "code": code}}, status, **headers)


def piece(text: str | None, finish_reason: str | None = None) -> dict[str, Any]:
    """A part of a streamed answer."""
    delta = {} if text is None else {"content": text}
    return {"object": "chat.completion.chunk", "choices": [{"delta": delta, "finish_reason": finish_reason}]}


def streamed(*documents: Any, done: bool = True, end: str = "\n") -> Answer:
    """Server-sent events, each of one line of JSON."""
    lines = [f"data: {json.dumps(one, ensure_ascii=False)}{end}{end}" for one in documents]
    return Answer("".join([*lines, f"data: [DONE]{end}{end}" if done else ""]).encode(), headers=EVENTS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    endpoint: "Endpoint"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        endpoint = self.server.endpoint
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = endpoint.take(Request(self.path, dict(self.headers.items()), body))
        self.close_connection = True
        self.send_response(answer.status)
        for header, value in answer.headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(answer.body) + answer.missing))
        self.end_headers()
        self.wfile.flush()
        if answer.gate is not None:
            answer.gate.wait()
        self.wfile.write(answer.body)
        if answer.lingers is not None:
            self.wfile.flush()
            answer.lingers.wait()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Endpoint:
    """A server while it is entered.

    Parameters
    ----------
    answer : callable or list
        From a request to what is sent; or what is sent in order, the last one again and again.
    """

    def __init__(self, answer: Callable[[Request], Answer] | list[Answer]) -> None:
        self.asked: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._answer = answer
        self._guard = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def take(self, request: Request) -> Answer:
        with self._guard:
            self.asked.append(request)
            if callable(self._answer):
                answer = None
            else:
                answer = self._answer.pop(0) if len(self._answer) > 1 else self._answer[0]
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._answer(request) if answer is None else answer  # type: ignore[operator]
        finally:
            with self._guard:
                self._at_once -= 1

    def __enter__(self) -> "Endpoint":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
