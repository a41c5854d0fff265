"""Which rows reach which day: the window, rows that come late, and days in which nothing changed."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from extracts import versions
from extracts.errors import UsageError
from extracts.publication import Publication
from extracts.verify import verify
from tests.integration.exports import DAY

NEXT = DAY + timedelta(days=1)


def event(carrier, id, at):
    carrier.sql(f"INSERT INTO shipment_events VALUES ({id}, 1, '{at}')")


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-11-19 20:00+03", DAY),
        ("2026-11-20 19:59:59.999999+03", DAY),
        ("2026-11-20 20:00+03", NEXT),
        ("2026-11-20 23:30+03", NEXT),
    ],
)
def test_a_row_lies_in_the_business_day_of_its_time(carrier, at, day):
    event(carrier, 99, at)
    carrier.sql("INSERT INTO shipments VALUES (3, 'created', '2026-11-21 12:00+03')")
    carrier.export(DAY)
    carrier.export(NEXT)
    assert [d for d in (DAY, NEXT) if 99 in carrier.ids("shipment_events", d)] == [day]


def test_a_row_that_was_committed_late_appears_exactly_once(carrier):
    carrier.sql("INSERT INTO shipments VALUES (3, 'created', '2026-11-21 12:00+03')")
    carrier.export(DAY, lookback=1)
    event(carrier, 99, "2026-11-20 19:58+03")
    days = carrier.export(NEXT, lookback=1)
    assert [found.published.changed for found in days] == [True, True]
    assert carrier.ids("shipment_events", DAY).count(99) == 1
    assert 99 not in carrier.ids("shipment_events", NEXT)


def test_a_day_that_did_not_change_is_not_published_again(carrier):
    (first,) = carrier.export()
    (again,) = carrier.export()
    assert first.published.changed
    assert not again.published.changed
    assert again.published.version == first.published.version
    assert len(list(carrier.folder().glob("v=*"))) == 1


def test_whole_tables_alone_make_no_old_day_a_changed_one(carrier):
    """A new driver of today did not drive yesterday."""
    carrier.sql("INSERT INTO shipments VALUES (3, 'created', '2026-11-21 12:00+03')")
    carrier.export(DAY)
    carrier.sql("INSERT INTO drivers VALUES (3, 'Водитель, новый')")
    _, before = carrier.export(NEXT, lookback=1)
    assert not before.published.changed
    assert carrier.ids("drivers", DAY) == [1, 2]
    assert carrier.ids("drivers", NEXT) == [1, 2, 3]


def test_an_old_day_that_changed_is_of_one_instant_again(carrier):
    carrier.sql("INSERT INTO shipments VALUES (3, 'created', '2026-11-21 12:00+03')")
    carrier.export(DAY)
    carrier.sql("INSERT INTO drivers VALUES (3, 'Водитель, новый')")
    event(carrier, 99, "2026-11-20 10:00+03")
    carrier.export(NEXT, lookback=1)
    assert carrier.ids("drivers", DAY) == [1, 2, 3]
    assert carrier.package(DAY)["snapshotTime"] == carrier.package(NEXT)["snapshotTime"]


def test_a_shipment_stands_in_the_day_of_its_last_change_alone(carrier):
    carrier.export(DAY)
    carrier.sql("UPDATE shipments SET status = 'delivered', updated_at = '2026-11-21 09:00+03' WHERE id = 1")
    carrier.export(NEXT, lookback=1)
    assert carrier.ids("shipments", DAY) == [2]
    assert carrier.ids("shipments", NEXT) == [1]


def test_a_missed_day_is_caught_up(carrier):
    carrier.sql("INSERT INTO shipments VALUES (3, 'created', '2026-11-21 12:00+03')")
    carrier.export(NEXT, lookback=1)
    assert carrier.ids("shipments", DAY) == [1, 2]
    latest = (carrier.root / "logistics" / "latest.json").read_text()
    assert '"dt=2026-11-21/datapackage.json"' in latest


def test_an_older_day_that_is_refused_does_not_undo_the_newest(carrier):
    """The day before has no shipment: it is told of, and the day that was asked for is out."""
    days = carrier.export(DAY, lookback=1)
    assert [found.window.day for found in days] == [DAY]
    (refused,) = carrier.heard.of("refused")
    assert refused["level"] == "warning"
    assert refused["day"] == "2026-11-19"
    assert "shipments has no row on 2026-11-19" in refused["message"]
    assert not carrier.folder(date(2026, 11, 19)).exists()


def test_an_older_day_that_is_refused_in_the_middle_of_reading_leaves_the_others_whole(carrier):
    """Another reader still has a part of the refused day in hand: it may not come into the next one."""
    carrier.sql(
        "INSERT INTO shipments "
        "VALUES (3, 'created', '2026-11-21 12:00+03'), (4, 'created', '2026-11-19 12:00+03')"
    )
    # Of the 20th it cannot be told, and what is read beside it takes longer.
    carrier.query(
        "broken",
        "SELECT 1 / (CASE WHEN :'start'::timestamptz = '2026-11-19 20:00+03' THEN id - 1 ELSE 1 END) AS id "
        "FROM drivers WHERE :'start'::timestamptz < :'end'::timestamptz ORDER BY 1",
    )
    carrier.query(
        "slow",
        "SELECT id, extract(day FROM :'end'::timestamptz)::int AS day FROM drivers, pg_sleep(0.5) "
        "WHERE :'start'::timestamptz < :'end'::timestamptz ORDER BY id",
    )
    days = carrier.export(NEXT, lookback=2)
    assert [found.window.day for found in days] == [NEXT, date(2026, 11, 19)]
    (refused,) = carrier.heard.of("refused")
    assert (refused["day"], "division by zero" in refused["message"]) == ("2026-11-20", True)
    assert [row["day"] for row in carrier.rows("slow", date(2026, 11, 19))] == ["19", "19"]
    assert [row["day"] for row in carrier.rows("slow", NEXT)] == ["21", "21"]
    assert verify(str(carrier.root / "logistics")).ok


def test_days_before_the_newest_leave_latest_where_it_is(carrier):
    carrier.sql("INSERT INTO shipments VALUES (3, 'created', '2026-11-21 12:00+03')")
    carrier.export(NEXT)
    carrier.export(DAY)
    assert '"2026-11-21"' in (carrier.root / "logistics" / "latest.json").read_text()


def test_a_day_that_has_not_ended_is_refused(carrier):
    tomorrow = datetime.now(ZoneInfo("Europe/Moscow")).date() + timedelta(days=1)
    with pytest.raises(UsageError, match=f"day {tomorrow} ends at .* its rows are not all there yet"):
        carrier.export(tomorrow)
    assert not (carrier.root / "logistics").exists()


def test_without_a_date_it_is_the_day_that_ended_last(carrier):
    carrier.sql("UPDATE shipments SET updated_at = now() - interval '30 hours'")
    (found,) = carrier.export(None, allow_empty=frozenset({"shipments"}))
    now = datetime.now(ZoneInfo("Europe/Moscow"))
    ended = now.date() if now.hour >= 20 else now.date() - timedelta(days=1)
    assert found.window.day == ended


def test_another_zone_and_another_hour_cut_other_days(carrier):
    event(carrier, 99, "2026-11-20 23:30+03")
    carrier.export(DAY, timezone="Asia/Yekaterinburg", day_ends=time(0, 0))
    # There it is 01:30 of the 21st already.
    assert 99 not in carrier.ids("shipment_events", DAY)
    assert carrier.package(DAY)["window"] == {"start": "2026-11-19T19:00:00Z", "end": "2026-11-20T19:00:00Z"}


def test_the_clock_of_this_machine_does_not_choose_the_day_or_the_order_of_versions(carrier, monkeypatch):
    """Set back by a year, it changes neither: the database's clock and the versions that are there count."""
    (first,) = carrier.export()
    event(carrier, 99, "2026-11-20 10:00+03")
    monkeypatch.setattr(versions, "_now", lambda: datetime(2025, 1, 1, tzinfo=ZoneInfo("UTC")))
    (again,) = carrier.export()
    assert again.published.version > first.published.version
    assert 99 in carrier.ids("shipment_events")
    assert Publication(carrier.root, "logistics", DAY).current().version == again.published.version


