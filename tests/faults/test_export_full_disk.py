"""A disk that fills up during an export, in whatever it is writing then: readers keep the old set.

The rows are bigger than PostgreSQL expects, because it keeps them compressed: the check beforehand lets the
run begin, and the disk is full in the middle.
"""

import json
import os
import subprocess
import sys

import pytest

from extracts.verify import verify
from tests.faults.reading import package_of, rows_of
from tests.integration.exports import DAY
from tests.integration.sql import execute

SET = "logistics"
KILOBYTES = 8192
# 2.4 MB as a file, and a hundredth of that in the database.
TABLES = """
    CREATE TABLE shipments (id integer PRIMARY KEY, content integer, note text);
    INSERT INTO shipments SELECT n, 0, repeat('x', 20000) FROM generate_series(1, 100) AS n;
    CREATE TABLE notes (LIKE shipments);
    INSERT INTO notes SELECT n, 0, repeat('y', 20000) FROM generate_series(1, 20) AS n;
    ANALYZE;
"""
PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path

from tests.integration.sql import execute
from extracts.verify import verify

disk, to, queries, dsn = Path(sys.argv[1]), *sys.argv[2:]
command = [sys.executable, "-m", "pipelines.exports", "export", "logistics", "--sql", queries, "--to", to]
command += ["--date", "2026-11-20", "--lookback", "0", "--compression", "none", "--work", str(disk)]
command += ["--keep-versions", "1"]
ballast = disk / "ballast"
told = []


def export(content, room=None):
    execute(dsn, f"UPDATE shipments SET content = {content}; UPDATE notes SET content = {content}")
    if room is not None:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(bytes(max(0, free - room)))
    done = subprocess.run(command, env={**os.environ, "EXTRACTS_DSN": dsn}, capture_output=True, text=True)
    ballast.unlink(missing_ok=True)
    report = verify(f"{to}/logistics")
    assert report.ok, str(report)
    left = [path.name for path in disk.rglob("*") if path.name.startswith((".staging-", "extracts-work-"))]
    assert not left, left
    assert not [path for path in disk.rglob(".*.tmp")]
    return done


assert export(1).returncode == 0
for number, room in enumerate(range(2_700_000, -1, -100_000), 2):
    done = export(number, room)
    told.append((done.returncode, done.stderr))
done = export(100)
assert done.returncode == 0, done.stderr
print(json.dumps(told))
"""


@pytest.mark.parametrize("kind", ["the folder's disk", "the disk on which a bucket's set is staged"])
def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_set(
    kind, request, tmp_path, tmp_path_factory, database, on_a_small_disk
):
    bucket = None if kind == "the folder's disk" else request.getfixturevalue("bucket")
    execute(database, TABLES)
    queries = tmp_path_factory.mktemp("queries")
    for table in ("shipments", "notes"):
        (queries / f"{table}.sql").write_text(f"SELECT id, content, note FROM {table} ORDER BY id")
    to = bucket.url if bucket else str(tmp_path)
    run = subprocess.run(
        [
            *on_a_small_disk(KILOBYTES),
            sys.executable,
            "-c",
            PROGRAM,
            str(tmp_path),
            to,
            str(queries),
            database,
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert {code for code, _ in told} == {0, 1}
    failures = [errors for code, errors in told if code]
    full = [errors for errors in failures if "is full: free some space" in errors]
    assert len(full) > 10
    # With too little room even for what PostgreSQL expects, it is refused beforehand.
    assert all(
        "is full: free some space" in errors or "MB free, and the set" in errors for errors in failures
    )
    assert not [errors for errors in failures if "Traceback" in errors or str(tmp_path) not in errors]
    if bucket:
        package = package_of(bucket, SET, DAY)
        rows = rows_of(bucket, package, SET, DAY)
        assert {row["content"] for row in rows["shipments"] + rows["notes"]} == {"100"}
        assert verify(f"{to}/{SET}").ok
        files = {f"{SET}/dt={DAY}/{item['path']}" for item in package["resources"]}
        assert set(bucket.keys()) == files | {f"{SET}/dt={DAY}/datapackage.json", f"{SET}/latest.json"}
