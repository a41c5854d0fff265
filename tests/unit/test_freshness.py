"""How old the newest published day is said to be, in a folder."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from extracts.errors import DataRefused, UsageError
from extracts.freshness import freshness
from extracts.publication import Publication
from extracts.window import business_day

DAY = date(2026, 11, 21)
# 20:00 in Moscow.
DAY_ENDED = datetime(2026, 11, 21, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def publish(root, day=DAY, window=True):
    with Publication(root, "demo_set", day).stage() as stage:
        (stage.folder / "orders.csv").write_text("id\n1\n")
        stage.add("orders.csv")
        return stage.publish(window=business_day(day) if window else None)


def rewrite(published, **changes):
    published.package.write_text(json.dumps(json.loads(published.package.read_text()) | changes))


@pytest.mark.parametrize(
    ("hours", "fresh"), [(0, True), (26, True), (26.01, False), (-3, True), (800, False)]
)
def test_age_counts_from_the_end_of_the_newest_day(tmp_path, hours, fresh):
    publish(tmp_path)
    publish(tmp_path, DAY - timedelta(days=3))
    found = freshness(tmp_path / "demo_set", max_age=26 * HOUR, now=DAY_ENDED + hours * HOUR)
    assert (found.day, found.age, found.ok) == (DAY, hours * HOUR, fresh)


def test_a_stale_dataset_is_told_in_one_line(tmp_path):
    publish(tmp_path)
    found = freshness(str(tmp_path / "demo_set"), max_age=26 * HOUR, now=DAY_ENDED + 27.5 * HOUR)
    assert str(found).endswith(
        "dt=2026-11-21/datapackage.json: too old, 27 h 30 min old (at most 26 h 00 min)"
    )


def test_a_set_without_a_window_is_as_old_as_its_publication(tmp_path):
    published = publish(tmp_path, window=False)
    rewrite(published, created="2026-11-21T17:00:00Z")
    assert freshness(tmp_path / "demo_set", max_age=HOUR, now=DAY_ENDED + HOUR).age == HOUR


def test_now_is_the_clock_s(tmp_path):
    publish(tmp_path, date(2020, 1, 1), window=False)
    assert freshness(tmp_path / "demo_set", max_age=HOUR).ok


def test_a_day_that_was_only_begun_does_not_count(tmp_path):
    publish(tmp_path)
    (tmp_path / "demo_set" / "dt=2026-11-22").mkdir()
    assert freshness(tmp_path / "demo_set", max_age=HOUR, now=DAY_ENDED).day == DAY


def test_nothing_published_is_refused(tmp_path):
    with pytest.raises(DataRefused, match=r"nothing is published in .*demo_set: is the place right"):
        freshness(tmp_path / "demo_set", max_age=HOUR)
    with pytest.raises(UsageError, match="mount the volume"):
        freshness(tmp_path / "absent" / "demo_set", max_age=HOUR)


@pytest.mark.parametrize(
    "damage",
    [
        lambda published: published.package.write_text("{"),
        lambda published: rewrite(published, window={"end": "soon"}),
        lambda published: rewrite(published, window={"end": "2026-11-21T17:00:00"}),
        lambda published: rewrite(published, window="today"),
        lambda published: rewrite(published, window=None, created=None),
        lambda published: rewrite(published, day=7),
    ],
)
def test_a_newest_package_that_is_damaged_is_refused(tmp_path, damage):
    publish(tmp_path, DAY - timedelta(days=1))
    damage(publish(tmp_path))
    with pytest.raises(DataRefused, match="dt=2026-11-21"):
        freshness(tmp_path / "demo_set", max_age=HOUR)
