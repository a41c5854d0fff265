"""Options that are environment variables too."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

import click

from extracts.command.environment import PREFIX


def option(name: str, help: str, **attributes: Any) -> Callable[[Any], Any]:
    """An option `--name`, also read from EXTRACTS_NAME, which its help says."""
    variable = f"{PREFIX}_{name.removeprefix('--').replace('-', '_').upper()}"
    shown = "default" in attributes and attributes["default"] is not None and not attributes.get("is_flag")
    return click.option(name, envvar=variable, show_envvar=True, show_default=shown, help=help, **attributes)


class Day(click.ParamType[date]):
    """A date, YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day: write it as YYYY-MM-DD", param, ctx)


class Clock(click.ParamType[time]):
    """A time of day, HH:MM."""

    name = "clock"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> time:
        if isinstance(value, time):
            return value
        try:
            clock = time.fromisoformat(value)
        except ValueError:
            clock = None
        if clock is None or clock.tzinfo is not None or clock.second or clock.microsecond:
            self.fail(f"{value!r} is no time of day: write it as 20:00", param, ctx)
        return clock
