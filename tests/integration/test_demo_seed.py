"""The demo's rows: equal everywhere, with every oddity that the jobs must bear, at any volume."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from demo.errors import DemoError
from demo.postgres import as_user
from demo.seed import VOLUMES, let_log_in, seed, statuses_file
from extracts.postgres import Snapshot

DAY = date(2026, 11, 21)
ERRORS = {"failed", "returned", "lost", "damaged", "cancelled_by_carrier"}
KNOWN = {*ERRORS, "delivered", "in_transit", "created", "out_for_delivery"}


def fill(dsn: str, folder: Path, day: date = DAY) -> bool:
    return seed(dsn, folder / "statuses", folder / "seed.log", scale="0.002", day=day)


def ask(connection: Connection, query: str | sql.Composed) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def checksums(dsn: str) -> dict[str, str]:
    connection = psycopg2.connect(dsn)
    text = "SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {} AS t"
    found = {
        name: ask(connection, sql.SQL(text).format(sql.Identifier(*name.split("."))))[0][0]
        for name in VOLUMES
    }
    connection.close()
    return found


@pytest.fixture
def seeded(database: str, tmp_path: Path) -> str:
    assert fill(database, tmp_path) is True
    return database


@pytest.fixture
def connection(seeded: str) -> Iterator[Connection]:
    connection = psycopg2.connect(seeded)
    yield connection
    connection.close()


def latest(content: str) -> dict[int, str]:
    """Every order's latest status; of two with one time, the later line's."""
    found: dict[int, tuple[datetime, str]] = {}
    for row in csv.DictReader(io.StringIO(content, newline="")):
        text = row["updated_at"]
        at = datetime.fromisoformat(text if text[-1] == "Z" or "+" in text else f"{text}+03:00")
        order = int(row["order_id"])
        if order not in found or at >= found[order][0]:
            found[order] = (at, row["status"])
    return {order: status for order, (_, status) in found.items()}


def share(statuses: dict[int, str]) -> float:
    known = [status for order, status in statuses.items() if order < 900_000_000]
    return sum(status in ERRORS for status in known) / len(known)


def test_two_databases_get_the_same_rows_and_files(seeded, postgres_server, tmp_path):
    again = tmp_path / "again"
    connection = psycopg2.connect(postgres_server.dsn())
    connection.autocommit = True
    connection.cursor().execute("CREATE DATABASE seeded_again")
    try:
        dsn = postgres_server.dsn("seeded_again")
        fill(dsn, again)
        assert checksums(dsn) == checksums(seeded)
        files = sorted(file.name for file in (tmp_path / "statuses").glob("*.csv"))
        assert len(files) == 3
        for name in files:
            assert (again / "statuses" / name).read_bytes() == (tmp_path / "statuses" / name).read_bytes()
    finally:
        connection.cursor().execute("DROP DATABASE seeded_again WITH (FORCE)")
        connection.close()


def test_it_is_made_once_and_again_for_another_day(seeded, tmp_path):
    before = checksums(seeded)
    assert fill(seeded, tmp_path) is False
    assert fill(seeded, tmp_path, date(2026, 11, 22)) is True
    assert checksums(seeded)["shop.orders"] != before["shop.orders"]
    assert (tmp_path / "statuses" / statuses_file(date(2026, 11, 22))).exists()


def test_a_missing_file_is_made_again_without_touching_the_rows(seeded, tmp_path):
    (tmp_path / "statuses" / ".fingerprint").unlink()
    connection = psycopg2.connect(seeded)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE shop.orders SET status = 'mine' WHERE order_id = 1")
    assert fill(seeded, tmp_path) is True
    assert ask(connection, "SELECT status FROM shop.orders WHERE order_id = 1") == [("mine",)]
    connection.close()


def test_somebody_elses_schema_is_refused_and_kept(database, tmp_path):
    connection = psycopg2.connect(database)
    connection.autocommit = True
    connection.cursor().execute("CREATE SCHEMA shop CREATE TABLE orders (order_id bigint)")
    with pytest.raises(DemoError, match=r"schemas that the demo did not make \(shop\)"):
        fill(database, tmp_path)
    assert ask(connection, "SELECT count(*) FROM shop.orders") == [(0,)]
    connection.close()


def test_the_role_of_the_jobs_reads_and_nothing_else(seeded):
    let_log_in(seeded, "batch_reader", "a password")
    reader = psycopg2.connect(seeded, user="batch_reader", password="a password")
    assert ask(reader, "SELECT count(*) FROM shop.orders") == [(2000,)]
    assert ask(reader, "SELECT count(*) FROM logistics.shipments") == [(400,)]
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        ask(reader, "DELETE FROM shop.orders RETURNING 1")
    reader.rollback()
    # Nor when it says that it wants to write.
    reader.set_session(readonly=False)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(reader, "DELETE FROM shop.orders RETURNING 1")
    reader.close()


def test_the_role_of_the_jobs_may_do_all_that_an_export_needs(seeded):
    let_log_in(seeded, "batch_reader", "a password")
    with Snapshot(as_user(seeded, "batch_reader", "a password")) as snapshot:
        assert ask(snapshot.connection, "SELECT pg_try_advisory_lock(1)") == [(True,)]
        with snapshot.join() as reader:
            first = "SELECT * FROM logistics.shipments WHERE ctid < '(1,0)'"
            assert reader.copy_out(first, {}, io.BytesIO()) > 0


def test_the_files_are_over_and_under_the_threshold_and_one_is_broken(seeded, tmp_path):
    statuses = tmp_path / "statuses"
    over = (statuses / statuses_file(DAY)).read_text("utf-8")
    under = (statuses / statuses_file(date(2026, 11, 20))).read_text("utf-8")
    broken = (statuses / statuses_file(date(2026, 11, 19))).read_text("utf-8")
    assert share(latest(over)) > 0.125
    assert share(latest(under)) < 0.08
    assert broken.splitlines()[0] == "order_id,state,updated_at,reason"
    assert len(broken.splitlines()) > 100


def test_the_statuses_have_their_oddities(connection, seeded, tmp_path):
    with (tmp_path / "statuses" / statuses_file(DAY)).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    orders = {order for (order,) in ask(connection, "SELECT order_id FROM shop.orders")}
    named = [int(row["order_id"]) for row in rows]
    assert len(rows) == len(orders) == 2000
    assert len(orders - set(named)) == 40
    assert len({order for order in named if order not in orders}) == 8
    assert len(named) - len(set(named)) == 32
    assert {row["status"] for row in rows} - KNOWN == {"awaiting_customs", "на складе"}
    assert any("\n" in row["reason"] for row in rows)
    assert any('"' in row["reason"] for row in rows)
    # Whoever trusts the order of the lines, in either direction, gets another answer.
    content = (tmp_path / "statuses" / statuses_file(DAY)).read_text("utf-8")
    last_line = {int(row["order_id"]): row["status"] for row in rows}
    first_line = {int(row["order_id"]): row["status"] for row in reversed(rows)}
    assert latest(content) not in (last_line, first_line)


FULL_DAY = "[2026-11-19 20:00+03, 2026-11-20 20:00+03)"


@pytest.mark.parametrize(("table", "time"), [("shipments", "updated_at"), ("shipment_events", "recorded_at")])
def test_most_rows_belong_to_the_business_day_that_ended_last_evening(connection, table, time):
    counts = sql.SQL(
        "SELECT count(*) FILTER (WHERE {time} <@ {day}::tstzrange), count(*) FROM {table}"
    ).format(time=sql.Identifier(time), day=sql.Literal(FULL_DAY), table=sql.Identifier("logistics", table))
    ((inside, every),) = ask(connection, counts)
    assert 0.8 <= inside / every <= 0.9


def test_the_full_day_has_rows_on_both_of_its_borders(connection):
    borders = ask(
        connection,
        "SELECT DISTINCT updated_at AT TIME ZONE 'Europe/Moscow' FROM logistics.shipments"
        " WHERE date_trunc('second', updated_at AT TIME ZONE 'Europe/Moscow')::time IN ('20:00', '19:59:59')"
        " AND updated_at BETWEEN '2026-11-19 19:59+03' AND '2026-11-20 20:01+03' ORDER BY 1",
    )
    assert [time.isoformat() for (time,) in borders] == [
        "2026-11-19T19:59:59.999999",
        "2026-11-19T20:00:00",
        "2026-11-20T19:59:59.999999",
        "2026-11-20T20:00:00",
    ]


def test_events_of_the_full_day_were_recorded_on_later_days_too(connection):
    late = (
        "SELECT count(*) FROM logistics.shipment_events"
        " WHERE event_time < '2026-11-20 20:00+03' AND recorded_at >= '2026-11-20 20:00+03'"
    )
    assert ask(connection, late)[0][0] > 10


ODDITIES = {
    "NULL": "SELECT count(*) FROM shop.orders WHERE carrier IS NULL",
    "quotes": "SELECT count(*) FROM shop.orders WHERE carrier LIKE '%\"%'",
    "commas": "SELECT count(*) FROM shop.orders WHERE carrier LIKE '%,%'",
    "late orders": "SELECT count(*) FROM shop.orders WHERE updated_at - created_at > interval '2 days'",
    "line breaks": "SELECT count(*) FROM logistics.shipments WHERE address LIKE E'%\\n%'",
    "carriage returns": "SELECT count(*) FROM logistics.shipments WHERE address LIKE E'%\\r\\n%'",
    "empty, not NULL": "SELECT count(*) FROM logistics.shipment_events WHERE comment = ''",
    "Cyrillic keys": "SELECT count(*) FROM logistics.shipment_events WHERE payload ? 'сканер'",
    "late events": "SELECT count(*) FROM logistics.shipment_events "
    "WHERE recorded_at - event_time >= interval '1 day'",
    "clocks ahead": "SELECT count(*) FROM logistics.shipment_events WHERE recorded_at < event_time",
    "events sent twice": "SELECT count(*) FROM (SELECT FROM logistics.shipment_events "
    "GROUP BY shipment_id, event_type, event_time HAVING count(*) > 1) AS twice",
    "on the border": "SELECT count(*) FROM logistics.shipments "
    "WHERE (updated_at AT TIME ZONE 'Europe/Moscow')::time = '20:00'",
    "just before it": "SELECT count(*) FROM logistics.shipments "
    "WHERE (updated_at AT TIME ZONE 'Europe/Moscow')::time = '19:59:59.999999'",
    "formulas": "SELECT count(*) FROM shop.products WHERE name ~ '^[=+@-]'",
    "leading zeros": "SELECT count(*) FROM shop.products WHERE sku ~ '^0[0-9]+$'",
    "unsafe codes": r"SELECT count(*) FROM shop.clients WHERE code ~ '[/\\:*\"]'",
    "prices of today": "SELECT count(*) FROM shop.client_prices "
    "WHERE date '2026-11-21' BETWEEN valid_from AND coalesce(valid_to, 'infinity')",
    "expired prices": "SELECT count(*) FROM shop.client_prices WHERE valid_to < date '2026-11-21'",
    "future prices": "SELECT count(*) FROM shop.client_prices WHERE valid_from > date '2026-11-21'",
}


def test_the_tables_have_their_oddities(connection):
    missing = [name for name, query in ODDITIES.items() if ask(connection, query) == [(0,)]]
    assert missing == []


def test_contract_prices_never_overlap(connection):
    overlapping = ask(
        connection,
        "SELECT count(*) FROM shop.client_prices AS a JOIN shop.client_prices AS b "
        "ON a.client_id = b.client_id AND a.product_id = b.product_id AND a.valid_from < b.valid_from "
        "AND daterange(a.valid_from, a.valid_to, '[]') && daterange(b.valid_from, b.valid_to, '[]')",
    )
    assert overlapping == [(0,)]
