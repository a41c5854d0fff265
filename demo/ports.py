"""Loopback ports."""

import socket


def choose(preferred: int = 0) -> int:
    """`preferred` if nobody listens there, else one that the system gives."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            # As a server would: a port in TIME_WAIT after the last run is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise OSError("no free loopback port")


def accepts(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
