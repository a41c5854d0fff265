"""The clock of the exporting machine is set back between two exports: their order stays.

For publications alone see tests/unit/test_extracts_publication.py; which day is exported the database's clock
says, see test_export_days.py.
"""

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from tests.faults.reading import Folder, package_of, rows_of
from tests.integration.exports import DAY

SET = "logistics"
# The command, on a machine whose clock is so many days behind.
BEHIND = """
import sys
from datetime import datetime, timedelta

from extracts import package, versions
from pipelines.exports import main


class Behind(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) - timedelta(days=days)


days = int(sys.argv.pop(1))
versions.datetime = package.datetime = Behind
sys.exit(main())
"""


@pytest.fixture(params=["folder", "bucket"])
def place(request, carrier):
    return Folder(carrier.root) if request.param == "folder" else request.getfixturevalue("bucket")


def export(carrier, place, day, *, behind):
    words = ["export", SET, "--sql", str(carrier.queries), "--to", place.url, "--date", str(day)]
    done = subprocess.run(
        [sys.executable, "-c", BEHIND, str(behind), *words, "--lookback", "0", "--allow-empty", "shipments"],
        env={**os.environ, "EXTRACTS_DSN": carrier.dsn},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return package_of(place, SET, day)


def latest(place):
    return date.fromisoformat(json.loads(place.read(f"{SET}/latest.json"))["day"])


def test_versions_and_the_latest_day_ascend_although_the_clock_goes_back(carrier, place):
    versions = []
    for number, behind in enumerate([0, 400, 1, 30]):
        carrier.sql(f"UPDATE shipments SET status = 'status {number}'")
        package = export(carrier, place, DAY, behind=behind)
        versions.append(package["version"])
        rows = rows_of(place, package, SET, DAY)["shipments"]
        # Neither removed as one that a killed run left, nor as an old one.
        assert {row["status"] for row in rows} == {f"status {number}"}
        assert latest(place) == DAY
    assert versions == sorted(set(versions))
    # Another day has versions of its own: earlier ones than the first day's, and still it is the latest.
    following = DAY + timedelta(days=1)
    assert export(carrier, place, following, behind=400)["version"] < versions[0]
    assert latest(place) == following
    export(carrier, place, DAY, behind=0)
    assert latest(place) == following
