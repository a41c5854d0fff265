"""Making the lists of one batch: each client's files, and the guard's word on them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from extracts import folder
from extracts.errors import DataRefused
from extracts.formats.excel import BOM, excel_record
from extracts.formats.xlsx import write_xlsx
from pipelines.price_lists import index, naming
from pipelines.price_lists.columns import COLUMNS, NAMES, ROWS, Row
from pipelines.price_lists.guard import Finding, Item, review
from pipelines.price_lists.index import HELD, PUBLISHED, RELEASED, Entry
from pipelines.price_lists.previous import read_list
from pipelines.price_lists.reading import SEPARATOR, Client, records
from pipelines.price_lists.work import Export, Work

# Part of every list's digest: to be raised when the files' look changes, so that unchanged prices are
# written anew.
_LOOK = b"1"


def make_lists(work: Work, batch: int) -> dict[str, int]:
    """Make the lists of a batch into the work folder; returns how many were published, held, released.

    A list that the guard holds, or that cannot be made, leaves no file and holds no other. Raises UsageError
    when the batch's records are gone, TransientError for a full disk.
    """
    export = work.load_export()
    before = index.last_set(work.root, export.dataset, export.day, whole=export.codes is None)
    maker = _Maker(export, work.files, before)
    entries, concerned = [], []
    with folder.storage_errors(work.files):
        for client, data in records(work, batch):
            entry, findings = maker.make(client, data)
            entries.append(entry)
            concerned += index.rows_concerned(entry, findings)
    work.save(f"made-{batch}", {"entries": [entry.as_json() for entry in entries], "concerned": concerned})
    statuses = [entry.status for entry in entries]
    return {status: statuses.count(status) for status in (PUBLISHED, HELD, RELEASED)}


class _Maker:
    def __init__(self, export: Export, target: Path, before: index.Set | None) -> None:
        self._export, self._target, self._before = export, target, before

    def make(self, client: Client, data: bytes) -> tuple[Entry, Sequence[Finding]]:
        """A client's entry in the index, with what the guard found."""
        last = self._last(client.code)
        digest = hashlib.sha256(
            b"\0".join((_LOOK, *map(str.encode, (*NAMES, client.name)), data))
        ).hexdigest()
        if last and self._is_current(last, digest):
            # Not a new list: what was said of it when it was published stands in the set that has it.
            return self._keep(last), ()
        skip = len(f"{client.id},")
        try:
            rows = [ROWS[record[skip:-1]] for record in data.split(SEPARATOR)] if data else []
            items = {row.sku: row.item for row in rows}
            if len(items) < len(rows):
                raise DataRefused(f"{len(rows) - len(items)} articles stand in the list twice")
            findings = self._review(items, last)
            if findings and not self._export.releases(client.code):
                return self._held(client, last, findings), findings
            files = self._write(client, rows)
        except DataRefused as error:
            findings = [Finding(f"the list cannot be made: {error}", ())]
            return self._held(client, last, findings), findings
        return (
            Entry(
                client.code,
                client.name,
                RELEASED if findings else PUBLISHED,
                list_date=self._export.day,
                rows=len(rows),
                contract_rows=sum(row.item.by_contract for row in rows),
                files=files,
                reasons=index.reasons(findings) or None,
                released_by=self._export.released_by if findings else None,
                digest=digest,
            ),
            findings,
        )

    def _last(self, code: str) -> Entry | None:
        if self._before is None or (last := self._before.entries.get(code)) is None:
            return None
        return self._before.intact(last)

    def _is_current(self, last: Entry, digest: str) -> bool:
        """Whether this very list was published for this day: then its files stay, to the byte."""
        return (
            last.digest == digest
            and last.list_date == self._export.day
            and last.status != HELD
            and set(last.files) == set(self._export.formats)
        )

    def _review(self, items: Mapping[str, Item], last: Entry | None) -> list[Finding]:
        previous = None
        if last and last.list_date and self._before:
            try:
                previous = read_list(self._before.folder, last.files)
            except DataRefused as error:
                return [Finding(f"{error}, so the new one could not be compared with it", ())]
        return review(items, previous, day=self._export.day, bounds=self._export.bounds)

    def _held(self, client: Client, last: Entry | None, findings: Sequence[Finding]) -> Entry:
        entry = Entry(client.code, client.name, HELD)
        if last:
            entry = replace(self._keep(last), name=client.name)
        return entry.held(findings)

    def _keep(self, last: Entry) -> Entry:
        """A list of the set before, with its files at hand for this one."""
        if self._before:
            for name in last.files.values():
                (self._target / name).unlink(missing_ok=True)
                folder.link_file(self._before.folder / name, self._target / name)
        return last

    def _write(self, client: Client, rows: Sequence[Row]) -> dict[str, str]:
        files = {}
        for form in self._export.formats:
            path = self._target / f"{naming.stem(client.code, self._export.day)}.{form}"
            # Never into a file that is there: it may be part of a published set already.
            path.unlink(missing_ok=True)
            if form == "csv":
                path.write_bytes(b"".join((BOM, excel_record(NAMES), *(row.line for row in rows))))
            else:
                write_xlsx(path, sheet_name(self._export.day), COLUMNS, [row.record for row in rows])
            files[form] = path.name
        return files


def sheet_name(day: date) -> str:
    """The name of the sheet, which says what day the prices are of, however the file is renamed."""
    return f"Прайс-лист {day:%d.%m.%Y}"
