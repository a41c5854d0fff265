"""What the demo says when it cannot go on."""

import sys
from collections.abc import Callable
from typing import NoReturn


class DemoError(Exception):
    """The environment does not allow it; the message names the thing, the place and the remedy."""


def run_as(name: str, main: Callable[[], int]) -> NoReturn:
    """End this process as `main` says; a DemoError is its last words, and an exit code of 1."""
    try:
        sys.exit(main())
    except DemoError as error:
        sys.exit(f"{name}: {error}")
