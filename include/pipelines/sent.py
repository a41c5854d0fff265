"""The record of mails that went out, so that a publication's mail is sent once, whatever is run again.

    <root>/.sent/<dataset>/<day>_<version>_<kind>_<recipients' checksum>.json

A mail is recorded after the server has accepted it. A process that dies between the two sends it again, and
none is ever taken for sent that was not. Each record is written in one step, so none is ever half-written:
that the file is there is the record, and what stands in it is for people.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extracts import folder
from extracts.package import load

_FOLDER = ".sent"
_LOCK = ".lock"
_KEPT = timedelta(days=400)


class Sent:
    """The mails of one publication: a version of a day's set below `root`, a folder that exists.

    The same day published anew is another publication, and has mails of its own. What storage does is raised
    as TransientError or UsageError.
    """

    def __init__(self, root: Path, dataset: str, day: str, version: str) -> None:
        self._root = Path(root)
        self._folder = self._root / _FOLDER / dataset
        self._publication = {"dataset": dataset, "day": day, "version": version}

    @classmethod
    def of(cls, package: Path | str) -> "Sent":
        """The mails of what the file `package`, a day's `datapackage.json`, describes now."""
        descriptor = load(Path(package))
        root = Path(package).parents[2]
        return cls(root, descriptor["name"], descriptor["day"], descriptor["version"])

    @contextmanager
    def alone(self, *, wait: float = 120) -> Iterator[None]:
        """Hold the dataset's record, so that two runs at once do not send the same mail.

        It creates the record's folder: where nothing can be written, that is told before a mail is sent.
        Raises TransientError when another one still holds it after `wait` seconds.
        """
        with ExitStack() as stack:
            with folder.storage_errors(self._root):
                folder.make_folder(self._folder.parent)
                folder.make_folder(self._folder)
                stack.enter_context(folder.lock(self._folder / _LOCK, wait=wait))
            yield

    def has(self, message_kind: str, recipients: Iterable[str]) -> bool:
        """Whether this kind of mail has gone to these recipients, in whatever order."""
        with folder.storage_errors(self._folder):
            return self._file(message_kind, recipients).is_file()

    def record(self, kind: str, recipients: Iterable[str], message_id: str) -> None:
        """Note, and have on the disk, that the mail server has accepted the mail. To be called when `alone`.

        Records of more than 400 days ago are removed.
        """
        recipients = sorted(set(recipients))
        content = {
            **self._publication,
            "kind": kind,
            "recipients": recipients,
            "message_id": message_id,
            "sent": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        with folder.storage_errors(self._folder):
            data = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            folder.replace_file(self._file(kind, recipients), data.encode())
            self._tidy()

    def _file(self, kind: str, recipients: Iterable[str]) -> Path:
        checksum = hashlib.sha256(json.dumps(sorted(set(recipients))).encode()).hexdigest()[:16]
        day, version = self._publication["day"], self._publication["version"]
        return self._folder / f"{day}_{version}_{kind}_{checksum}.json"

    def _tidy(self) -> None:
        for leftover in self._folder.glob(folder.TEMPORARY):
            leftover.unlink()
        # By the time of sending: the day of a mail may be long past when a run makes that day again.
        oldest = time.time() - _KEPT.total_seconds()
        for record in self._folder.glob("*.json"):
            if record.stat().st_mtime < oldest:
                record.unlink()
