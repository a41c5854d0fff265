"""The embedded PostgreSQL: started, killed, started again, wherever its folder stands."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

import demo.postgres
from demo.errors import DemoError
from demo.postgres import EmbeddedServer, binaries, server, with_database

ROOT = Path(__file__).resolve().parents[2]


def ask(dsn: str, query: str) -> object:
    connection = psycopg2.connect(dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedServer]:
    started = EmbeddedServer(tmp_path / "a path with spaces" / "data")
    started.start()
    yield started
    started.stop()


def test_it_answers_on_loopback_only_and_asks_for_the_password(embedded):
    assert ask(embedded.dsn(), "SHOW listen_addresses") == "127.0.0.1"
    assert ask(embedded.dsn(), "SHOW unix_socket_directories") == ""
    assert ask(embedded.dsn(), "SHOW password_encryption") == "scram-sha-256"
    password = embedded.password_file.read_text().strip()
    assert stat.S_IMODE(embedded.password_file.stat().st_mode) == 0o600
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(embedded.dsn().replace(password, "wrong"))


def test_text_is_utf_8_with_russian_letters_known(embedded):
    assert ask(embedded.dsn(), "SELECT lower('ЁЛКА')") == "ёлка"


def test_options_reach_the_session(embedded):
    assert ask(embedded.dsn(options="-c search_path=shop"), "SHOW search_path") == "shop"


def test_a_killed_server_starts_again_with_its_rows(embedded):
    connection = psycopg2.connect(embedded.dsn())
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS number")
    connection.close()
    pid = embedded.pid
    os.kill(pid, signal.SIGKILL)
    assert (embedded.data / "postmaster.pid").read_text().split()[0] == str(pid)

    again = EmbeddedServer(embedded.data)
    again.start()
    try:
        assert ask(again.dsn(), "SELECT number FROM kept") == 7
    finally:
        again.stop()


def test_a_postmaster_pid_that_names_another_process_does_not_stop_it(embedded):
    embedded.stop()
    (embedded.data / "postmaster.pid").write_text(f"{os.getpid()}\n{embedded.data}\n")
    embedded.start()
    assert ask(embedded.dsn(), "SELECT 1") == 1


def test_a_folder_of_another_major_version_is_told(embedded):
    embedded.stop()
    (embedded.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(DemoError, match="was made by PostgreSQL 13"):
        embedded.start()


def test_a_folder_that_is_no_database_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "letter.txt").write_text("mine")
    with pytest.raises(DemoError, match="is no PostgreSQL data folder"):
        EmbeddedServer(tmp_path / "data").start()
    assert (tmp_path / "data" / "letter.txt").read_text() == "mine"


def test_a_setting_that_is_none_is_told_with_the_servers_words(tmp_path):
    refused = EmbeddedServer(tmp_path / "data", settings={"shared_buffers": "many"})
    with pytest.raises(DemoError, match="invalid value for parameter"):
        refused.start()
    refused.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word about a parent's end is Linux's")
def test_it_does_not_survive_the_process_that_started_it(tmp_path):
    # It is killed below; the number bounds it should the test itself be killed.
    code = f"""
import time
from pathlib import Path
from demo.postgres import EmbeddedServer
started = EmbeddedServer(Path({str(tmp_path / "data")!r}))
started.start()
print(started.pid, flush=True)
time.sleep(300)
"""
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    owner.stdout.close()
    end = time.monotonic() + 15
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "PostgreSQL runs on"
        time.sleep(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is to be another user")
def test_where_namespaces_are_forbidden_root_runs_it_as_nobody(tmp_path, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(
        demo.postgres.shutil, "which", lambda name: None if name == "unshare" else which(name)
    )
    home = tmp_path / "closed to others"
    home.mkdir(mode=0o700)
    started = EmbeddedServer(home / "data")
    started.start()
    try:
        assert psutil.Process(started.pid).uids().effective == 65534
        assert ask(started.dsn(), "SELECT 1") == 1
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        started.stop()


def test_database_url_puts_another_server_in_its_place(embedded, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", embedded.dsn("template1"))
    with server(tmp_path / "unused") as other:
        assert ask(other.dsn(), "SELECT current_database()") == "template1"
        assert ask(other.dsn("postgres"), "SELECT current_database()") == "postgres"
    assert not (tmp_path / "unused").exists()


def test_a_url_keeps_its_options_when_the_database_changes():
    url = "postgresql://me:p%40ss@db.example:6432/a?sslmode=require"
    changed = with_database(url, "Б", options="-c x=1")
    assert changed == ("postgresql://me:p%40ss@db.example:6432/%D0%91?sslmode=require&options=-c%20x%3D1")


def test_the_binaries_are_all_there():
    assert {"initdb", "postgres", "psql", "pg_dump"} <= {file.name for file in binaries().iterdir()}
