"""The whole stack on one machine: a mailbox, PostgreSQL with the demo's rows, and Airflow's four parts.

Everything it makes stands below one folder, everything listens on loopback ports only, and nothing of it
outlives the block that started it.
"""

import contextlib
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from email.message import EmailMessage
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from demo import airflow, mails
from demo.errors import DemoError
from demo.mailbox import command as mailbox_command
from demo.ports import accepts, choose
from demo.postgres import EmbeddedServer, ExternalServer, as_user
from demo.seed import create_database, let_log_in, seed, today
from demo.supervisor import Part, Supervisor, last_lines

PROJECT = Path(__file__).resolve().parents[1]
DATABASE = "test_db"
METADATA = "airflow"
READER = "batch_reader"

_START_SECONDS = 120


class MailFolder:
    """The mails that the stack's mailbox has kept."""

    def __init__(self, folder: Path, smtp_port: int, page_port: int) -> None:
        self.folder = folder
        self.smtp_port = smtp_port
        self.page_port = page_port
        self.url = f"http://127.0.0.1:{page_port}"

    def messages(self) -> list[EmailMessage]:
        """All mails so far, oldest first."""
        return mails.all_in(self.folder)


class Stack:
    """Started by `with`; when the block is entered, every part answers and every DAG is known, paused."""

    def __init__(
        self,
        root: Path,
        *,
        environment: Mapping[str, str] | None = None,
        sql_scale: float = 1,
        dags: Path = PROJECT / "dags",
        plugins: Path = PROJECT / "plugins",
        scheduled: bool = False,
        database_url: str | None = None,
        usual_ports: bool = False,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Describe a stack; nothing is started yet.

        Args:
            root: the folder that holds all of it: databases, logs, mails, published files.
            environment: added to the environment of every part, over what the stack sets itself.
            sql_scale: the share of the full volume of rows, see demo/01-schema.sql.
            dags: the DAGs folder.
            plugins: the plugins folder.
            scheduled: whether DAGs also run by their schedules, not by hand alone.
            database_url: a PostgreSQL to use in place of the embedded one.
            usual_ports: 8080 for Airflow and 8025 for the mails where those are free.
            tell: hears one line for every step of the start.
        """
        self.root = root.absolute()
        self.logs = self.root / "logs"
        self.statuses = self.root / "demo" / "statuses"
        self.published = self.root / "published"
        self.day: date = today()
        self.environment: dict[str, str] = {}
        self._own_environment = dict(environment or {})
        self._scale = f"{sql_scale:g}"
        self._dags, self._plugins = dags.absolute(), plugins.absolute()
        self._scheduled = scheduled
        self._tell = tell
        data = self.root / "postgres" / "data"
        self._server = ExternalServer(database_url) if database_url else EmbeddedServer(data)
        self._supervisor = Supervisor()
        self._parts: dict[str, Part] = {}
        port, page_port = choose(8080 if usual_ports else 0), choose(8025 if usual_ports else 0)
        self.mailbox = MailFolder(self.root / "mails", choose(0), page_port)
        self.url = f"http://127.0.0.1:{port}"
        self.api = airflow.Rest(self.url)
        self._port = port
        self._lock: IO[str] | None = None

    @property
    def dsn(self) -> str:
        """The libpq URI of the database that holds shop and logistics, as the user who made them."""
        return self._server.dsn(DATABASE if isinstance(self._server, EmbeddedServer) else None)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raise DemoError when a part or PostgreSQL ended by itself."""
        self._supervisor.check()
        if isinstance(self._server, EmbeddedServer):
            self._server.check()

    def stop_part(self, name: str) -> None:
        """Take one part away: mailbox, api-server, scheduler, dag-processor or triggerer."""
        self._supervisor.stop(name)

    def start_part(self, name: str) -> None:
        """Start a part, and wait until it answers where it listens."""
        self._supervisor.start(self._parts[name])
        if name == "mailbox":
            self._wait(lambda: accepts(self.mailbox.smtp_port), "the mailbox")
        elif name == "api-server":
            self._wait(self.api.is_healthy, "Airflow's api-server")

    def stop(self) -> None:
        """End every part and PostgreSQL; the files stay."""
        self._supervisor.stop_all()
        if isinstance(self._server, EmbeddedServer):
            self._server.stop()
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def _start(self) -> None:
        self._take_lock()
        self.published.mkdir(exist_ok=True)
        keys = airflow.stored_secrets(self.root / "airflow" / "secrets.json")
        embedded = isinstance(self._server, EmbeddedServer)
        if isinstance(self._server, EmbeddedServer):
            self._tell("starting PostgreSQL")
            self._server.start()
            create_database(self._server.dsn(), DATABASE)
            is_new = create_database(self._server.dsn(), METADATA)
            metadata = self._server.dsn(METADATA).replace("postgresql://", "postgresql+psycopg://")
        else:
            # A database of that name on somebody's server may be somebody's Airflow.
            file = self.root / "airflow" / "airflow.db"
            is_new = not file.exists()
            metadata = f"sqlite:///{file}"
            self._tell("DATABASE_URL is set: the rows go there, Airflow's own database is a file here")
        self._tell(f"making the rows for {self.day}, or finding them made")
        seed(self.dsn, self.statuses, self.logs / "seed.log", scale=self._scale, day=self.day)
        if embedded:
            let_log_in(self._server.dsn(DATABASE), READER, keys["reader"])
        self._describe(keys, metadata)
        self._tell("starting Airflow")
        self.start_part("mailbox")
        self._migrate(is_new)
        started = datetime.now(UTC)
        # In this order: tasks and triggers call the api-server, and fail when it does not answer yet; the
        # dag-processor needs only the database, and reads the DAGs meanwhile.
        for name in airflow.COMMANDS:
            self.start_part(name)
        self._wait(lambda: self._knows_dags(started), "Airflow's dag-processor")

    def _take_lock(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self._lock = lock_file(self.root).open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            found = running(self.root) or {}
            raise DemoError(
                f"a stack is up already at {found.get('url')} (pid {found.get('pid')}, kept in {self.root}): "
                "end it with `make down`"
            ) from None
        self._lock.truncate(0)
        ports = {"smtp_port": self.mailbox.smtp_port, "page_port": self.mailbox.page_port}
        json.dump({"pid": os.getpid(), "url": self.url, "day": str(self.day), **ports}, self._lock)
        self._lock.flush()

    def _describe(self, keys: Mapping[str, str], metadata: str) -> None:
        """Set the environment and the parts."""
        embedded = isinstance(self._server, EmbeddedServer)
        jobs_dsn = as_user(self.dsn, READER, keys["reader"]) if embedded else self.dsn
        self.environment = {
            **airflow.inherited(database_is_embedded=embedded),
            **airflow.configuration(
                self.root / "airflow",
                dags=self._dags,
                plugins=self._plugins,
                metadata=metadata,
                port=self._port,
                keys=keys,
                scheduled=self._scheduled,
            ),
            "AIRFLOW_CONN_TEST_DB": airflow.postgres_connection(jobs_dsn, schema="shop"),
            "AIRFLOW_CONN_SMTP_DEFAULT": airflow.smtp_connection(self.mailbox.smtp_port),
            "AIRFLOW_CONN_FS_DEFAULT": json.dumps({"conn_type": "fs", "extra": {"path": "/"}}),
            "AIRFLOW_VAR_STATUSES_DIR": str(self.statuses),
            "AIRFLOW_VAR_PUBLISHED_ROOT": str(self.published),
            "AIRFLOW_VAR_ANALYSTS": "analysts@retailer.example",
            "AIRFLOW_VAR_OPERATORS": "operators@retailer.example",
            **self._own_environment,
        }
        commands = {
            "mailbox": mailbox_command(self.mailbox.folder, self.mailbox.smtp_port, self.mailbox.page_port),
            **{name: [*airflow.RUN, *words] for name, words in airflow.COMMANDS.items()},
        }
        for name, command in commands.items():
            log = self.logs / f"{name}.log"
            log.unlink(missing_ok=True)
            environment = self.environment | ({"PYTHONPATH": str(PROJECT)} if name == "mailbox" else {})
            self._parts[name] = Part(name, command, environment, log)

    def _migrate(self, is_new: bool) -> None:
        """Make or upgrade Airflow's database, unless this version of Airflow has done so."""
        done = self.root / "airflow" / ".migrated"
        if not is_new and done.exists() and done.read_text() == version("apache-airflow-core"):
            return
        log = self.logs / "db-migrate.log"
        with log.open("wb") as output:
            answer = subprocess.run(
                [*airflow.RUN, "db", "migrate"], env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        if answer.returncode:
            raise DemoError("\n".join([f"`airflow db migrate` failed, see {log}:", *last_lines(log)]))
        done.write_text(version("apache-airflow-core"))

    def _knows_dags(self, since: datetime) -> bool:
        """Whether every file of the DAGs folder was read after `since`. Raises DemoError for a broken one."""
        for error in self.api("GET", "/importErrors")["import_errors"]:
            if datetime.fromisoformat(error["timestamp"]) >= since:
                raise DemoError(f"{error['filename']} cannot be imported:\n{error['stack_trace'].strip()}")
        read = {
            Path(dag["relative_fileloc"]).name
            for dag in self.api("GET", "/dags")["dags"]
            if datetime.fromisoformat(dag["last_parsed_time"]) >= since
        }
        return {file.name for file in self._dags.glob("*.py")} <= read

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{what} was not ready within {_START_SECONDS} s: see the logs in {self.logs}"
                )
            # On a small machine asking more often would slow down what is waited for.
            time.sleep(0.5)


class Attached:
    """A stack that another process keeps up."""

    def __init__(self, root: Path, found: Mapping[str, Any]) -> None:
        self.root = root
        self.published = root / "published"
        self.day = date.fromisoformat(found["day"])
        self.mailbox = MailFolder(root / "mails", found["smtp_port"], found["page_port"])
        self.api = airflow.Rest(found["url"])

    def check(self) -> None:
        """Raise DemoError when the stack is not up any more."""
        if running(self.root) is None:
            raise DemoError(f"the stack in {self.root} was ended")


def lock_file(root: Path) -> Path:
    """The file that a running stack holds locked, with its pid and addresses in it."""
    return root / "stack.lock"


def running(root: Path) -> dict[str, Any] | None:
    """The pid, url, day and mailbox ports of the stack that is up in `root`, or None."""
    with contextlib.suppress(FileNotFoundError), lock_file(root).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError):
                found: dict[str, Any] = json.loads(file.read())
                return found
    return None
