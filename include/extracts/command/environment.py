"""Settings from the environment, and secrets from files that it names."""

import os
import re
from collections.abc import MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from extracts.errors import UsageError

PREFIX = "EXTRACTS"

# What may also be given as NAME_FILE, a file that holds the value: mounted secrets never stand in a process's
# environment as its pod or unit describes it.
SECRETS = (
    "PGUSER",
    "PGPASSWORD",
    "EXTRACTS_DSN",
    "EXTRACTS_PING",
    "EXTRACTS_METRICS",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)


def read_secrets(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set each secret whose `…_FILE` is set. Raises UsageError for one that cannot be read, or for both."""
    for name in SECRETS:
        file = environment.get(f"{name}_FILE")
        if not file:
            continue
        if environment.get(name):
            raise UsageError(f"{name} and {name}_FILE are both set: unset one of them")
        try:
            environment[name] = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name}_FILE names {file}, which cannot be read: {error}") from None


_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


class Duration(click.ParamType[timedelta]):
    """A time such as 90, 90s, 30min, 26h or 2d; a bare number is of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|)", str(value).strip()):
            try:
                return timedelta(**{_UNITS[found[2]]: float(found[1])})
            except OverflowError:
                pass
        self.fail(f"{value!r} is no time: write it as 90s, 30min, 26h or 2d", param, ctx)
