"""What an export refuses, what it waits for, and what is left when it is stopped: never half a set."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple

import psutil
import pytest

from extracts import folder
from extracts.errors import DataRefused, TransientError, UsageError
from extracts.export import exporting, readers
from extracts.postgres import connect
from extracts.verify import verify
from tests.integration.exports import DAY

Usage = namedtuple("Usage", "total used free")


def test_a_second_run_is_turned_away_and_told_who_holds_the_lock(carrier):
    """The first one is held up by a table that somebody else has locked."""
    blocker = connect(carrier.dsn)
    blocker.cursor().execute("LOCK TABLE drivers")
    first = threading.Thread(target=carrier.command, args=("export", "logistics", *words(carrier)))
    first.start()
    wait_until(lambda: holders(carrier) == 1)
    try:
        with pytest.raises(
            TransientError, match=r"another run holds the lock 'extracts:logistics' .* process"
        ):
            carrier.export()
        done = carrier.command("export", "logistics", *words(carrier))
        assert done.returncode == 1
        assert "extracts logistics from 127.0.0.1" in done.stderr
    finally:
        blocker.close()
        first.join()
    assert carrier.ids("drivers") == [1, 2]


def test_it_may_wait_for_the_other_run(carrier):
    blocker = connect(carrier.dsn)
    blocker.cursor().execute("SELECT pg_advisory_lock(hashtextextended('extracts:logistics', 0))")
    threading.Timer(1.5, blocker.close).start()
    carrier.export(wait=30)
    assert carrier.ids("shipments") == [1, 2]


def test_another_set_has_another_lock(carrier):
    blocker = connect(carrier.dsn)
    blocker.cursor().execute("SELECT pg_advisory_lock(hashtextextended('extracts:other', 0))")
    carrier.export()
    blocker.close()
    assert carrier.ids("shipments") == [1, 2]


def test_a_table_that_the_last_set_had_may_not_vanish(carrier):
    carrier.export()
    version = carrier.package()["version"]
    (carrier.queries / "drivers.sql").unlink()
    carrier.sql("UPDATE shipments SET status = 'changed'")
    with pytest.raises(DataRefused, match=r"has no query for drivers, .* --allow-missing"):
        carrier.export()
    assert carrier.package()["version"] == version
    carrier.export(allow_missing=frozenset({"drivers"}))
    assert [item["name"] for item in carrier.package()["resources"]] == ["shipment_events", "shipments"]


def test_an_empty_table_that_must_have_rows_is_refused_unless_allowed(carrier):
    carrier.sql("DELETE FROM shipments")
    with pytest.raises(DataRefused, match=r"shipments has no row on 2026-11-20 .* nothing was published"):
        carrier.export()
    assert not carrier.folder().exists()
    carrier.export(allow_empty=frozenset({"shipments"}))
    assert carrier.rows("shipments") == []


def test_a_table_that_the_database_has_not_is_named(carrier):
    carrier.sql("DROP TABLE drivers")
    with pytest.raises(UsageError, match=r'drivers.sql: relation "drivers" does not exist .* search_path'):
        carrier.export()
    assert not carrier.folder().exists()


def test_a_locked_table_is_waited_for_only_so_long(carrier):
    blocker = connect(carrier.dsn)
    blocker.cursor().execute("LOCK TABLE drivers")
    with pytest.raises(TransientError, match=r"drivers.sql: canceling statement due to lock timeout"):
        carrier.export(lock_timeout=0.2)
    blocker.close()


def test_a_query_may_run_only_so_long(carrier):
    carrier.query("slow", "SELECT 1 AS id FROM pg_sleep(60)")
    with pytest.raises(TransientError, match=r"slow.sql: canceling statement due to statement timeout"):
        carrier.export(statement_timeout=0.3)
    assert not carrier.folder().exists()


def test_a_disk_without_room_is_told_before_a_row_is_read(carrier, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**6, 10**6, 10))
    with pytest.raises(TransientError, match=r"has 0 MB free, and the set needs about .* free some space"):
        carrier.export()
    assert carrier.heard.of("reading") == []


def test_the_role_of_the_demo_may_export_and_not_write(carrier):
    """Nothing but SELECT is needed: not for the snapshot, not for the lock."""
    name = f"reader_{os.getpid()}"
    (schema,) = carrier.ask("SELECT current_schema()")[0]
    carrier.sql(
        f"CREATE ROLE {name} LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA {schema} TO {name};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name};"
        f"ALTER ROLE {name} SET default_transaction_read_only = on"
    )
    owner = carrier.dsn
    try:
        carrier.dsn = owner.replace("postgres:", f"{name}:", 1).replace(
            owner.partition("//")[2].partition("@")[0].partition(":")[2], "secret"
        )
        carrier.export()
    finally:
        carrier.dsn = owner
        carrier.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")
    assert carrier.ids("shipments") == [1, 2]


def test_a_reader_that_is_killed_is_told_of(carrier, monkeypatch):
    carrier.query("slow", "SELECT 1 AS id FROM pg_sleep(8)")
    started = []
    before = {child.pid for child in psutil.Process().children()}
    monkeypatch.setattr(
        readers.Readers, "join", lambda self, snapshot: (join(self, snapshot), started.append(self))[0]
    )
    threading.Thread(target=lambda: (wait_until(lambda: started), time.sleep(0.5), kill(started[0]))).start()
    with pytest.raises(
        TransientError, match=r"a reading process ended by itself \(exit code -9; .* fewer workers"
    ):
        carrier.export()
    assert not carrier.folder().exists()
    assert not {child.pid for child in psutil.Process().children()} - before


@pytest.mark.parametrize("error", [TransientError("the disk is full"), DataRefused("not this day")])
def test_no_reader_writes_any_more_when_what_was_staged_is_removed(carrier, monkeypatch, error):
    """One reader gives up, and the other is in the middle of a part: its files would stay for ever."""

    def read_part(snapshot, part):
        if part.table == "drivers":
            time.sleep(0.2)
            raise error
        for number in range(100):
            (part.file.parent / f".{part.table}.more.{number}").touch()
            time.sleep(0.01)
        raise error

    remove = os.rmdir
    monkeypatch.setattr(readers, "read_part", read_part)
    monkeypatch.setattr(os, "rmdir", lambda path, **words: (time.sleep(0.2), remove(path, **words))[1])
    with pytest.raises(type(error), match=str(error)):
        carrier.export()
    assert list((carrier.root / "logistics").glob(".staging-*")) == []


join = readers.Readers.join


def kill(found):
    """All of them: which one reads the slow table is a matter of chance."""
    for process in found._pipes.values():
        process.kill()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)]
)
def test_a_stopped_export_leaves_the_old_set_no_process_and_no_lock(carrier, number, code):
    carrier.export()
    version = carrier.package()["version"]
    carrier.sql("UPDATE shipments SET status = 'changed'")
    carrier.query("slow", "SELECT n AS id, pg_sleep(0.1)::text AS waited FROM generate_series(1, 300) AS n")
    export = start(carrier)
    wait_until(lambda: holders(carrier) == 1 and len(psutil.Process(export.pid).children()) == 2)
    children = psutil.Process(export.pid).children()
    time.sleep(0.5)
    export.send_signal(number)
    export.communicate(timeout=20)
    assert export.returncode == code
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    wait_until(lambda: holders(carrier) == 0)
    assert carrier.package()["version"] == version
    assert verify(carrier.folder()).ok
    if number != signal.SIGKILL:
        assert not list((carrier.root / "logistics").glob(".staging-*"))
    (carrier.queries / "slow.sql").unlink()
    carrier.export()
    assert not list((carrier.root / "logistics").glob(".staging-*"))
    assert {row["status"] for row in carrier.rows("shipments")} == {"changed"}


def test_a_storage_that_is_not_there_is_told_before_the_database_is_asked(carrier):
    carrier.dsn = "postgresql://nobody:nothing@127.0.0.1:1/none"
    with pytest.raises(UsageError, match=r"published.*/gone"):
        exporting.export(
            exporting.Settings("logistics", carrier.queries, str(carrier.root / "gone" / "gone")),
            carrier.heard,
        )


def words(carrier):
    return ["--sql", str(carrier.queries), "--to", str(carrier.root), "--date", str(DAY), "--lookback", "0"]


def start(carrier):
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.exports", "export", "logistics", *words(carrier)],
        env={**os.environ, "EXTRACTS_DSN": carrier.dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def holders(carrier):
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'extracts logistics' AND pid IN "
    return carrier.ask(f"{query} (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)")[0][0]


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_steps_on_the_folder_are_those_of_the_publication(carrier, monkeypatch):
    """What an export adds to the protocol that the faults' tests kill at every step: nothing."""
    seen = []
    real = folder.replace_file
    monkeypatch.setattr(
        folder, "replace_file", lambda path, data: (seen.append(path.name), real(path, data))[1]
    )
    carrier.export()
    assert seen == ["datapackage.json", "latest.json"]
