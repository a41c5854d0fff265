"""The index of a day's set, `index.csv`: what each client got, or why it did not."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from extracts import catalog, folder
from extracts.errors import DataRefused
from extracts.postgres import Column
from extracts.publication import Published
from pipelines.price_lists.guard import Concerned, Finding

INDEX, CONCERNED = "index.csv", "held.csv"
STATUSES = PUBLISHED, RELEASED, HELD, KEPT = "published", "released", "held", "kept"

COLUMNS = [
    Column("code", "text"),
    Column("name", "text"),
    Column("status", "text"),
    Column("list_date", "date"),
    Column("rows", "bigint"),
    Column("contract_rows", "bigint"),
    Column("csv", "text"),
    Column("xlsx", "text"),
    Column("reasons", "text"),
    Column("released_by", "text"),
    Column("digest", "text"),
]

CONCERNED_COLUMNS = [
    Column(name, "text") for name in ("code", "name", "reason", "sku", "product", "before", "now")
]


@dataclass
class Entry:
    """A client in the set: its list's day, files (names, by format) and size, and what the guard said.

    `status`: published; held (the files are those of an earlier day, or none); released (published although
    the guard found something); kept (not part of the run: the files that were current stay). `digest` tells
    whether a list made again would be the same.
    """

    code: str
    name: str
    status: str
    list_date: date | None = None
    rows: int | None = None
    contract_rows: int | None = None
    files: dict[str, str] = field(default_factory=dict)
    reasons: str | None = None
    released_by: str | None = None
    digest: str | None = None

    def values(self) -> list[object]:
        """The entry as a row of `COLUMNS`."""
        return [
            self.files.get(column.name) if column.name in ("csv", "xlsx") else getattr(self, column.name)
            for column in COLUMNS
        ]

    def held(self, findings: Iterable[Finding]) -> "Entry":
        """The same files, held back from being replaced because of `findings`."""
        return replace(self, status=HELD, reasons=reasons(findings), released_by=None)

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> "Entry":
        known = {item.name: content[item.name] for item in fields(cls)}
        if known["list_date"]:
            known["list_date"] = date.fromisoformat(str(known["list_date"]))
        return cls(**known)  # type: ignore[arg-type]


def reasons(findings: Iterable[Finding]) -> str:
    """The findings' sentences in one text."""
    return "; ".join(finding.reason for finding in findings)


def rows_concerned(entry: Entry, findings: Iterable[Finding]) -> list[list[str | None]]:
    """What the guard found in a list, as rows of `CONCERNED_COLUMNS`; each reason has one at least."""
    return [
        [entry.code, entry.name, finding.reason, row.sku, row.product, row.before, row.now]
        for finding in findings
        for row in finding.rows or [Concerned(None, None, None, None)]
    ]


@dataclass(frozen=True)
class Set:
    """A published set: its day, its folder of files, its entries by client code, and the rows concerned.

    `hashes` are the checksums of its files, by name, as its package has them.
    """

    day: date
    folder: Path
    entries: Mapping[str, Entry]
    concerned: Sequence[Sequence[str | None]]
    hashes: Mapping[str, str]

    def intact(self, entry: Entry) -> Entry:
        """An entry of this set, without files that were removed or damaged since."""
        return replace(
            entry, files={form: name for form, name in entry.files.items() if self._is_intact(name)}
        )

    def _is_intact(self, name: str) -> bool:
        try:
            return folder.sha256(self.folder / name) == self.hashes.get(name)
        except OSError:
            return False


def summary(published: Published) -> dict[str, Any]:
    """A set in numbers: `version`, `changed`, `clients`, `rows`, `left`, and the clients of each status."""
    statuses = [entry.status for entry in read(published).entries.values()]
    return {
        "version": published.version,
        "changed": published.changed,
        "clients": len(statuses),
        "rows": published.descriptor["rows"],
        **{status: statuses.count(status) for status in STATUSES},
        "left": len(published.descriptor["left"]),
    }


def last_set(root: Path, dataset: str, day: date, *, whole: bool) -> Set | None:
    """The newest set of `dataset` that is not after `day`, with which the lists of `day` are compared.

    A damaged set of `day` itself is passed over by a `whole` run, of all clients, which replaces it. Raises
    DataRefused, naming it, where another one is damaged: what the clients have is then not known.
    """
    try:
        return _last(root, dataset, day)
    except DataRefused as error:
        if whole:
            return _last(root, dataset, day - timedelta(days=1))
        raise DataRefused(f"{error}, for all clients") from None


def _last(root: Path, dataset: str, day: date) -> Set | None:
    found = catalog.last(root, dataset, upto=day)
    return None if found is None else read(found)


def read(published: Published) -> Set:
    """The index of a published set. Raises DataRefused when it is missing, damaged, or none."""
    path = published.folder / INDEX
    hashes = {item["path"].rpartition("/")[2]: item.get("hash") for item in published.descriptor["resources"]}
    try:
        for name in (INDEX, CONCERNED):
            if folder.sha256(published.folder / name) != hashes.get(name):
                raise ValueError(f"{name} is not as it was published")
        with path.open(encoding="utf-8", newline="") as file:
            entries = {row["code"]: _entry(row) for row in csv.DictReader(file)}
        with (published.folder / CONCERNED).open(encoding="utf-8", newline="") as file:
            concerned = [[value or None for value in row] for row in csv.reader(file)][1:]
        day = date.fromisoformat(published.descriptor["day"])
        return Set(day, published.folder, entries, concerned, hashes)
    except (OSError, LookupError, ValueError) as error:
        raise DataRefused(
            f"{path} cannot be used ({error}), so what the clients have is not known: publish that day again"
        ) from None


def _entry(row: Mapping[str, str]) -> Entry:
    return Entry(
        code=row["code"],
        name=row["name"],
        status=row["status"],
        list_date=date.fromisoformat(row["list_date"]) if row["list_date"] else None,
        rows=int(row["rows"]) if row["rows"] else None,
        contract_rows=int(row["contract_rows"]) if row["contract_rows"] else None,
        files={name: row[name] for name in ("csv", "xlsx") if row[name]},
        reasons=row["reasons"] or None,
        released_by=row["released_by"] or None,
        digest=row["digest"] or None,
    )
