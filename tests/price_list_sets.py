"""Sets of price lists as the contract has them, for tests of what reads them."""

from datetime import date
from pathlib import Path

from openpyxl import Workbook

from extracts.formats.machine import write_csv
from extracts.publication import Publication
from pipelines.price_lists.index import COLUMNS, CONCERNED_COLUMNS, HELD, PUBLISHED, RELEASED, Entry
from pipelines.price_lists.naming import stem

DAY = "2026-11-21"
ZERO = "2 of 10,000 prices are zero, negative or missing (allowed: none)"
MOVED = "9,812 of 10,000 prices moved by more than 30% (allowed: 10%)"
SHRUNK = "The list is empty, the one before had 10,000 rows"
GONE = "30 of 100 clients of the last set are no longer there (allowed: 20%)"
ROWS = {
    ZERO: [("SKU-000017", "Чайник «Ёж», 1,7 л", "1490.00", "0.00"), ("SKU-000018", "Кружка", "99.90", None)],
    MOVED: [(f"SKU-{n:06}", f"Товар {n}", "100.00", "10000.00") for n in range(20)],
    GONE: [(None, None, f"GONE-{n:02}", None) for n in range(20)],
    SHRUNK: [(None, None, "10,000 rows", "0 rows")],
}
MORE = [MOVED.replace("moved by more than 30%", f"moved by more than {n}0%") for n in range(4, 7)]
ROWS |= dict.fromkeys(MORE, ROWS[MOVED])


def client(code, status=PUBLISHED, *, name="ООО «Ромашка»", reasons=(), listed=True, by=None):
    """A client of the set: its entry in the index and its rows in held.csv."""
    entry = Entry(code, name, status, reasons="; ".join(reasons) or None, released_by=by)
    if listed:
        entry.list_date = date(2026, 11, 21 if status in (PUBLISHED, RELEASED) else 20)
        entry.rows, entry.contract_rows = 10_000, 25
        entry.files = {form: f"{stem(code, entry.list_date)}.{form}" for form in ("csv", "xlsx")}
    return entry, [[code, name, reason, *row] for reason in reasons for row in ROWS[reason]]


def publish(root: Path, clients, *, left=(), assortment="full") -> Path:
    """The set that these clients make, with next to nothing in their lists; returns its datapackage.json."""
    dataset = "price_list_export" if assortment == "full" else f"price_list_export_{assortment}"
    entries = sorted((entry for entry, _ in clients), key=lambda entry: entry.code)
    with Publication(root, dataset, date.fromisoformat(DAY)).stage() as stage:
        columns, concerned = ([column.name for column in of] for of in (COLUMNS, CONCERNED_COLUMNS))
        write_csv(stage.folder / "index.csv", columns, [entry.values() for entry in entries])
        write_csv(stage.folder / "held.csv", concerned, [row for _, rows in clients for row in rows])
        Workbook().save(stage.folder / "summary.xlsx")
        (stage.folder / f"price-lists-{DAY}.zip").write_bytes(b"PK")
        lists = [name for entry in entries for name in entry.files.values()]
        for name in lists:
            (stage.folder / name).write_bytes(b"SKU\r\n")
        for name in ("index.csv", "held.csv", "summary.xlsx", f"price-lists-{DAY}.zip", *lists):
            stage.add(name)
        properties = {
            "assortment": assortment,
            "held": [
                {"name": entry.code, "reason": entry.reasons} for entry in entries if entry.status == HELD
            ],
            "released": [
                {"name": entry.code, "reason": entry.reasons, "by": entry.released_by}
                for entry in entries
                if entry.status == RELEASED
            ],
            "left": list(left),
            "run": {"dag": "price_list_export", "id": "manual__1"},
        }
        return stage.publish(properties=properties).package
