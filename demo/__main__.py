"""The embedded stack from the command line: `python -m demo up`, `down`, `run`."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from demo import export, show
from demo.errors import DemoError
from demo.jobs import runs
from demo.seed import counted
from demo.stack import PROJECT, Attached, Stack, running

_DOWN_SECONDS = 60


def _teller() -> Callable[[str], None]:
    started = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    return tell


def _stack(arguments: argparse.Namespace, tell: Callable[[str], None], *, scheduled: bool) -> Stack:
    return Stack(
        arguments.root,
        sql_scale=arguments.scale,
        scheduled=scheduled,
        database_url=os.environ.get("DATABASE_URL"),
        usual_ports=True,
        tell=tell,
    )


def up(arguments: argparse.Namespace) -> int:
    """Start the stack, unpause the jobs, and keep it until Ctrl-C or `down`."""
    with _stack(arguments, _teller(), scheduled=True) as stack:
        for dag in stack.api("GET", "/dags")["dags"]:
            stack.api("PATCH", f"/dags/{dag['dag_id']}", {"is_paused": False})
        print(
            f"\nAirflow   {stack.url}  (no password)\n"
            f"Mails     {stack.mailbox.url}\n"
            f"Files     {stack.published}\n"
            f"Statuses  {stack.statuses}\n"
            f"Logs      {stack.logs}\n\n"
            "Ctrl-C ends it all.",
            flush=True,
        )
        while True:
            stack.check()
            time.sleep(0.5)


def down(arguments: argparse.Namespace) -> int:
    """End the stack that is up, whoever started it, and wait until it is gone."""
    found = running(arguments.root)
    if found is None:
        print("nothing is up")
        return 0
    try:
        os.kill(found["pid"], signal.SIGTERM)
    except PermissionError:
        raise DemoError(
            f"the stack (pid {found['pid']}) belongs to another user: end it as that user"
        ) from None
    deadline = time.monotonic() + _DOWN_SECONDS
    while running(arguments.root):
        if time.monotonic() > deadline:
            raise DemoError(f"the stack (pid {found['pid']}) did not end within {_DOWN_SECONDS} s")
        time.sleep(0.1)
    print("ended")
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Run the jobs, in the stack that is up or in one for this time, and tell what they delivered."""
    tell = _teller()
    found = running(arguments.root)
    if found:
        tell(f"a stack is up already at {found['url']}: the jobs run there")
        return _show(Attached(arguments.root, found), arguments, tell)
    with _stack(arguments, tell, scheduled=False) as stack:
        if arguments.scale == 1:
            volumes = counted(stack.dsn)
            tell(", ".join(f"{name} {rows:,}" for name, rows in volumes.items()))
        return _show(stack, arguments, tell)


def _show(stack: show.Airflow, arguments: argparse.Namespace, tell: Callable[[str], None]) -> int:
    outcomes = [*show.perform(stack, runs(stack.day), tell), export.perform(stack, tell)]
    summary = arguments.root / "demo" / "summary.json"
    show.write_summary(outcomes, stack, summary)
    here = Path.cwd()
    print(f"\n{show.table(outcomes, below=here)}\n")
    problems = [(outcome, problem) for outcome in outcomes for problem in outcome.problems]
    for outcome, problem in problems:
        print(f"{outcome.job}, {outcome.run}: {problem}")
    print(
        f"files      {show.relative(stack.published, here)}\n"
        f"mails      {show.relative(stack.mailbox.folder, here)}\n"
        f"this table {show.relative(summary, here)}\n"
        "to look closer: `make up`, then Airflow and the mails are open in a browser"
    )
    return 1 if problems else 0


def _end(signal_number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the clearing up.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Parse the command line and carry it out; the exit code is returned."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="The embedded stack.")
    parser.add_argument("command", choices=["up", "down", "run"])
    parser.add_argument(
        "--root", type=Path, default=PROJECT / ".local", help="where everything is kept (default: .local)"
    )
    parser.add_argument(
        "--scale", type=float, default=1, help="share of the full volume of rows (default: 1)"
    )
    arguments = parser.parse_args()
    arguments.root = arguments.root.absolute()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup the terminal's end was ignored on purpose.
        if signal.getsignal(name) is not signal.SIG_IGN:
            signal.signal(name, _end)
    try:
        return {"up": up, "down": down, "run": run}[arguments.command](arguments)
    except KeyboardInterrupt:
        print("\nended", flush=True)
        return 0 if arguments.command == "up" else 130
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
