"""How fast and how small is the delivery analysis? `python benchmarks/delivery_status.py [--growth]`

Runs `python -m pipelines.delivery_status` and the same answer by pandas in turn, each as a process of its
own, on the same statuses file and the same orders in a PostgreSQL that this script starts and ends. Wall
time is of the whole process, peak memory too. The answers must be equal. The last line is one of JSON.
`--growth` measures the command alone, with ten times the rows as well. Exit 0 whatever was measured, 1 when
nothing could be.
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def seeded(rows: int) -> Iterator[tuple[Path, str]]:
    """A statuses file and the DSN of a database with its orders, `rows` of each."""
    import psycopg2

    from demo.postgres import EmbeddedServer

    with tempfile.TemporaryDirectory(prefix="delivery-benchmark-") as folder:
        server = EmbeddedServer(Path(folder) / "data", settings={"fsync": "off", "max_wal_size": "4GB"})
        server.start()
        try:
            with psycopg2.connect(server.dsn()) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT set_config('benchmark.rows', %s, false)", (str(rows),))
                cursor.execute((ROOT / "benchmarks" / "delivery_status.sql").read_text(encoding="utf-8"))
                statuses = Path(folder) / "statuses.csv"
                with statuses.open("wb") as file:
                    cursor.copy_expert("COPY statuses TO STDOUT (FORMAT csv, HEADER)", file)
                cursor.execute("DROP TABLE statuses")
            connection.close()
            yield statuses, server.dsn()
        finally:
            server.stop()


def answer_of(output: str) -> dict[str, Any]:
    """What both print, in one shape."""
    answer = json.loads(output)
    places = {
        (place["carrier"], place["region"], place["orders_with_status"], place["error_orders"])
        for place in answer["breakdown"]
        if place["orders_with_status"]
    }
    names = (
        "orders_with_status",
        "error_orders",
        "error_share",
        "orders_without_status",
        "statuses_without_order",
        "duplicates_folded",
        "rows_read",
    )
    return {name: answer[name] for name in names} | {"breakdown": places}


def rounds(rows: int, number: int, *, with_pandas: bool) -> dict[str, Any]:
    """Medians of `number` rounds: seconds, peak MB, and the ratio to pandas."""
    from benchmarks.processes import Measured, measure

    with seeded(rows) as (statuses, dsn):
        commands = {
            "command": [
                sys.executable,
                "-m",
                "pipelines.delivery_status",
                str(statuses),
                "--json",
                "--dsn",
                dsn,
            ]
        }
        if with_pandas:
            peer = ROOT / "benchmarks" / "pandas_delivery_status.py"
            commands["pandas"] = [sys.executable, "-W", "ignore", str(peer), str(statuses), dsn]
        taken: dict[str, list[Measured]] = {name: [] for name in commands}
        for turn in range(number):
            # Turned about, so that neither always finds the caches as the other left them.
            for name in list(commands)[:: 1 if turn % 2 == 0 else -1]:
                taken[name].append(measure(commands[name], cwd=statuses.parent))
                last = taken[name][-1]
                print(f"round {turn + 1}  {name:<8} {last.seconds:7.2f} s {last.peak_mb:8.0f} MB", flush=True)
        answers = {name: answer_of(runs[-1].output) for name, runs in taken.items()}
        if with_pandas and answers["command"] != answers["pandas"]:
            raise RuntimeError("the answers differ: the times mean nothing")
        size = statuses.stat().st_size

    figures: dict[str, Any] = {"rows": rows, "rounds": number, "statuses_mb": round(size / 1e6, 1)}
    for name, runs in taken.items():
        seconds = [run.seconds for run in runs]
        figures[f"{name}_seconds"] = round(statistics.median(seconds), 3)
        figures[f"{name}_seconds_min"] = round(min(seconds), 3)
        figures[f"{name}_seconds_max"] = round(max(seconds), 3)
        figures[f"{name}_peak_mb"] = round(max(run.peak_mb for run in runs), 1)
    figures["peak_mb"] = figures["command_peak_mb"]
    if with_pandas:
        figures["ratio_vs_pandas"] = round(figures["pandas_seconds"] / figures["command_seconds"], 2)
    figures["error_share"] = answers["command"]["error_share"]
    return figures


def show(figures: dict[str, Any]) -> None:
    """The figures of one size, for a person."""
    print(f"\n{figures['rows']:,} statuses x {figures['rows']:,} orders, {figures['rounds']} rounds")
    for name in ("command", "pandas"):
        if f"{name}_seconds" in figures:
            print(
                f"{name:<8} median {figures[f'{name}_seconds']:.2f} s"
                f" ({figures[f'{name}_seconds_min']:.2f} to {figures[f'{name}_seconds_max']:.2f}),"
                f" peak {figures[f'{name}_peak_mb']:.0f} MB"
            )
    if "ratio_vs_pandas" in figures:
        print(f"{figures['ratio_vs_pandas']:.2f} times as fast as pandas")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="statuses, and orders (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: 5)")
    parser.add_argument(
        "--growth", action="store_true", help="the command alone, also with ten times the rows"
    )
    options = parser.parse_args()
    try:
        figures = rounds(options.rows, options.rounds, with_pandas=not options.growth)
        show(figures)
        if options.growth:
            tenfold = rounds(10 * options.rows, options.rounds, with_pandas=False)
            show(tenfold)
            exponent = math.log10(tenfold["command_seconds"] / figures["command_seconds"])
            print(f"ten times the rows take 10^{exponent:.2f} times as long")
            figures |= {f"tenfold_{name}": value for name, value in tenfold.items()}
            figures["growth_exponent"] = round(exponent, 3)
    except Exception as error:
        print(f"error: could not measure: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"benchmark": "delivery_status", **figures}))
    return 0


if __name__ == "__main__":
    if not __package__:
        # As a module, so that the project's root is where packages are looked for.
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.delivery_status", *sys.argv[1:]])
    sys.exit(main())
