"""What readers find after a publication, and what a publication refuses."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Event, Timer

import pytest

from extracts import versions
from extracts.errors import DataRefused, TransientError, UsageError
from extracts.publication import Publication
from extracts.verify import verify
from extracts.window import business_day

DAY = date(2026, 11, 21)


def publish(root, text="id\n1\n", day=DAY, name="orders.csv", **properties):
    with Publication(root, "demo_set", day).stage() as stage:
        (stage.folder / name).write_text(text)
        stage.add(name)
        return stage.publish(properties=properties)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def latest(root):
    return json.loads((root / "demo_set" / "latest.json").read_text())


def test_a_published_set_is_described_and_found(tmp_path):
    window = business_day(DAY)
    with Publication(tmp_path, "demo_set", DAY).stage() as stage:
        (stage.folder / "orders.csv").write_text('id,note\n1,"a\nb"\n')
        (stage.folder / "report.json").write_text("{}")
        stage.add("orders.csv", title="Orders", schema={"fields": [{"name": "id", "type": "integer"}]})
        stage.add("report.json")
        published = stage.publish(window=window, snapshot_time=window.end, properties={"job": "тест"})

    assert published.changed
    assert published.package == tmp_path / "demo_set" / "dt=2026-11-21" / "datapackage.json"
    descriptor = json.loads(published.package.read_text(encoding="utf-8"))
    assert descriptor == published.descriptor
    assert descriptor["window"] == {"start": "2026-11-20T17:00:00Z", "end": "2026-11-21T17:00:00Z"}
    assert descriptor["snapshotTime"] == "2026-11-21T17:00:00Z"
    assert (descriptor["day"], descriptor["job"]) == ("2026-11-21", "тест")
    orders, report = descriptor["resources"]
    assert (orders["name"], orders["rows"], orders["bytes"]) == ("orders", 1, 16)
    assert orders["path"] == f"v={published.version}/orders.csv"
    assert (report["name"], report["mediatype"]) == ("report.json", "application/json")
    assert published.package.parent / orders["path"] == published.folder / "orders.csv"
    assert entries(published.package.parent) == ["current", "datapackage.json", published.folder.name]
    assert (published.package.parent / "current").resolve() == published.folder.resolve()
    assert latest(tmp_path) == {
        "dataset": "demo_set",
        "day": "2026-11-21",
        "package": "dt=2026-11-21/datapackage.json",
    }
    assert entries(tmp_path / "demo_set") == [".lock", "dt=2026-11-21", "latest.json"]
    assert verify(tmp_path / "demo_set").ok


def test_unchanged_data_publishes_nothing(tmp_path):
    first = publish(tmp_path, run="1")
    before = (first.package.stat().st_mtime_ns, entries(first.package.parent))
    again = publish(tmp_path, run="2")
    assert not again.changed
    assert (again.version, again.descriptor["run"]) == (first.version, "1")
    assert (first.package.stat().st_mtime_ns, entries(first.package.parent)) == before
    assert entries(tmp_path / "demo_set") == [".lock", "dt=2026-11-21", "latest.json"]


@pytest.mark.parametrize("change", ["data", "name", "schema", "window"])
def test_any_other_difference_publishes_anew(tmp_path, change):
    first = publish(tmp_path)
    with Publication(tmp_path, "demo_set", DAY).stage() as stage:
        name = "other.csv" if change == "name" else "orders.csv"
        (stage.folder / name).write_text("id\n2\n" if change == "data" else "id\n1\n")
        stage.add(name, schema={"fields": []} if change == "schema" else None)
        second = stage.publish(window=business_day(DAY) if change == "window" else None)
    assert second.changed
    assert second.version > first.version
    assert first.folder.is_dir()


def test_a_version_that_lost_a_file_is_published_again(tmp_path):
    first = publish(tmp_path)
    (first.folder / "orders.csv").unlink()
    assert publish(tmp_path).changed
    assert verify(tmp_path / "demo_set").ok


@pytest.mark.parametrize(
    "step", [timedelta(0), timedelta(hours=-3), timedelta(days=-400), timedelta(minutes=1)]
)
def test_versions_ascend_whatever_the_clock_does(tmp_path, monkeypatch, step):
    clock = [datetime(2026, 10, 25, 0, 59, 59, 900000, UTC)]
    monkeypatch.setattr(versions, "_now", lambda: clock[0])
    seen = []
    for number in range(4):
        seen.append(publish(tmp_path, f"id\n{number}\n").version)
        clock[0] += step
    assert seen == sorted(set(seen))
    assert seen[0] == "20261025T005959Z"
    assert verify(tmp_path / "demo_set").ok


def test_a_pruned_or_lost_folder_does_not_free_its_version(tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "_now", lambda: datetime(2026, 11, 21, 17, tzinfo=UTC))
    first = publish(tmp_path)
    (first.folder / "orders.csv").unlink()
    first.folder.rmdir()
    assert publish(tmp_path).version > first.version


def test_a_backfill_leaves_latest_where_it_is(tmp_path):
    publish(tmp_path)
    publish(tmp_path, day=DAY - timedelta(days=30))
    assert latest(tmp_path)["day"] == "2026-11-21"
    publish(tmp_path, day=DAY + timedelta(days=1))
    assert latest(tmp_path)["day"] == "2026-11-22"


def test_a_second_publisher_is_told_and_a_reader_is_not_disturbed(tmp_path):
    published = publish(tmp_path)
    publication = Publication(tmp_path, "demo_set", DAY + timedelta(days=1))
    with publication.stage() as stage:
        with pytest.raises(TransientError, match=f"in use by process {os.getpid()}"):
            publish(tmp_path, "id\n2\n")
        with pytest.raises(TransientError, match="in use"):
            Publication(tmp_path, "demo_set", DAY).prune(1)
        assert stage.folder.is_dir()
        assert Publication(tmp_path, "demo_set", DAY).current().version == published.version
    assert publish(tmp_path, "id\n2\n").changed


def test_a_publisher_that_waits_goes_on_when_the_other_has_ended(tmp_path):
    held, let_go = Event(), Event()

    def hold():
        with Publication(tmp_path, "demo_set", DAY).stage():
            held.set()
            let_go.wait(30)

    with ThreadPoolExecutor() as pool:
        other = pool.submit(hold)
        assert held.wait(30)
        Timer(0.2, let_go.set).start()
        with Publication(tmp_path, "demo_set", DAY).stage(wait=30) as stage:
            assert let_go.is_set()
            assert stage.folder.is_dir()
        other.result()


def test_datasets_do_not_lock_each_other(tmp_path):
    with (
        Publication(tmp_path, "one", DAY).stage() as one,
        Publication(tmp_path, "other", DAY).stage() as other,
    ):
        assert one.folder.is_dir()
        assert other.folder.is_dir()


def test_what_is_not_published_is_removed(tmp_path):
    publication = Publication(tmp_path, "demo_set", DAY)
    with publication.stage() as stage:
        (stage.folder / "orders.csv").write_text("id\n")
    assert publication.current() is None
    with pytest.raises(UsageError), publication.stage() as stage:
        stage.publish()
    assert entries(tmp_path / "demo_set") == [".lock"]


def test_pruning_keeps_the_newest_and_always_the_current(tmp_path):
    published = [publish(tmp_path, f"id\n{number}\n").version for number in range(5)]
    publication = Publication(tmp_path, "demo_set", DAY)
    assert publication.prune(3) == published[:2]
    assert publication.prune(3) == []
    assert publication.prune(1) == published[2:4]
    assert publication.current().version == published[4]
    assert verify(tmp_path / "demo_set").ok
    with pytest.raises(UsageError, match="at least one"):
        publication.prune(0)
    assert Publication(tmp_path, "demo_set", DAY + timedelta(days=1)).prune(1) == []


def test_a_damaged_package_is_told_and_the_next_publication_replaces_it(tmp_path):
    first = publish(tmp_path)
    first.package.write_text('{"resources": [')
    with pytest.raises(DataRefused, match=r"datapackage\.json cannot be used: it is not JSON"):
        Publication(tmp_path, "demo_set", DAY).current()
    second = publish(tmp_path)
    assert second.version > first.version
    assert verify(tmp_path / "demo_set").ok


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_no_version_is_removed_because_a_package_was_lost_or_damaged(tmp_path, damage):
    published = publish(tmp_path)
    published.package.unlink() if damage == "lost" else published.package.write_text("[]")
    (published.folder.parent / "v=20991231T235959Z").mkdir()
    publish(tmp_path, day=DAY + timedelta(days=1))
    assert published.folder.is_dir()


def test_a_link_and_a_latest_that_were_left_behind_are_put_right(tmp_path):
    first = publish(tmp_path)
    second = publish(tmp_path, "id\n2\n")
    link = second.package.with_name("current")
    link.unlink()
    link.symlink_to(first.folder.name)
    (tmp_path / "demo_set" / "latest.json").write_text('{"day": "1999-01-01"}')
    assert not publish(tmp_path, "id\n2\n").changed
    assert link.resolve() == second.folder.resolve()
    assert latest(tmp_path)["day"] == "2026-11-21"
