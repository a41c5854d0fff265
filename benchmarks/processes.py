"""A process, its wall time and its peak memory."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Measured:
    """Seconds from start to end, peak resident memory in MB (10^6 bytes), and what it wrote to stdout."""

    seconds: float
    peak_mb: float
    output: str


_SAMPLES_PER_SECOND = 20


def measure(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    with_children: bool = False,
) -> Measured:
    """Run a command to its end, the interpreter's start included.

    With `with_children` the peak is the largest sum of the resident memory of it and all its children that a
    sample found; memory that they share is counted in each, so it is rather too much.

    Raises RuntimeError with what it wrote to stderr when it fails.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, stdout=output, stderr=errors, env={**os.environ, **(environment or {})}
        )
        with _sampled(process.pid, with_children) as peak:
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(
                f"{' '.join(command[:4])} … ended with {process.returncode}: {errors.read()[-2000:]}"
            )
        output.seek(0)
        return Measured(seconds, max(usage.ru_maxrss * 1024, peak[0]) / 1e6, output.read())


@contextmanager
def _sampled(pid: int, wanted: bool) -> Iterator[list[int]]:
    """The largest sum of bytes so far of a process and its children, while the block runs."""
    peak = [0]
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(1 / _SAMPLES_PER_SECOND):
            peak[0] = max(peak[0], _resident(pid))

    sampler = threading.Thread(target=sample, daemon=True)
    if wanted:
        sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        if wanted:
            sampler.join()


def _resident(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    except psutil.Error:
        return total
    return total
