"""The command `extracts export` as a process that is killed, and what is found afterwards."""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from demo.processes import in_sessions
from extracts.postgres import connect
from tests.faults.reading import Folder, Place, package_of, rows_of

DAY = date(2026, 11, 20)
WINDOW = {"start": "2026-11-19T17:00:00Z", "end": "2026-11-20T17:00:00Z"}
ROWS = 300
TABLES = """
    CREATE TABLE {name} (id integer PRIMARY KEY, content integer, at timestamptz);
    INSERT INTO {name} SELECT n, 0, '2026-11-20 12:00+03' FROM generate_series(1, {rows}) AS n;
"""
QUERIES = {
    "drivers": "SELECT id, content FROM drivers ORDER BY id",
    **{
        name: f"SELECT id, content FROM {name} WHERE at >= :'start' AND at < :'end' "
        "AND ctid >= :'ctid_from' AND ctid < :'ctid_to'"
        for name in ("shipments", "shipment_events")
    },
}
# A run's phases, by the lines of its log after which they begin; all of them together are the whole run.
PHASES = {"starting": 0, "reading": 3, "publishing": 3 + len(QUERIES), "ending": 4 + len(QUERIES)}
# Publishing is over in milliseconds, and what matters most.
_WEIGHTS = (2, 2, 5, 1)
_PATIENCE = 30


