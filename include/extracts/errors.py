"""The three ways a job can end badly, and the exit code of each.

A scheduler decides by them whether another try makes sense: a pod failure policy reads the exit
code, a retry policy of Airflow the class.
"""


class ExtractsError(Exception):
    """Base of every error that this library raises on purpose. Its text names thing, place and remedy."""

    exit_code = 1


class TransientError(ExtractsError):
    """May pass on a retry: the database is away, the connection was cut, the disk was full. Exit code 1."""

    exit_code = 1


class UsageError(ExtractsError):
    """Usage or configuration: a wrong option, a missing right, an unknown table. Exit code 2."""

    exit_code = 2


class DataRefused(ExtractsError):
    """A check said no to the data, and nothing was published. Exit code 3."""

    exit_code = 3
