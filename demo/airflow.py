"""Airflow's configuration for the embedded stack, all by environment, and a client of its REST API."""

import base64
import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from demo.errors import DemoError

# Each log server would listen on every interface; here all logs are read as files.
COMMANDS = {
    "dag-processor": ["dag-processor"],
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
RUN = [sys.executable, "-m", "airflow"]


def stored_secrets(file: Path) -> dict[str, str]:
    """The stack's secrets, generated the first time and kept in `file` (mode 0600)."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = {name: secrets.token_urlsafe(64) for name in ("jwt", "api", "reader")}
        made["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        unfinished = file.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(made))
        unfinished.rename(file)
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def inherited(*, database_is_embedded: bool) -> dict[str, str]:
    """This process's environment without what would lead Airflow or libpq elsewhere."""
    foreign = ("AIRFLOW", "_AIRFLOW", "PG") if database_is_embedded else ("AIRFLOW", "_AIRFLOW")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # The parts talk to one another on loopback; a company's proxy cannot reach it.
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = ",".join(filter(None, (kept.get(name), "127.0.0.1", "localhost")))
    return kept


def configuration(
    home: Path,
    *,
    dags: Path,
    plugins: Path,
    metadata: str,
    port: int,
    keys: Mapping[str, str],
    scheduled: bool,
) -> dict[str, str]:
    """Airflow's options.

    Args:
        home: AIRFLOW_HOME, where task logs go too.
        dags: the DAGs folder.
        plugins: the plugins folder.
        metadata: SQLAlchemy URL of the metadata database.
        port: the api-server's loopback port.
        keys: see `stored_secrets`.
        scheduled: whether DAGs also run by their schedules, not by hand alone.
    """
    url = f"http://127.0.0.1:{port}"
    options: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": dags,
            "plugins_folder": plugins,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "load_examples": False,
            "dags_are_paused_at_creation": True,
            "default_task_retry_delay": 5,
            "simple_auth_manager_all_admins": True,
            "execution_api_server_url": f"{url}/execution/",
            "fernet_key": keys["fernet"],
            # The default asks the name service, which takes seconds where it does not know this machine.
            "hostname_callable": "socket.gethostname",
        },
        "database": {"sql_alchemy_conn": metadata},
        "api": {
            "host": "127.0.0.1",
            "port": port,
            "base_url": url,
            "workers": 1,
            "secret_key": keys["api"],
        },
        "api_auth": {"jwt_secret": keys["jwt"]},
        "scheduler": {"use_job_schedule": scheduled, "enable_health_check": False},
        "dag_processor": {"parsing_processes": 1, "refresh_interval": 30},
        "logging": {"colored_console_log": False},
        "usage_data_collection": {"enabled": False},
    }
    environment = {"AIRFLOW_HOME": str(home)}
    for section, values in options.items():
        for name, value in values.items():
            environment[f"AIRFLOW__{section.upper()}__{name.upper()}"] = str(value)
    return environment


def postgres_connection(dsn: str, *, schema: str) -> str:
    """A libpq URI as an Airflow connection that sees the tables of one schema."""
    parts = urlsplit(dsn)
    extra = {**dict(parse_qsl(parts.query)), "options": f"-c search_path={schema}"}
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": parts.hostname,
            "port": parts.port or 5432,
            "login": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "schema": unquote(parts.path.lstrip("/")),
            "extra": extra,
        }
    )


def smtp_connection(port: int) -> str:
    """The mailbox as an Airflow connection."""
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@retailer.example"}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


class Rest:
    """Airflow's REST API as an administrator who needs no password (the demo's setting)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._token = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """Call `path` below /api/v2 and return the decoded answer. Raises DemoError on any refusal."""
        try:
            return self._call(method, path, body)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise DemoError(f"Airflow answered {error.code} to {method} {path}: {said}") from None
        except OSError as error:
            raise DemoError(f"Airflow's api-server at {self._url} does not answer: {error}") from None

    def is_healthy(self) -> bool:
        """Whether the api-server answers and reaches its database."""
        try:
            status = self._open("GET", "/api/v2/monitor/health")
        except (OSError, ValueError):
            return False
        return bool(status["metadatabase"]["status"] == "healthy")

    def _call(self, method: str, path: str, body: object) -> Any:
        fresh = not self._token
        if fresh:
            self._token = self._open("GET", "/auth/token")["access_token"]
        try:
            return self._open(method, f"/api/v2{path}", body)
        except urllib.error.HTTPError as error:
            if error.code != 401 or fresh:
                raise
        # Tokens last a day; a stack may be up for longer.
        self._token = ""
        return self._call(method, path, body)

    def _open(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(f"{self._url}{path}", method=method)
        request.add_header("Accept", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        with self._opener.open(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None
