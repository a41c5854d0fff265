"""A verdict as a published set of files: `verdict.json`, `breakdown.csv`, `breakdown.xlsx`, `rejects.csv`."""

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from extracts.formats.machine import DIALECT, write_csv
from extracts.formats.schema import table_schema
from extracts.postgres import Column
from extracts.publication import Publication, Published
from pipelines.delivery_status.verdict import Verdict

DATASET = "delivery_status_analysis"

_BREAKDOWN = [
    Column("carrier", "text"),
    Column("region", "text"),
    Column("orders", "bigint"),
    Column("orders_with_status", "bigint"),
    Column("error_orders", "bigint"),
    Column("error_share", "double precision"),
]
_REJECTS = [
    Column("file", "text"),
    Column("line", "bigint"),
    Column("column", "text"),
    Column("reason", "text"),
    Column("value", "text"),
]
_FORMATS = {"orders": "#,##0", "orders_with_status": "#,##0", "error_orders": "#,##0", "error_share": "0.00%"}


def publish(
    verdict: Verdict, *, root: Path, day: date, properties: Mapping[str, Any] | None = None
) -> Published:
    """Make the verdict the day's set of `delivery_status_analysis` below `root`, an existing folder.

    The same verdict again publishes nothing new. `properties` are added to the package. Raises what
    `extracts.publication` raises.
    """
    # Imported here, because who only wants the verdict need not wait for a spreadsheet library.
    from pipelines.sheets import Sheet, write_sheets

    names = [column.name for column in _BREAKDOWN]
    rows = [list(place.as_dict().values()) for place in verdict.breakdown]
    # Runs for different days may end at the same moment; each holds the dataset for a moment only.
    with Publication(root, DATASET, day).stage(wait=30) as stage:
        # The snapshot's time belongs to the package: in the file it would make every run look changed.
        content = {key: value for key, value in verdict.as_dict().items() if key != "snapshot_time"}
        (stage.folder / "verdict.json").write_text(
            json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        stage.add("verdict.json", title="The error share and its evidence")

        write_csv(stage.folder / "breakdown.csv", names, rows)
        title = "Orders and errors by carrier and region"
        stage.add(
            "breakdown.csv", rows=len(rows), schema=table_schema(_BREAKDOWN), dialect=DIALECT, title=title
        )
        write_sheets(stage.folder / "breakdown.xlsx", [Sheet("breakdown", names, rows, _FORMATS)])
        stage.add("breakdown.xlsx", title=title)

        if verdict.rejects:
            shutil.copyfile(verdict.rejects, stage.folder / "rejects.csv")
            stage.add(
                "rejects.csv",
                rows=verdict.rows_rejected,
                schema=table_schema(_REJECTS),
                dialect=DIALECT,
                title="Rows of the input that could not be used",
            )
        return stage.publish(snapshot_time=verdict.snapshot_time, properties=dict(properties or {}))
