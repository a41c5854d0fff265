"""Which URLs name a storage, what is said of the others, and what a folder pays for buckets."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from extracts.errors import UsageError
from extracts.publication import Publication
from extracts.storage import locate, of_dataset, open_storage

DAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("published", "published"),
        ("/data/sets", "/data/sets"),
        ("file:///data/my%20sets", "/data/my sets"),
        ("file://localhost/data", "/data"),
    ],
)
def test_a_folder_is_named_by_its_path_or_a_file_url(url, path):
    assert locate(url) == Path(path)
    assert open_storage(url).url == path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("s3://bucket//a", "s3://bucket/a"),
    ],
)
def test_a_bucket_is_named_with_or_without_a_prefix(url, shown):
    assert open_storage(url).url == shown


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "no place to publish in"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://bucket/../other", "names no bucket"),
        ("s3://key:secret@bucket/prefix", "set the keys as variables"),
        ("s3://bucket/prefix?versionId=1", "names no bucket"),
        ("http://bucket/prefix", "no such kind of storage"),
        ("S4://bucket", "no such kind of storage"),
        ("file://server/share", "no such kind of storage"),
    ],
)
def test_what_names_no_storage_is_refused(url, problem):
    with pytest.raises(UsageError, match=problem):
        open_storage(url)


def test_a_secret_in_a_url_is_not_repeated():
    with pytest.raises(UsageError) as refused:
        open_storage("s3://key:secret@bucket/prefix")
    assert "secret" not in str(refused.value)


def test_an_own_server_without_keys_is_refused_at_once(monkeypatch):
    """Else the keys are looked for at a cloud's machine, which is not there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(UsageError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_storage("s3://bucket")


def test_a_missing_folder_is_told_before_anything_is_read(tmp_path):
    open_storage(str(tmp_path)).check()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match=r"no folder .* create it, or mount its volume"):
        open_storage(str(tmp_path / "absent")).check()
    assert open_storage(str(tmp_path)).free_bytes() > 0
    assert open_storage(str(tmp_path / "absent")).free_bytes() is None


def test_a_folder_publishes_through_the_interface(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    with storage.publication("demo_set", DAY).stage() as stage:
        (stage.folder / "orders.csv").write_text("id\n1\n")
        stage.add("orders.csv", rows=1)
        published = stage.publish()
    assert (published.changed, storage.days("demo_set")) == (True, [DAY])
    assert storage.last("demo_set", upto=DAY).version == published.version
    assert str(published.package) == str(tmp_path / "demo_set" / "dt=2026-11-21" / "datapackage.json")


def test_a_dataset_is_told_from_a_root_of_datasets(tmp_path, monkeypatch):
    root = tmp_path / "published"
    root.mkdir()
    with Publication(root, "demo_set", DAY).stage() as stage:
        (stage.folder / "orders.csv").write_text("id\n1\n")
        stage.add("orders.csv")
        stage.publish()
    monkeypatch.chdir(root / "demo_set")
    for url in (root / "demo_set", f"{root}/demo_set/", "../demo_set"):
        storage, name = of_dataset(url)
        assert (storage.days(name), name) == ([DAY], "demo_set")
    with pytest.raises(
        UsageError, match=r"is a root of datasets, and none itself: name one, such as .*demo_set"
    ):
        of_dataset(root)


def test_a_folder_does_not_load_what_only_buckets_need(tmp_path):
    program = (
        "import sys; from extracts import freshness, retention, storage, verify; "
        f"storage.open_storage({str(tmp_path)!r}).check(); "
        "assert 'obstore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
