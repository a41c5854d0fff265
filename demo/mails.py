"""Mails as files in a folder: one `.eml` each, named so that names sort by arrival."""

import email
import email.policy
import itertools
import time
from email.message import EmailMessage
from pathlib import Path

_numbers = itertools.count()


def keep(folder: Path, content: bytes) -> None:
    """Write one mail. It appears in the folder whole or not at all. Raises OSError."""
    name = f"{time.time_ns():020}-{next(_numbers):06}"
    unfinished = folder / f".{name}.part"
    unfinished.write_bytes(content)
    unfinished.rename(folder / f"{name}.eml")


def stored(folder: Path) -> list[Path]:
    """The files of the mails in `folder`, oldest first."""
    return sorted(folder.glob("*.eml"))


def read(file: Path) -> EmailMessage:
    """One kept mail. `Return-Path` and `Delivered-To` on its top are the SMTP envelope."""
    with file.open("rb") as content:
        message = email.message_from_binary_file(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def all_in(folder: Path) -> list[EmailMessage]:
    """Every mail in `folder`, oldest first."""
    return [read(file) for file in stored(folder)]
