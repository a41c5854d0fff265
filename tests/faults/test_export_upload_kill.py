"""An export is killed while a file goes up in parts: readers have the old set, and the next export passes.

The parts themselves stay in the bucket, hidden, until its lifecycle rule removes them (see
`extracts.storage.buckets`).
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.faults.reading import package_of, rows_of
from tests.integration.exports import DAY, TABLES, Carrier
from tests.integration.sql import execute

SET = "logistics"


def uploads(bucket):
    """The uploads in parts that were begun and not ended, as the server keeps them."""
    request = urllib.request.Request(f"{bucket.files}/.uploads/", headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {entry["FullPath"] for entry in json.load(answer)["Entries"] or []}
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:
            return set()
        raise


@pytest.mark.parametrize("when", ["before a part arrives", "when all parts are there"])
def test_a_kill_in_the_middle_of_an_upload_in_parts_leaves_the_old_set(
    when, database, bucket, proxy, tmp_path
):
    execute(database, TABLES)
    carrier = Carrier(database, tmp_path)
    carrier.query("drivers", "SELECT id, repeat('x', 100000) AS note, name FROM drivers ORDER BY id")
    carrier.sql("INSERT INTO drivers SELECT n, 'driver' FROM generate_series(3, 200) AS n")
    words = ["export", SET, "--sql", str(carrier.queries), "--to", bucket.url, "--date", str(DAY)]
    words += ["--lookback", "0", "--compression", "none"]
    assert carrier.command(*words).returncode == 0
    # Twenty megabytes are three parts, and no upload is left open by one that ends well.
    parts = [request for request in proxy.seen if "partNumber=" in request.path]
    assert len(parts) == 3
    assert uploads(bucket) == set()
    old = package_of(bucket, SET, DAY)["version"]

    carrier.sql("UPDATE drivers SET name = 'changed'")
    export = subprocess.Popen(
        [sys.executable, "-m", "pipelines.exports", *words],
        env={**os.environ, "EXTRACTS_DSN": carrier.dsn},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )

    def kill(request):
        last = "uploadId=" in request.path and "partNumber=" not in request.path
        if last if when == "when all parts are there" else "partNumber=2" in request.path:
            os.killpg(export.pid, signal.SIGKILL)
            return False
        return True

    proxy.before = kill
    assert export.wait(60) == -signal.SIGKILL
    proxy.forget()
    left = uploads(bucket)
    assert len(left) == 1
    package = package_of(bucket, SET, DAY)
    assert package["version"] == old
    assert {row["name"] for row in rows_of(bucket, package, SET, DAY)["drivers"]} > {"driver"}

    done = carrier.command(*words)
    assert done.returncode == 0, done.stderr
    package = package_of(bucket, SET, DAY)
    assert package["version"] > old
    assert {row["name"] for row in rows_of(bucket, package, SET, DAY)["drivers"]} == {"changed"}
    files = {
        f"v={version}/{item['path'].split('/')[1]}"
        for version in (old, package["version"])
        for item in package["resources"]
    }
    names = {f"{SET}/dt={DAY}/{name}" for name in files | {"datapackage.json"}}
    assert set(bucket.keys()) == names | {f"{SET}/latest.json"}
    assert uploads(bucket) == left
