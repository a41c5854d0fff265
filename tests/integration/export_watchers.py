"""Receivers of pings and of metrics for the tests: real servers on loopback, well or badly behaved."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from demo.ports import choose
from tests.integration.exports import DAY

# The command, with a second for each ping and push.
IMPATIENT = """
import sys
from extracts.command import watch
from pipelines.exports import main

watch._SECONDS = 1
sys.exit(main())
"""

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(text: str) -> Figures:
    """The samples of Prometheus's text format, by name and labels."""
    found: Figures = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def shown(gateway: "Pushgateway | StandIn", wanted: Callable[[Figures], bool]) -> Figures:
    """What a gateway shows, once it shows what is wanted."""
    deadline = time.monotonic() + 10
    while not wanted(found := gateway.figures()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    body: str


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.received.append(Received(self.command, self.path, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_GET = do_POST

    def log_message(self, *arguments: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    status = 200
    received: list[Received]


@contextlib.contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[Received]]]:
    """An HTTP server that answers so, its address, and what it has been told so far."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.status, server.received = status, []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _silent(connection: socket.socket, stopped: Event) -> None:
    stopped.wait()


def _slow(connection: socket.socket, stopped: Event) -> None:
    """A byte now and then: nothing that a timeout of each single read would notice."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not stopped.wait(0.2):
        connection.sendall(b"x")


def _other(connection: socket.socket, stopped: Event) -> None:
    """Another protocol, as on a port that was mistaken."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def _cut(connection: socket.socket, stopped: Event) -> None:
    connection.recv(1)


MISBEHAVIOURS: dict[str, Callable[[socket.socket, Event], None]] = {
    "never answers": _silent,
    "answers a byte at a time": _slow,
    "speaks another protocol": _other,
    "cuts the connection": _cut,
}


@contextlib.contextmanager
def misbehaving(how: str) -> Iterator[str]:
    """The address of a server that takes connections, and then does as it likes."""
    stopped = Event()
    threads = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                MISBEHAVIOURS[how](connection, stopped)

        def accept() -> None:
            while not stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    threads.append(Thread(target=serve, args=(listening.accept()[0],)))
                    threads[-1].start()

        accepting = Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stopped.set()
            for thread in (accepting, *threads):
                thread.join()


class Pushgateway:
    """The real Pushgateway, in memory. It may answer a push a moment before it shows what was pushed."""

    def __init__(self, binary: str, log: Path) -> None:
        self.address = f"http://127.0.0.1:{choose()}"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                # In memory only: Debian's keeps what was pushed in the system's own folder.
                [binary, "--persistence.file=", f"--web.listen-address={self.address[7:]}"],
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(URLError):
                urlopen(f"{self.address}/-/ready", timeout=5).close()
                return
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def figures(self) -> Figures:
        with urlopen(f"{self.address}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return {key: value for key, value in figures(text).items() if key[0].startswith("extracts_")}

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class StandIn:
    """Takes what is pushed as a Pushgateway does: POST replaces, in a group, what has the same name."""

    def __init__(self, address: str, received: list[Received]) -> None:
        self.address = address
        self._received = received

    def figures(self) -> Figures:
        found: Figures = {}
        for push in self._received:
            assert push.method == "POST"
            group = re.fullmatch(r"/metrics/job/(\w+)/set/(\w+)", push.path)
            assert group is not None
            labels = frozenset({("job", group[1]), ("set", group[2]), ("instance", "")})
            pushed = figures(push.body)
            replaced = {name for name, _ in pushed}
            for key in [key for key in found if key[0] in replaced and key[1] >= labels]:
                del found[key]
            found |= {(name, own | labels): value for (name, own), value in pushed.items()}
        return found

    def stop(self) -> None:
        pass


def words(carrier):
    return [
        *("export", "logistics", "--sql", str(carrier.queries), "--to", str(carrier.root)),
        *("--date", str(DAY), "--lookback", "0"),
    ]


def warnings(done):
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "ended"
    assert events[-1]["exit_code"] == done.returncode
    return [event["message"] for event in events if event["level"] == "warning"]


def impatient(carrier, option, address):
    """Run the export, with a second for whoever is told, and no more than a moment for itself."""
    return subprocess.run(
        [sys.executable, "-c", IMPATIENT, *words(carrier), option, address],
        env={**os.environ, "EXTRACTS_DSN": carrier.dsn},
        capture_output=True,
        text=True,
        timeout=40,
    )
