"""The S3 server of the tests, on a disk with little room: every bucket can be written to."""

import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path

from tests.s3_server import S3Server

server = S3Server(Path(sys.argv[1]) / "s3")
try:
    server.start()
    for _ in range(12):
        server.new_bucket().write("key", b"content")
finally:
    server.stop()
"""


def test_every_bucket_can_be_written_to(on_a_small_disk, tmp_path):
    command = [*on_a_small_disk(512 * 1024), sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
