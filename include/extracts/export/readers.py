"""Processes that read parts of tables at once, all from one snapshot.

Processes and not threads: the driver makes a Python object of every row, which threads could only do in
turns. They are started before anything else, so that they hold nothing of their parent's: no connection, no
thread of a library. Whatever kills the parent ends them too.
"""

import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self, cast

from extracts.errors import TransientError
from extracts.export.parts import Done, Part, read_part
from extracts.postgres import Snapshot

# Cheap where it is safe, as it is for a process without threads on Linux.
_METHOD = "fork" if sys.platform == "linux" else "spawn"
_CONTEXT: Any = multiprocessing.get_context(_METHOD)
# Parts that a reader is given at once: the next one lies there when one is done.
_AHEAD = 2
# https://man7.org/linux/man-pages/man2/prctl.2.html
_PR_SET_PDEATHSIG = 1


class Readers:
    """`count` processes, for as long as the block is entered; none of them survives it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pipes: dict[Pipe, BaseProcess] = {}
        # The parts that each has been given and has not answered.
        self._sent: dict[Pipe, int] = {}

    def __enter__(self) -> Self:
        for _ in range(self._count):
            here, there = _CONTEXT.Pipe()
            # A child inherits the parent's ends of all pipes so far; open there, they would hide its end.
            inherited = [*self._pipes, here] if _METHOD == "fork" else []
            process = _CONTEXT.Process(target=_work, args=(there, inherited), daemon=True)
            process.start()
            there.close()
            self._pipes[here] = process
            self._sent[here] = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        for pipe in self._pipes:
            pipe.close()

    def end(self) -> None:
        """End all of them now, whatever they read; nothing can be read any more."""
        for process in self._pipes.values():
            # They hold nothing that needs an orderly end: a file that is removed, a session that reads.
            process.kill()
        for process in self._pipes.values():
            process.join()

    def rest(self) -> None:
        """Wait until none of them has a part in hand, and forget what became of those parts."""
        try:
            while busy := self._busy():
                for pipe in busy:
                    self._answer(pipe)
        except BaseException:
            self.end()
            raise

    def join(self, snapshot: Snapshot) -> None:
        """Have all of them read from `snapshot`; those of another one end there."""
        for pipe in self._pipes:
            self._send(pipe, snapshot.join())

    def read(self, parts: Iterable[Part]) -> Iterator[Done]:
        """Read the parts, in this order, and give each when it is done, in any.

        Raises what a reader raised, and TransientError when one was killed.
        """
        waiting = iter(parts)
        for pipe, part in zip([*self._pipes] * _AHEAD, waiting, strict=False):
            self._give(pipe, part)
        while busy := self._busy():
            for ready in wait(busy):
                pipe = cast(Pipe, ready)
                answer = self._answer(pipe)
                if isinstance(answer, BaseException):
                    raise answer
                if following := next(waiting, None):
                    self._give(pipe, following)
                yield answer

    def _busy(self) -> list[Pipe]:
        return [pipe for pipe, parts in self._sent.items() if parts]

    def _give(self, pipe: Pipe, part: Part) -> None:
        self._send(pipe, part)
        self._sent[pipe] += 1

    def _answer(self, pipe: Pipe) -> Done | BaseException:
        """What became of one part."""
        try:
            answer: Done | BaseException = pipe.recv()
        except (EOFError, OSError):
            raise self._gone(pipe) from None
        self._sent[pipe] -= 1
        return answer

    def _send(self, pipe: Pipe, message: Snapshot | Part) -> None:
        try:
            pipe.send(message)
        except OSError:
            raise self._gone(pipe) from None

    def _gone(self, pipe: Pipe) -> TransientError:
        process = self._pipes[pipe]
        process.join(1)
        return TransientError(
            f"a reading process ended by itself (exit code {process.exitcode}; -9 is SIGKILL, as when memory "
            "is short): give it more, or use fewer workers, and run again"
        )


def _end_with_parent() -> None:
    """On Linux at once, also in the middle of a slow query; elsewhere with the next word to the parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _work(pipe: Pipe, inherited: list[Pipe]) -> None:
    """A reader's life: what its pipe brings, until that ends."""
    _end_with_parent()
    # A terminal's Ctrl-C reaches the whole group: the parent is the one that answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()

    snapshot: Snapshot | None = None
    failed = False
    with suppress(EOFError, OSError):
        while True:
            message = pipe.recv()
            try:
                if isinstance(message, Snapshot):
                    if snapshot:
                        snapshot.__exit__()
                    snapshot = message.__enter__()
                    continue
                assert snapshot is not None
                if failed:
                    # A statement that failed has ended its transaction; the snapshot can be joined again.
                    snapshot.__exit__()
                    snapshot = snapshot.join().__enter__()
                    failed = False
                pipe.send(read_part(snapshot, message))
            except Exception as error:
                failed = True
                pipe.send(error)
