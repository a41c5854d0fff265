"""`extracts export`."""

import sys
import time
from datetime import date, timedelta
from datetime import time as clock
from pathlib import Path

import click

from extracts.command.environment import Duration
from extracts.command.listeners import JsonLines, Terminal
from extracts.command.options import Clock, Day, option
from extracts.command.watch import Metrics, Ping
from extracts.errors import ExtractsError, UsageError
from extracts.export.exporting import Exported
from extracts.export.exporting import export as export_set
from extracts.export.settings import Listener, Settings
from extracts.folder import make_folder, storage_errors
from extracts.publication import is_dataset
from extracts.storage import locate
from extracts.window import TIMEZONE

_INTERNAL_ERROR = 1
_INTERRUPTED = 130


@click.command()
@click.argument("set", envvar="EXTRACTS_SET")
@option("--date", "Business day, YYYY-MM-DD.  [default: the one that ended last]", type=Day(), metavar="DAY")
@option(
    "--to",
    "Where to publish: a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX.",
    default="published",
    metavar="URL",
)
@option(
    "--sql",
    "Folder with the set's .sql files, one a table.  [default: the set of that name that is installed]",
    type=click.Path(path_type=Path),
    metavar="DIR",
)
@option("--compression", "Of the files.", type=click.Choice(["none", "gzip", "zstd"]), default="gzip")
@option("--workers", "Processes that read at once.", type=click.IntRange(1, 64), default=2, metavar="N")
@option(
    "--lookback",
    "Days before it that late rows may change.",
    type=click.IntRange(0, 366),
    default=1,
    metavar="K",
)
@option("--timezone", "Whose clock cuts the days.", default=TIMEZONE, metavar="TZ")
@option("--day-ends", "When a business day ends there.", type=Clock(), default="20:00", metavar="HH:MM")
@option("--dsn", "PostgreSQL, as URI or key=value text.  [default: PGHOST, PGDATABASE, …]")
@option("--statement-timeout", "Longest statement.", type=Duration(), default="30min", metavar="TIME")
@option("--lock-timeout", "Longest wait for a table's lock.", type=Duration(), default="10s", metavar="TIME")
@option("--allow-empty", "Publish even if this table has no row.", multiple=True, metavar="TABLE")
@option(
    "--allow-missing", "Publish without this table, which the last set had.", multiple=True, metavar="TABLE"
)
@option("--keep-versions", "Versions of a day to keep.", type=click.IntRange(1), default=2, metavar="N")
@option(
    "--work",
    "Folder for files on their way to a bucket.  [default: the system's temporary folder]",
    type=click.Path(path_type=Path),
    metavar="DIR",
)
@option("--wait", "How long to wait for another run to end.", type=Duration(), default="0s", metavar="TIME")
@option("--ping", "Tell this URL: …/start, then …, or …/fail.", metavar="URL")
@option("--metrics", "Folder for Prometheus text files, or the URL of a Pushgateway.", metavar="DIR|URL")
@option("--json", "One JSON object a line on stdout, also at a terminal.", is_flag=True)
@click.pass_obj
def export(
    sets: Path,
    set: str,
    date: date | None,
    to: str,
    sql: Path | None,
    compression: str,
    workers: int,
    lookback: int,
    timezone: str,
    day_ends: clock,
    dsn: str | None,
    statement_timeout: timedelta,
    lock_timeout: timedelta,
    allow_empty: tuple[str, ...],
    allow_missing: tuple[str, ...],
    keep_versions: int,
    work: Path | None,
    wait: timedelta,
    ping: str | None,
    metrics: str | None,
    json: bool,
) -> int:
    """Publish the tables of SET as they are at one instant.

    SET names the dataset, and the queries where --sql does not. The rows of the business day go to
    URL/SET/dt=DAY, described by its datapackage.json, which is replaced last. Days before it that rows
    reached late are published again; what has not changed is not. The database comes from libpq's variables
    (PGHOST, PGDATABASE, PGUSER, PGPASSWORD, PGOPTIONS='-c search_path=…') or --dsn.
    """
    listener = Terminal() if sys.stderr.isatty() and not json else JsonLines()
    if not is_dataset(set):
        raise UsageError(f"set {set!r} is no name: use small letters, digits, '.', '_' and '-', at most 100")
    settings = Settings(
        dataset=set,
        sql=sql or _installed(sets, set),
        to=to,
        day=date,
        compression=compression,  # type: ignore[arg-type]
        workers=workers,
        lookback=lookback,
        timezone=timezone,
        day_ends=day_ends,
        dsn=dsn,
        statement_timeout=statement_timeout.total_seconds(),
        lock_timeout=lock_timeout.total_seconds(),
        allow_empty=frozenset(allow_empty),
        allow_missing=frozenset(allow_missing),
        keep_versions=keep_versions,
        work=work,
        wait=wait.total_seconds(),
    )
    _make_folder(to)
    _run(settings, listener, Ping(ping, listener), Metrics(metrics, set, listener))
    return 0


def _make_folder(to: str) -> None:
    """Make the folder to publish in, not what it stands in: a volume that is not mounted is no place."""
    place = locate(to)
    if isinstance(place, Path) and place.parent.is_dir():
        with storage_errors(place):
            make_folder(place)


def _installed(sets: Path, name: str) -> Path:
    folder = sets / name
    if not folder.is_dir():
        known = sorted(found.name for found in sets.iterdir() if found.is_dir())
        raise UsageError(
            f"no set {name!r} is installed; there are: {', '.join(known)}; name your own by --sql"
        )
    return folder


def _run(settings: Settings, listener: Listener, ping: Ping, metrics: Metrics) -> None:
    """Export, and tell everyone who watches how it ended, however it ended."""
    started = time.monotonic()
    listener.event("started", set=settings.dataset, to=settings.to, workers=settings.workers)
    ping.start()
    code, exported = _INTERNAL_ERROR, list[Exported]()
    failure = "interrupted"
    try:
        exported = export_set(settings, listener)
        code = 0
    except ExtractsError as error:
        code, failure = error.exit_code, str(error)
        raise
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        raise
    except BaseException as error:
        code = getattr(error, "exit_code", _INTERRUPTED)
        raise
    finally:
        metrics.run(code)
        if code:
            if isinstance(listener, JsonLines):
                listener.event("error", "error", message=failure)
            ping.failure(failure)
        else:
            metrics.success(exported[0])
            asked = exported[0]
            ping.success(f"{asked.window.day}: {asked.rows} rows, {asked.bytes} bytes")
        listener.event(
            "ended",
            exit_code=code,
            seconds=round(time.monotonic() - started, 2),
            rows=sum(day.rows for day in exported[:1]),
        )
