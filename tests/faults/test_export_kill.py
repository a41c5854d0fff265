"""The whole export, killed at random moments of its run: a reader finds a whole set of one instant.

The command is the real one, a process with readers of its own, on a real PostgreSQL. The reader knows the
standard only, and looks at a bucket past S3, by the file server behind it.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.killed_exports import Exports, kill_many
from tests.faults.reading import Below, Folder, Place
from tests.s3_server import Bucket

KILLS = 250
SEED = 2026
# Of roots and of sets, which have nothing in common but the two servers: two processors have work.
AT_ONCE = 2


@pytest.fixture(params=["bucket", "folder"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> list[Place]:
    """A root for each set."""
    if request.param == "bucket":
        bucket: Bucket = request.getfixturevalue("bucket")
        return [Below(bucket, f"root_{number}") for number in range(AT_ONCE)]
    roots = [tmp_path / f"root_{number}" for number in range(AT_ONCE)]
    for root in roots:
        root.mkdir()
    return [Folder(root) for root in roots]


def test_exports_that_die_at_random_moments_leave_whole_sets(places, database, tmp_path):
    """In each of the phases, and with and without their readers; then one publishes, and nothing is left."""
    several = [
        Exports(database, f"set_{number}", place, tmp_path / f"set_{number}")
        for number, place in enumerate(places)
    ]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        killing = [
            threads.submit(kill_many, exports, KILLS // AT_ONCE, SEED + number)
            for number, exports in enumerate(several)
        ]
        for done in killing:
            done.result()
    for exports in several:
        exports.close()
    counts = sum((exports.counts for exports in several), Counter())
    print("kills before, between and after the steps of a publication:", dict(counts))
    assert counts.total() == KILLS
    # Or the moments were not spread over the whole run, and prove little.
    assert counts.keys() == {"before", "between", "after"}
