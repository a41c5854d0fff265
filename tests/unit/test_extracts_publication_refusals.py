"""What a publication refuses, and which errors of the storage may pass on a retry."""

import errno
import os
import tempfile
from datetime import date
from pathlib import Path

import pytest

from extracts.errors import TransientError, UsageError
from extracts.publication import Publication
from extracts.verify import verify

DAY = date(2026, 11, 21)


def publish(root, text="id\n1\n", **properties):
    with Publication(root, "demo_set", DAY).stage() as stage:
        (stage.folder / "orders.csv").write_text(text)
        stage.add("orders.csv")
        return stage.publish(properties=properties)


@pytest.mark.parametrize(
    "name",
    ["../orders.csv", "a/b.csv", "a\\b.csv", "/orders.csv", "..", ".", "", ".hidden", "a b.csv", "a\n.csv"],
)
def test_names_that_could_leave_the_folder_are_refused(tmp_path, name):
    with (
        Publication(tmp_path, "demo_set", DAY).stage() as stage,
        pytest.raises(UsageError, match="cannot be"),
    ):
        stage.add(name)


@pytest.mark.parametrize("dataset", ["../x", "a/b", "", ".lock", "Orders", "имя"])
def test_datasets_have_plain_names(tmp_path, dataset):
    with pytest.raises(UsageError, match="is no name"):
        Publication(tmp_path, dataset, DAY)


def test_files_and_descriptions_must_agree(tmp_path):
    with Publication(tmp_path, "demo_set", DAY).stage() as stage:
        with pytest.raises(UsageError, match="nothing to publish"):
            stage.publish()
        stage.add("orders.csv")
        with pytest.raises(UsageError, match=r"not a file in .*: orders\.csv"):
            stage.publish()
        (stage.folder / "orders.csv").symlink_to("/etc/hostname")
        with pytest.raises(UsageError, match=r"not a file in .*: orders\.csv"):
            stage.publish()
        (stage.folder / "orders.csv").unlink()
        (stage.folder / "orders.csv").write_text("id\n")
        (stage.folder / "notes.txt").write_text("?")
        with pytest.raises(UsageError, match=r"not described: notes\.txt"):
            stage.publish()
        with pytest.raises(UsageError, match="in the set already"):
            stage.add("ORDERS.csv")
        with pytest.raises(UsageError, match="in the set already"):
            stage.add("orders.csv.gz")


def test_a_table_without_a_header_is_refused(tmp_path):
    with pytest.raises(UsageError, match="empty"):
        publish(tmp_path, "")
    assert Publication(tmp_path, "demo_set", DAY).current() is None


@pytest.mark.parametrize(
    "properties", [{"resources": []}, {"window": {}}, {"x": object()}, {"x": float("nan")}]
)
def test_properties_cannot_break_the_package(tmp_path, properties):
    with pytest.raises(UsageError):
        publish(tmp_path, **properties)


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no folder .*absent to publish in"):
        publish(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"no folder .*file to publish in"):
        publish(tmp_path / "file")


def test_a_root_without_the_right_to_write_is_named():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        child = os.fork()
        if child == 0:
            answer = 1
            try:
                if os.geteuid() == 0:
                    os.setuid(65534)
                publish(Path(folder))
            except UsageError as error:
                answer = 0 if "this user may not do that there" in str(error) else 2
            finally:
                os._exit(answer)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("call", ["fsync", "write", "mkdir", "rename", "replace", "symlink"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_simulated_storage_errors_pass_on_a_retry(tmp_path, monkeypatch, call, code):
    """Not a full disk but system calls that say so, each time a later one."""
    publish(tmp_path)
    real = getattr(os, call)
    outcomes = []
    for nth in range(1, 40):
        count = iter(range(1, 1000))

        def failing(*args, nth=nth, count=count, **kwargs):
            if next(count) == nth:
                raise OSError(code, os.strerror(code))
            return real(*args, **kwargs)

        monkeypatch.setattr(os, call, failing)
        try:
            outcomes.append(publish(tmp_path, f"id\n{nth}\n").changed)
        except TransientError as error:
            outcomes.append(str(error))
        monkeypatch.setattr(os, call, real)
        report = verify(tmp_path / "demo_set")
        assert report.ok, str(report)
        assert publish(tmp_path, f"id\n{nth}\n").version
        assert verify(tmp_path / "demo_set").ok
        if outcomes[-1] is True:
            break
    assert outcomes[-1] is True
    assert len(outcomes) > 1
