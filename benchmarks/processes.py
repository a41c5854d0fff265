"""One process, its wall time and its peak memory."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """Seconds from start to end, peak resident memory in MB (10^6 bytes), and what it wrote to stdout."""

    seconds: float
    peak_mb: float
    output: str


def measure(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end, the interpreter's start included.

    Raises RuntimeError with what it wrote to stderr when it fails.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, stdout=output, stderr=errors, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(
                f"{' '.join(command[:4])} … ended with {process.returncode}: {errors.read()[-2000:]}"
            )
        output.seek(0)
        return Measured(seconds, usage.ru_maxrss * 1024 / 1e6, output.read())
