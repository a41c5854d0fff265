"""A publisher killed at random moments, and at each of its requests to a bucket: a reader finds a whole set.

The reader looks at the bucket past S3, by the file server behind it.
"""

import json
import random
import signal
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.faults.publishers import (
    ended,
    nothing,
    publish,
    publish_new,
    publish_old,
    publish_old_again,
    remove_day,
    start,
)
from tests.faults.reading import DATASET, DAY, Below, Folder, Place, read
from tests.faulty_proxy import FaultyProxy
from tests.s3_server import Bucket

KILLS = 250


@pytest.fixture(params=["bucket", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket | Folder:
    if request.param == "bucket":
        return request.getfixturevalue("bucket")
    root = tmp_path / "root"
    root.mkdir()
    return Folder(root)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def done(task: Callable[..., None], *arguments: object) -> None:
    assert ended(start(task, *arguments)) == 0


def assert_all_is_tidy(place: Place, work: Path, day: date = DAY) -> None:
    """Nothing but the current version, those before it that are whole, and what names them."""
    keys = place.keys()
    folder = f"{DATASET}/dt={day}"
    current = json.loads(place.read(f"{folder}/datapackage.json"))["version"]
    found = sorted({key.split("/")[2] for key in keys if key.startswith(f"{folder}/v=")})
    assert found[-1] == f"v={current}"
    assert len(found) <= 2
    expected = {f"{folder}/{version}/{name}.csv" for version in found for name in ("first", "second")}
    assert set(keys) == expected | {f"{folder}/datapackage.json", f"{DATASET}/latest.json"}
    assert json.loads(place.read(f"{DATASET}/latest.json"))["day"] == str(day)
    assert [path.name for path in work.iterdir() if not path.name.endswith(".lock")] == []


def test_publishers_that_die_at_random_moments_leave_whole_sets(place, work):
    """The moments are drawn over the time that publishing takes when nobody kills it."""
    chance = random.Random(2026)
    done(publish, place.url, work, "0")
    began = time.monotonic()
    for number in range(5):
        done(publish, place.url, work, f"warm-{number}")
    takes = (time.monotonic() - began) / 5
    done(publish, place.url, work, "0")
    seen, killed = [0], 0
    for number in range(1, 4 * KILLS):
        child = start(publish, place.url, work, str(number))
        time.sleep(chance.uniform(0, takes))
        child.kill()
        code = ended(child)
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        content = int(read(place) or -1)
        # Never an older set again; a server may serve a killed client's last request a moment later.
        assert seen[-1] <= content <= number
        seen.append(content)
        if killed == KILLS:
            break
    assert killed == KILLS
    # Kills came before the switch and after it, or the moments prove little.
    assert 1 < len(set(seen)) < len(seen)
    done(publish, place.url, work, "last")
    assert read(place) == "last"
    assert_all_is_tidy(place, work)


SCENARIOS = {
    "the first set": (nothing, publish_new, {None, "new"}),
    "a new set, then pruning": (publish_old, publish_new, {"old", "new"}),
    "a set that did not change": (publish_old, publish_old_again, {"old"}),
    "removing the day": (publish_old, remove_day, {"old", None}),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_request_leaves_the_old_set_or_the_new_one(
    s3_server, bucket: Bucket, proxy: FaultyProxy, work: Path, scenario: str
) -> None:
    """Before the server hears of the n-th request, and after it has done what it asks, for every n."""
    prepare, task, outcomes = SCENARIOS[scenario]
    seen = set()
    for moment in range(200):
        url = f"{bucket.url}/{moment}"
        proxy.forget()
        done(prepare, url, work)
        proxy.forget()
        child = start(task, url, work)

        def kill(request, child=child, nth=moment // 2 + 1):
            if request.number == nth:
                child.kill()
            return request.number < nth

        if moment % 2:
            proxy.after = kill
        else:
            proxy.before = kill
        code = ended(child)
        proxy.forget()
        assert code in (0, -signal.SIGKILL)
        there = Below(bucket, str(moment))
        seen.add(read(there))
        done(publish, url, work, "later")
        assert read(there) == "later"
        assert_all_is_tidy(there, work)
        if code == 0:
            break
    assert code == 0
    assert moment > 8
    assert seen == outcomes


def test_a_run_of_the_next_day_tidies_what_the_killed_one_left(bucket, proxy, work):
    proxy.before = lambda request: request.method != "PUT" or "datapackage" not in request.path
    # The package never arrives: the publisher gives up, as one that is killed there.
    child = start(publish, bucket.url, work, "lost")
    while not [
        request for request in proxy.seen if "datapackage" in request.path and request.method == "PUT"
    ]:
        time.sleep(0.01)
    child.kill()
    ended(child)
    proxy.forget()
    assert len([key for key in bucket.keys("") if "/v=" in key]) > 1
    done(publish, bucket.url, work, "next", DAY + timedelta(days=1))
    assert read(bucket) is None
    assert_all_is_tidy(bucket, work, DAY + timedelta(days=1))
