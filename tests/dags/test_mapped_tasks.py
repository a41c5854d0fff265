"""What the mails of real runs say about mapped tasks, and that a publication's mail goes out once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo.mailbox import Mailbox
from tests.dags.jobs import text
from tests.price_list_sets import client, publish

pytestmark = pytest.mark.airflow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def mails(tmp_path_factory):
    """The mails of four runs, by kind."""
    home = tmp_path_factory.mktemp("airflow")
    for folder in ("dags", "mails", "published"):
        (home / folder).mkdir()
    job = shutil.copy(Path(__file__).with_name("batches.py"), home / "dags")
    package = str(publish(home / "published", [client("B2B-0042")]))
    cases = [
        {"batches": ["good", "flaky", "good", "flaky"], "package": package},
        {"batches": ["good"], "package": package},
        {"batches": ["good", "flaky", *["bad"] * 9], "package": package},
        {"batches": ["good", "killed"], "package": package},
    ]
    with Mailbox(home / "mails") as mailbox:
        connection = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": mailbox.smtp_port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "jobs@retailer.example"},
        }
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__BASE_URL": "http://airflow.example",
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection),
            "AIRFLOW_VAR_ANALYSTS": "analysts@retailer.example",
            "AIRFLOW_VAR_OPERATORS": "operators@retailer.example",
            "PYTHONPATH": str(ROOT / "plugins"),
        }
        done = subprocess.run(
            [sys.executable, str(job), json.dumps(cases)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        messages = mailbox.messages()
    return {
        kind: [mail for mail in messages if mail["X-Notice"] == kind] for kind in ("success", "failure")
    } | {"log": done.stdout + done.stderr}


def test_tries_of_mapped_tasks_are_told_one_by_one(mails):
    recovered = "recovered: make_lists[1] after 2 tries, make_lists[3] after 2 tries."
    assert recovered in text(mails["success"][0])
    assert mails["success"][0]["Subject"].endswith("(recovered)")


def test_the_publication_of_two_runs_is_mailed_once(mails):
    assert len(mails["success"]) == 1
    assert "Not sent again, it went out before: Price lists delivered" in mails["log"]


def test_instances_that_failed_are_told_with_error_tries_and_log(mails):
    mail = mails["failure"][0]
    names = [f"make_lists[{index}]" for index in range(2, 11)]
    assert mail["Subject"] == f"batches failed on 2026-11-21: {', '.join(names)}"
    for index, name in enumerate(names, start=2):
        told = f"Task {name} failed on try 2, and no further try follows.\nValueError: the batch is bad\n"
        assert told in text(mail)
        assert f"/tasks/make_lists/mapped/{index}?try_number=2\n" in text(mail)
    assert "flaky" not in text(mail)


def test_an_instance_that_left_nothing_is_told_with_its_log(mails):
    mail = mails["failure"][1]
    assert mail["Subject"] == "batches failed on 2026-11-21: publish[1]"
    assert "Task publish[1] failed, and no further try follows.\nThe task left no error" in text(mail)
    assert "Log: http://airflow.example/dags/batches/runs/" in text(mail)
    assert "/tasks/publish/mapped/1\n" in text(mail)
