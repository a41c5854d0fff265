"""The notices' way through Airflow's own SMTP connection, to a real mail server."""

import json
from types import SimpleNamespace

import pytest

from demo.mailbox import Mailbox
from extracts.errors import UsageError
from pipelines.delivery_notices import Failure, Run, failure

RUN = Run("delivery_status_analysis", "2026-11-20", "manual__1", "http://airflow.example/runs/1")
NOTICE = failure([Failure("analyse", 4, "Ошибка", "http://airflow.example/log")], RUN)


@pytest.fixture
def mailbox(tmp_path):
    (tmp_path / "mails").mkdir()
    server = Mailbox(tmp_path / "mails")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connection(mailbox, monkeypatch):
    def connect(**extra):
        described = {"conn_type": "smtp", "host": "127.0.0.1", "port": mailbox.smtp_port}
        plain = {"disable_ssl": True, "disable_tls": True}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps({**described, "extra": plain | extra}))

    return connect


def test_a_notice_arrives_as_it_was_composed(mailbox, connection):
    from airflow_kit.notices import send

    connection(from_email="Jobs <jobs@retailer.example>")
    send(NOTICE, ["operators@retailer.example", "duty@retailer.example"], "manual__1")
    (mail,) = mailbox.messages()
    assert mail["From"] == "Jobs <jobs@retailer.example>"
    assert mail["To"] == "operators@retailer.example, duty@retailer.example"
    assert mail.get_all("Delivered-To") == ["operators@retailer.example", "duty@retailer.example"]
    assert "Ошибка" in mail.get_body(("plain",)).get_content()


def test_a_connection_without_a_sender_is_told(connection):
    from airflow_kit.notices import send

    connection()
    with pytest.raises(UsageError, match="'smtp_default' names no sender"):
        send(NOTICE, ["operators@retailer.example"], "manual__1")


def test_a_mail_server_that_is_away_is_an_error_of_the_task(mailbox, connection):
    from airflow_kit.notices import send

    connection(from_email="jobs@retailer.example")
    mailbox.stop()
    with pytest.raises(OSError, match="refused"):
        send(NOTICE, ["operators@retailer.example"], "manual__1")


def test_recipients_come_from_a_variable_or_are_asked_for(monkeypatch):
    from airflow_kit.notices import addresses

    monkeypatch.setenv("AIRFLOW_VAR_OPERATORS", " one@retailer.example, ,two@retailer.example ")
    assert addresses("operators") == ["one@retailer.example", "two@retailer.example"]
    monkeypatch.setenv("AIRFLOW_VAR_OPERATORS", " , ")
    with pytest.raises(UsageError, match="set the Airflow Variable 'operators'"):
        addresses("operators")


@pytest.mark.parametrize("text", ["x" * 9000, "ё" * 9000])
def test_a_noted_error_stays_within_two_kilobytes(text):
    from airflow_kit.notices import note_failure

    noted = {}
    ti = SimpleNamespace(try_number=4, log_url="http://airflow.example/log", xcom_push=noted.__setitem__)
    note_failure(ti, ValueError(text))
    assert noted["failure"]["error"].startswith(f"ValueError: {text[:100]}")
    assert len(json.dumps(noted["failure"], ensure_ascii=False).encode()) <= 2048


def test_a_note_that_cannot_be_left_hides_no_error():
    from airflow_kit.notices import note_failure

    def refuse(key, value):
        raise ConnectionError("the api-server is away")

    ti = SimpleNamespace(try_number=1, log_url="", xcom_push=refuse)
    assert note_failure(ti, ValueError("the cause")) is None
