"""What several of the faults need."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# A file system of its own, in a namespace of its own: without privileges where such are allowed, or as root.
NAMESPACES = [["unshare", "--user", "--map-root-user", "--mount"], ["unshare", "--mount"]]
MOUNT = 'mount -t tmpfs -o size={}k tmpfs "$0" && exec "$@"'


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Callable[[int], list[str]]:
    """The start of a command that runs the rest with a file system of so many kilobytes at `tmp_path`."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this system: a small file system cannot be mounted")
    for namespace in NAMESPACES:
        command = [*namespace, "sh", "-c"]
        probe = subprocess.run(
            [*command, MOUNT.format(64), str(tmp_path), "true"], capture_output=True, text=True
        )
        if probe.returncode == 0:
            return lambda kilobytes: [*command, MOUNT.format(kilobytes), str(tmp_path)]
    pytest.skip(f"this system lets no test mount a small file system: {probe.stderr.strip()}")
