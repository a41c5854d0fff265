"""Where the statuses come from: a file, a folder or a URL, plain or gzipped, made into plain local files."""

import gzip
import hashlib
import shutil
import urllib.parse
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from extracts.errors import DataRefused, TransientError, UsageError

_BLOCK = 1 << 20
_SECONDS_WITHOUT_AN_ANSWER = 60
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Part:
    """One CSV file of the input: its name, where people find it, the file itself and it as plain CSV."""

    name: str
    place: str
    original: Path
    csv: Path
    _state: tuple[int, int, int]

    def unchanged(self) -> None:
        """Raises TransientError when the file is not the one that was found when reading began."""
        if not self.original.exists():
            raise TransientError(f"{self.place} went away while it was read; try again when it is back")
        if (now := _state(self.original)) != self._state:
            raise TransientError(
                f"{self.place} changed while it was read ({self._state[0]} bytes, then {now[0]});"
                " try again when it is written whole"
            )


@dataclass(frozen=True)
class Fingerprint:
    """The input's name, size in bytes and SHA-256, of the files as they are (gzipped ones gzipped).

    The SHA-256 of a folder is that of what `sha256sum *.csv *.csv.gz` writes, in name order.
    """

    name: str
    bytes: int
    sha256: str


def locate(statuses: str, work: Path) -> tuple[str, list[Part]]:
    """The input's name and its files. What is gzipped or remote is written into `work` first.

    A folder stands for its *.csv and *.csv.gz in name order. Raises UsageError when there is no such thing,
    DataRefused when it is empty, cut off or not what it says, TransientError when a server does not answer.
    """
    url = urllib.parse.urlsplit(statuses)
    if url.scheme in ("http", "https"):
        name = Path(urllib.parse.unquote(url.path)).name or url.netloc
        # What follows the path may hold a signature or a password: it is not for messages.
        place = f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}{url.path}"
        return name, [_part(name, place, _download(statuses, place, work / "download"), work)]
    path = Path(urllib.parse.unquote(url.path) if url.scheme == "file" else statuses).expanduser()
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}")
    if not path.is_dir():
        return path.name, [_part(path.name, str(path), path, work)]
    files = sorted(found for found in path.iterdir() if found.name.lower().endswith((".csv", ".csv.gz")))
    if not files:
        raise DataRefused(f"{path} has no *.csv or *.csv.gz in it")
    return path.resolve().name, [_part(file.name, str(file), file, work) for file in files]


def fingerprint(name: str, parts: list[Part]) -> Fingerprint:
    """Reads every file once."""
    sums, size = [], 0
    for part in parts:
        with _reading(part.original), part.original.open("rb") as file:
            sums.append((hashlib.file_digest(file, "sha256").hexdigest(), part.name))
            size += file.tell()
    if len(sums) == 1:
        return Fingerprint(name, size, sums[0][0])
    listing = "".join(f"{sha256}  {file}\n" for sha256, file in sums)
    return Fingerprint(name, size, hashlib.sha256(listing.encode()).hexdigest())


def _part(name: str, place: str, original: Path, work: Path) -> Part:
    with _reading(original):
        state = _state(original)
        if not state[0]:
            raise DataRefused(f"{place} is empty (0 bytes): expected a CSV file with a header")
        with original.open("rb") as file:
            is_gzip = file.read(2) == _GZIP
    if is_gzip:
        return Part(name, place, original, _unpack(original, place, work / f"unpacked-{name}.csv"), state)
    if name.lower().endswith(".gz"):
        raise DataRefused(f"{place} is not gzipped, as its name says: copy it again, or name it .csv")
    return Part(name, place, original, original, state)


def _unpack(original: Path, place: str, target: Path) -> Path:
    # Not left to DuckDB: it must be certain that every member is whole and its checksum right.
    with _reading(original), gzip.open(original) as source, target.open("wb") as sink:
        try:
            shutil.copyfileobj(source, sink, _BLOCK)
        except EOFError:
            raise DataRefused(
                f"{place} is cut off: its gzip stream ends early, after {sink.tell()} bytes of text;"
                " copy it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataRefused(f"{place} is damaged gzip ({error}): copy it again") from None
    return target


def _download(address: str, place: str, target: Path) -> Path:
    # Imported here, because HTTP and TLS would cost every run on a local file a part of its time.
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    try:
        with (
            urllib.request.urlopen(address, timeout=_SECONDS_WITHOUT_AN_ANSWER) as answer,
            target.open("wb") as sink,
        ):
            shutil.copyfileobj(answer, sink, _BLOCK)
            promised, got = answer.headers.get("Content-Length"), sink.tell()
    except urllib.error.HTTPError as error:
        message = f"{place}: the server answers {error.code} {error.reason}"
        if error.code >= 500 or error.code in (408, 425, 429):
            raise TransientError(f"{message}; try again later") from None
        raise UsageError(f"{message}; check the address") from None
    except (OSError, HTTPException) as error:
        raise TransientError(f"{place} cannot be read: {getattr(error, 'reason', error)}") from None
    except ValueError as error:
        raise UsageError(f"{place} is no address: {error}") from None
    if promised is not None and got != int(promised):
        raise TransientError(f"{place} was cut off: {got} bytes of {promised} came")
    return target


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise UsageError(f"{error.filename or path} may not be read or written: {error.strerror}") from None
    except OSError as error:
        raise TransientError(f"{path} cannot be read: {error}") from None
