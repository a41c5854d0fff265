"""The 20:00 export in `make demo`: the command as the CronJob's pod runs it, a process of its own.

It reads as the jobs' role from the stack's PostgreSQL, publishes where the Deliverables page looks, and what
it delivered is checked by `extracts verify` and by counting the rows of the same day with plain SQL.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

import psutil
import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from demo import airflow
from demo.errors import DemoError
from demo.processes import dies_with_parent
from demo.show import Outcome
from demo.stack import DATABASE, READER
from extracts.window import business_day

SET = "logistics"
TABLES = {"clients", "drivers", "shipment_events", "shipments", "vehicles"}

_EXTRACTS = [sys.executable, "-m", "pipelines.exports"]
_SECONDS = 900
_COUNT = """
SELECT
    (SELECT count(*) FROM shipments WHERE updated_at >= %(start)s AND updated_at < %(end)s)
    + (SELECT count(*) FROM shipment_events WHERE recorded_at >= %(start)s AND recorded_at < %(end)s)
    + (SELECT count(*) FROM clients) + (SELECT count(*) FROM drivers) + (SELECT count(*) FROM vehicles)
"""


class Stack(Protocol):
    """What is needed of a stack, whoever started it."""

    root: Path
    published: Path
    day: date


def perform(stack: Stack, tell: Callable[[str], None]) -> Outcome:
    """Export the business day that the demo's rows fill, the one before `stack.day`, and judge the result."""
    day = stack.day - timedelta(days=1)
    outcome = Outcome(SET, "five tables of a day", "")
    title = f"{outcome.job}, {outcome.run}"
    tell(title)
    log = stack.root / "logs" / "logistics-export.log"
    dsn = reader_dsn(stack.root)
    command = ["export", SET, "--to", str(stack.published), "--date", str(day), "--json"]
    started = time.monotonic()
    code = _run(command, log, dsn)
    outcome.seconds = round(time.monotonic() - started, 1)
    for event in _events(log):
        # Those of the day before it, which late rows may have reached, are another set's.
        if event.get("event") == "read" and event.get("day") == str(day):
            tell(f"  {event.get('table')}: {event.get('rows', 0):,} rows")
    if code:
        outcome.problems.append(f"the command ended with {code}{_why(log)}, see {log}")
    else:
        _judge(outcome, stack, day, dsn)
    how = "failed" if code else "success"
    outcome.result = f"{how}{': WRONG' if outcome.problems else ', as it should'}"
    tell(f"{title}: {outcome.result}")
    return outcome


def reader_dsn(root: Path) -> str:
    """The database of the stack in `root` as the jobs' role, with the carrier's schema on its search path.

    Where DATABASE_URL names the server, its user reads. Raises DemoError when neither can be found.
    """
    data = root / "postgres" / "data"
    if port := _port(data):
        keys = airflow.stored_secrets(root / "airflow" / "secrets.json")
        given = {"host": "127.0.0.1", "port": str(port), "dbname": DATABASE}
        given |= {"user": READER, "password": keys["reader"]}
    elif url := os.environ.get("DATABASE_URL"):
        given = parse_dsn(url)
    else:
        raise DemoError(
            f"the stack in {root} has no PostgreSQL of its own: set DATABASE_URL to what it was started with"
        )
    options = f"{given.pop('options', '')} -c search_path={SET}".strip()
    return make_dsn(**given, options=options)


def _port(data: Path) -> int | None:
    """Where the server on the folder `data` listens, as its postmaster.pid says; None when none runs."""
    with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
        lines = (data / "postmaster.pid").read_text().splitlines()
        if psutil.Process(int(lines[0])).name() == "postgres":
            return int(lines[3])
    return None


def _run(arguments: list[str], log: Path, dsn: str) -> int:
    """Run the command to its end; what it writes goes to `log`. Raises DemoError when it does not end."""
    # The DSN goes by the environment: a command line can be read by every user of the machine.
    inherited = airflow.inherited(database_is_embedded="DATABASE_URL" not in os.environ)
    environment = {name: value for name, value in inherited.items() if not name.startswith("EXTRACTS_")}
    environment["EXTRACTS_DSN"] = dsn
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_EXTRACTS, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(),
        )
        try:
            return process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            raise DemoError(f"`extracts {arguments[0]}` still runs after {_SECONDS} s, see {log}") from None
        finally:
            # Told to end, so that what it has begun is cleared up.
            process.terminate()
            process.wait()


def _judge(outcome: Outcome, stack: Stack, day: date, dsn: str) -> None:
    """Add what was delivered to `outcome`, and what is wrong with it."""
    package = stack.published / SET / f"dt={day}" / "datapackage.json"
    described = json.loads(package.read_text(encoding="utf-8"))
    resources = {resource["name"]: resource for resource in described["resources"]}
    outcome.rows = sum(resource["rows"] for resource in resources.values())
    outcome.files = str(package.parent)
    outcome.run_id = Path(described["resources"][0]["path"]).parent.name
    if resources.keys() != TABLES:
        outcome.problems.append(f"the tables are {sorted(resources)}, and they should be {sorted(TABLES)}")
    if (wanted := _count(dsn, day)) != outcome.rows:
        outcome.problems.append(f"{outcome.rows:,} rows, and the database has {wanted:,} of {day}")
    log = stack.root / "logs" / "logistics-verify.log"
    if code := _run(["verify", str(package.parent)], log, dsn):
        outcome.problems.append(f"`extracts verify` ended with {code}{_why(log)}, see {log}")


def _count(dsn: str, day: date) -> int:
    window = business_day(day)
    try:
        with contextlib.closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(_COUNT, {"start": window.start, "end": window.end})
            (count,) = cursor.fetchone() or (0,)
    except psycopg2.Error as error:
        raise DemoError(f"the rows of {day} cannot be counted: {str(error).strip()}") from None
    return int(count)


def _events(log: Path) -> Iterator[dict[str, Any]]:
    """The command's JSON lines; it may have written others."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            if isinstance(event := json.loads(line), dict):
                yield event


def _why(log: Path) -> str:
    """What its last line says, as the end of a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1] if lines else ""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        last = json.loads(last)["message"]
    return f": {last}" if last else ""
