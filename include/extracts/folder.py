"""Steps on a local folder that last: each one is on the disk before the next begins, or it raises."""

import errno
import fcntl
import hashlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from extracts.errors import TransientError, UsageError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_RETRY_HELPS = {
    errno.EROFS: "it is mounted read-only: mount it for writing",
    errno.EACCES: "this user may not do that there: give it the right, or choose another folder",
    errno.EPERM: "this user may not do that there: give it the right, or choose another folder",
    errno.ENOENT: "it is not there: create it, or mount the volume that holds it",
    errno.ENOTDIR: "it is not a folder: choose another place",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}
# Half-written replacements, which only a killed process leaves behind.
TEMPORARY = ".*.tmp"
_SCRATCH = "extracts-work-"
_HELD = ".lock"


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Turn the system's errors at `place` into this library's: what may pass, and what needs a person."""
    try:
        yield
    except OSError as error:
        where = error.filename or place
        if error.errno in _FULL:
            raise _disk_full(place) from error
        if remedy := _NO_RETRY_HELPS.get(error.errno or 0):
            raise UsageError(f"{where} cannot be used: {error.strerror}; {remedy}") from error
        raise TransientError(f"storage error at {where}: {error.strerror or error}; try again") from error


@contextmanager
def full_disk_errors(place: Path) -> Iterator[None]:
    """Turn a full disk at `place` into TransientError, and leave all other errors to the caller."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _disk_full(place) from error
        raise


def _disk_full(place: Path) -> TransientError:
    return TransientError(
        f"the disk or quota of {place} is full: free some space, or prune old versions, and run again; "
        "readers have a whole set meanwhile"
    )


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def lock(path: Path, *, wait: float = 0) -> Iterator[None]:
    """Hold the advisory lock on file `path`; the system frees it when this process dies, however it dies.

    Raises TransientError, saying who, when another one still holds it after `wait` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        deadline = time.monotonic() + wait
        while not _try_lock(descriptor):
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            raise TransientError(
                f"{path.parent} is in use by {holder}: wait until it has ended, then run again"
            )
        # On a full disk the name may be lost, but old versions can still be pruned.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, removed afterwards; what killed processes left there is removed first."""
    with ExitStack() as stack:
        # So that a folder which is not locked yet is not taken for a leftover.
        with lock(parent / f".{_SCRATCH}{os.getuid()}.lock", wait=60):
            for leftover in parent.glob(f"{_SCRATCH}*/"):
                with suppress(OSError, TransientError), lock(leftover / _HELD):
                    shutil.rmtree(leftover)
            made = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
            stack.callback(shutil.rmtree, made, ignore_errors=True)
            stack.enter_context(lock(made / _HELD))
        (made / "files").mkdir()
        yield made / "files"


def make_folder(path: Path) -> None:
    """Create `path` in its existing parent, unless it is there."""
    if not path.is_dir():
        path.mkdir(exist_ok=True)
        sync(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Make `path` hold `data` in one step: a reader sees the old bytes or the new ones."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            unwritten = memoryview(data)
            while unwritten:
                unwritten = unwritten[os.write(descriptor, unwritten) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync(path.parent)


def replace_link(path: Path, target: str) -> None:
    """Make the symbolic link `path` point to `target` in one step, where the file system has such links."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        temporary.symlink_to(target, target_is_directory=True)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP):
            return
        raise
    temporary.replace(path)
    sync(path.parent)


def link_file(source: Path, target: Path) -> None:
    """Give a file that will not change a second name, or a copy of it where there are no such links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.ENOSYS):
            raise
        shutil.copyfile(source, target)


def move_folder(source: Path, target: Path) -> None:
    """Rename a folder within its file system."""
    source.rename(target)
    sync(target.parent)
    sync(source.parent)


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """The checksum of a file, as a Data Package writes it."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
