"""A set of a business day on the page of deliverables: five tables, a window, and a day that may yet come."""

from datetime import UTC, date, datetime, timedelta

import pytest

from extracts.publication import Publication
from extracts.window import business_day
from tests.deliverables_page import change, reader, rows, text

DAY = date(2026, 11, 20)
# Five past eight in the evening, in Moscow.
IN_TIME = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)
TABLES = {"clients": 3, "drivers": 2, "shipment_events": 5, "shipments": 1, "vehicles": 0}


def publish(root, day=DAY, at=IN_TIME):
    with Publication(root, "logistics", day).stage() as stage:
        for name, count in TABLES.items():
            (stage.folder / f"{name}.csv").write_text("id\n" + "1\n" * count)
            stage.add(f"{name}.csv", rows=count, description=f"What {name} holds")
        published = stage.publish(window=business_day(day))
    change(published, created=f"{at:%Y-%m-%dT%H:%M:%SZ}", firstPublished=f"{at:%Y-%m-%dT%H:%M:%SZ}")
    return published


@pytest.mark.parametrize(
    ("now", "today"),
    [
        (IN_TIME + timedelta(hours=16), "21 Nov 2026 Sat Due by 20:45"),
        (IN_TIME + timedelta(hours=25), "21 Nov 2026 Sat Missing"),
    ],
)
def test_the_days_are_judged_by_the_evening_on_which_they_end(tmp_path, now, today):
    publish(tmp_path)
    answer = reader(tmp_path, now).get("/logistics/")
    assert "Daily at 20:00, due by 20:45 (Europe/Moscow)" in text(answer)
    assert [row.strip() for row in rows(answer)] == [
        today,
        "20 Nov 2026 Fri On time 20:05 11 37 B 5 Complete",
    ]


def test_a_set_that_was_made_the_next_morning_is_late(tmp_path):
    publish(tmp_path, at=IN_TIME + timedelta(hours=12))
    answer = reader(tmp_path, IN_TIME + timedelta(hours=13)).get("/logistics/")
    assert "Late by 11 h 20 min" in rows(answer)[-1]


def test_a_day_says_whose_rows_it_holds_and_what_its_tables_are(tmp_path):
    publish(tmp_path)
    answer = reader(tmp_path, IN_TIME).get(f"/logistics/{DAY}/")
    assert "Rows of 19 Nov 2026, 20:00 – 20 Nov 2026, 20:00" in text(answer)
    assert rows(answer)[3].startswith("shipments.csv What shipments holds 1 5 B")


@pytest.mark.parametrize(
    "window",
    [
        None,
        "yesterday",
        {},
        {"start": "2026-11-19T17:00:00Z"},
        {"start": "2026-11-19T17:00:00", "end": "2026-11-20T17:00:00"},
        {"start": 1, "end": 2},
        {"start": "2026-11-20T17:00:00Z", "end": "2026-11-19T17:00:00Z"},
    ],
)
def test_a_window_that_says_nothing_is_not_shown(tmp_path, window):
    change(publish(tmp_path), window=window)
    answer = reader(tmp_path, IN_TIME).get(f"/logistics/{DAY}/")
    assert answer.status_code == 200
    assert "Rows of" not in text(answer)
