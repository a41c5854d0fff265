"""SIGTERM and Ctrl-C while PostgreSQL is being waited for.

Python runs a signal's handler between two of its own instructions, and libpq waits in C: a statement that
stands before a locked table would let a grace period pass. So the statement is cancelled.
"""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.extensions import connection as Connection


@contextmanager
def cancelled_by_signals(connection: Connection) -> Iterator[None]:
    """While this lasts, a signal with a handler also ends the statement that `connection` waits for.

    Does nothing outside of the main thread, which no signal reaches. It starts a thread: fork before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        while reader.recv(1):
            # Closed already, or the server is gone: then nothing waits.
            with suppress(psycopg2.Error):
                connection.cancel()

    thread = threading.Thread(target=watch, name="cancelled-by-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writer.close()
        thread.join()
        reader.close()
