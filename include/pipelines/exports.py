"""The command `extracts` with this project's sets: `logistics`, the carrier's five tables."""

import sys

from extracts.command import main as run
from pipelines.resources import folder


def main() -> int:
    """Run `extracts`; returns its exit code."""
    return run(folder("sql"))


if __name__ == "__main__":
    sys.exit(main())
