"""Several processes as one group: started one by one, watched together, ended together.

Every part runs in a session of its own, with a log file of its own. When the process that started them is
gone, however that ended, the kernel sends them SIGTERM, and a guard ends what does not heed it.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from demo.errors import DemoError
from demo.processes import dies_with_parent, end, in_sessions, with_descendants

_LOG_LINES = 12


class PartDied(DemoError):
    """A part of the group ended by itself; the message has its last words and the path of its log."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        self.name, self.code, self.log = name, code, log
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        said = "\n".join(f"  | {line}" for line in last_lines(log))
        super().__init__(f"{name} {how}; the end of {log}:\n{said}")


@dataclass(frozen=True)
class Part:
    """A process to run: its command, its whole environment, and where its output goes."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    log: Path


class Supervisor:
    """The running parts."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Part, subprocess.Popen[bytes]]] = {}
        self._guard: subprocess.Popen[str] | None = None

    def start(self, part: Part) -> None:
        """Start one part; its log is appended to."""
        part.log.parent.mkdir(parents=True, exist_ok=True)
        with part.log.open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in part.command],
                env=dict(part.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )
        self._running[part.name] = (part, process)
        self._tell_guard(process.pid)

    def pid(self, name: str) -> int:
        """The process id of a running part."""
        return self._running[name][1].pid

    def running(self) -> list[str]:
        """The names of the parts, in the order they were started."""
        return list(self._running)

    def check(self) -> None:
        """Raise PartDied for the first part that ended by itself."""
        for part, process in self._running.values():
            code = process.poll()
            if code is not None:
                raise PartDied(part.name, code, part.log)

    def stop(self, *names: str, grace: float = 5) -> None:
        """End the named parts and everything they started; after `grace` seconds by force."""
        processes = [self._running.pop(name)[1] for name in names if name in self._running]
        members = _members(process.pid for process in processes)
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + grace
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        # What a part started since, or left behind, is still in its session.
        left = {*members, *_members(process.pid for process in processes)}
        end(left, grace=max(0.5, min(2.0, deadline - time.monotonic())))
        for process in processes:
            process.wait()
            self._tell_guard(-process.pid)

    def stop_all(self, *, grace: float = 5) -> None:
        """End every part, all at once."""
        self.stop(*self._running, grace=grace)
        if self._guard is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.communicate()
            self._guard = None

    def _tell_guard(self, leader: int) -> None:
        if self._guard is None:
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "demo.guard"],
                cwd=Path(__file__).resolve().parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        assert self._guard.stdin is not None
        # A guard that somebody killed must not take the group with it.
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(f"{leader}\n")
            self._guard.stdin.flush()


def _members(pids: Iterable[int]) -> list[psutil.Process]:
    """What runs in the sessions that `pids` lead, and below those processes."""
    leaders = set(pids)
    return [*with_descendants(leaders), *in_sessions(leaders)]


def last_lines(log: Path, count: int = _LOG_LINES) -> list[str]:
    """The end of a log file; empty when there is none."""
    try:
        with log.open("rb") as content:
            content.seek(max(0, log.stat().st_size - 16_000))
            return content.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
