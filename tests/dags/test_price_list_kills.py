"""The price lists' run killed with SIGKILL at each of its steps: Airflow tries again, and all ends well.

Each test publishes its day's lists without Airflow first, as CSV alone, so that its run has something to
replace. A run stops where a test wants it to at what it meets there: a lock in the database, a pipe in the
place of a file, a mail server that does not go on.
"""

import asyncio
import os
import signal
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from demo import mails
from extracts.verify import verify
from pipelines.price_lists import Export
from pipelines.price_lists.exporting import export_lists
from tests.dags import price_list_runs as lists
from tests.dags.jobs import PRICE_LISTS, Jobs, text
from tests.dags.price_list_runs import B2B_0006, CLIENTS, Gate

pytestmark = pytest.mark.airflow

# In days before the one of the demo's rows; on none of them does a contract of the demo begin or end.
READING, MAKING, STAGING, REPLACED, OFFERED, ACCEPTED = range(12, 6, -1)


def publish_before(jobs: Jobs, day: date) -> bytes:
    """The day's set before the run that is killed; returns its package."""
    export_lists(Export(day, formats=("csv",)), dsn=lists.shop(jobs), root=lists.root(jobs))
    return lists.package(jobs, day).read_bytes()


def kill(jobs: Jobs, run: str, task: str) -> None:
    """End the process of a task as a machine short of memory would."""
    os.kill(jobs.tasks(run)[task]["pid"], signal.SIGKILL)


def check(jobs: Jobs, run: str, day: date, task: str, undisturbed: Path) -> None:
    """The run ended well after a second try of `task`, and the day's set is as if nothing had happened."""
    assert jobs.wait(run) == "success"
    tries = {name: found["try_number"] for name, found in jobs.tasks(run).items() if found["try_number"]}
    assert tries == dict.fromkeys(tries, 1) | {task: 2}
    assert lists.descriptor(jobs, day)["run"] == {"dag": jobs.dag, "id": run}

    dataset = lists.root(jobs) / PRICE_LISTS
    report = verify(dataset)
    assert report.ok, report
    assert not list(dataset.glob(".staging-*"))
    export_lists(Export(day), dsn=lists.shop(jobs), root=undisturbed)
    (expected,) = (undisturbed / PRICE_LISTS / f"dt={day}").glob("v=*")
    folder = lists.folder(jobs, day)
    assert (folder / "index.csv").read_bytes() == (expected / "index.csv").read_bytes()
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in expected.iterdir())
    files = [name for name in names if name.endswith(f"_{day}.csv")]
    assert len(files) == CLIENTS
    for name in files:
        assert (folder / name).read_bytes() == (expected / name).read_bytes(), name
    with zipfile.ZipFile(folder / f"price-lists-{day}.zip") as archive:
        assert len(archive.namelist()) == 2 * CLIENTS
        for name in archive.namelist():
            assert archive.read(name) == (folder / name).read_bytes(), name


def check_mailed_once(jobs: Jobs, run: str, task: str) -> None:
    assert jobs.kinds(run) == ["success"]
    assert f"recovered: {task} after 2 tries" in text(jobs.mail(run, "success"))


def test_killed_while_it_reads_prices(price_lists, tmp_path):
    day = lists.day_before(price_lists, READING)
    before = publish_before(price_lists, day)
    with lists.prices_locked(price_lists) as wait_for_reader:
        run = price_lists.trigger(date=str(day))
        wait_for_reader()
        work = lists.work(price_lists, day)
        # The first batch can be written, the second not.
        os.mkfifo(work / "batch-1.records")
    lists.wait_until((work / "shares-0.json").exists)
    assert not (work / "shares-1.json").exists()
    kill(price_lists, run, "read_prices")
    assert lists.package(price_lists, day).read_bytes() == before
    check(price_lists, run, day, "read_prices", tmp_path)
    check_mailed_once(price_lists, run, "read_prices")


def test_killed_while_it_makes_lists(price_lists, tmp_path):
    day = lists.day_before(price_lists, MAKING)
    before = publish_before(price_lists, day)
    with lists.prices_locked(price_lists) as wait_for_reader:
        run = price_lists.trigger(date=str(day))
        wait_for_reader()
        # All lists of the batch can be made, but not what says so.
        record = lists.record(price_lists, day, 1)
        os.mkfifo(record)
    lists.wait_until(lists.files(price_lists, day, B2B_0006[0])[0].exists)
    kill(price_lists, run, "make_lists[1]")
    record.unlink()
    assert lists.package(price_lists, day).read_bytes() == before
    check(price_lists, run, day, "make_lists[1]", tmp_path)
    check_mailed_once(price_lists, run, "make_lists[1]")


