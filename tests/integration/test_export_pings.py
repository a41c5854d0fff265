"""A dead man's switch: told of the start and of the end, and no reason for an export to fail or to hang."""

import os
import signal
import subprocess
import sys
import time

import pytest

from extracts.command import watch
from tests.integration.export_watchers import (
    MISBEHAVIOURS,
    impatient,
    misbehaving,
    receiver,
    warnings,
    words,
)

SECRET = "/f00d-secret"


def test_a_success_is_told_with_its_size(carrier):
    with receiver() as (address, received):
        done = carrier.command(*words(carrier), EXTRACTS_PING=f"{address}{SECRET}/")
    assert done.returncode == 0
    assert warnings(done) == []
    start, success = received
    assert (start.method, start.path, start.body) == ("POST", f"{SECRET}/start", "")
    size = sum(item["bytes"] for item in carrier.package()["resources"])
    assert (success.path, success.body) == (SECRET, f"2026-11-20: 6 rows, {size} bytes")
    assert SECRET not in done.stdout + done.stderr


def test_a_failure_is_told_with_its_reason_and_the_exit_code_is_the_export_s(carrier):
    carrier.sql("DELETE FROM shipments")
    with receiver() as (address, received):
        done = carrier.command(*words(carrier), "--ping", f"{address}{SECRET}")
    assert done.returncode == 3
    assert [told.path for told in received] == [f"{SECRET}/start", f"{SECRET}/fail"]
    assert received[1].body == done.stderr.removeprefix("error: ").rstrip("\n")
    assert "shipments has no row" in received[1].body


def test_a_run_that_is_told_to_end_tells_so(carrier):
    carrier.query("slow", "SELECT 1 AS id FROM pg_sleep(60)")
    with receiver() as (address, received):
        export = subprocess.Popen(
            [sys.executable, "-m", "pipelines.exports", *words(carrier), "--ping", address],
            env={**os.environ, "EXTRACTS_DSN": carrier.dsn},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        while '"reading"' not in export.stdout.readline():
            time.sleep(0)
        export.send_signal(signal.SIGTERM)
        export.communicate(timeout=60)
    assert export.returncode == 143
    assert [(told.path, told.body) for told in received] == [("/start", ""), ("/fail", "interrupted")]


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_receiver_that_refuses_is_a_warning(carrier, status):
    with receiver(status) as (address, received):
        done = carrier.command(*words(carrier), EXTRACTS_PING=f"{address}{SECRET}")
    assert done.returncode == 0, done.stderr
    assert len(received) == 2
    assert warnings(done) == [
        f"the ping /start did not get through: HTTP {status}",
        f"the ping (success) did not get through: HTTP {status}",
    ]


def test_a_receiver_that_is_away_is_a_warning(carrier):
    with receiver() as (address, _):
        pass
    done = carrier.command(*words(carrier), EXTRACTS_PING=f"{address}{SECRET}")
    assert done.returncode == 0, done.stderr
    assert len(warnings(done)) == 2
    assert SECRET not in done.stdout + done.stderr
    carrier.sql("DELETE FROM shipments")
    assert carrier.command(*words(carrier), EXTRACTS_PING=address).returncode == 3


@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_a_receiver_that_misbehaves_neither_fails_an_export_nor_holds_it_up(carrier, how):
    """Each ping has ten seconds, whatever comes in them; here one, so that the test is soon over."""
    assert watch._SECONDS <= 10
    with misbehaving(how) as address:
        done = impatient(carrier, "--ping", f"{address}{SECRET}")
    assert done.returncode == 0, done.stderr
    assert len(warnings(done)) == 2, done.stdout
    assert carrier.ids("shipments") == [1, 2]
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", [f"127.0.0.1{SECRET}", f"ftp://127.0.0.1{SECRET}"])
def test_what_is_no_url_is_told_before_anything_is_done_and_not_repeated(carrier, url):
    done = carrier.command(*words(carrier), EXTRACTS_PING=url)
    assert done.returncode == 2
    assert "--ping is no URL" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert not carrier.folder().exists()


@pytest.mark.parametrize("url", [f"http://127.0.0.1:9{SECRET} more", f"http://[{SECRET}", f"http://{SECRET}"])
def test_a_url_that_no_request_can_be_made_of_never_fails_an_export_by_a_traceback(carrier, url):
    done = carrier.command(*words(carrier), EXTRACTS_PING=url)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
