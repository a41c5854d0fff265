"""A database server that goes away in the middle of a read: the run ends as one that may be retried."""

import io
import os
import signal

import pytest

from demo.postgres import EmbeddedServer
from extracts.errors import TransientError
from extracts.postgres import Snapshot, connect

MANY = "SELECT repeat('x', 1000) AS text FROM generate_series(1, 200000)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of these tests' own, because they kill it."""
    server = EmbeddedServer(tmp_path_factory.mktemp("killed") / "data")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("way", ["its process is killed", "the server is killed", "the server is stopped"])
def test_a_server_that_goes_away_passes_on_a_retry(server, way):
    class Sink(io.RawIOBase):
        written = 0

        def write(self, data):
            self.written += len(data)
            if self.written == len(data):
                if way == "its process is killed":
                    os.kill(snapshot.connection.info.backend_pid, signal.SIGKILL)
                elif way == "the server is killed":
                    os.kill(server.pid, signal.SIGKILL)
                    os.kill(snapshot.connection.info.backend_pid, signal.SIGKILL)
                else:
                    server.stop()
            return len(data)

    sink = Sink()
    with Snapshot(server.dsn()) as snapshot:
        with pytest.raises(TransientError, match=r"the connection to database 'postgres' at .* was lost"):
            snapshot.copy_out(MANY, None, sink)
        with pytest.raises(TransientError):
            snapshot.copy_out("SELECT 1", None, io.BytesIO())
    assert 0 < sink.written < 200_000_000
    if way != "its process is killed":
        server.stop()
        with pytest.raises(TransientError, match="cannot be reached"):
            connect(server.dsn())
        server.start()
    connect_when_it_is_back(server.dsn())


def connect_when_it_is_back(dsn):
    """After a killed process the server restarts itself; until then it says so, and that passes."""
    while True:
        try:
            connect(dsn).close()
        except TransientError:
            continue
        return
