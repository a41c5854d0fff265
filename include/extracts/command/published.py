"""`extracts verify`, `freshness` and `prune`: what becomes of sets once they are published."""

from datetime import timedelta

import click

from extracts import freshness as freshnesses
from extracts import retention
from extracts import verify as verification
from extracts.command.environment import Duration
from extracts.command.options import option
from extracts.errors import DataRefused

_url = click.argument("url", envvar="EXTRACTS_URL")


@click.command()
@_url
def verify(url: str) -> int:
    """Check files against what their packages say.

    URL is a dataset (a folder, s3://… or gs://…), one of its days, or a datapackage.json. Every byte is read.
    """
    report = verification.verify(url)
    click.echo(str(report))
    return 0 if report.ok else DataRefused.exit_code


@click.command()
@_url
@option("--max-age", "The oldest that is still fresh.", type=Duration(), default="26h", metavar="TIME")
def freshness(url: str, max_age: timedelta) -> int:
    """Tell whether the newest day of a dataset is recent.

    URL is a dataset. Its age is counted from the end of its newest business day.
    """
    found = freshnesses.freshness(url, max_age=max_age)
    click.echo(str(found))
    return 0 if found.ok else DataRefused.exit_code


@click.command()
@_url
@option("--keep", "Days to keep, the newest ones.", type=click.IntRange(1), required=True, metavar="N")
def prune(url: str, keep: int) -> int:
    """Remove the oldest days of a dataset, and keep the newest N."""
    removed = retention.prune_days(url, keep=keep)
    for day in removed:
        click.echo(f"removed {day}")
    click.echo(f"{url}: {len(removed)} removed, the newest {keep} kept")
    return 0
