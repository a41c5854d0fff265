"""An HTTP proxy that goes wrong on demand, between a client and a real server on loopback.

A rule is asked about every request, and names what goes wrong with it:

- `503`, `429`, `500`, …: the proxy answers so, and the server never hears of it;
- CUT_REQUEST: the connection is closed, and the server never hears of it;
- LOST_ANSWER: the server does its work, and the connection is closed before a byte of its answer;
- CUT_ANSWER: the connection is closed in the middle of the answer's body;
- a float: the answer comes so many seconds later.
"""

import contextlib
import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

CUT_REQUEST, LOST_ANSWER, CUT_ANSWER = "cut request", "lost answer", "cut answer"
_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


@dataclass(frozen=True)
class Request:
    """The `number`-th request since the proxy was made or `forget` was called, from 1 on."""

    number: int
    method: str
    path: str


Rule = Callable[[Request], str | int | float | None]


class FaultyProxy:
    """`seen` are the requests so far; `before` and `after` are called around what the server is asked."""

    def __init__(self, port: int, *, dropped: frozenset[str] = frozenset()) -> None:
        self.server_port = port
        # Headers, in small letters, that the server does not get.
        self.dropped = _HOP | dropped
        self.rule: Rule = lambda request: None
        self.before: Callable[[Request], bool] = lambda request: True
        self.after: Callable[[Request], None] = lambda request: None
        self.seen: list[Request] = []
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def forget(self) -> None:
        """Nothing goes wrong any more, and counting starts anew."""
        with self._lock:
            self.seen = []
        self.rule = lambda request: None
        self.before = lambda request: True
        self.after = lambda request: None

    def count(self, method: str, path: str) -> Request:
        with self._lock:
            self.seen.append(Request(len(self.seen) + 1, method, path))
            return self.seen[-1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def faulty_proxy(port: int, *, dropped: frozenset[str] = frozenset()) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(port, dropped=dropped)
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultyProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed are what this proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = proxy.count(self.command, self.path)
        fault = proxy.rule(request)
        if not proxy.before(request) or fault == CUT_REQUEST:
            self.close_connection = True
            return
        if isinstance(fault, int):
            self._answer(
                fault, [("Content-Type", "application/xml")], b"<Error><Code>Simulated</Code></Error>"
            )
            return
        status, headers, answer = self._forward(body)
        proxy.after(request)
        if isinstance(fault, float):
            time.sleep(fault)
        if fault == LOST_ANSWER:
            self.close_connection = True
            return
        self._answer(status, headers, answer, whole=fault != CUT_ANSWER)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.proxy.server_port, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in self.server.proxy.dropped:
                connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, response.getheaders(), answer

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, whole: bool = True
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP | {"content-length"} or (self.command == "HEAD"):
                self.send_header(name, value)
        if self.command != "HEAD" and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if whole else body[: len(body) // 2])
        self.wfile.flush()
        self.close_connection = not whole

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle

    def log_message(self, *arguments: object) -> None:
        pass
