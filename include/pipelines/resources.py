"""The files that travel with this package: queries and mail templates.

In a source checkout they are `include/sql` and `include/mail`, beside the packages; in an installed wheel
they lie inside this package.
"""

from pathlib import Path

from extracts.errors import UsageError

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `name` ("sql" or "mail"). Raises UsageError where the installation lacks it."""
    for place in (_PACKAGE / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise UsageError(
        f"no folder {name!r} in {_PACKAGE} or beside it: this installation is incomplete, install it again"
    )
