"""`python -m pipelines.price_lists`: price lists for a person or a program."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from extracts.errors import ExtractsError, UsageError
from extracts.publication import Published
from pipelines.price_lists import index
from pipelines.price_lists.exporting import export_lists
from pipelines.price_lists.settings import Bounds, bounds
from pipelines.price_lists.work import DATASETS, FORMATS, Export
from pipelines.schedules import MOSCOW

_SHOWN = 20

_EPILOG = """\
Prices come from the tables or views products, categories, clients and client_prices on the connection's
search_path. Each list is compared with the client's last one below DIR; a list that differs too much is
held, the last one stays current, and --release lets it go out. Files are named by client code and date.

exit codes: 0 the set is published, with or without held lists; 1 a retry may help (database away); 2 usage
or configuration; 3 the data was refused, and nothing was published.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code = _run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever read the answer, such as `head`, has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ExtractsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.price_lists",
        description="A CSV and an XLSX price list for each B2B client, checked against the last ones.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--date", type=_day, metavar="DAY", help="whose prices, YYYY-MM-DD (default: today in Moscow)"
    )
    parser.add_argument(
        "--assortment",
        choices=list(DATASETS),
        default="full",
        help="all products, or those with a contract price alone (default: full)",
    )
    parser.add_argument(
        "--formats",
        type=lambda text: tuple(text.split(",")),
        default=FORMATS,
        metavar="F,…",
        help=f"of {','.join(FORMATS)} (default: both)",
    )
    parser.add_argument(
        "--clients", nargs="+", metavar="CODE", help="these clients alone; the others keep their lists"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("published"), metavar="DIR", help="publish below (default: published)"
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=_cores(),
        metavar="N",
        help="processes that make files (default: one for each core)",
    )
    parser.add_argument("--dsn", help="PostgreSQL, as URI or key=value text (default: PGHOST, PGDATABASE, …)")
    parser.add_argument(
        "--release",
        nargs="+",
        default=[],
        metavar="CODE",
        help="publish these clients' lists whatever the check finds; '*' is all of them",
    )
    parser.add_argument("--released-by", metavar="NAME", help="who releases, for the record")
    parser.add_argument(
        "--bounds", type=Path, metavar="FILE", help="JSON with other bounds of the check than the usual ones"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as YYYY-MM-DD") from None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes: give 1 or more")
    return int(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bounds(file: Path | None) -> Bounds:
    if file is None:
        return Bounds()
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--bounds {file} cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise UsageError(f'--bounds {file} is no JSON object: write it as {{"max_shrink": 0.2}}')
    return bounds(content)


def _run(options: argparse.Namespace) -> int:
    export = Export(
        day=options.date or datetime.now(ZoneInfo(MOSCOW)).date(),
        assortment=options.assortment,
        formats=options.formats,
        codes=tuple(options.clients) if options.clients else None,
        release=tuple(options.release),
        released_by=options.released_by,
        bounds=_bounds(options.bounds),
    )
    try:
        options.to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--to {options.to}: cannot make this folder: {error.strerror}") from None
    published = export_lists(export, dsn=options.dsn, root=options.to, workers=options.workers)
    summary = {**index.summary(published), "package": str(published.package)}
    print(json.dumps(summary, ensure_ascii=False) if options.json else _text(published, summary))
    return 0


def _text(published: Published, summary: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{summary[status]:,} {status}" for status in index.STATUSES if summary[status])
    lines = [f"{summary['clients']:,} clients, {summary['rows']:,} rows: {counts}"]
    held = [entry for entry in index.read(published).entries.values() if entry.status == index.HELD]
    lines += [f"held: {entry.code} ({entry.name}): {entry.reasons}" for entry in held[:_SHOWN]]
    if len(held) > _SHOWN:
        lines.append(f"… and {len(held) - _SHOWN} more: see {published.folder / index.CONCERNED}")
    news = "published" if published.changed else "unchanged, published before"
    lines.append(f"{news}: {published.package}")
    return "\n".join(lines)
