"""The last resort of a group: ends its sessions when the supervisor is gone without having done so.

Airflow's scheduler waits for its tasks when it is told to end, and they wait for an api-server that is gone.
Run by the supervisor as `python -m demo.guard`. It reads the pids of session leaders, one a line, negative
for one that was ended; the end of input is the end of the supervisor, whatever ended that.
"""

import signal
import sys
import time

from demo.processes import end, in_sessions

_GRACE_SECONDS = 5


def main() -> None:
    """Wait for the end of input, give the parts a moment to end by themselves, then end what is left."""
    # Only the supervisor's end may end it.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    leaders: set[int] = set()
    for line in sys.stdin:
        leader = int(line)
        leaders = leaders | {leader} if leader > 0 else leaders - {-leader}
    deadline = time.monotonic() + _GRACE_SECONDS
    while in_sessions(leaders):
        if time.monotonic() > deadline:
            end(in_sessions(leaders), grace=1)
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
