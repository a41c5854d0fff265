"""Telling those who watch the job: a dead man's switch, and Prometheus. Neither can make an export fail."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from extracts.errors import UsageError
from extracts.export.exporting import Exported
from extracts.export.settings import Listener

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_SECONDS = 10
_JOB = "extracts"


class Ping:
    """A service that waits for a sign of life, as healthchecks.io does: `/start`, nothing added, and `/fail`.

    The URL is a secret; it is never told.
    """

    def __init__(self, url: str | None, listener: Listener) -> None:
        self._url = url.rstrip("/") if url else None
        self._listener = listener
        if url and not url.startswith(("http://", "https://")):
            raise UsageError("--ping is no URL: it begins with http:// or https://")

    def start(self) -> None:
        self._post("/start", "")

    def success(self, text: str) -> None:
        self._post("", text)

    def failure(self, text: str) -> None:
        self._post("/fail", text)

    def _post(self, path: str, text: str) -> None:
        if self._url is None:
            return
        import http.client
        import urllib.error
        import urllib.request

        try:
            request = urllib.request.Request(f"{self._url}{path}", data=text.encode(), method="POST")
            with _in_time(), urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = (
                f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            )
            self._listener.event(
                "ping", "warning", message=f"the ping {path or '(success)'} did not get through: {reason}"
            )


class Metrics:
    """The export's figures for Prometheus: text files in a folder (for `node_exporter`), or a Pushgateway.

    What the last success said stands apart, so that a failure leaves it as it was.
    """

    def __init__(self, to: str | None, dataset: str, listener: Listener) -> None:
        self._to = to
        self._dataset = dataset
        self._listener = listener
        self._started = time.time()
        if to and "://" in to and not to.startswith(("http://", "https://")):
            raise UsageError(f"--metrics {to} is neither a folder nor the http:// address of a Pushgateway")
        if to and "://" not in to and not Path(to).is_dir():
            raise UsageError(f"--metrics {to}: there is no such folder: create it, or mount it")

    def run(self, exit_code: int) -> None:
        """Tell that a run has ended, and how."""
        self._write(
            "",
            [
                ("extracts_last_run_timestamp_seconds", "When the last run ended", time.time()),
                ("extracts_last_run_exit_code", "Its exit code; 0 is success", exit_code),
                ("extracts_last_run_duration_seconds", "How long it took", time.time() - self._started),
            ],
        )

    def success(self, exported: Exported) -> None:
        """Tell what a successful run came to."""
        self._write(
            "_success",
            [
                ("extracts_last_success_timestamp_seconds", "When a run last succeeded", time.time()),
                (
                    "extracts_last_window_end_timestamp_seconds",
                    "The end of the business day that it exported",
                    exported.window.end.timestamp(),
                ),
            ],
            exported.sizes,
        )

    def _write(
        self,
        part: str,
        figures: Sequence[tuple[str, str, float]],
        sizes: dict[str, tuple[int, int]] | None = None,
    ) -> None:
        if self._to is None:
            return
        import http.client

        import prometheus_client as prometheus

        registry = prometheus.CollectorRegistry()
        for name, text, value in figures:
            prometheus.Gauge(name, text, ["set"], registry=registry).labels(self._dataset).set(value)
        if sizes is not None:
            labels = ["set", "table"]
            rows = prometheus.Gauge(
                "extracts_table_rows", "Rows of a table's file", labels, registry=registry
            )
            size = prometheus.Gauge("extracts_table_bytes", "Bytes of it", labels, registry=registry)
            for table, (count, length) in sizes.items():
                rows.labels(self._dataset, table).set(count)
                size.labels(self._dataset, table).set(length)
        try:
            self._send(registry, part)
        except (OSError, ValueError, http.client.HTTPException) as error:
            # Other errors than the system's quote parts of the URL.
            reason = error if isinstance(error, OSError) else type(error).__name__
            self._listener.event(
                "metrics", "warning", message=f"metrics could not be told to {_place(self._to)}: {reason}"
            )

    def _send(self, registry: "CollectorRegistry", part: str) -> None:
        import prometheus_client as prometheus

        assert self._to is not None
        if "://" in self._to:
            # Adds to the group, and leaves what has other names.
            group = {"set": self._dataset}
            with _in_time():
                prometheus.pushadd_to_gateway(self._to, _JOB, registry, grouping_key=group, timeout=_SECONDS)
        else:
            prometheus.write_to_textfile(str(Path(self._to) / f"{_JOB}_{self._dataset}{part}.prom"), registry)


def _place(to: str) -> str:
    """A folder, or a URL without its user's name and password."""
    if "://" not in to:
        return to
    parts = urlsplit(to)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


@contextmanager
def _in_time() -> Iterator[None]:
    """Raise TimeoutError when this takes too long as a whole: a client's timeout is one of each read.

    By a signal, and not by a thread: the readers are forked next. Does nothing outside of the main thread,
    which no signal reaches.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"no answer within {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
