"""Publishing in a bucket of a real S3 server: what a reader finds, whatever the day before left."""

import gzip
import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest
import zstandard

from extracts import versions
from extracts.errors import DataRefused, TransientError, UsageError
from extracts.freshness import freshness
from extracts.retention import prune_days
from extracts.storage import open_storage
from extracts.verify import verify
from extracts.window import business_day

DAY = date(2026, 11, 21)
DATASET = "daily/demo_set"


@pytest.fixture
def storage(bucket):
    return open_storage(f"{bucket.url}/daily")


def publish(storage, text="id\n1\n", day=DAY, **properties):
    with storage.publication("demo_set", day).stage() as stage:
        (stage.folder / "orders.csv").write_text(text)
        (stage.folder / "report.json").write_text("{}")
        stage.add("orders.csv")
        stage.add("report.json")
        return stage.publish(window=business_day(day), properties=properties)


def latest(bucket):
    return json.loads(bucket.read(f"{DATASET}/latest.json"))["day"]


def below(bucket):
    return {key.split("/")[2] for key in bucket.keys(DATASET)}


def test_a_published_set_is_described_and_found(storage, bucket, tmp_path):
    published = publish(storage, job="тест")
    assert published.changed
    assert str(published.package) == f"{bucket.url}/{DATASET}/dt=2026-11-21/datapackage.json"
    descriptor = json.loads(bucket.read(f"{DATASET}/dt=2026-11-21/datapackage.json"))
    assert descriptor == published.descriptor
    assert descriptor["job"] == "тест"
    for resource in descriptor["resources"]:
        data = bucket.read(f"{DATASET}/dt=2026-11-21/{resource['path']}")
        assert resource["path"].startswith(f"v={published.version}/")
        assert (resource["bytes"], resource["hash"]) == (
            len(data),
            f"sha256:{hashlib.sha256(data).hexdigest()}",
        )
    assert bucket.keys() == [
        f"{DATASET}/dt=2026-11-21/datapackage.json",
        f"{DATASET}/dt=2026-11-21/v={published.version}/orders.csv",
        f"{DATASET}/dt=2026-11-21/v={published.version}/report.json",
        f"{DATASET}/latest.json",
    ]
    assert latest(bucket) == "2026-11-21"
    assert storage.days("demo_set") == [DAY]
    assert storage.last("demo_set", upto=DAY).version == published.version
    assert storage.last("demo_set", upto=DAY - timedelta(days=1)) is None


def test_the_layout_is_that_of_a_folder(storage, bucket, tmp_path):
    publish(storage)
    publish(open_storage(str(tmp_path)))
    day = tmp_path / "demo_set" / f"dt={DAY}"
    in_folder = {path.relative_to(tmp_path) for path in day.rglob("*") if path.is_file()}
    shape = {str(path).replace(str(path.parts[-2]), "v") for path in in_folder if "current" not in path.parts}
    keys = {key.removeprefix("daily/") for key in bucket.keys(f"{DATASET}/dt={DAY}")}
    assert {key.replace(key.split("/")[-2], "v") for key in keys} == shape


def test_unchanged_data_is_not_uploaded(storage, bucket, proxy):
    storage = open_storage(f"{bucket.url}/daily")
    first = publish(storage)
    proxy.forget()
    again = publish(storage, run="2")
    assert (again.changed, again.version) == (False, first.version)
    assert {request.method for request in proxy.seen} == {"GET"}


@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_a_version_that_lost_a_file_is_published_again(storage, bucket, damage):
    published = publish(storage)
    key = (published.folder / "orders.csv").key
    bucket.delete(key) if damage == "lost" else bucket.write(key, b"id\n")
    assert publish(storage).changed
    assert verify(f"{bucket.url}/{DATASET}").ok


def test_a_backfill_leaves_latest_where_it_is(storage, bucket):
    publish(storage)
    publish(storage, day=DAY - timedelta(days=30))
    assert latest(bucket) == "2026-11-21"
    publish(storage, day=DAY + timedelta(days=1))
    assert latest(bucket) == "2026-11-22"


def test_pruning_versions_keeps_the_newest_and_always_the_current(storage, bucket):
    published = [publish(storage, f"id\n{number}\n").version for number in range(4)]
    publication = storage.publication("demo_set", DAY)
    assert publication.prune(3) == published[:1]
    assert publication.prune(1) == published[1:3]
    assert publication.prune(1) == []
    assert verify(f"{bucket.url}/{DATASET}").ok
    assert len([key for key in bucket.keys(DATASET) if "/v=" in key]) == 2
    with pytest.raises(UsageError, match="at least one"):
        publication.prune(0)


def test_a_damaged_package_is_told_and_the_next_publication_replaces_it(storage, bucket):
    first = publish(storage)
    bucket.write(first.package.key, b'{"resources": [')
    with pytest.raises(DataRefused, match=r"s3://.*datapackage\.json cannot be used: it is not JSON"):
        storage.publication("demo_set", DAY).current()
    assert publish(storage).version > first.version
    assert verify(f"{bucket.url}/{DATASET}").ok


