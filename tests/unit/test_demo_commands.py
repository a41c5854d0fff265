"""One stack at a time: who is told what by `python -m demo`, without starting anything."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo import airflow
from demo.errors import DemoError
from demo.stack import Stack, lock_file, running

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import fcntl, json, os, signal, sys
file = open(sys.argv[1], "a+")
fcntl.flock(file, fcntl.LOCK_EX)
json.dump({"pid": os.getpid(), "url": "http://127.0.0.1:1", "day": "2026-11-21"}, file)
file.flush()
print("held", flush=True)
signal.pause()
"""


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock_file(tmp_path))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_stack_is_told_which_one_is_up(holder, tmp_path):
    with pytest.raises(DemoError, match=rf"up already at http://127\.0\.0\.1:1 \(pid {holder.pid}"):
        Stack(tmp_path).__enter__()
    answer = demo("up", "--root", str(tmp_path))
    assert answer.returncode == 1
    assert f"pid {holder.pid}" in answer.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["stack.lock"]


def test_down_ends_the_one_that_is_up(holder, tmp_path):
    assert running(tmp_path)["pid"] == holder.pid
    answer = demo("down", "--root", str(tmp_path))
    assert (answer.returncode, answer.stdout) == (0, "ended\n")
    assert holder.wait(10) != 0


def test_down_with_nothing_up_is_no_error(tmp_path):
    answer = demo("down", "--root", str(tmp_path))
    assert (answer.returncode, answer.stdout) == (0, "nothing is up\n")


def test_what_a_killed_stack_left_in_the_lock_file_is_not_believed(tmp_path):
    lock_file(tmp_path).write_text(json.dumps({"pid": os.getpid()}))
    assert running(tmp_path) is None
    with lock_file(tmp_path).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path):
    file = tmp_path / "airflow" / "secrets.json"
    first = airflow.stored_secrets(file)
    assert airflow.stored_secrets(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    # PyJWT asks for as many bytes as SHA-512 gives.
    assert len(first["jwt"]) >= 64


def test_airflow_hears_nothing_of_another_airflow_or_database(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    inherited = airflow.inherited(database_is_embedded=True)
    assert "AIRFLOW__CORE__EXECUTOR" not in inherited
    assert "PGOPTIONS" not in inherited
    assert inherited["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"


def test_airflow_listens_on_loopback_only(tmp_path):
    keys = {"fernet": "f", "api": "a", "jwt": "j"}
    options = airflow.configuration(
        tmp_path, dags=tmp_path, plugins=tmp_path, metadata="sqlite:///x", port=1, keys=keys, scheduled=False
    )
    assert options["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert options["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "False"
    for name in ("scheduler", "triggerer"):
        assert "--skip-serve-logs" in airflow.COMMANDS[name]


def test_a_connection_holds_what_the_url_does():
    connection = json.loads(
        airflow.postgres_connection(
            "postgresql://me:p%40ss@127.0.0.1:6432/test_db?sslmode=disable", schema="shop"
        )
    )
    assert connection["password"] == "p@ss"
    assert connection["extra"] == {"sslmode": "disable", "options": "-c search_path=shop"}
