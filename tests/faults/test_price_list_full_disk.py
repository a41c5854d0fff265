"""An export on a file system that fills up at whatever it writes: the old set stays, and a retry passes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.price_lists import make_tables

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import contextlib, io, os, shutil, sys
from datetime import date, timedelta
from pathlib import Path

from extracts.publication import Publication
from extracts.verify import verify
from pipelines.price_lists import exporting
from pipelines.price_lists.command import main
from tests.integration.price_lists import Here

dsn, root = sys.argv[1], Path(sys.argv[2])
exporting.ProcessPoolExecutor = Here
first = date(2026, 11, 20)


def export(day):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(["--dsn", dsn, "--to", str(root), "--date", str(day), "--workers", "1"])
    return code, said.getvalue()


def free():
    return os.statvfs(root).f_bavail * os.statvfs(root).f_frsize


def assert_whole():
    for package in root.rglob("datapackage.json"):
        report = verify(package)
        assert report.ok, str(report)


assert export(first)[0] == 0
size = sum(file.stat().st_size for file in root.rglob("v=*/*"))
codes = []
for number, room in enumerate(range(3 * size, -1, -4096), 1):
    day = first + timedelta(days=number)
    ballast = root / "ballast"
    ballast.write_bytes(bytes(max(0, free() - room)))
    code, text = export(day)
    codes.append(code)
    assert code == 0 or (code == 1 and "some space" in text and "Traceback" not in text), text
    ballast.unlink()
    published = Publication(root, "price_list_export", day).current()
    assert code == 1 or published
    assert_whole()
    # What openpyxl leaves it removes when the process ends.
    left = {path.name for path in root.iterdir() if not path.name.startswith("openpyxl.")}
    assert left == {".work", "price_list_export"}, (left, text)
    assert not list((root / ".work").iterdir())
    if published:
        # Room for the next, as a person would make it; the first stays to be compared with.
        shutil.rmtree(published.package.parent)

assert export(day)[0] == 0
assert_whole()
print(codes.count(0), codes.count(1))
"""


@pytest.mark.parametrize("temporary", ["there, too", "elsewhere"])
def test_a_full_disk_leaves_the_old_set(
    database: str, tmp_path: Path, on_a_small_disk: Callable[[int], list[str]], temporary: str
) -> None:
    """With the temporary files of libraries on that disk, and elsewhere, where the rest fails first."""
    make_tables(database)
    command = [*on_a_small_disk(2048), sys.executable, "-c", PROGRAM, database, str(tmp_path)]
    folder = {"TMPDIR": str(tmp_path)} if temporary == "there, too" else {}
    run = subprocess.run(command, cwd=ROOT, env={**os.environ, **folder}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    passed, refused = map(int, run.stdout.split())
    assert passed > 3
    assert refused > 3
