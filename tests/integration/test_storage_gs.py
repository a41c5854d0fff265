"""Publishing in a bucket of Google Cloud Storage, with its client and a server that is not Google's.

What stands in is SeaweedFS: the client speaks Google's XML API, which is S3's but for how requests are
signed. So a proxy takes the token away, and the server lets the unsigned request into an open bucket. What
this proves is the requests, the layout and the errors; not Google's tokens, and not Google's own servers.
"""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from extracts.errors import TransientError, UsageError
from extracts.freshness import freshness
from extracts.retention import prune_days
from extracts.storage import objects, open_storage
from extracts.verify import verify
from extracts.window import business_day
from tests.faulty_proxy import faulty_proxy
from tests.s3_server import OPEN

DAY = date(2026, 11, 21)
MEGABYTE = 1 << 20


@pytest.fixture
def google(s3_server, monkeypatch):
    with faulty_proxy(s3_server.port, dropped=frozenset({"authorization"})) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.endpoint)
        monkeypatch.setattr(objects, "PATIENCE", timedelta(seconds=1))
        yield proxy


@pytest.fixture
def bucket(s3_server, google):
    return s3_server.new_bucket(OPEN)


@pytest.fixture
def storage(bucket):
    return open_storage(f"gs://{bucket.name}/daily")


def publish(storage, text="id\n1\n", day=DAY):
    with storage.publication("demo_set", day).stage() as stage:
        (stage.folder / "orders.csv").write_text(text)
        stage.add("orders.csv")
        return stage.publish(window=business_day(day))


def test_a_set_is_published_read_checked_and_pruned(storage, bucket):
    storage.check()
    days = [DAY, DAY - timedelta(days=1)]
    for day in days:
        assert publish(storage, day=day).changed
    assert not publish(storage).changed
    second = publish(storage, "id\n2\n")
    assert storage.publication("demo_set", DAY).prune(1)
    url = f"gs://{bucket.name}/daily/demo_set"
    assert str(second.package) == f"{url}/dt=2026-11-21/datapackage.json"
    assert (verify(url).ok, verify(url).packages, verify(url).rows) == (True, 2, 2)
    assert storage.days("demo_set") == days
    found = freshness(url, max_age=timedelta(hours=26), now=datetime(2026, 11, 22, tzinfo=UTC))
    assert (found.day, found.ok) == (DAY, True)
    assert prune_days(url, keep=1) == days[1:]
    assert json.loads(bucket.read("daily/demo_set/latest.json"))["day"] == str(DAY)
    assert bucket.keys("daily") == [
        "daily/demo_set/dt=2026-11-21/datapackage.json",
        f"daily/demo_set/dt=2026-11-21/v={second.version}/orders.csv",
        "daily/demo_set/latest.json",
    ]


def test_a_large_file_is_uploaded_in_parts(storage, bucket, google):
    text = "id\n" + "1\n" * (10 * MEGABYTE)
    publish(storage, text)
    assert len({request.path for request in google.seen if "partNumber=" in request.path}) == 3
    assert verify(f"gs://{bucket.name}/daily/demo_set").rows == 10 * MEGABYTE


@pytest.mark.parametrize("fault", [503, 429, "cut request", "lost answer", "cut answer"])
def test_faults_pass(storage, bucket, google, fault):
    publish(storage)
    google.forget()
    google.rule = lambda request: fault if request.number % 3 == 0 else None
    assert publish(storage, "id\n2\n").changed
    google.forget()
    assert verify(f"gs://{bucket.name}/daily/demo_set").ok


def test_a_bucket_that_is_not_there_or_closed_is_told(s3_server, google):
    with pytest.raises(UsageError, match=r"gs://.*NoSuchBucket.*create the bucket"):
        open_storage(f"gs://{OPEN}nonesuch").check()
    with pytest.raises(UsageError, match=r"AccessDenied.*check GOOGLE_APPLICATION_CREDENTIALS"):
        open_storage(f"gs://{s3_server.new_bucket().name}").check()


def test_a_server_that_is_away_may_pass(storage, google):
    google.rule = lambda request: 503
    with pytest.raises(TransientError, match="storage error at gs://"):
        storage.check()


def test_credentials_that_cannot_be_read_are_told(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    (tmp_path / "key.json").write_text("{}")
    for name in ("absent.json", "key.json"):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / name))
        with pytest.raises(UsageError, match="gs://bucket cannot be used"):
            open_storage("gs://bucket")
