"""Reading all lists at once: one query, one snapshot, one pass, split into batches in a run's work folder.

A batch is a file of records, the rows of its clients one after another, and a table that says where each
client's begin and end. So the lists of all batches are of one instant, a batch that is tried again makes the
same lists again, and the memory that this takes does not grow with the number of clients.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import IO

from extracts import folder, queries
from extracts.errors import DataRefused, UsageError
from extracts.postgres import Snapshot
from pipelines import resources
from pipelines.price_lists.work import Work

# PostgreSQL's text cannot hold it, so it separates records without a look into quotes.
SEPARATOR = b"\0"


@dataclass(frozen=True)
class Client:
    """A client that gets a list."""

    id: int
    code: str
    name: str


@dataclass
class Share:
    """A client's records: bytes `[start, end)` of its batch's file."""

    client: Client
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Reading:
    """What was read: how many records and batches, all clients that are active now, and when that was."""

    rows: int
    batches: int
    active: Sequence[str]
    snapshot_time: datetime


def read(
    work: Work,
    *,
    dsn: str | None,
    day: date,
    assortment: str,
    codes: Sequence[str] | None,
    batches: int,
    complete: Callable[[int], object] = lambda batch: None,
) -> Reading:
    """Read the lists of all active clients, or of those named by `codes`, into the folder `work`.

    `complete` hears of each batch as soon as its file is whole.

    Raises UsageError for a code that no active client has, DataRefused when there is no active client, or no
    product for the full assortment, TransientError for a full disk; what `extracts.postgres` raises passes
    through.
    """
    with folder.storage_errors(work.path), Snapshot(dsn, application_name="price lists") as snapshot:
        active = _active(snapshot)
        chosen = sorted(_chosen(active, codes), key=lambda client: client.id)
        size = -(-len(chosen) // batches)
        parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        query = queries.load("price_list", resources.folder("sql"))
        params = {"clients": [client.id for client in chosen], "day": day, "assortment": assortment}
        splitter = _Splitter(work, parts, complete)
        try:
            rows = snapshot.copy_out(query, params, splitter)
            if not rows and assortment == "full":
                raise DataRefused(
                    "no active product in an active category, so every list would be empty: see the tables "
                    "products and categories"
                )
            splitter.finish()
        finally:
            splitter.close()
        return Reading(rows, len(parts), [client.code for client in active], snapshot.time)


def records(work: Work, batch: int) -> Iterator[tuple[Client, bytes]]:
    """The clients of a batch, each with its records: lines of CSV, with SEPARATOR between them.

    Raises UsageError when the batch's file is gone, which it is once the set was published.
    """
    try:
        file = work.records(batch).open("rb")
    except FileNotFoundError:
        raise UsageError(
            f"{work.records(batch)} is gone, because these lists were published: read the prices again "
            "(clear the task that does, with downstream, or start a new run)"
        ) from None
    with file:
        for share in work.load(f"shares-{batch}"):
            file.seek(share["start"])
            yield Client(**share["client"]), file.read(share["end"] - share["start"])


def _active(snapshot: Snapshot) -> list[Client]:
    with snapshot.connection.cursor() as cursor:
        cursor.execute(queries.load("price_list_clients", resources.folder("sql")).text)
        active = [Client(*row) for row in cursor.fetchall()]
    if not active:
        raise DataRefused("no active client, so nobody would get a list: see the table clients")
    if nameless := [client.id for client in active if not (client.code or "").strip()]:
        raise DataRefused(f"active clients without a code, which names their files: id {_some(nameless)}")
    codes = [client.code for client in active]
    if twice := {code for code, following in pairwise(codes) if code == following}:
        raise DataRefused(f"several active clients have the code {_some(twice)}: give each its own")
    return active


def _chosen(active: Sequence[Client], codes: Sequence[str] | None) -> Iterable[Client]:
    if codes is None:
        return active
    known = {client.code: client for client in active}
    if unknown := set(codes) - known.keys():
        raise UsageError(f"no active client has the code {_some(map(repr, unknown))}: see the table clients")
    return {known[code] for code in codes}


def _some(items: Iterable[object]) -> str:
    texts = sorted(map(str, items))
    return ", ".join(texts[:10]) + (f" and {len(texts) - 10} more" if len(texts) > 10 else "")


class _Splitter:
    """What COPY writes into: the server sends the header, and then each row, as a message of its own."""

    def __init__(
        self, work: Work, parts: Sequence[Sequence[Client]], complete: Callable[[int], object]
    ) -> None:
        self._work, self._complete = work, complete
        self._rest = iter([(batch, Share(client)) for batch, part in enumerate(parts) for client in part])
        self._batch = -1
        self._shares: list[Share] = []
        self._file: IO[bytes] | None = None
        self._rows: list[bytes] = []
        self._prefix: bytes | None = None

    def write(self, row: bytes) -> None:
        if self._prefix is None:
            self._prefix = SEPARATOR
            return
        if not row.startswith(self._prefix):
            self._advance(int(row.partition(b",")[0]))
        self._rows.append(row)

    def _advance(self, client: int | None) -> None:
        """Go on to the share of `client`, or to the end; the clients between have no rows."""
        while not self._shares or self._shares[-1].client.id != client:
            if self._file is not None:
                self._file.write(SEPARATOR.join(self._rows))
                self._rows.clear()
                self._shares[-1].end = self._file.tell()
            batch, share = next(self._rest, (None, None))
            if batch != self._batch:
                self._end_batch()
            if batch is None or share is None:
                if client is not None:
                    raise DataRefused(
                        f"price_list.sql gave rows of client {client} apart: order them by client"
                    )
                return
            if self._file is None:
                self._file = self._work.records(batch).open("wb", buffering=1 << 20)
                self._batch = batch
            share.start = self._file.tell()
            self._shares.append(share)
        self._prefix = b"%d," % client

    def _end_batch(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._work.save(
            f"shares-{self._batch}",
            [
                {"client": vars(share.client), "start": share.start, "end": share.end}
                for share in self._shares
            ],
        )
        self._shares = []
        self._complete(self._batch)

    def finish(self) -> None:
        """Write down the last batch."""
        self._advance(None)

    def close(self) -> None:
        """Let go of the file, whatever happened."""
        if self._file is not None:
            self._file.close()
