"""Which days are removed, what readers see meanwhile, and what a killed prune leaves, in a folder."""

import json
import os
import shutil
from datetime import date, timedelta

import pytest

from extracts.errors import DataRefused, TransientError, UsageError
from extracts.publication import Publication
from extracts.retention import prune_days
from extracts.verify import verify
from tests.faults.killing import killed_at

DAYS = [date(2026, 11, 21) - timedelta(days=number) for number in range(5)]


def publish(root, day):
    with Publication(root, "demo_set", day).stage() as stage:
        (stage.folder / "orders.csv").write_text(f"id\n{day:%d}\n")
        stage.add("orders.csv")
        return stage.publish()


@pytest.fixture
def dataset(tmp_path):
    for day in DAYS:
        publish(tmp_path, day)
    return tmp_path / "demo_set"


def days(dataset):
    return sorted((path.name[3:] for path in dataset.glob("dt=*")), reverse=True)


@pytest.mark.parametrize("keep", [1, 3, 4])
def test_the_newest_days_are_kept(dataset, keep):
    assert prune_days(dataset, keep=keep) == DAYS[keep:]
    assert days(dataset) == list(map(str, DAYS[:keep]))
    assert prune_days(str(dataset), keep=keep) == []
    assert verify(dataset).ok
    assert sorted(path.name for path in dataset.iterdir() if not path.name.startswith("dt=")) == [
        ".lock",
        "latest.json",
    ]


@pytest.mark.parametrize("keep", [5, 30])
def test_fewer_days_than_to_keep_all_stay(dataset, keep):
    assert prune_days(dataset, keep=keep) == []
    assert len(days(dataset)) == 5


def test_days_without_a_readable_package_are_not_counted(dataset):
    (dataset / f"dt={DAYS[0]}" / "datapackage.json").write_text("{")
    (dataset / f"dt={DAYS[1]}" / "datapackage.json").unlink()
    assert prune_days(dataset, keep=2) == DAYS[4:]
    assert json.loads((dataset / "latest.json").read_bytes())["day"] == str(DAYS[2])


def test_nothing_goes_when_no_package_can_be_read(dataset):
    for day in dataset.glob("dt=*"):
        (day / "datapackage.json").write_text("{")
    assert prune_days(dataset, keep=1) == []
    assert len(days(dataset)) == 5


def test_a_run_that_publishes_is_not_disturbed(dataset):
    with (
        Publication(dataset.parent, "demo_set", DAYS[0]).stage(),
        pytest.raises(TransientError, match=f"in use by process {os.getpid()}"),
    ):
        prune_days(dataset, keep=1)
    assert len(days(dataset)) == 5


def test_what_cannot_be_meant_is_refused(dataset):
    with pytest.raises(UsageError, match="at least one day"):
        prune_days(dataset, keep=0)
    with pytest.raises(UsageError, match="is a root of datasets"):
        prune_days(dataset.parent, keep=1)
    with pytest.raises(DataRefused, match="nothing is published in"):
        prune_days(dataset.parent / "demo_sett", keep=1)
    assert not (dataset.parent / "demo_sett").exists()


def test_a_kill_at_any_step_leaves_whole_days_and_is_put_right(tmp_path, dataset):
    for moment in range(1000):
        root = tmp_path / f"killed-{moment}"
        root.mkdir()
        shutil.copytree(dataset, root / "demo_set", symlinks=True)
        was_killed = killed_at(moment, lambda root=root: prune_days(root / "demo_set", keep=2))
        report = verify(root / "demo_set")
        assert report.ok, str(report)
        assert days(root / "demo_set")[:2] == list(map(str, DAYS[:2]))
        prune_days(root / "demo_set", keep=2)
        assert days(root / "demo_set") == list(map(str, DAYS[:2]))
        assert not list((root / "demo_set").glob(".staging-*"))
        shutil.rmtree(root)
        if not was_killed:
            break
    assert not was_killed
    assert moment > 20
