"""A whole export on one machine: batches are made by worker processes while the rest is still being read."""

import multiprocessing
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from extracts.errors import TransientError
from extracts.publication import Published
from pipelines.price_lists.making import make_lists
from pipelines.price_lists.publishing import publish
from pipelines.price_lists.reading import read
from pipelines.price_lists.work import Export, Work

# So that the first batch is whole soon, and no worker waits long for the last one.
_BATCHES_PER_WORKER = 8


def export_lists(
    export: Export,
    *,
    dsn: str | None,
    root: Path,
    workers: int = 1,
    run: Mapping[str, str] | None = None,
) -> Published:
    """Read, make and publish the lists below `root`, an existing folder; nothing else of it remains.

    Raises what `reading`, `making` and `publishing` raise; TransientError when a worker is killed.
    """
    work = Work.of_run(root, f"{export.day}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        work.begin(export)
        # Not forked: a copy of this process would share its connection to the database.
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawned, initializer=_begin_worker) as pool:
            made: list[Future[dict[str, int]]] = []

            def make(batch: int) -> None:
                with _uninterrupted():
                    made.append(pool.submit(make_lists, work, batch))

            try:
                reading = read(
                    work,
                    dsn=dsn,
                    day=export.day,
                    assortment=export.assortment,
                    codes=export.codes,
                    batches=workers * _BATCHES_PER_WORKER,
                    complete=make,
                )
                for batch in made:
                    batch.result()
            except BrokenProcessPool:
                raise TransientError(
                    "a worker was killed, perhaps because memory was short: run again, with fewer --workers"
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)
        work.save_reading(reading)
        return publish(work, run=run)
    finally:
        work.remove()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold an interrupt back until this is done: a pool that is half started cannot be ended.

    The threads and workers that begin within never hear of one.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    # An interrupt is for the parent, which ends its workers. Where it is killed, nobody else would.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