class Exports:
    """A small database whose rows change before each export, and the place that it exports to.

    Each export has a content of its own, a number that all rows of all tables have, so that a reader can
    tell of which one a file is.
    """

    def __init__(self, dsn: str, name: str, place: Place, folder: Path) -> None:
        self.name = name
        self.place = place
        self.work = folder / "work"
        self.counts: Counter[str] = Counter()
        self._queries = folder / "queries"
        self._log = folder / "stderr"
        self.work.mkdir(parents=True)
        self._queries.mkdir()
        for table, query in QUERIES.items():
            (self._queries / f"{table}.sql").write_text(query)
        self._connection = connect(f"{dsn}?options=-csearch_path%3D{name}")
        self._connection.autocommit = True
        self._sql(f"CREATE SCHEMA {name}")
        for table in QUERIES:
            self._sql(TABLES.format(name=table, rows=ROWS))
        self._environment = {
            **os.environ,
            "EXTRACTS_DSN": f"{dsn}?options=-csearch_path%3D{name}",
            "EXTRACTS_TO": place.url,
            "EXTRACTS_SQL": str(self._queries),
            "EXTRACTS_DATE": str(DAY),
            "EXTRACTS_LOOKBACK": "0",
            "EXTRACTS_WORK": str(self.work),
        }
        # When each content was the database's, by its own clock.
        self._since: list[datetime] = [self._now()]

    @property
    def last(self) -> int:
        """The content that the database has now."""
        return len(self._since) - 1

    def change(self) -> None:
        content = len(self._since)
        updates = (f"UPDATE {table} SET content = {content}" for table in QUERIES)
        self._sql("; ".join(updates))
        self._since.append(self._now())

    def start(self) -> "subprocess.Popen[str]":
        with self._log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "pipelines.exports", "export", self.name],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def export(self) -> list[dict[str, Any]]:
        """An export that nobody kills, and its events."""
        process = self.start()
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out + self._log.read_text()
        return [json.loads(line) for line in out.splitlines()]

    def lengths(self) -> dict[str, float]:
        """The usual seconds of each phase."""
        for _ in range(3):
            # The first ones take longer, above all in a bucket.
            self.change()
            self.export()
        seen: dict[str, list[float]] = {phase: [] for phase in PHASES}
        for _ in range(5):
            self.change()
            began = {"starting": time.monotonic()}
            process = self.start()
            assert process.stdout is not None
            for number, _ in enumerate(process.stdout, 1):
                for phase, lines in PHASES.items():
                    if number == lines:
                        began[phase] = time.monotonic()
            assert process.wait() == 0, self._log.read_text()
            ended = time.monotonic()
            process.stdout.close()
            moments = [*(began[phase] for phase in PHASES), ended]
            for phase, (begin, end) in zip(PHASES, pairwise(moments), strict=True):
                seen[phase].append(end - begin)
        return {phase: statistics.median(times) for phase, times in seen.items()}

    def kill(self, phase: str, delay: float, *, group: bool) -> bool:
        """Change the rows, start an export and kill it so long after a phase began; False if it had ended."""
        self.change()
        process = self.start()
        assert process.stdout is not None
        for _ in range(PHASES[phase]):
            assert process.stdout.readline(), self._log.read_text()
        time.sleep(delay)
        if process.poll() is None:
            # The readers are in the same group; alone, they must end because their parent did.
            (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
        code = process.wait()
        process.stdout.close()
        assert code in (0, -signal.SIGKILL), self._log.read_text()
        self.wait_for_the_end(process.pid)
        return code != 0

    def wait_for_the_end(self, leader: int) -> None:
        """Nothing of an export is left: no process of its session, and no session of the database's."""
        deadline = time.monotonic() + _PATIENCE
        while left := [*map(str, in_sessions([leader])), *self._sessions()]:
            assert time.monotonic() < deadline, left
            time.sleep(0.005)

    def read(self) -> int | None:
        """The content that a reader finds, in every row of every file, as of one instant; None for no set."""
        if (package := package_of(self.place, self.name, DAY)) is None:
            return None
        files = rows_of(self.place, package, self.name, DAY)
        assert files.keys() == QUERIES.keys()
        assert {name: len(rows) for name, rows in files.items()} == dict.fromkeys(QUERIES, ROWS)
        (content,) = {int(row["content"]) for rows in files.values() for row in rows}
        assert package["window"] == WINDOW
        instant = datetime.fromisoformat(package["snapshotTime"])
        assert self._since[content] < instant
        assert content == self.last or instant < self._since[content + 1]
        return content

    def is_half_done(self) -> bool:
        """Whether a publication was begun and not ended, which readers of the package do not see."""
        package = package_of(self.place, self.name, DAY)
        described = f"v={package['version'] if package else ''}"
        if self._versions()[-1:] > [described]:
            return True
        if isinstance(self.place, Folder):
            return str((self.place.root / self.name / f"dt={DAY}" / "current").readlink()) != described
        return any(key.startswith(f"{self.name}/.uploading/") for key in self._keys())

    def assert_all_is_tidy(self) -> None:
        """Nothing but the current version, the one before it, and what names them."""
        folder = f"{self.name}/dt={DAY}"
        found = self._versions()
        package = package_of(self.place, self.name, DAY)
        assert package is not None
        assert found[-1] == f"v={package['version']}"
        assert len(found) <= 2
        expected = {f"{folder}/{version}/{table}.csv.gz" for version in found for table in QUERIES}
        expected |= {f"{folder}/datapackage.json", f"{self.name}/latest.json"}
        assert set(self._keys()) == expected
        assert [path.name for path in self.work.iterdir() if not path.name.endswith(".lock")] == []
        assert self._sessions() == []

    def close(self) -> None:
        self._connection.close()

    def _versions(self) -> list[str]:
        start = f"{self.name}/dt={DAY}/v="
        return sorted({key.split("/")[2] for key in self._keys() if key.startswith(start)})

    def _keys(self) -> list[str]:
        return [key for key in sorted(self.place.keys()) if key.startswith(f"{self.name}/")]

    def _sessions(self) -> list[Any]:
        """Those of an export in the database, its advisory lock among what they hold."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid, state, query FROM pg_stat_activity WHERE application_name = %s",
                (f"extracts {self.name}",),
            )
            return cursor.fetchall()

    def _sql(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def _now(self) -> datetime:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            ((now,),) = cursor.fetchall()
        assert isinstance(now, datetime)
        return now


def kill_many(exports: Exports, kills: int, seed: int) -> None:
    """Kill so many exports at random moments of the whole run, and read what is published after each.

    In `exports.counts` stands how many came before, between and after the steps of the publication.
    """
    chance = random.Random(seed)
    lengths = exports.lengths()
    seen = exports.read() or 0
    while exports.counts.total() < kills:
        (phase,) = chance.choices([*PHASES], _WEIGHTS)
        delay = chance.uniform(0, lengths[phase])
        group = chance.random() < 0.5
        try:
            killed = exports.kill(phase, delay, group=group)
            content = exports.read()
            # Never an older set again; a server may serve a killed client's last request a moment later.
            assert content is not None
            assert seen <= content <= exports.last
            seen = content
            if killed:
                published = "after" if content == exports.last else "before"
                exports.counts["between" if exports.is_half_done() else published] += 1
        except BaseException as error:
            who = "its group" if group else "the parent alone"
            error.add_note(
                f"seed {seed}, kill {exports.counts.total() + 1} of export {exports.last} of {exports.name}: "
                f"{who}, {delay * 1000:.1f} ms into {phase} ({lengths[phase] * 1000:.1f} ms)"
            )
            raise
    exports.change()
    exports.export()
    assert exports.read() == exports.last
    exports.assert_all_is_tidy()
