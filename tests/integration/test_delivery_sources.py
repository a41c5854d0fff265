"""Where statuses may come from, through the command: gzipped files, folders, URLs, files being written."""

import gzip
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pipelines.delivery_status import reading
from tests.integration.delivery import HEADER, Command, line, make_orders

MANY = 200


@pytest.fixture
def command(command: Command) -> Command:
    """The command on a database with orders 1 to 200."""
    make_orders(command.dsn, [(i, f"carrier {i % 3}", f"region {i % 2}") for i in range(1, MANY + 1)])
    return command


def rows(first: int = 1, last: int = MANY) -> str:
    return "".join(line(i) for i in range(first, last + 1))


def test_gzip(command):
    packed = gzip.compress((HEADER + rows(1, 100)).encode()) + gzip.compress(rows(101).encode())
    assert command(packed, name="statuses.csv.gz").answer["orders_with_status"] == MANY


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_gzip_that_is_cut_off(command, kept):
    packed = gzip.compress((HEADER + rows()).encode())
    ran = command(packed[: int(len(packed) * kept)], name="statuses.csv.gz")
    assert ran.code == 3
    assert "statuses.csv.gz is cut off" in ran.err


def test_gzip_of_0_bytes(command):
    ran = command(b"", name="statuses.csv.gz")
    assert ran.code == 3
    assert "statuses.csv.gz is empty (0 bytes)" in ran.err


def test_gzip_of_nothing(command):
    ran = command(gzip.compress(b""), name="statuses.csv.gz")
    assert ran.code == 3
    assert "found an empty line" in ran.err


def test_gzip_that_is_damaged(command):
    packed = bytearray(gzip.compress((HEADER + rows()).encode()))
    packed[-6] ^= 1
    ran = command(bytes(packed), name="statuses.csv.gz")
    assert ran.code == 3
    assert "is damaged gzip" in ran.err


def test_gzip_by_name_only(command):
    ran = command(HEADER + rows(), name="statuses.csv.gz")
    assert ran.code == 3
    assert "is not gzipped, as its name says" in ran.err


def test_folder_in_name_order(command):
    folder = command.folder / "day 1"
    folder.mkdir()
    (folder / "b.csv").write_text(HEADER + line(1, "failed"))
    (folder / "c.csv.gz").write_bytes(
        gzip.compress(b"updated_at,order_id,status\n2026-11-20T10:00:00,1,delivered\n")
    )
    (folder / "a.csv").write_text(HEADER + line(1, "lost") + line(2, "lost") + "x,lost,2026-11-20\n")
    (folder / "notes.txt").write_text("no statuses")
    answer = command(folder, "--max-reject-share", "0.5").answer
    assert (answer["orders_with_status"], answer["error_orders"], answer["duplicates_folded"]) == (2, 1, 2)
    assert answer["input"]["name"] == "day 1"
    rejected = (command.folder / "day 1.rejects.csv").read_text()
    assert rejected.splitlines()[1].startswith("a.csv,4,order_id,")


def test_folder_with_one_wrong_file(command):
    (command.folder / "day").mkdir()
    (command.folder / "day" / "a.csv").write_text(HEADER + line(1))
    (command.folder / "day" / "b.csv").write_text("id;status\n")
    ran = command(command.folder / "day")
    assert ran.code == 3
    assert "b.csv line 1 lacks columns" in ran.err


def test_folder_without_statuses(command):
    (command.folder / "day").mkdir()
    ran = command(command.folder / "day")
    assert ran.code == 3
    assert "has no *.csv or *.csv.gz in it" in ran.err


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if "busy" in self.path:
            self.send_error(503)
        elif "short" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(HEADER.encode())
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    handler = partial(Handler, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_url(command, web):
    (command.folder / "web" / "statuses.csv.gz").write_bytes(gzip.compress((HEADER + rows()).encode()))
    ran = command.run(f"{web}/statuses.csv.gz?token=secret", "--dsn", command.dsn, "--json")
    assert ran.answer["orders_with_status"] == MANY
    assert ran.answer["input"]["name"] == "statuses.csv.gz"
    assert "secret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [("absent.csv", 2, "404"), ("busy.csv", 1, "503"), ("short.csv", 1, "was cut off")],
)
def test_url_that_fails(command, web, path, code, message):
    ran = command.run(f"{web}/{path}?token=secret", "--dsn", command.dsn)
    assert ran.code == code
    assert message in ran.err
    assert "secret" not in ran.err


def test_file_url(command):
    (command.folder / "my statuses.csv").write_text(HEADER + rows())
    ran = command.run((command.folder / "my statuses.csv").as_uri(), "--dsn", command.dsn, "--json")
    assert ran.answer["orders_with_status"] == MANY


def test_file_that_changes_while_it_is_read(command, monkeypatch):
    path = command.folder / "statuses.csv"
    read = reading.read_statuses

    def grow(*arguments):
        with path.open("a") as file:
            file.write(line(1, "failed"))
        return read(*arguments)

    monkeypatch.setattr(reading, "read_statuses", grow)
    ran = command(HEADER + rows())
    assert ran.code == 1
    assert "statuses.csv changed while it was read" in ran.err
