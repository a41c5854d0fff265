"""How fast and how small is the export? `python benchmarks/export.py [--quick] [--peers] [--growth]`

Runs `extracts export` for one table of a million events and for the set of five tables, and in turn with it,
each as a process of its own and on the same PostgreSQL, which this script starts and ends:

- psql_copy: `psql \\copy` of the same query to plain CSV; psql_gzip: psql piped into gzip
- pg_dump: `pg_dump -Fd -j2 --compress=gzip:1` of the same table; pg_dump_five: of the five tables
- limit: the same ranges received over two libpq connections by Python, and thrown away
- psql_limit: the same by two psql, which no driver of Python can reach
- pandas, once; with --peers, which installs them aside, dlt once and rivet-cli, which has plain CSV only

Wall time is of the whole command: start, reading, compression, checksums, publication. Ratios are a peer's
median over ours: above 1 is faster. Memory is the sum of all processes', sampled, in a run of its own. The
bytes must be those of psql. The last line is one of JSON. Exit 0 whatever was measured, 1 when nothing was.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
SETS = ROOT / "include" / "sql" / "logistics"
TABLE = "shipment_events"
DAY = "2026-11-20"
BOUNDS = {"start": "2026-11-19 20:00+03", "end": "2026-11-20 20:00+03"}
ALL_PAGES = 1 << 32
# What an export sets for itself, so that rows come in physical order.
_SESSION = "-c search_path=logistics -c synchronize_seqscans=off -c max_parallel_workers_per_gather=0"
PEERS = ("dlt[filesystem,postgres,sql-database,parquet]==1.31.0", "rivet-cli==0.32.2")
_RIVET = """
source: {type: postgres, url_env: DATABASE_URL}
exports:
  - name: shipment_events
    query: SELECT * FROM logistics.shipment_events
    mode: chunked
    chunk_column: id
    chunk_size: 250000
    parallel: 2
    format: csv
    destination: {type: local, path: ./rivet/}
"""


@dataclass(frozen=True)
class Bench:
    """A folder to work in, PostgreSQL's programs, and the environment in which all of them find it."""

    folder: Path
    binaries: Path
    environment: dict[str, str]


@contextmanager
def seeded(rows: int) -> Iterator[Bench]:
    """A database with `rows` events, and the other tables at the brief's volumes."""
    from demo.postgres import EmbeddedServer, binaries

    with tempfile.TemporaryDirectory(prefix="export-benchmark-") as folder:
        server = EmbeddedServer(Path(folder) / "data", settings={"fsync": "off", "max_wal_size": "8GB"})
        server.start()
        try:
            place = urlsplit(server.dsn())
            environment = {
                "PGHOST": str(place.hostname),
                "PGPORT": str(place.port),
                "PGUSER": str(place.username),
                "PGPASSWORD": str(place.password),
                "PGDATABASE": place.path[1:],
                "PGOPTIONS": _SESSION,
                "DATABASE_URL": server.dsn(),
                # An installed command has its bytecode, and so has this one after its first run.
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
            }
            seed = [str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"rows={rows}"]
            seed += ["-f", str(ROOT / "benchmarks" / "export.sql"), server.dsn()]
            subprocess.run(seed, check=True)
            yield Bench(Path(folder), binaries(), environment)
        finally:
            server.stop()


def query(first: int = 0, last: int = ALL_PAGES - 2) -> str:
    """The set's own query of the events on these pages, on one line."""
    lines = (SETS / f"{TABLE}.sql").read_text(encoding="utf-8").splitlines()
    text = " ".join(line.strip() for line in lines if not line.startswith("--"))
    values = {**BOUNDS, "ctid_from": f"({first},0)", "ctid_to": f"({last},0)"}
    for name, value in values.items():
        text = text.replace(f":'{name}'", f"'{value}'")
    return text


