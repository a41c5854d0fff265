"""The notices' way through Airflow's own SMTP connection, to a real mail server."""

import json
import multiprocessing
import os
import signal
from types import SimpleNamespace

import pytest

from demo.mailbox import Mailbox
from extracts.errors import UsageError
from pipelines.run_notices import Failure, Run, failure
from pipelines.sent import Sent

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


@pytest.fixture
def publication(tmp_path):
    return Sent(tmp_path, "price_list_export", "2026-11-21", "20261121T030201Z")


def test_a_publications_notice_goes_to_the_same_recipients_once(mailbox, connection, publication):
    from airflow_kit.notices import send_once

    connection(from_email="jobs@retailer.example")
    both = ["one@retailer.example", "two@retailer.example"]
    assert send_once(NOTICE, both, publication, "manual__1")
    assert not send_once(NOTICE, both[::-1], publication, "manual__2")
    assert send_once(NOTICE, (to for to in both[:1]), publication, "manual__2")
    assert [mail["To"] for mail in mailbox.messages()] == [", ".join(both), both[0]]


def test_what_the_server_did_not_accept_is_not_taken_for_sent(mailbox, connection, publication):
    from airflow_kit.notices import send_once

    connection(from_email="jobs@retailer.example")
    mailbox.stop()
    with pytest.raises(OSError, match="refused"):
        send_once(NOTICE, ["one@retailer.example"], publication, "manual__1")
    assert not publication.has(NOTICE.kind, ["one@retailer.example"])


def test_a_kill_between_the_servers_acceptance_and_the_record_sends_again(mailbox, connection, publication):
    from airflow_kit.notices import send_once

    class Killed(Sent):
        def record(self, *_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    connection(from_email="jobs@retailer.example")
    killed = Killed(mailbox.folder.parent, "price_list_export", "2026-11-21", "20261121T030201Z")
    to = ["one@retailer.example"]
    task = multiprocessing.get_context("fork").Process(
        target=send_once, args=(NOTICE, to, killed, "manual__1")
    )
    task.start()
    task.join()
    assert task.exitcode == -signal.SIGKILL
    assert len(mailbox.messages()) == 1
    assert send_once(NOTICE, to, publication, "manual__1")
    assert not send_once(NOTICE, to, publication, "manual__1")
    first, second = mailbox.messages()
    assert first["Message-ID"] == second["Message-ID"]


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
    url = "http://airflow.example/log"
    ti = SimpleNamespace(
        task_id="make_lists", map_index=2, try_number=4, log_url=url, xcom_push=noted.__setitem__
    )
    note_failure(ti, ValueError(text))
    assert noted["failure"]["task"] == "make_lists[2]"
    assert noted["failure"]["error"].startswith(f"ValueError: {text[:100]}")
    assert len(json.dumps(noted["failure"], ensure_ascii=False).encode()) <= 2048


def test_a_note_that_cannot_be_left_hides_no_error():
    from airflow_kit.notices import note_failure

    def refuse(key, value):
        raise ConnectionError("the api-server is away")

    ti = SimpleNamespace(task_id="analyse", map_index=-1, try_number=1, log_url="", xcom_push=refuse)
    assert note_failure(ti, ValueError("the cause")) is None
