"""Big tables are read in ranges: every row once, in physical order, however PostgreSQL finds the rows."""

import hashlib

import pytest

from extracts.errors import UsageError
from extracts.export import ranges as cutting
from extracts.export.days import window
from extracts.export.ranges import EVERYTHING, explain, ranges
from extracts.export.settings import Settings
from extracts.export.tables import read_set
from extracts.postgres import Snapshot
from tests.integration.exports import DAY

PAGES = 4


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch):
    monkeypatch.setattr(cutting, "PAGES", PAGES)


def fill(carrier, rows, at="2026-11-20 10:00+03", first=1000):
    carrier.sql(
        f"INSERT INTO shipment_events SELECT n, 1, timestamptz '{at}' + n * interval '1 millisecond' "
        f"FROM generate_series({first}, {first + rows - 1}) AS n; ANALYZE shipment_events"
    )


def cuts(carrier, name="shipment_events"):
    """The ranges of a table, and the kinds of nodes in the plan that they were made by."""
    (table,) = [table for table in read_set(carrier.queries) if table.name == name]
    settings = Settings("logistics", carrier.queries, str(carrier.root), DAY)
    with Snapshot(carrier.dsn) as snapshot:
        limits = window(settings, DAY)
        plan = explain(snapshot, table, {"start": limits.start, "end": limits.end})
        return ranges(snapshot, table, plan), [node["Node Type"] for node in plan.nodes]


def physical(carrier, name="shipment_events"):
    query = (
        f"SELECT id FROM {name} WHERE recorded_at >= '2026-11-19 20:00+03' "
        "AND recorded_at < '2026-11-20 20:00+03' ORDER BY ctid"
    )
    return [id for (id,) in carrier.ask(query)]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_row_is_there_once_in_physical_order(carrier, workers):
    fill(carrier, 5000)
    carrier.sql("DELETE FROM shipment_events WHERE id % 3 = 0")
    carrier.sql("VACUUM shipment_events")
    fill(carrier, 1000, first=90_000)
    assert len(cuts(carrier)[0]) > 5
    carrier.export(workers=workers)
    assert carrier.ids("shipment_events") == physical(carrier)
    assert len(carrier.ids("shipment_events")) > 4000


def test_ranges_follow_one_another_from_the_first_page_to_beyond_the_last(carrier):
    fill(carrier, 5000)
    found, _ = cuts(carrier)
    assert found[0][0] == EVERYTHING[0]
    assert found[-1][1] == EVERYTHING[1]
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]


def test_a_small_table_is_read_at_once(carrier):
    assert cuts(carrier)[0] == [EVERYTHING]


def test_with_an_index_only_the_pages_of_the_day_are_cut(carrier):
    """A year of other days lies before it: an index finds the day, and its ranges begin there."""
    carrier.sql("TRUNCATE shipment_events")
    fill(carrier, 60_000, at="2025-11-20 10:00+03", first=1_000_000)
    fill(carrier, 5000)
    carrier.sql("CREATE INDEX ON shipment_events (recorded_at); ANALYZE shipment_events")
    found, nodes = cuts(carrier)
    assert "Bitmap Heap Scan" in nodes
    (pages,) = carrier.ask("SELECT pg_relation_size('shipment_events') / 8192")[0]
    assert 5 < len(found) < pages / PAGES / 5
    carrier.export()
    assert carrier.ids("shipment_events") == physical(carrier)


def test_rows_that_lie_scattered_are_read_in_one_go(carrier):
    fill(carrier, 60_000, at="2025-11-20 10:00+03", first=1_000_000)
    carrier.sql("UPDATE shipment_events SET recorded_at = '2026-11-20 11:00+03' WHERE id % 6000 = 0")
    carrier.sql("CLUSTER shipment_events USING shipment_events_pkey")
    carrier.sql("CREATE INDEX ON shipment_events (recorded_at); ANALYZE shipment_events")
    found, nodes = cuts(carrier)
    assert "Bitmap Heap Scan" in nodes
    assert found == [EVERYTHING]
    carrier.export()
    assert carrier.ids("shipment_events") == physical(carrier)


def test_an_index_does_not_change_the_order(carrier):
    """Rows in no order of time: an index scan would sort them, and the file would be another one."""
    carrier.sql(
        "INSERT INTO shipment_events SELECT n, 1, timestamptz '2026-11-20 10:00+03' + (n * 7919 % 10000) "
        "* interval '1 second' / 2 FROM generate_series(1000, 4000) AS n; ANALYZE shipment_events"
    )
    (first,) = carrier.export()
    carrier.sql("CREATE INDEX ON shipment_events (recorded_at); ANALYZE shipment_events")
    (again,) = carrier.export()
    assert not again.published.changed
    assert again.published.version == first.published.version


def test_what_is_appended_leaves_the_file_of_an_older_day_as_it_was(carrier):
    fill(carrier, 3000)
    (first,) = carrier.export()
    before = hashlib.sha256((first.published.folder / "shipment_events.csv.gz").read_bytes()).hexdigest()
    fill(carrier, 3000, at="2026-11-21 10:00+03", first=50_000)
    (again,) = carrier.export()
    assert not again.published.changed
    after = hashlib.sha256((again.published.folder / "shipment_events.csv.gz").read_bytes()).hexdigest()
    assert before == after


def test_a_partitioned_table_is_read_in_ranges_too(carrier):
    carrier.sql(
        "DROP TABLE shipment_events;"
        "CREATE TABLE shipment_events (id bigint, shipment_id bigint, recorded_at timestamptz)"
        " PARTITION BY HASH (id);"
        + "".join(
            f"CREATE TABLE events_{n} PARTITION OF shipment_events"
            f" FOR VALUES WITH (MODULUS 3, REMAINDER {n});"
            for n in range(3)
        )
    )
    fill(carrier, 6000)
    assert len(cuts(carrier)[0]) > 2
    carrier.export()
    assert sorted(carrier.ids("shipment_events")) == list(range(1000, 7000))


def test_a_query_without_ranges_is_read_in_its_own_order(carrier):
    carrier.query("drivers", "SELECT id, name FROM drivers ORDER BY id DESC")
    carrier.export()
    assert carrier.ids("drivers") == [2, 1]


def test_a_view_is_named_when_it_has_no_ctid(carrier):
    carrier.sql("ALTER TABLE shipment_events RENAME TO stored; CREATE VIEW shipment_events AS TABLE stored")
    with pytest.raises(UsageError, match=r'shipment_events.sql: column "ctid" does not exist'):
        carrier.export()
    carrier.query("shipment_events", "SELECT id FROM shipment_events ORDER BY id")
    carrier.export()
    assert carrier.ids("shipment_events") == [10, 20]