def test_what_a_killed_run_left_is_removed_by_a_run_of_another_day(storage, bucket):
    published = publish(storage)
    for day, version in ((DAY, "20261121T235959Z"), (DAY - timedelta(days=1), "20261120T235959Z")):
        bucket.write(f"{DATASET}/.uploading/dt={day}/v={version}", b"note")
        bucket.write(f"{DATASET}/dt={day}/v={version}/orders.csv", b"id\n")
    # Its package was put, and it was killed before it removed the note.
    bucket.write(f"{DATASET}/.uploading/dt={DAY}/v={published.version}", b"note")
    assert verify(f"{bucket.url}/{DATASET}").packages == 1
    publish(storage, day=DAY + timedelta(days=1))
    assert verify(f"{bucket.url}/{DATASET}").ok
    assert below(bucket) == {"dt=2026-11-21", "dt=2026-11-22", "latest.json"}
    assert [key for key in bucket.keys(DATASET) if "T235959Z" in key] == []


def test_no_version_is_removed_because_a_package_was_lost(storage, bucket):
    published = publish(storage)
    bucket.delete(published.package.key)
    publish(storage, day=DAY + timedelta(days=1))
    assert bucket.read((published.folder / "orders.csv").key)
    report = verify(f"{bucket.url}/{DATASET}")
    assert "dt=2026-11-21/datapackage.json: no package can be read there" in str(report)


def test_a_run_that_no_lock_kept_away_does_not_publish_a_torn_set(storage, bucket, monkeypatch):
    """The other run takes the files that are being uploaded for those of a killed one."""
    now = datetime.now(UTC)
    first = publish(storage)
    other = open_storage(f"{bucket.url}/daily")
    with storage.publication("demo_set", DAY).stage() as stage:
        for name in ("a.csv", "b.csv"):
            (stage.folder / name).write_text("id\n2\n")
            stage.add(name)
        uploaded = storage.root.bucket.upload

        def upload(key, source):
            uploaded(key, source)
            monkeypatch.setattr(versions, "_now", lambda: now + timedelta(minutes=1))
            publish(other, "id\n3\n")

        storage.root.bucket.upload = upload
        with pytest.raises(TransientError, match="is another run publishing this dataset"):
            stage.publish()
    assert storage.publication("demo_set", DAY).current().version > first.version
    assert verify(f"{bucket.url}/{DATASET}").ok


def test_days_are_pruned_and_the_rest_is_whole(storage, bucket):
    days = [DAY - timedelta(days=number) for number in range(5)]
    for day in days:
        publish(storage, day=day)
    url = f"{bucket.url}/{DATASET}"
    assert prune_days(url, keep=3) == days[3:]
    assert prune_days(url, keep=3) == []
    assert verify(url).packages == 3
    assert latest(bucket) == str(DAY)
    # A prune that was killed after the package leaves files that nothing describes.
    bucket.delete(f"{DATASET}/dt={days[2]}/datapackage.json")
    assert prune_days(url, keep=2) == [days[2]]
    assert below(bucket) == {f"dt={days[0]}", f"dt={days[1]}", "latest.json"}


def test_the_newest_day_tells_how_fresh_a_dataset_is(storage, bucket):
    publish(storage)
    url = f"{bucket.url}/{DATASET}"
    found = freshness(url, max_age=timedelta(hours=26), now=datetime(2026, 11, 22, 18, 30, tzinfo=UTC))
    assert (found.day, found.age, found.ok) == (DAY, timedelta(hours=25, minutes=30), True)
    assert str(found) == f"{url}/dt=2026-11-21/datapackage.json: fresh, 25 h 30 min old (at most 26 h 00 min)"
    with pytest.raises(DataRefused, match="nothing is published"):
        freshness(f"{bucket.url}/other", max_age=timedelta(hours=26))


@pytest.mark.parametrize("look", [verify, lambda url: prune_days(url, keep=1)])
def test_a_root_of_datasets_is_not_taken_for_one(storage, bucket, look):
    publish(storage)
    for root in (f"{bucket.url}/daily", f"{bucket.url}/daily/"):
        with pytest.raises(
            UsageError, match="is a root of datasets, and none itself: name one, such as s3://"
        ):
            look(root)


@pytest.mark.parametrize("place", ["package", "day", "dataset"])
def test_damage_is_found_from_a_package_its_day_and_its_dataset(storage, bucket, place):
    published = publish(storage)
    url = {
        "package": str(published.package),
        "day": str(published.package.parent),
        "dataset": f"{bucket.url}/{DATASET}",
    }[place]
    assert (verify(url).ok, verify(url).files, verify(url).rows) == (True, 2, 1)
    bucket.write((published.folder / "orders.csv").key, b"id\n2\n")
    bucket.write((published.folder / "extra.csv").key, b"id\n2\n")
    report = str(verify(url))
    assert "orders.csv has checksum sha256:" in report
    assert "extra.csv is not described" in report
    assert f"{url}: problems: 2 (packages: 1, files: 2" in report


def test_compressed_tables_are_counted(storage, bucket):
    with storage.publication("demo_set", DAY).stage() as stage:
        (stage.folder / "one.csv.gz").write_bytes(gzip.compress(b"id\n1\n2\n"))
        (stage.folder / "other.csv.zst").write_bytes(zstandard.compress(b"id\n1\n2\n3\n"))
        stage.add("one.csv.gz")
        stage.add("other.csv.zst")
        published = stage.publish()
    assert [item["rows"] for item in published.descriptor["resources"]] == [2, 3]
    assert verify(f"{bucket.url}/{DATASET}").rows == 5
