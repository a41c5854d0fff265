"""A bucket of S3 or Google Cloud Storage, by obstore: few operations, each tried again while it may pass.

obstore itself tries again what it takes for passing: 429, 5xx, cut connections. What it does not (a list that
is cut in the middle, a timeout of the server's) is tried again here. Requests are made in a thread, because
the client does not hear signals: Ctrl-C and SIGTERM end a run at once. A process that has used a bucket must
not be forked: the client's own threads are not there in the child, which waits for them for ever.

Keys come from the environment, as the providers' own tools read it:

- S3: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (or a web identity, or the machine's role), AWS_REGION
  (default us-east-1), AWS_ENDPOINT_URL for another server than Amazon's: `http://` there means without TLS;
- Google: GOOGLE_APPLICATION_CREDENTIALS (or the machine's account), STORAGE_EMULATOR_HOST.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import GCSStore, S3Store

from extracts.errors import TransientError, UsageError

if TYPE_CHECKING:
    from obstore.store import BackoffConfig, ClientConfig, GCSCredential, RetryConfig, S3Config

# How long one request is tried again before the run fails; a scheduler's retry comes after that.
PATIENCE = timedelta(minutes=2)
_ATTEMPTS = 4

# A part and those on their way are the memory of an upload: 8 MiB, three at a time, one being read.
_PART = 8 << 20
_PARTS_AT_ONCE = 3
_MOST_PARTS = 9_000
_BLOCK = 1 << 20

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]+)</Message>")
# Who is asked for keys where the environment has none.
_METADATA = re.compile(r"//(169\.254\.169\.254|metadata[./])")
# Refusals that are about the moment: a client's fault by their status, but not by their cause.
_MAY_PASS = {408, 409, 425, 429}
_CODES_MAY_PASS = {"RequestTimeout", "IncompleteBody", "BadDigest"}

_SETTINGS = {
    "s3": ("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "its AWS_REGION and AWS_ENDPOINT_URL"),
    "gs": ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST, where it is set"),
}

# What says where keys are, other than the account of a machine at Amazon.
_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)

T = TypeVar("T")


class Bucket:
    """The objects of a bucket by their keys. Raises TransientError, UsageError, FileNotFoundError."""

    def __init__(self, url: str, store: S3Store | GCSStore) -> None:
        self.url = url
        self._store = store

    def read(self, key: str) -> bytes:
        return self._tried(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def fetch(self, key: str, target: Path) -> None:
        """Write an object into a local file."""

        def fetch() -> None:
            with target.open("wb") as file:
                for block in obstore.get(self._store, key).stream(min_chunk_size=_BLOCK):
                    file.write(block)

        self._tried(key, fetch)

    def write(self, key: str, data: bytes) -> None:
        """Make an object hold `data` in one step: a reader sees the old bytes or the new ones."""
        self._tried(key, lambda: obstore.put(self._store, key, data, use_multipart=False))

    def upload(self, key: str, source: Path) -> None:
        """Make an object of a local file: in parts, so that memory does not grow with it."""
        size = source.stat().st_size
        if size <= _PART:
            self.write(key, source.read_bytes())
            return
        part = max(_PART, size // _MOST_PARTS + 1)

        self._tried(
            key,
            lambda: obstore.put(
                self._store,
                key,
                source,
                use_multipart=True,
                chunk_size=part,
                max_concurrency=_PARTS_AT_ONCE,
            ),
        )

    def sizes(self, folder: str) -> dict[str, int]:
        """The bytes of all objects below `folder`, by their keys."""

        def sizes() -> dict[str, int]:
            chunks = obstore.list(self._store, f"{folder}/" if folder else None)
            return {found["path"]: found["size"] for chunk in chunks for found in chunk}

        return self._tried(folder, sizes)

    def folders(self, folder: str) -> list[str]:
        """The names that keys below `folder` go on with before their next slash, sorted."""
        found = self._tried(folder, lambda: obstore.list_with_delimiter(self._store, folder or None))
        return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"])

    def delete(self, *keys: str) -> None:
        """Remove objects, in any order; those that are not there are no error."""
        if not keys:
            return
        try:
            self._tried(keys[0], lambda: obstore.delete(self._store, keys))
        except FileNotFoundError:
            # Some servers stop at the first that is not there.
            if len(keys) > 1:
                for key in keys:
                    self.delete(key)

    def _tried(self, key: str, request: Callable[[], T]) -> T:
        where = f"{self.url}/{key}"
        pause = 0.2
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return _interruptible(request)
            except (BaseError, FileNotFoundError) as error:
                text = str(error)
                # The upload was completed, and only the server's answer was lost.
                completed = "<Code>NoSuchUpload</Code>" in text
                if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in text and not completed:
                    raise FileNotFoundError(2, "No such object", where) from error
                if not _may_pass(text) and not completed:
                    raise UsageError(_refusal(where, text)) from error
                if attempt == _ATTEMPTS or (" retries, max_retries" in text and not completed):
                    raise TransientError(
                        f"storage error at {where}: {_told(text)}; try again, readers have a whole set"
                    ) from error
            time.sleep(pause * random.uniform(0.5, 1))
            pause *= 3
        raise AssertionError("the last attempt returns or raises")


def _interruptible(request: Callable[[], T]) -> T:
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(request())
        except BaseException as error:
            future.set_exception(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    # Any thread may be given the signal, and Python only handles it in this one.
    while thread.is_alive():
        thread.join(0.2)
    return future.result()


def open_bucket(scheme: str, name: str) -> Bucket:
    """The bucket `name` of S3 (`s3`) or Google (`gs`), without asking whether it is there."""
    try:
        store = _open_s3(name) if scheme == "s3" else _open_google(name)
    except (BaseError, OSError, ValueError) as error:
        raise UsageError(
            f"{scheme}://{name} cannot be used: {_told(str(error))}; check the environment's settings of it"
        ) from error
    return Bucket(f"{scheme}://{name}", store)


def _open_s3(name: str) -> S3Store:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    if endpoint and not any(os.environ.get(setting) for setting in _KEYS):
        raise UsageError(
            f"no keys for s3://{name} at {endpoint}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    config: S3Config = {"region": region}
    if endpoint:
        config["endpoint"] = endpoint
    return S3Store(name, config=config, client_options=_client(endpoint), retry_config=_retries())


def _open_google(name: str) -> GCSStore:
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return GCSStore(name, client_options=_client(None), retry_config=_retries())
    address = emulator if "://" in emulator else f"http://{emulator}"
    return GCSStore(
        name,
        base_url=address,
        # It takes any token; without one, the machine's account would be asked for it.
        credential_provider=_any_token,
        client_options=_client(address),
        retry_config=_retries(),
    )


def _any_token() -> GCSCredential:
    return {"token": "emulator", "expires_at": None}


def _client(endpoint: str | None) -> ClientConfig:
    return {
        "allow_http": bool(endpoint and endpoint.startswith("http://")),
        "connect_timeout": timedelta(seconds=10),
        "read_timeout": timedelta(minutes=2),
        "timeout": timedelta(minutes=10),
    }


def _retries() -> RetryConfig:
    backoff: BackoffConfig = {
        "init_backoff": timedelta(seconds=0.2),
        "max_backoff": timedelta(seconds=15),
        "base": 3,
    }
    # The time is the limit: how often it is tried in it is a matter of chance.
    return {"max_retries": 1_000, "retry_timeout": PATIENCE, "backoff": backoff}


def _may_pass(text: str) -> bool:
    if "redirect without LOCATION" in text or _METADATA.search(text):
        return False
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    final = 300 <= status < 500 or status == 501
    return not final or status in _MAY_PASS or code in _CODES_MAY_PASS


def _refusal(where: str, text: str) -> str:
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    keys, address = _SETTINGS[where.partition(":")[0]]
    if _METADATA.search(text):
        return f"{where} cannot be used: no keys are set, and this machine has no account there: set {keys}"
    if status in (401, 403):
        remedy = f"check {keys}, and that they may get, put, list and delete there"
    elif status == 404:
        remedy = "create the bucket, or correct its name"
    else:
        remedy = f"check the bucket's name, and {address}"
    return f"{where} cannot be used: {_told(text)}; {remedy}"


def _told(text: str) -> str:
    """What the server or the library said, without what only its authors can read."""
    code, message = _CODE.search(text), _MESSAGE.search(text)
    if code:
        return f"{code[1]}: {message[1]}" if message else code[1]
    return text.partition("\n")[0].rpartition(" - ")[2][:300] or "no answer"
