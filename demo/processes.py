"""Children that do not outlive their parent, and the end of a whole tree of them."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable

import psutil

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with_parent(signal_number: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn` after which the kernel sends `signal_number` when the starting thread is gone.

    It holds even when the parent is killed with SIGKILL. Linux only; elsewhere it does nothing.
    """
    parent = os.getpid()

    def arrange() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        # The parent may have died between the fork and the line above.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal_number)

    return arrange


def with_descendants(pids: Iterable[int]) -> list[psutil.Process]:
    """The living processes of `pids` and everything below them.

    Gathered before a parent is told to end: afterwards its children belong to init and cannot be found.
    """
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for member in [process, *process.children(recursive=True)]:
                found[member.pid] = member
    return list(found.values())


def in_sessions(leaders: Iterable[int]) -> list[psutil.Process]:
    """What runs in the sessions that these pids lead, their leaders gone or not; zombies are not counted."""
    wanted = set(leaders)
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(pid) in wanted:
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


def end(processes: Iterable[psutil.Process], *, grace: float) -> None:
    """SIGTERM to all, and SIGKILL to those which still run after `grace` seconds."""
    remaining = list(processes)
    for process in remaining:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, remaining = psutil.wait_procs(remaining, timeout=grace)
    for process in remaining:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(remaining, timeout=5)