def shares(bench: Bench) -> list[list[str]]:
    """The queries of the export's ranges, every other one for each of two connections."""
    import psycopg2

    from extracts.export.ranges import PAGES

    with psycopg2.connect(bench.environment["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_relation_size('logistics.{TABLE}') / current_setting('block_size')::int")
        ((pages,),) = cursor.fetchall()
    connection.close()
    cuts = [*range(0, pages, PAGES), ALL_PAGES - 2]
    ranges = [query(first, last) for first, last in pairwise(cuts)]
    return [ranges[::2], ranges[1::2]]


def commands(bench: Bench) -> dict[str, list[str]]:
    """What is measured in each round, by name."""
    one = bench.folder / "one"
    one.mkdir()
    shutil.copy(SETS / f"{TABLE}.sql", one)
    halves = shares(bench)
    for number, half in enumerate(halves):
        lines = [f"\\copy ({text}) TO '/dev/null' CSV\n" for text in half]
        (bench.folder / f"half-{number}.sql").write_text("".join(lines), encoding="utf-8")
    extracts = str(Path(sys.executable).with_name("extracts"))
    export = [extracts, "export", "logistics", "--to", "published"]
    export += ["--date", DAY, "--lookback", "0", "--workers", "2", "--compression", "gzip"]
    limit = [
        sys.executable,
        str(ROOT / "benchmarks" / "libpq_limit.py"),
        *map(";".join, filter(None, halves)),
    ]
    psql = [str(bench.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    dump = [str(bench.binaries / "pg_dump"), "-Fd", "-j2", "--compress=gzip:1", "-f", "dump"]
    whole = f"COPY ({query()}) TO STDOUT CSV HEADER"
    two = '"$@" -f half-0.sql & one=$!; "$@" -f half-1.sql && wait $one'
    return {
        "export": [*export, "--sql", str(one)],
        "limit": limit,
        "psql_limit": ["sh", "-c", two, "sh", *psql],
        "psql_copy": [*psql, "-c", f"\\copy ({query()}) TO 'copied.csv' CSV HEADER"],
        "psql_gzip": ["sh", "-c", '"$@" | gzip > piped.csv.gz', "sh", *psql, "-c", whole],
        "pg_dump": [*dump, "-t", f"logistics.{TABLE}"],
        "export_five": export,
        "pg_dump_five": [*dump, "-n", "logistics"],
    }


def install_peers(bench: Bench) -> dict[str, list[str]]:
    """Put dlt and rivet-cli into an environment of their own; returns their commands."""
    print(f"installing {' '.join(PEERS)} ...", flush=True)
    uv = str(Path(sys.executable).with_name("uv"))
    home = bench.folder / "peers"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(home), *PEERS], check=True)
    (bench.folder / "rivet.yaml").write_text(_RIVET, encoding="utf-8")
    python, rivet = (str(home / "bin" / name) for name in ("python", "rivet"))
    return {
        "dlt": [python, str(ROOT / "benchmarks" / "dlt_export.py"), TABLE, str(bench.folder / "dlt")],
        "rivet": [rivet, "run", "--no-notify", "-c", "rivet.yaml"],
    }


def seconds(bench: Bench, command: Sequence[str]) -> float:
    """Wall time of a command that finds nothing of the last one's."""
    from benchmarks.processes import measure

    for name in ("published", "dump", "rivet", "dlt"):
        shutil.rmtree(bench.folder / name, ignore_errors=True)
    (bench.folder / "published").mkdir()
    return measure(command, cwd=bench.folder, environment=bench.environment).seconds


def peak(bench: Bench, command: Sequence[str]) -> float:
    """The most memory that all processes of a command had at once, MB."""
    from benchmarks.processes import measure

    seconds(bench, ["true"])
    return measure(command, cwd=bench.folder, environment=bench.environment, with_children=True).peak_mb


def check(bench: Bench, rows: int, measured: dict[str, list[str]]) -> None:
    """Raise RuntimeError unless all read the same rows, and who writes CSV writes the same bytes."""
    from benchmarks.processes import measure

    for name in ("psql_copy", "psql_gzip", "export"):
        seconds(bench, measured[name])
    (exported,) = (bench.folder / "published").glob(f"logistics/dt={DAY}/v=*/{TABLE}.csv.gz")
    for packed in (exported, bench.folder / "piped.csv.gz"):
        with gzip.open(packed) as file, (bench.folder / "copied.csv").open("rb") as copied:
            while block := file.read(1 << 20):
                if block != copied.read(len(block)):
                    raise RuntimeError(f"{packed.name} is not what psql has copied: the times mean nothing")
            if copied.read(1):
                raise RuntimeError(f"{packed.name} is less than psql has copied: the times mean nothing")
    received = measure(measured["limit"], cwd=bench.folder, environment=bench.environment).output
    if sum(map(int, received.split())) != rows:
        raise RuntimeError("the limit's connections have not received all rows: the times mean nothing")


def rounds(rows: int, number: int, *, with_peers: bool) -> dict[str, Any]:
    """Medians of `number` rounds, and the peers that run once."""
    with seeded(rows) as bench:
        repeated = commands(bench)
        pandas = [sys.executable, str(ROOT / "benchmarks" / "pandas_export.py"), query(), "pandas.csv.gz"]
        once = {"pandas": pandas, **(install_peers(bench) if with_peers else {})}
        check(bench, rows, repeated)
        taken: dict[str, list[float]] = {name: [] for name in repeated}
        for turn in range(number):
            for name, command in repeated.items():
                taken[name].append(seconds(bench, command))
                print(f"round {turn + 1}  {name:<14} {taken[name][-1]:7.2f} s", flush=True)
        for name, command in once.items():
            taken[name] = [seconds(bench, command)]
            print(f"once     {name:<14} {taken[name][-1]:7.2f} s", flush=True)
        peaks = {
            f"peak_mb{'_five' * (name != 'export')}": round(peak(bench, repeated[name]), 1)
            for name in ("export", "export_five")
        }
    medians = {name: statistics.median(values) for name, values in taken.items()}
    against = {name: medians[name] / medians["export"] for name in medians if not name.startswith("export")}
    against["pg_dump_five"] = medians["pg_dump_five"] / medians["export_five"]
    return {
        "rows": rows,
        "rounds": number,
        **{f"ratio_vs_{name}": round(ratio, 2) for name, ratio in against.items()},
        **peaks,
        "seconds": {name: round(value, 2) for name, value in medians.items()},
    }


def growth(rows: int) -> dict[str, Any]:
    """Seconds and memory of the export alone, for `rows` events."""
    with seeded(rows) as bench:
        command = commands(bench)["export"]
        return {
            "rows": rows,
            "seconds": round(seconds(bench, command), 2),
            "peak_mb": round(peak(bench, command), 1),
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="events (default: 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument(
        "--peers", action="store_true", help="install dlt and rivet-cli aside, and run them too"
    )
    parser.add_argument(
        "--growth", action="store_true", help="measure the export alone at ten times the rows, too"
    )
    options = parser.parse_args()
    try:
        figures = rounds(options.rows, 1 if options.quick else options.rounds, with_peers=options.peers)
        if options.growth:
            figures["tenfold"] = growth(options.rows * 10)
    except Exception as error:
        print(f"error: could not measure: {error}", file=sys.stderr)
        return 1
    taken = figures["seconds"]["export"]
    print(f"\n{figures['rows']:,} events to .csv.gz: {taken:.2f} s, {figures['peak_mb']:.0f} MB")
    for name, ratio in figures.items():
        if name.startswith("ratio_vs_"):
            print(f"  {ratio:6.2f} times the speed of {name.removeprefix('ratio_vs_')}")
    if tenfold := figures.get("tenfold"):
        print(f"{tenfold['rows']:,} events: {tenfold['seconds']:.1f} s, {tenfold['peak_mb']:.0f} MB")
    print(json.dumps({"benchmark": "export", **figures}))
    return 0


if __name__ == "__main__":
    if not __package__:
        # As a module, so that the project's root is where packages are looked for.
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.export", *sys.argv[1:]])
    sys.exit(main())
