"""Published sets for the tests of the page of deliverables, and its readers and strangers."""

import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from extracts.publication import Publication, Published

DAY = date(2026, 11, 21)
BEFORE = DAY - timedelta(days=1)
# Noon in Moscow, and five past six.
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
IN_TIME = datetime(2026, 11, 21, 3, 5, tzinfo=UTC)
PRICES = "price_list_export"
STATUSES = "delivery_status_analysis"
CONTRACTS = "price_list_export_contract"


def publish(
    root: Path,
    dataset: str = PRICES,
    day: date = DAY,
    *,
    files: Mapping[str, bytes] | None = None,
    at: datetime | None = None,
    **properties: object,
) -> Published:
    """Publish a day's set; its package says that this was `at`, where that is given."""
    with Publication(root, dataset, day).stage() as stage:
        for name, content in (files or {"index.csv": b"code\nA\nB\n"}).items():
            (stage.folder / name).write_bytes(content)
            stage.add(name)
        published = stage.publish(properties=properties)
    if at:
        change(published, created=f"{at:%Y-%m-%dT%H:%M:%SZ}", firstPublished=f"{at:%Y-%m-%dT%H:%M:%SZ}")
    return published


def change(published: Published, **properties: object) -> None:
    """Write other properties into a package, as somebody with an editor would."""
    descriptor: dict[str, Any] = json.loads(published.package.read_text(encoding="utf-8"))
    published.package.write_text(json.dumps(descriptor | properties), encoding="utf-8")


def change_file(published: Published, **properties: object) -> None:
    """Write other properties into the first of a package's files."""
    descriptor = json.loads(published.package.read_text(encoding="utf-8"))
    descriptor["resources"][0] |= properties
    change(published, resources=descriptor["resources"])


def stranger(root: Path | None, now: datetime = NOW) -> Any:
    """Asks the page over a folder, without having logged in; Airflow's own check of users decides.

    Where `root` is None, the Airflow Variable names the folder.
    """
    # Importing Airflow takes seconds, which only a test that runs is to spend.
    from fastapi.testclient import TestClient

    from deliverables.app import create_app, published_root

    app = create_app(root=lambda: root or published_root(), now=lambda: now)
    return TestClient(app, follow_redirects=False)


def reader(root: Path | None, now: datetime = NOW, role: str = "viewer") -> Any:
    """Asks the page as a user of that role whom Airflow knows."""
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    create_auth_manager()
    client = stranger(root, now)
    client.app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(
        username="an operator", role=role
    )
    return client


def text(answer: Any) -> str:
    """What is to be read on a page, with plain spaces between all of it."""
    body = re.sub(r"<(script|title)[^>]*>.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return _plain(body)


def rows(answer: Any) -> list[str]:
    """The rows of a page's last table."""
    table = answer.text.rpartition("<tbody")[2].partition("</tbody>")[0]
    return [_plain(row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]


def _plain(markup: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()
