"""Telling how an export goes: bars to a person at a terminal, one JSON object a line to anyone else."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from extracts.export.settings import Level

if TYPE_CHECKING:
    from tqdm import tqdm


class JsonLines:
    """Writes each event as one line of JSON; a program or a log collector reads them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def event(self, name: str, level: Level = "info", /, **fields: object) -> None:
        now = f"{datetime.now(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
        entry = {"time": now, "level": level, "event": name, **fields}
        # Flushed: what a killed process did last is what one wants to read.
        print(json.dumps(entry, ensure_ascii=False, default=str), file=self._stream, flush=True)

    def rows(self, table: str, rows: int, /) -> None:
        pass


class Terminal:
    """Draws a bar for each table that is being read, on stderr; results go to stdout."""

    def __init__(self) -> None:
        self._bars: dict[str, tqdm[Any]] = {}

    def event(self, name: str, level: Level = "info", /, **fields: Any) -> None:
        if name == "reading":
            self._open(fields["day"], fields["expected"])
        elif name == "read" and (bar := self._bars.pop(fields["table"], None)):
            # What PostgreSQL expected was a guess.
            bar.total = bar.n = fields["rows"]
            bar.refresh()
            bar.close()
        elif name == "published":
            self._close()
            news = "published" if fields["changed"] else "unchanged"
            size = f"{fields['rows']:,} rows, {fields['bytes'] / 1e6:,.1f} MB"
            print(f"{fields['day']}  {news}: {size}  {fields['package']}", flush=True)
        elif name == "waiting":
            self._say(f"waiting {fields['seconds']:.0f} s: {fields['reason']}")
        elif level != "info":
            self._close()
            self._say(f"{level}: {fields.get('message', name)}")

    def rows(self, table: str, rows: int, /) -> None:
        if bar := self._bars.get(table):
            bar.update(rows)

    def _open(self, day: str, expected: Mapping[str, int]) -> None:
        # Imported where a person looks on: elsewhere it would only cost time.
        from tqdm import tqdm

        self._close()
        width = max(map(len, expected), default=0)
        for place, (table, rows) in enumerate(expected.items()):
            self._bars[table] = tqdm(
                total=rows,
                desc=f"{day}  {table:<{width}}",
                unit=" rows",
                unit_scale=True,
                position=place,
                leave=False,
            )

    def _close(self) -> None:
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
