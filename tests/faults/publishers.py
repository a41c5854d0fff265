"""Work for processes that are killed, forked from a server that has loaded everything and used nothing.

A process that has used the client of buckets cannot be forked: its runtime has threads. So publishers come
from multiprocessing's fork server, which is warm, and alone with itself.
"""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from datetime import date
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import extracts.storage.buckets  # noqa: F401  (loaded once, and not by every publisher)
from extracts.storage import open_storage
from tests.faults.reading import DATASET, DAY

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def start(task: Callable[..., Any], *arguments: object) -> ForkServerProcess:
    """Start `task` in a process of its own, with this process's variables for buckets."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "TMP"))}
    process = _context.Process(target=_run, args=(settings, task, arguments))
    process.start()
    return process


def ended(process: ForkServerProcess) -> int:
    """Wait for the end of a process; returns its exit code, below zero for the signal that ended it."""
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    return code


def _run(settings: Mapping[str, str], task: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    os.environ.update(settings)
    task(*arguments)


def publish(url: str, work: Path, content: str, day: date = DAY) -> None:
    """Publish two files that belong together, and prune what was before the last two versions."""
    publication = open_storage(url, work=work).publication(DATASET, day)
    with publication.stage() as stage:
        for name in ("first.csv", "second.csv"):
            (stage.folder / name).write_text(f"of\n{content}\n")
            stage.add(name)
        stage.publish()
    publication.prune(2)


def publish_old(url: str, work: Path) -> None:
    publish(url, work, "older")
    publish(url, work, "old")


def publish_new(url: str, work: Path) -> None:
    publish(url, work, "new")


def publish_old_again(url: str, work: Path) -> None:
    publish(url, work, "old")


def remove_day(url: str, work: Path) -> None:
    storage = open_storage(url, work=work)
    with storage.maintained(DATASET):
        storage.publication(DATASET, DAY).remove()


def nothing(url: str, work: Path) -> None:
    pass
