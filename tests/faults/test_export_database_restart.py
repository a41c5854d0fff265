"""A database that goes away in the middle of an export: the run ends as one that may be retried."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.postgres import EmbeddedServer
from demo.processes import in_sessions
from tests.faults.reading import Folder, Place, package_of, rows_of
from tests.integration.exports import DAY, TABLES, Carrier
from tests.integration.sql import execute
from tests.s3_server import Bucket

SET = "logistics"
# Some ranges for each of the readers, and seconds of reading.
EVENTS = 1_500_000
BEGUN = 200_000


@pytest.fixture
def server(tmp_path):
    """A server of this test's own, because it is stopped."""
    server = EmbeddedServer(tmp_path / "postgres" / "data")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Folder(tmp_path / "published")
    found: Bucket = request.getfixturevalue("bucket")
    return found


def test_a_database_that_stops_while_it_is_read_costs_a_run_and_no_set(server, place, tmp_path):
    execute(server.dsn(), TABLES)
    carrier = Carrier(server.dsn(), tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    words = ["export", SET, "--sql", str(carrier.queries), "--to", place.url, "--date", str(DAY)]
    words += ["--lookback", "0", "--work", str(work)]
    assert carrier.command(*words).returncode == 0
    version = package_of(place, SET, DAY)["version"]
    carrier.sql(
        "INSERT INTO shipment_events SELECT n, n, '2026-11-20 12:00+03'"
        f" FROM generate_series(100, {EVENTS}) AS n"
    )

    export = start(words, carrier.dsn)
    while read_so_far(tmp_path) < BEGUN:
        assert export.poll() is None, export.communicate()
        time.sleep(0.005)
    # The immediate shutdown: every session is cut where it stands, as by a power cut.
    os.kill(server.pid, signal.SIGQUIT)
    out, errors = export.communicate(timeout=60)
    assert export.returncode == 1, errors
    assert "shipment_events.sql" in errors
    assert f"database 'postgres' at 127.0.0.1:{server.port}" in errors
    assert "try again" in errors
    assert "Traceback" not in errors
    ended = json.loads(out.splitlines()[-1])
    assert (ended["event"], ended["exit_code"]) == ("ended", 1)
    assert in_sessions([export.pid]) == []
    assert_is_left(place, work, version)

    server.stop()
    away = carrier.command(*words)
    assert away.returncode == 1
    assert f"127.0.0.1:{server.port}" in away.stderr
    assert "cannot be reached" in away.stderr
    assert "check that it runs and answers there, try again" in away.stderr
    assert_is_left(place, work, version)

    server.start()
    carrier.dsn = server.dsn()
    done = carrier.command(*words)
    assert done.returncode == 0, done.stderr
    package = package_of(place, SET, DAY)
    assert package["version"] > version
    assert len(rows_of(place, package, SET, DAY)["shipment_events"]) == EVENTS - 100 + 3


def start(words: list[str], dsn: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.exports", *words],
        env={**os.environ, "EXTRACTS_DSN": dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read_so_far(folder: Path) -> int:
    """The bytes in the parts that an export is reading, wherever it stages them."""
    found = 0
    for stage in (*folder.glob("published/*/.staging-*"), *folder.glob("work/extracts-work-*/files")):
        for part in stage.glob(".shipment_events.*"):
            found += part.stat().st_size
    return found


def assert_is_left(place: Place, work: Path, version: str) -> None:
    """The old set, whole, and nothing else."""
    package = package_of(place, SET, DAY)
    assert package["version"] == version
    assert len(rows_of(place, package, SET, DAY)["shipment_events"]) == 2
    folder = f"{SET}/dt={DAY}"
    files = {f"{folder}/{item['path']}" for item in package["resources"]}
    assert set(place.keys()) == files | {f"{folder}/datapackage.json", f"{SET}/latest.json"}
    assert [path.name for path in work.iterdir() if not path.name.endswith(".lock")] == []
