"""A publication on a file system that fills up: the reader keeps the old set, and a retry passes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

KILOBYTES = 512
PROGRAM = """
import os, sys
from datetime import date
from pathlib import Path

from extracts.errors import TransientError
from extracts.formats.machine import write_csv
from extracts.publication import Publication
from extracts.verify import verify

root = Path(sys.argv[1])
publication = Publication(root, "demo_set", date(2026, 11, 21))


def publish(rows, files=1):
    with publication.stage() as stage:
        for number in range(files):
            write_csv(stage.folder / f"file{number}.csv", ["id"], ((row,) for row in range(rows)))
            stage.add(f"file{number}.csv")
        return stage.publish()


def free():
    return os.statvfs(root).f_bavail * os.statvfs(root).f_frsize


first = publish(10)
refused = passed = 0
# Less and less room, so that it runs out in the data, in the package, in the link, in latest.json.
for room in range(400 * 1024, -1, -4096):
    ballast = root / "ballast"
    ballast.write_bytes(bytes(max(0, free() - room)))
    before = publication.current().version
    try:
        publish(1000 + room // 4096, files=3)
        passed += 1
    except TransientError as error:
        assert "full" in str(error), error
        refused += 1
    ballast.unlink()
    report = verify(root / "demo_set")
    assert report.ok, str(report)
    publication.prune(1)
    assert not list((root / "demo_set").glob(".staging-*"))

assert publish(5).changed
assert verify(root / "demo_set").ok
print(passed, refused)
"""


def test_a_full_disk_leaves_the_old_set(tmp_path: Path, on_a_small_disk: Callable[[int], list[str]]) -> None:
    command = [*on_a_small_disk(KILOBYTES), sys.executable, "-c", PROGRAM, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    passed, refused = map(int, run.stdout.split())
    assert passed > 3
    assert refused > 3
