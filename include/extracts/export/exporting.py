"""Exporting a set: days → snapshot → parts → files → publication."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from extracts import advisory, folder
from extracts.errors import DataRefused, TransientError
from extracts.export.days import days, until_end
from extracts.export.parts import Part, Whole
from extracts.export.ranges import Plan, bounds, explain, ranges
from extracts.export.readers import Readers
from extracts.export.settings import Listener, Settings
from extracts.export.tables import Table, read_set
from extracts.formats.compression import SUFFIXES
from extracts.formats.machine import DIALECT
from extracts.formats.schema import table_schema
from extracts.interruption import cancelled_by_signals
from extracts.package import Descriptor
from extracts.postgres import Snapshot
from extracts.storage import PublishedSet, Stage, Storage, open_storage
from extracts.window import Window

# What compression leaves of a table's width as PostgreSQL estimates it, with a margin.
_SHARE_ON_DISK = {"none": 2.0, "gzip": 0.6, "zstd": 0.6}


@dataclass(frozen=True)
class Exported:
    """A day that was exported: its window, what readers have now, and rows and bytes of each table."""

    window: Window
    published: PublishedSet

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Rows and bytes by table."""
        resources = self.published.descriptor["resources"]
        return {item["name"]: (item["rows"], item["bytes"]) for item in resources}

    @property
    def rows(self) -> int:
        return sum(rows for rows, _ in self.sizes.values())

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.sizes.values())


def export(settings: Settings, listener: Listener) -> list[Exported]:
    """Publish the day's set, and then those of the days before it into which rows came late.

    All of it is read from one snapshot. Returns the day that was asked for and the others that were looked
    at, newest first. A day before it that is refused is told of and left as it is.

    Raises UsageError, TransientError (also when another run holds the lock) and DataRefused; readers of the
    set have what they had before, or a whole new set.
    """
    tables = read_set(settings.sql)
    # First of all, while this process has neither threads nor connections that a reader would inherit.
    with Readers(settings.workers) as readers:
        storage = open_storage(settings.to, work=settings.work)
        storage.check()
        with _snapshot(settings, listener) as snapshot:
            readers.join(snapshot)
            wanted = days(settings, snapshot.time)
            listener.event(
                "snapshot", instant=snapshot.time.isoformat(), days=[str(window.day) for window in wanted]
            )
            run = _Run(settings, tables, storage, snapshot, readers, listener)
            run.refuse_missing(wanted[0])
            return list(run.days(wanted))


@contextmanager
def _snapshot(settings: Settings, listener: Listener) -> Iterator[Snapshot]:
    """A snapshot under the set's lock; where a day is about to end, one from just after its end."""
    waited = time.monotonic() + settings.wait
    while True:
        with (
            Snapshot(
                settings.dsn,
                application_name=f"extracts {settings.dataset}",
                statement_timeout=settings.statement_timeout,
                lock_timeout=settings.lock_timeout,
            ) as snapshot,
            cancelled_by_signals(snapshot.connection),
        ):
            try:
                advisory.hold(snapshot.connection, f"extracts:{settings.dataset}")
            except TransientError:
                if time.monotonic() >= waited:
                    raise
                seconds = 1.0
            else:
                seconds = until_end(settings, snapshot.time)
                if not seconds:
                    yield snapshot
                    return
                listener.event("waiting", seconds=round(seconds, 1), reason="the day is about to end")
        time.sleep(seconds)


