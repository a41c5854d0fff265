"""`python -m pipelines.delivery_status`: the verdict for a person or a program."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

from extracts.errors import ExtractsError, UsageError
from pipelines.delivery_status.analysis import analyse
from pipelines.delivery_status.settings import ERROR_STATUSES, Settings
from pipelines.delivery_status.verdict import Verdict

_SHOWN_PLACES = 20

_EPILOG = """\
STATUSES is a CSV file (plain or .gz), a folder of *.csv and *.csv.gz, or an http(s):// or file:// URL.
It has a header with order_id, status and updated_at (ISO 8601; Moscow time where no zone is written) in
any order; other columns are ignored. Orders come from the table or view `orders` (order_id, carrier,
region) on the connection's search_path. Their latest status counts; of equal times the later line.

exit codes: 0 a verdict was found, whichever it is; 1 a retry may help (database away); 2 usage or
configuration; 3 the data was refused, and nothing was published.
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
        prog="python -m pipelines.delivery_status",
        description="The share of orders whose latest delivery status is an error, with its evidence.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("statuses", metavar="STATUSES", help="CSV file, folder or URL")
    parser.add_argument(
        "--threshold", type=_decimal, default=Decimal("0.10"), help="alert strictly over it (default: 0.10)"
    )
    parser.add_argument(
        "--min-rows", type=int, default=1, metavar="N", help="fewer usable rows are no verdict (default: 1)"
    )
    parser.add_argument(
        "--max-reject-share",
        type=_decimal,
        default=Decimal("0.01"),
        metavar="S",
        help="a larger share of rejected rows is no verdict (default: 0.01)",
    )
    parser.add_argument(
        "--error-statuses",
        type=lambda text: frozenset(text.split(",")),
        default=ERROR_STATUSES,
        metavar="A,B,…",
        help=f"the statuses that are errors (default: {','.join(sorted(ERROR_STATUSES))})",
    )
    parser.add_argument("--dsn", help="PostgreSQL, as URI or key=value text (default: PGHOST, PGDATABASE, …)")
    parser.add_argument("--to", type=Path, metavar="DIR", help="publish the verdict below this folder")
    parser.add_argument(
        "--date", type=_day, metavar="DAY", help="the day to publish it for, YYYY-MM-DD (default: today)"
    )
    parser.add_argument(
        "--rejects",
        type=Path,
        metavar="FILE",
        help="where rejected rows are written (default: STATUSES.rejects.csv in the current folder)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as YYYY-MM-DD") from None


def _run(options: argparse.Namespace) -> int:
    settings = Settings(
        threshold=options.threshold,
        min_rows=options.min_rows,
        max_reject_share=options.max_reject_share,
        error_statuses=options.error_statuses,
    )
    if options.date and not options.to:
        raise UsageError("--date is the day to publish for: give --to DIR with it")
    if options.to:
        _make(options.to)
    rejects = options.rejects or Path.cwd() / _rejects_name(options.statuses)
    with tempfile.TemporaryDirectory(prefix="delivery-status-") as work:
        verdict = analyse(
            options.statuses, dsn=options.dsn, settings=settings, work=Path(work), rejects=rejects
        )
    published = None
    if options.to:
        from pipelines.delivery_status.publishing import publish

        day = options.date or datetime.now(ZoneInfo(settings.timezone)).date()
        published = publish(verdict, root=options.to, day=day)
    if options.json:
        print(json.dumps(verdict.as_dict(), ensure_ascii=False))
    else:
        print(_text(verdict))
    if verdict.rejects:
        print(f"rejected rows: {verdict.rejects}", file=sys.stderr)
    if published:
        news = "published" if published.changed else "unchanged, published before"
        print(f"{news}: {published.package}", file=sys.stderr)
    return 0


def _rejects_name(statuses: str) -> str:
    name = statuses.partition("?")[0].rstrip("/").rpartition("/")[2] or "statuses"
    return f"{name}.rejects.csv"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--to {folder}: cannot make this folder: {error.strerror}") from None


def _text(verdict: Verdict) -> str:
    from pipelines.delivery_notices import percent

    share = percent(verdict.error_share, apart_from=verdict.threshold)
    side = "OVER" if verdict.over_threshold else "not over"
    lines = [
        f"Error share {share}, {side} the threshold of {percent(verdict.threshold)}:"
        f" {verdict.error_orders:,} of {verdict.orders_with_status:,} orders with a status",
        "",
    ]
    table = [("carrier", "region", "with status", "errors", "share")]
    worst = sorted(verdict.breakdown, key=lambda place: -place.error_orders)
    for place in worst[:_SHOWN_PLACES]:
        of_place = place.error_orders / place.orders_with_status if place.orders_with_status else None
        table.append(
            (
                place.carrier or "(none)",
                place.region or "(none)",
                f"{place.orders_with_status:,}",
                f"{place.error_orders:,}",
                "" if of_place is None else f"{of_place:.2%}",
            )
        )
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    for row in table:
        texts = [row[column].ljust(widths[column]) for column in (0, 1)]
        numbers = [row[column].rjust(widths[column]) for column in (2, 3, 4)]
        lines.append("  ".join(texts + numbers))
    if len(worst) > _SHOWN_PLACES:
        lines.append(f"… and {len(worst) - _SHOWN_PLACES} more with fewer errors: --json or --to gives all")
    evidence = {
        "orders without a status": verdict.orders_without_status,
        "statuses without an order": verdict.statuses_without_order,
        "duplicates folded": verdict.duplicates_folded,
        "rows read": verdict.rows_read,
        "rows rejected": verdict.rows_rejected,
    }
    lines += ["", *(f"{name:<26}{number:>14,}" for name, number in evidence.items())]
    if verdict.unknown_statuses:
        names = ", ".join(f"{name} ({orders:,})" for name, orders in verdict.unknown_statuses.items())
        lines.append(f"unknown statuses, not counted as errors: {names}")
    lines += [
        f"input {verdict.input.name}, {verdict.input.bytes:,} bytes, sha256 {verdict.input.sha256}",
        f"orders as of {verdict.snapshot_time:%Y-%m-%d %H:%M:%S %Z}",
    ]
    return "\n".join(lines)
