"""A schedule, a threshold, a deadline is set in one place; the texts that repeat it are held to it here."""

import re
from pathlib import Path

import pytest

from pipelines.delivery_status import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags")).dags["delivery_status_analysis"]


def test_the_schedule_is_the_one_in_the_manual(dag):
    hour, minute = re.search(r"Daily at (\d\d):(\d\d) Europe/Moscow", dag.doc_md).groups()
    assert dag.timetable.expression == f"{int(minute)} {int(hour)} * * *"
    assert str(dag.timetable.timezone) == "Europe/Moscow"


def test_the_deadline_is_the_one_in_the_texts(dag):
    (deadline,) = dag.deadline
    assert deadline.interval.total_seconds() == 3600
    assert "Not done after an\nhour: late" in dag.doc_md
    assert "not done within an hour" in README
    assert "minutes until the late mail, 60 if not set" in README


def test_the_wait_for_the_file_is_the_one_in_the_manual(dag):
    hours = int(re.search(r"at most (\d+) hours", dag.doc_md).group(1))
    assert dag.get_task("wait_for_statuses").timeout == hours * 3600


def test_the_threshold_is_the_one_in_the_texts(dag):
    threshold = Settings().threshold
    assert f"the configured one ({threshold:.2f})" in dag.params.get_param("threshold").description
    assert f"when it is over {threshold:.0%}" in README


def test_every_setting_is_named_in_the_manual_and_the_readme(dag):
    for name in ("threshold", "min_rows", "max_reject_share", "error_statuses", "known_statuses"):
        assert hasattr(Settings(), name)
        assert f"`{name}`" in dag.doc_md
        assert f"`{name}`" in README