class _Run:
    """One run of an export, and all that it works with."""

    def __init__(
        self,
        settings: Settings,
        tables: Sequence[Table],
        storage: Storage,
        snapshot: Snapshot,
        readers: Readers,
        listener: Listener,
    ) -> None:
        self._settings = settings
        self._tables = tables
        self._storage = storage
        self._snapshot = snapshot
        self._readers = readers
        self._listener = listener

    def refuse_missing(self, window: Window) -> None:
        """Raise DataRefused when the last published set has tables that this one has not."""
        last = self._storage.last(self._settings.dataset, upto=window.day)
        if last is None:
            return
        had = {str(item["name"]) for item in last.descriptor["resources"]}
        missing = sorted(had - {table.name for table in self._tables} - self._settings.allow_missing)
        if missing:
            raise DataRefused(
                f"the set {self._settings.sql} has no query for {', '.join(missing)}, which {last.package} "
                "has: put the .sql file back, or drop the table on purpose by --allow-missing"
            )

    def days(self, windows: Sequence[Window]) -> Iterator[Exported]:
        """Export the first day, then look at the others."""
        asked, *before = windows
        yield self._day(asked)
        for window in before:
            try:
                yield self._day(window, again=True)
            except DataRefused as error:
                # The day that was asked for is out: what cannot be said of an older one does not undo it.
                self._listener.event("refused", "warning", day=str(window.day), message=str(error))

    def _day(self, window: Window, *, again: bool = False) -> Exported:
        publication = self._storage.publication(self._settings.dataset, window.day)
        current = publication.current() if again else None
        with publication.stage(wait=self._settings.wait) as stage:
            read = self._read(
                [table for table in self._tables if table.of_a_day or not current], window, stage
            )
            if current and all(_is_same(current.descriptor, whole.file) for whole in read.values()):
                # Whole tables are of the day on which they were read: they make no old day a changed one.
                self._tell(exported := Exported(window, current))
                return exported
            if current:
                read |= self._read([table for table in self._tables if not table.of_a_day], window, stage)
            for table in self._tables:
                self._add(stage, table, window, read[table.name])
            published = stage.publish(window=window, snapshot_time=self._snapshot.time)
        self._tell(exported := Exported(window, published))
        if pruned := publication.prune(self._settings.keep_versions):
            self._listener.event("pruned", day=str(window.day), versions=pruned)
        return exported

    def _read(self, tables: Sequence[Table], window: Window, stage: Stage) -> dict[str, Whole]:
        """Read the tables into files of the stage, by name."""
        started = time.monotonic()
        plans = {table.name: explain(self._snapshot, table, _params(table, window)) for table in tables}
        self._refuse_full_disk(plans)
        self._listener.event(
            "reading", day=str(window.day), expected={name: plan.rows for name, plan in plans.items()}
        )
        parts = {table.name: self._parts(table, plans[table.name], window, stage) for table in tables}
        suffix = SUFFIXES[self._settings.compression]
        read = {name: Whole(stage.folder / f"{name}.csv{suffix}", len(parts[name])) for name in parts}
        # The biggest first, so that at the end the readers end together.
        queue = [part for name in sorted(parts, key=lambda name: -plans[name].rows) for part in parts[name]]
        with self._nothing_in_hand():
            for done in self._readers.read(queue):
                whole = read[done.part.table]
                whole.add(done)
                self._listener.rows(done.part.table, done.rows)
                if whole.complete:
                    self._listener.event(
                        "read",
                        day=str(window.day),
                        table=done.part.table,
                        rows=whole.rows,
                        bytes=whole.bytes,
                        seconds=round(time.monotonic() - started, 2),
                    )
        return read

    @contextmanager
    def _nothing_in_hand(self) -> Iterator[None]:
        """Whatever ends the reading: no reader writes into the stage after it, or answers in the next one."""
        try:
            yield
        except DataRefused:
            # The days before are read by the same readers.
            self._readers.rest()
            raise
        except BaseException:
            self._readers.end()
            raise

    def _parts(self, table: Table, plan: Plan, window: Window, stage: Stage) -> list[Part]:
        params = _params(table, window)
        return [
            Part(
                table.name,
                number,
                table.query,
                {**params, **bounds(table, range)},
                table.in_ranges,
                stage.folder / f".{table.name}.{number}",
                self._settings.compression,
            )
            for number, range in enumerate(ranges(self._snapshot, table, plan))
        ]

    def _refuse_full_disk(self, plans: dict[str, Plan]) -> None:
        free = self._storage.free_bytes()
        share = _SHARE_ON_DISK[self._settings.compression]
        needed = int(sum(plan.rows * plan.width for plan in plans.values()) * share)
        if free is not None and free < needed:
            place = self._settings.work or self._settings.to
            raise TransientError(
                f"{place} has {free / 1e6:,.0f} MB free, and the set needs "
                f"about {needed / 1e6:,.0f} MB: free some space, or prune old days, and run again"
            )

    def _add(self, stage: Stage, table: Table, window: Window, read: Whole) -> None:
        if table.not_empty and not read.rows and table.name not in self._settings.allow_empty:
            raise DataRefused(
                f"{table.name} has no row on {window.day} ({window.start:%Y-%m-%d %H:%M} to "
                f"{window.end:%Y-%m-%d %H:%M} UTC): nothing was published; if that is right, --allow-empty "
                f"{table.name}"
            )
        columns = self._snapshot.columns(table.query, {**_params(table, window), **bounds(table)})
        stage.add(
            read.file.name,
            rows=read.rows,
            schema=table_schema(columns),
            dialect=DIALECT,
            description=table.description,
        )

    def _tell(self, exported: Exported) -> None:
        self._listener.event(
            "published",
            day=str(exported.window.day),
            package=str(exported.published.package),
            rows=exported.rows,
            bytes=exported.bytes,
            changed=exported.published.changed,
        )


def _params(table: Table, window: Window) -> dict[str, object]:
    return {"start": window.start, "end": window.end} if table.of_a_day else {}


def _is_same(descriptor: Descriptor, file: Path) -> bool:
    """Whether the current version has this very file."""
    wanted = next((item for item in descriptor["resources"] if item["path"].endswith(f"/{file.name}")), None)
    return wanted is not None and wanted.get("hash") == folder.sha256(file)