@contextmanager
def later_day(jobs: Jobs) -> Iterator[Gate]:
    """A gate that `publish` comes to twice: before it stages, and when it has replaced the package.

    It is the package of a later day, into which it looks to tell which day is the newest.
    """
    folder = lists.root(jobs) / PRICE_LISTS / "dt=9999-12-31"
    folder.mkdir()
    try:
        with Gate(folder / "datapackage.json", b"{}") as gate:
            yield gate
    finally:
        folder.rmdir()


def test_killed_before_it_replaces_the_package(price_lists, tmp_path):
    day = lists.day_before(price_lists, STAGING)
    before = publish_before(price_lists, day)
    with later_day(price_lists) as gate:
        run = price_lists.trigger(date=str(day))
        gate.wait_for_reader()
        # The zip is made last, when all else is staged.
        with Gate(lists.files(price_lists, day, B2B_0006[0])[0]) as file:
            gate.let_through()
            file.wait_for_reader()
            (staging,) = (lists.root(price_lists) / PRICE_LISTS).glob(".staging-*")
            assert (staging / "summary.xlsx").exists()
            assert lists.package(price_lists, day).read_bytes() == before
            kill(price_lists, run, "publish")
            file.leave()
    check(price_lists, run, day, "publish", tmp_path)
    check_mailed_once(price_lists, run, "publish")


def test_killed_when_it_has_replaced_the_package(price_lists, tmp_path):
    day = lists.day_before(price_lists, REPLACED)
    before = publish_before(price_lists, day)
    with later_day(price_lists) as gate:
        run = price_lists.trigger(date=str(day))
        gate.wait_for_reader()
        assert lists.package(price_lists, day).read_bytes() == before
        gate.let_through()
        gate.wait_for_reader()
        published = lists.package(price_lists, day).read_bytes()
        assert published != before
        kill(price_lists, run, "publish")
        gate.leave()
    check(price_lists, run, day, "publish", tmp_path)
    check_mailed_once(price_lists, run, "publish")
    assert lists.package(price_lists, day).read_bytes() == published


@pytest.mark.parametrize(
    ("stops_at", "days", "sent"),
    [("MAIL", OFFERED, 1), ("DATA", ACCEPTED, 2)],
    ids=["before the server accepts", "before the acceptance is recorded"],
)
def test_killed_while_it_mails(price_lists, tmp_path, stops_at, days, sent):
    day = lists.day_before(price_lists, days)
    publish_before(price_lists, day)
    with mail_server(price_lists, stops_at) as stopped:
        run = price_lists.trigger(date=str(day))
        lists.wait_until(stopped.is_set)
        published = lists.package(price_lists, day).read_bytes()
        assert len(price_lists.mails(run)) == sent - 1
        kill(price_lists, run, "notify_success")
        check(price_lists, run, day, "notify_success", tmp_path)
        # Whoever got the same mail twice can tell by its identity.
        got = price_lists.mails(run)
        assert len(got) == sent
        assert len({mail["Message-ID"] for mail in got}) == 1
        assert {mail["X-Notice"] for mail in got} == {"success"}

        price_lists.clear(run, "notify_success")
        lists.wait_until(lambda: price_lists.tasks(run)["notify_success"]["state"] != "success")
        assert price_lists.wait(run) == "success"
        assert len(price_lists.mails(run)) == sent
    assert lists.package(price_lists, day).read_bytes() == published


class _Stopping:
    """Keeps mails as the mailbox does, but does not go on at one command of the first."""

    def __init__(self, folder: Path, stops_at: str) -> None:
        self._folder = folder
        self._stops_at = stops_at
        self.stopped = threading.Event()

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:
        await self._stop("MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        mails.keep(self._folder, envelope.content)
        await self._stop("DATA")
        return "250 Kept"

    async def _stop(self, command: str) -> None:
        if command == self._stops_at and not self.stopped.is_set():
            self.stopped.set()
            # It is cancelled when the other side is gone.
            await asyncio.Event().wait()


@contextmanager
def mail_server(jobs: Jobs, stops_at: str) -> Iterator[threading.Event]:
    """Another mail server in the mailbox's place; the event tells that it has stopped."""
    mailbox = jobs.stack.mailbox
    handler = _Stopping(mailbox.folder, stops_at)
    jobs.stack.stop_part("mailbox")
    try:
        server = Controller(handler, hostname="127.0.0.1", port=mailbox.smtp_port, enable_SMTPUTF8=True)
        server.start()
        try:
            yield handler.stopped
        finally:
            server.stop()
    finally:
        jobs.stack.start_part("mailbox")
