"""A schedule, a threshold, a deadline is set in one place; the texts that repeat it are held to it here."""

import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines.delivery_status import Settings
from pipelines.price_lists import Bounds
from pipelines.schedules import SCHEDULES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def dags():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags")).dags


@pytest.fixture(scope="module")
def dag(dags):
    return dags["delivery_status_analysis"]


def test_the_schedule_is_the_one_in_the_manual(dag):
    hour, minute = re.search(r"Daily at (\d\d):(\d\d) Europe/Moscow", dag.doc_md).groups()
    assert dag.timetable.expression == f"{int(minute)} {int(hour)} * * *"
    assert str(dag.timetable.timezone) == "Europe/Moscow"


def test_the_deadline_is_the_one_in_the_texts(dag):
    (deadline,) = dag.deadline
    assert deadline.interval.total_seconds() == 3600
    assert "Not done after an\nhour: late" in dag.doc_md
    assert "not done within an hour" in README
    assert "minutes until the late mail, 60 and 15 if not set" in README


def test_the_wait_for_the_file_is_the_one_in_the_manual(dag):
    hours = int(re.search(r"at most (\d+) hours", dag.doc_md).group(1))
    assert dag.get_task("wait_for_statuses").timeout == hours * 3600


def test_the_threshold_is_the_one_in_the_texts(dag):
    threshold = Settings().threshold
    assert f"the configured one ({threshold:.2f})" in dag.params.get_param("threshold").description
    assert f"when more than {threshold:.0%} are in error" in README


def test_every_setting_is_named_in_the_manual_and_the_readme(dag):
    for name in ("threshold", "min_rows", "max_reject_share", "error_statuses", "known_statuses"):
        assert hasattr(Settings(), name)
        assert f"`{name}`" in dag.doc_md
        assert f"`{name}`" in README


def test_the_price_lists_manual_says_when_and_by_when(dags):
    prices, schedule = dags["price_list_export"], SCHEDULES["price_list_export"]
    due = schedule.due(date(2026, 11, 21)).astimezone(ZoneInfo(schedule.timezone))
    assert f"Daily at {schedule.at:%H:%M} {schedule.timezone}" in prices.doc_md
    assert f"{due:%H:%M} (after {schedule.deadline_minutes} minutes)" in prices.doc_md


def test_every_bound_of_the_price_lists_is_named_in_the_manual_and_the_readme(dags):
    for bound in fields(Bounds):
        assert f"`{bound.name}`" in dags["price_list_export"].doc_md
        assert f"`{bound.name}`" in README
