"""What one run of the delivery analysis was asked for, and the carrying out of it.

Between the scheduler's form and the analysis: everything that a run passes from task to task is here a
small dict of paths, numbers and text, never rows.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from extracts.errors import UsageError
from pipelines.delivery_status import DATASET, Settings, analyse, publish

DAY_FILE = "delivery_statuses_{day}.csv"


def settings(configuration: Mapping[str, Any], threshold: float | None = None) -> Settings:
    """The job's settings from its configuration; `threshold`, where given, goes before it.

    Raises:
        UsageError: a name in the configuration that is no setting.
    """
    names = {item.name for item in fields(Settings)}
    if unknown := sorted(set(configuration) - names):
        raise UsageError(
            f"unknown setting {', '.join(unknown)} in the configuration of the delivery analysis: "
            f"it knows {', '.join(sorted(names))}"
        )
    values: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in configuration.items()
    }
    configured = Settings(**values)
    return configured if threshold is None else replace(configured, threshold=threshold)


def resolve(
    params: Mapping[str, Any], *, scheduled: datetime, statuses_dir: str, configuration: Mapping[str, Any]
) -> dict[str, Any]:
    """Turn the form and the schedule into a request: file, day, threshold, recipients.

    Args:
        params: the form's fields `file`, `date`, `threshold`, `recipients`; empty ones mean the usual.
        scheduled: the run's instant; its calendar day in the settings' time zone is the usual day.
        statuses_dir: the folder of the days' files.
        configuration: the job's settings, see `settings`.

    Returns:
        `file`, `wait_for` (the path to wait for, or empty), `day` (ISO), `threshold`, `recipients`.

    Raises:
        UsageError: a date that is none, an unknown setting.
    """
    chosen = settings(configuration, params["threshold"])
    try:
        day = date.fromisoformat(params["date"]) if params["date"] else None
    except ValueError:
        raise UsageError(f"date {params['date']!r} is no day: write it as YYYY-MM-DD") from None
    day = day or scheduled.astimezone(ZoneInfo(chosen.timezone)).date()
    file = (params["file"] or "").strip()
    day_file = str(Path(statuses_dir) / DAY_FILE.format(day=day))
    return {
        "file": file or day_file,
        "wait_for": "" if file else day_file,
        "day": day.isoformat(),
        "threshold": float(chosen.threshold),
        "recipients": list(params["recipients"] or ()),
    }


def analyse_and_publish(
    request: Mapping[str, Any], *, dsn: str, root: str, configuration: Mapping[str, Any]
) -> dict[str, Any]:
    """Find the verdict of a request and publish it; what `analyse` and `publish` raise passes through.

    Where the data is refused because of bad rows, all of them stay in
    `<root>/refused/delivery_status_analysis/<day>.csv`, which the error names.

    Returns:
        The verdict's numbers (no breakdown) and `package`, the path of the published `datapackage.json`.
    """
    day = date.fromisoformat(request["day"])
    refused = _refused(Path(root), day)
    with tempfile.TemporaryDirectory(prefix="delivery-status-") as work:
        verdict = analyse(
            request["file"],
            dsn=dsn,
            settings=settings(configuration, request["threshold"]),
            work=Path(work),
            rejects=refused,
        )
        published = publish(verdict, root=Path(root), day=day)
    refused.unlink(missing_ok=True)
    return {**verdict.summary(), "package": str(published.package)}


def _refused(root: Path, day: date) -> Path:
    """Where rejected rows go; made now, so that a root that cannot be used is told before the work."""
    try:
        for folder in (root / "refused", root / "refused" / DATASET):
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot publish in {root}: {error.strerror}; create this folder, mount its volume, or give this "
            "user the right to write there"
        ) from None
    return folder / f"{day}.csv"
