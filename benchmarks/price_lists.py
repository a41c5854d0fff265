"""How fast and how small are the price lists? `python benchmarks/price_lists.py [--clients 500]`

Runs `python -m pipelines.price_lists` for 10,000 products, CSV and XLSX, on a PostgreSQL that this script
starts and ends: a first day, with nothing to compare with, and the day after, with each list checked against
the last one. Wall time is of the whole command: reading, writing, checking, checksums, zip. Peak memory is
the sum of its processes', sampled. The peer writes the same rows by openpyxl in write-only mode, for a sample
of the clients, and is timed for the writing alone; its time for all clients is that times their number. It
runs as one process, which is how it is used, and as two at once, which is what two cores can give it.

The last line is one of JSON. Exit 0 whatever was measured, 1 when nothing could be.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 11, 21)


@contextmanager
def seeded(clients: int) -> Iterator[tuple[Path, str]]:
    """A folder to work in, and the DSN of a database with the products, clients and prices."""
    import psycopg2

    from demo.postgres import EmbeddedServer

    with tempfile.TemporaryDirectory(prefix="price-lists-benchmark-") as folder:
        server = EmbeddedServer(Path(folder) / "data", settings={"fsync": "off"})
        server.start()
        try:
            with psycopg2.connect(server.dsn()) as connection, connection.cursor() as cursor:
                text = (ROOT / "benchmarks" / "price_lists.sql").read_text(encoding="utf-8")
                cursor.execute(text.replace(":'clients'", str(int(clients))))
            connection.close()
            yield Path(folder), server.dsn()
        finally:
            server.stop()


def peer_seconds(folder: Path, dsn: str, samples: Sequence[Sequence[int]]) -> float:
    """Seconds that openpyxl needs for one client, with a process for each of `samples`."""
    target = folder / "peer"
    target.mkdir(exist_ok=True)
    peers = [
        subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "benchmarks" / "openpyxl_price_lists.py"),
                dsn,
                str(DAY),
                str(target),
                *map(str, sample),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for sample in samples
    ]
    answers = [json.loads(peer.communicate()[0]) for peer in peers]
    return float(max(answer["seconds"] for answer in answers) / sum(answer["clients"] for answer in answers))


def query_seconds(dsn: str, clients: int) -> float:
    """Seconds of the query alone, its rows received and thrown away."""
    from extracts import queries
    from extracts.postgres import Snapshot
    from pipelines.resources import folder

    class Nowhere:
        def write(self, data: bytes) -> None:
            pass

    with Snapshot(dsn) as snapshot:
        started = time.perf_counter()
        params = {"clients": list(range(1, clients + 1)), "day": DAY, "assortment": "full"}
        snapshot.copy_out(queries.load("price_list", folder("sql")), params, Nowhere())
        return time.perf_counter() - started


def compare(folder: Path, client: int) -> None:
    """Raise RuntimeError unless both have written the same cells for a client."""
    from python_calamine import CalamineWorkbook

    ours = next((folder / "published").glob(f"price_list_export/dt={DAY}/v=*/B2B-{client:04d}_*.xlsx"))
    theirs = folder / "peer" / f"{client}.xlsx"
    one, other = (
        CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python() for path in (ours, theirs)
    )
    if one != other:
        raise RuntimeError("the lists differ: the times mean nothing")


def rounds(clients: int, number: int, sample: int) -> dict[str, Any]:
    """Medians of `number` rounds."""
    from benchmarks.processes import Measured, measure

    taken: dict[str, list[Measured]] = {"first_day": [], "next_day": []}
    one: list[float] = []
    two: list[float] = []
    with seeded(clients) as (folder, dsn):
        published = folder / "published"
        ids = range(1, sample + 1)
        for turn in range(number):
            shutil.rmtree(published, ignore_errors=True)
            one.append(peer_seconds(folder, dsn, [ids]))
            for day, name in enumerate(taken):
                command = [sys.executable, "-m", "pipelines.price_lists", "--dsn", dsn, "--workers", "2"]
                command += ["--to", str(published), "--date", str(DAY + timedelta(days=day)), "--json"]
                taken[name].append(measure(command, cwd=folder, with_children=True))
                last = taken[name][-1]
                print(
                    f"round {turn + 1}  {name:<12} {last.seconds:7.2f} s {last.peak_mb:6.0f} MB", flush=True
                )
            two.append(peer_seconds(folder, dsn, [ids[::2], ids[1::2]]))
            for name, seconds in (("one openpyxl", one[-1]), ("two openpyxl", two[-1])):
                print(
                    f"round {turn + 1}  {name:<12} {seconds * clients:7.2f} s, from {sample} clients",
                    flush=True,
                )
        compare(folder, ids[-1])
        size = sum(path.stat().st_size for path in published.glob(f"*/dt={DAY}/v=*/*"))
        query = query_seconds(dsn, clients)
    answer = json.loads(taken["next_day"][-1].output)
    if answer["published"] != clients or answer["held"]:
        raise RuntimeError(f"not all lists went out: {answer}")
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in taken.items()}
    openpyxl_seconds = statistics.median(one) * clients
    return {
        "clients": clients,
        "rows": answer["rows"],
        "rounds": number,
        "sample_clients": sample,
        "day_mb": round(size / 1e6),
        "query_seconds": round(query, 2),
        **{f"{name}_seconds": round(value, 2) for name, value in medians.items()},
        "openpyxl_seconds": round(openpyxl_seconds, 1),
        "ratio_vs_openpyxl": round(openpyxl_seconds / medians["first_day"], 2),
        "ratio_vs_openpyxl_next_day": round(openpyxl_seconds / medians["next_day"], 2),
        "ratio_vs_two_openpyxl": round(statistics.median(two) * clients / medians["first_day"], 2),
        "peak_mb": round(max(run.peak_mb for runs in taken.values() for run in runs), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=500, help="lists of 10,000 rows (default: 500)")
    parser.add_argument("--rounds", type=int, default=1, help="of each (default: 1)")
    parser.add_argument("--sample", type=int, default=20, help="clients that openpyxl writes (default: 20)")
    options = parser.parse_args()
    try:
        figures = rounds(options.clients, options.rounds, min(options.sample, options.clients))
    except Exception as error:
        print(f"error: could not measure: {error}", file=sys.stderr)
        return 1
    print(
        f"\n{figures['clients']:,} clients x 10,000 products, CSV and XLSX:"
        f" {figures['first_day_seconds']:.1f} s, the day after {figures['next_day_seconds']:.1f} s,"
        f" peak {figures['peak_mb']:.0f} MB\n"
        f"{figures['ratio_vs_openpyxl']:.1f} times as fast as openpyxl,"
        f" {figures['ratio_vs_two_openpyxl']:.1f} times as fast as two of it"
    )
    print(json.dumps({"benchmark": "price_lists", **figures}))
    return 0


if __name__ == "__main__":
    if not __package__:
        # As a module, so that the project's root is where packages are looked for.
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.price_lists", *sys.argv[1:]])
    sys.exit(main())
