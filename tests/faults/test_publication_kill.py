"""A publishing process is killed at every one of its steps; a reader sees the old set or the new one.

It is killed before and after its n-th system call, and that is repeated for every n until a run ends by
itself. What is not synced survives a kill, so there syncing is only counted; that it happens, and in which
order, is a test of its own.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from extracts.publication import Publication
from tests.faults.killing import exit_code, in_a_process, killed_at
from tests.faults.reading import DATASET, DAY, read

NEXT_DAY = date(2026, 11, 22)
OLD, NEW, LATER = "old", "new", "later"


def publish(root: Path, content: str, day: date = DAY) -> None:
    """Publish two files that belong together, as a job does, through calls that can be counted."""
    with Publication(root, DATASET, day).stage() as stage:
        for name in ("first.csv", "second.csv"):
            descriptor = os.open(stage.folder / name, os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(descriptor, f"of\n{content}\n".encode())
            os.close(descriptor)
            stage.add(name)
        stage.publish()


def read_while_replaced(root: Path) -> str:
    """As `read`; where a file is gone, the package must have changed since, and is read again."""
    package = root / DATASET / f"dt={DAY}" / "datapackage.json"
    while True:
        before = package.read_bytes()
        try:
            return read(root) or ""
        except FileNotFoundError:
            assert package.read_bytes() != before


def nothing(root: Path) -> None:
    pass


def old(root: Path) -> None:
    publish(root, OLD)


def old_and_remains(root: Path) -> None:
    """An old set, and everything that a killed publisher can leave behind, in two days."""
    old(root)
    shutil.copytree(root / DATASET / f"dt={DAY}" / "current", root / DATASET / ".staging-0badc0de")
    for day in (DAY, NEXT_DAY):
        orphan = root / DATASET / f"dt={day}" / "v=20991231T235959Z"
        orphan.mkdir(parents=True)
        (orphan / "first.csv").write_text("of\nnobody\n")
        (orphan.parent / ".datapackage.json.tmp").write_text("{")
    (root / DATASET / f"dt={DAY}" / ".current.tmp").symlink_to(orphan.name)
    (root / DATASET / ".latest.json.tmp").touch()


def publish_and_prune(root: Path) -> None:
    publish(root, NEW)
    Publication(root, DATASET, DAY).prune(1)


SCENARIOS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None], set[str | None]]] = {
    "the first set": (nothing, lambda root: publish(root, NEW), {None, NEW}),
    "a new set of a day": (old, lambda root: publish(root, NEW), {OLD, NEW}),
    "a set that did not change": (old, old, {OLD}),
    "a new day": (old, lambda root: publish(root, NEW, NEXT_DAY), {OLD}),
    "a new set over remains": (old_and_remains, lambda root: publish(root, NEW), {OLD, NEW}),
    "a new set, then pruning": (old, publish_and_prune, {OLD, NEW}),
}


@pytest.fixture
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.mark.usefixtures("_unsynced")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_step_leaves_the_old_set_or_the_new_one(tmp_path, scenario):
    prepare, work, outcomes = SCENARIOS[scenario]
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    prepare(prepared)
    seen = set()
    for moment in range(1000):
        root = tmp_path / f"killed-{moment}"
        shutil.copytree(prepared, root, symlinks=True)
        was_killed = killed_at(moment, lambda root=root: work(root))
        seen.add(read(root))
        assert_latest_is_sound(root)
        publish(root, LATER)
        assert read(root) == LATER
        assert_all_is_tidy(root)
        shutil.rmtree(root)
        if not was_killed:
            break
    assert not was_killed
    assert moment > 20, "the steps were not seen: does the publication bypass the wrapped calls?"
    assert seen == outcomes


def assert_latest_is_sound(root: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        latest = json.loads((root / DATASET / "latest.json").read_bytes())
        assert read(root, date.fromisoformat(latest["day"])) is not None


def assert_all_is_tidy(root: Path) -> None:
    dataset = root / DATASET
    days = sorted(path.name for path in dataset.glob("dt=*") if (path / "datapackage.json").exists())
    leftovers = {path.name for path in dataset.iterdir()} - {".lock", "latest.json"}
    assert {name for name in leftovers if not name.startswith("dt=")} == set()
    assert json.loads((dataset / "latest.json").read_bytes())["day"] == days[-1][3:]
    for day in dataset.glob("dt=*"):
        versions = sorted(path.name for path in day.glob("v=*"))
        others = {path.name for path in day.iterdir()} - set(versions)
        if day.name not in days:
            assert (versions, others) == ([], set())
            continue
        assert others == {"datapackage.json", "current"}
        version = json.loads((day / "datapackage.json").read_bytes())["version"]
        assert f"v={version}" == versions[-1] == str((day / "current").readlink())
        # Only what was described once is kept, and every such version is whole.
        for folder in versions:
            assert {path.name for path in (day / folder).iterdir()} <= {"first.csv", "second.csv"}
        assert "v=20991231T235959Z" not in versions


@pytest.mark.usefixtures("_unsynced")
def test_a_reader_is_never_disturbed_by_publishers_that_die_at_random(tmp_path):
    """Version after version, old ones pruned, publishers killed at random moments from outside."""
    publish(tmp_path, "0")
    chance = random.Random(2026)
    readings = [0]

    def publish_many(first: int) -> None:
        for number in range(first, first + 100_000):
            publish(tmp_path, str(number))
            Publication(tmp_path, DATASET, DAY).prune(2)

    for generation in range(1, 31):
        child = in_a_process(lambda generation=generation: publish_many(generation * 100_000))
        enough = generation * 100_000 + chance.randrange(5)
        while readings[-1] < enough:
            readings.append(int(read_while_replaced(tmp_path)))
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the publisher failed"
        time.sleep(chance.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        assert exit_code(child) == -signal.SIGKILL
        readings.append(int(read(tmp_path) or -1))
    assert readings == sorted(readings)
    publish(tmp_path, "last")
    assert_all_is_tidy(tmp_path)


def test_every_step_is_on_the_disk_before_the_next(tmp_path, monkeypatch):
    """The order that a power cut needs: nothing is named before what it names is safe."""
    publish(tmp_path, OLD)
    trace: list[str] = []

    def traced(name: str) -> None:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            answer = real(*args, **kwargs)
            path = str(Path(f"/proc/self/fd/{args[0]}").readlink() if name == "fsync" else args[-1])
            if "/" in path and path.startswith(str(tmp_path)):
                place = path.removeprefix(f"{tmp_path}/{DATASET}").lstrip("/") or "dataset"
                trace.append(f"{name} {staged(place)}")
            return answer

        monkeypatch.setattr(os, name, call)

    def staged(place: str) -> str:
        parts = ["stage" if part.startswith(".staging-") else part for part in place.split("/")]
        return "/".join("v" if part.startswith("v=") else part for part in parts)

    for name in ("fsync", "rename", "replace"):
        traced(name)
    publish(tmp_path, NEW, NEXT_DAY)
    assert trace == [
        "fsync dataset",
        "fsync stage/first.csv",
        "fsync stage/second.csv",
        "fsync stage",
        "fsync dataset",
        "rename dt=2026-11-22/v",
        "fsync dt=2026-11-22",
        "fsync dataset",
        "fsync dt=2026-11-22/.datapackage.json.tmp",
        "replace dt=2026-11-22/datapackage.json",
        "fsync dt=2026-11-22",
        "fsync dt=2026-11-22",
        "replace dt=2026-11-22/current",
        "fsync dt=2026-11-22",
        "fsync .latest.json.tmp",
        "replace latest.json",
        "fsync dataset",
    ]