def test_what_is_published_is_as_described(carrier):
    carrier.export()
    report = verify(carrier.root / "logistics")
    assert report.ok, str(report)
    package = carrier.package()
    assert package["window"] == {"start": "2026-11-19T17:00:00Z", "end": "2026-11-20T17:00:00Z"}
    shipments = next(item for item in package["resources"] if item["name"] == "shipments")
    assert shipments["description"] == "Shipments of the day."
    assert [field["name"] for field in shipments["schema"]["fields"]] == ["id", "status", "updated_at"]
    assert sorted(path.name for path in carrier.folder().glob("v=*/*")) == [
        "drivers.csv.gz",
        "shipment_events.csv.gz",
        "shipments.csv.gz",
    ]


def test_an_empty_table_is_a_file_with_a_header(carrier):
    carrier.sql("DELETE FROM shipment_events; DELETE FROM drivers")
    carrier.export()
    assert carrier.bytes("drivers") == b"id,name\n"
    assert carrier.bytes("shipment_events") == b"id,shipment_id,recorded_at\n"
    assert {item["name"]: item["rows"] for item in carrier.package()["resources"]} == {
        "drivers": 0,
        "shipment_events": 0,
        "shipments": 2,
    }


def test_old_versions_are_pruned_and_the_current_one_never(carrier):
    for status in "abcd":
        carrier.sql(f"UPDATE shipments SET status = '{status}'")
        carrier.export(keep_versions=2)
    kept = sorted(path.name[2:] for path in carrier.folder().glob("v=*"))
    assert len(kept) == 2
    assert carrier.package()["version"] == kept[-1]
