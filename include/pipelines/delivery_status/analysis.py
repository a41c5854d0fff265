"""From statuses and orders to a verdict: everything is read once, at the same time, and nothing is lost."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2

from extracts import queries
from extracts.errors import DataRefused, TransientError
from extracts.postgres import Snapshot
from pipelines.delivery_status.header import read_header
from pipelines.delivery_status.settings import Settings, exact
from pipelines.delivery_status.source import fingerprint, locate
from pipelines.delivery_status.verdict import Counts, Verdict, judge
from pipelines.resources import folder

_SHOWN_REJECTS = 3


def analyse(
    statuses: str, *, dsn: str | None, settings: Settings, work: Path, rejects: Path | None = None
) -> Verdict:
    """The verdict on the statuses in `statuses`, a CSV file, a folder of them or a URL.

    `dsn` None means libpq's environment. `work` is an existing folder for what does not fit into memory, of
    about the input's size plus 60 bytes an order. Rejected rows, if any, are written to `rejects` (default:
    `rejects.csv` in `work`), also when the data is refused because of them.

    Raises:
        UsageError: no such file, no table `orders` or no right to read it, a wrong setting.
        DataRefused: the statuses are empty, cut off, have a wrong header, too few rows or too many bad
            ones, or none of the orders has a status.
        TransientError: the database or the server of a URL is away, the file changed while it was read,
            the disk is full.
    """
    name, parts = locate(statuses, work)
    headers = [read_header(part) for part in parts]
    orders_csv = work / "orders.csv"
    with (
        _file_errors(work),
        Snapshot(dsn, application_name="delivery_status") as snapshot,
        ThreadPoolExecutor(2) as pool,
    ):
        orders = pool.submit(_copy_orders, snapshot, orders_csv)
        input = pool.submit(fingerprint, name, parts)
        try:
            # Loading DuckDB takes a tenth of the whole: PostgreSQL is at work meanwhile.
            from pipelines.delivery_status import reading

            with reading.engine_errors(work), reading.connect(work, settings.timezone) as engine:
                counts = reading.read_statuses(engine, list(zip(parts, headers, strict=True)), work)
                for part in parts:
                    part.unchanged()
                rejected = reading.write_rejects(engine, counts, rejects or work / "rejects.csv")
                shown = reading.first_rejects(engine, _SHOWN_REJECTS) if rejected else []
                _check(counts, settings, name, shown, rejected if rejects else None)
                orders.result()
                reading.read_orders(engine, orders_csv)
                orders_csv.unlink()
                return judge(
                    reading.verdict_rows(engine, settings.error_statuses),
                    counts=counts,
                    settings=settings,
                    input=input.result(),
                    snapshot_time=snapshot.time,
                    rejects=rejected,
                )
        except BaseException:
            # Else the verdict that nobody waits for any more would hold the process until COPY ends.
            with suppress(psycopg2.Error):
                snapshot.connection.cancel()
            raise


def _copy_orders(snapshot: Snapshot, target: Path) -> None:
    with target.open("wb") as sink:
        snapshot.copy_out(queries.load("delivery_orders", folder("sql")), None, sink)


def _check(counts: Counts, settings: Settings, name: str, first: Sequence[str], rejects: Path | None) -> None:
    read, rejected = counts.rows_read, counts.rows_rejected
    if not read:
        raise DataRefused(f"{name} has a header and no rows")
    problems = ""
    if first:
        problems = f"; the first: {'; '.join(first)}" + (f"; all are in {rejects}" if rejects else "")
    if rejected > exact(settings.max_reject_share) * read:
        raise DataRefused(
            f"{name}: {rejected} of {read} rows were rejected, more than the"
            f" {float(settings.max_reject_share):.2%} allowed{problems}"
        )
    if read - rejected < settings.min_rows:
        raise DataRefused(
            f"{name} has {read - rejected} usable rows, fewer than the {settings.min_rows} expected{problems}"
        )


@contextmanager
def _file_errors(work: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(f"cannot write in {work}: {error}") from None
