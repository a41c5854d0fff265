"""The lists of all batches as the day's set: files, index, what was held, a summary, and a zip of all."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from extracts import folder
from extracts.formats.excel import DIALECT as EXCEL_DIALECT
from extracts.formats.machine import DIALECT, write_csv
from extracts.formats.schema import table_schema
from extracts.publication import Publication, Published, Stage
from pipelines.price_lists import index
from pipelines.price_lists.gathering import Gathered, gather
from pipelines.price_lists.index import HELD, RELEASED, Entry
from pipelines.price_lists.work import Export, Work
from pipelines.sheets import Sheet, write_sheets

SUMMARY = "summary.xlsx"

# A run for another day may be publishing; it holds the dataset while it links files and makes its zip.
_WAIT_SECONDS = 120
_FORMATS = {"list_date": "dd.mm.yyyy", "rows": "#,##0", "contract_rows": "#,##0"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def publish(work: Work, *, run: Mapping[str, str] | None = None) -> Published:
    """Publish what was made in a work folder as the day's set. `run` names the run for its readers.

    Clients that were not part of the run keep the list that they have. The same lists again publish nothing
    new. Raises what `extracts.publication` raises, UsageError when a batch was not made.
    """
    export, reading = work.load_export(), work.load("reading")
    publication = Publication(work.root, export.dataset, export.day)
    with folder.storage_errors(work.root), publication.stage(wait=_WAIT_SECONDS) as stage:
        gathered = gather(
            work,
            export,
            batches=reading["batches"],
            active=reading["active"],
            # Read under the lock: another run may have published meanwhile.
            before=index.last_set(work.root, export.dataset, export.day, whole=export.codes is None),
        )
        entries = gathered.entries
        for entry, source in gathered.places.values():
            for name in entry.files.values():
                folder.link_file(source / name, stage.folder / name)
        # What is about all of them comes first, so that a reader of the package finds it.
        _add_tables(stage, entries, gathered.concerned)
        _add_zip(stage, f"price-lists-{export.day}.zip", entries)
        for entry in entries:
            for form, name in entry.files.items():
                title = f"{entry.code} {entry.name}".strip()
                dialect = EXCEL_DIALECT if form == "csv" else None
                stage.add(name, rows=entry.rows, dialect=dialect, title=title)
        published = stage.publish(
            snapshot_time=datetime.fromisoformat(reading["snapshot_time"]),
            properties=_properties(export, gathered, run),
        )
    work.remove_records()
    return published


def _add_tables(stage: Stage, entries: Sequence[Entry], concerned: Sequence[Sequence[str | None]]) -> None:
    rows = [entry.values() for entry in entries]
    tables = [
        (index.INDEX, index.COLUMNS, rows, "What each client got"),
        (index.CONCERNED, index.CONCERNED_COLUMNS, concerned, "What the guard found, and in which rows"),
    ]
    for name, columns, content, title in tables:
        write_csv(stage.folder / name, [column.name for column in columns], content)
        stage.add(name, rows=len(content), schema=table_schema(columns), dialect=DIALECT, title=title)
    titles = [column.name for column in index.COLUMNS[:-1]]
    write_sheets(
        stage.folder / SUMMARY,
        [
            Sheet(
                "Clients", titles, [row[:-1] for row in rows], {"list_date": "dd.mm.yyyy", "rows": "#,##0"}
            ),
            Sheet("Held", [column.name for column in index.CONCERNED_COLUMNS], concerned),
        ],
    )
    stage.add(SUMMARY, title="What each client got, and what was held")


def _add_zip(stage: Stage, name: str, entries: Sequence[Entry]) -> None:
    """All lists in one archive: no times in it, so that equal lists make equal bytes."""
    with zipfile.ZipFile(stage.folder / name, "w") as archive:
        for file in _files(entries):
            entry = zipfile.ZipInfo(file, _EPOCH)
            # XLSX is compressed already.
            entry.compress_type = zipfile.ZIP_STORED if file.endswith(".xlsx") else zipfile.ZIP_DEFLATED
            entry._compresslevel = 1  # type: ignore[attr-defined]
            with (stage.folder / file).open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
    stage.add(name, title="All lists")


def _files(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        yield from entry.files.values()


def _properties(export: Export, gathered: Gathered, run: Mapping[str, str] | None) -> dict[str, Any]:
    entries = gathered.entries
    properties: dict[str, Any] = {
        "assortment": export.assortment,
        "rows": sum(entry.rows or 0 for entry in entries),
        "held": [{"name": entry.code, "reason": entry.reasons} for entry in entries if entry.status == HELD],
        "released": [
            {"name": entry.code, "reason": entry.reasons, "by": entry.released_by}
            for entry in entries
            if entry.status == RELEASED
        ]
        + gathered.dropped,
        "left": gathered.left,
    }
    return properties | ({"run": dict(run)} if run else {})
