"""The command `extracts`: exports a set, and checks, watches and prunes what is published."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from extracts import __version__
from extracts.command.environment import read_secrets
from extracts.command.exporting import export
from extracts.command.published import freshness, prune, verify
from extracts.errors import ExtractsError

_EPILOG = """\b
exit codes: 0 done; 1 may pass on a retry (database or storage away, another
run is at work); 2 usage or configuration, no retry helps; 3 the data was
refused, or what is published is not right; 130 Ctrl-C; 143 SIGTERM
"""


@click.group(
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
)
@click.version_option(__version__, message="%(version)s")
def extracts() -> None:
    """Tables of PostgreSQL, as of one instant, to a published set of files.

    Every option may also be given as an environment variable, as its help says; a secret also as a file that
    the variable with _FILE at its end names (PGPASSWORD_FILE, AWS_SECRET_ACCESS_KEY_FILE).
    """


for command in (export, verify, freshness, prune):
    extracts.add_command(command)


class _Terminated(BaseException):
    """SIGTERM came: everything is put away on the way out, as for Ctrl-C."""

    exit_code = 143


def main(sets: Path, arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code. The folder `sets` holds the sets that are known by name."""
    # What is loaded stays to the end: no collection looks at it, so that processes share its pages.
    gc.freeze()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        read_secrets()
        code = extracts.main(arguments, prog_name="extracts", standalone_mode=False, obj=sets)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return 2
    except ExtractsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the answer, such as `head`, has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        print("error: interrupted", file=sys.stderr)
        return 130
    except _Terminated:
        print("error: terminated (SIGTERM); nothing was published half", file=sys.stderr)
        return _Terminated.exit_code


def _terminate(number: int, frame: FrameType | None) -> None:
    # A second one must not interrupt the putting away.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated
