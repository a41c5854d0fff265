"""Who hears what: every row of the notification table, as a real run on a real scheduler.

PostgreSQL, the mail server and Airflow's four parts are real; only the pauses between tries are short.
The runs of the first group go side by side, the mail server is taken away after them.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import quote

import psutil
import pytest

from tests.dags.jobs import DAG, DEADLINE_MINUTES, Jobs, html, names, statuses, text

LEFT_TO_THOSE_THAT_FAIL = timedelta(minutes=3)

pytestmark = pytest.mark.airflow


class Flaky(BaseHTTPRequestHandler):
    """Serves statuses. `/down` never does, `/recovers` from its second request on.

    `/kills` ends the process that asks first with SIGKILL, as a machine short of memory would.
    """

    requests: ClassVar[dict[str, int]] = {}

    def do_GET(self) -> None:
        seen = self.requests[self.path] = self.requests.get(self.path, 0) + 1
        if self.path == "/down" or (self.path == "/recovers" and seen == 1):
            self.send_error(503)
            return
        if self.path == "/kills" and seen == 1:
            (asking,) = (
                found.pid
                for found in psutil.net_connections("tcp4")
                if found.laddr.port == self.client_address[1] and found.pid not in (None, os.getpid())
            )
            os.kill(asking, signal.SIGKILL)
            return
        body = statuses(50).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def sender() -> Iterator[str]:
    Flaky.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def runs(jobs: Jobs, sender: str) -> dict[str, str]:
    """Every run that needs a working mail server, triggered together; the late one first.

    Only that one is past its deadline, however slow the machine; those that fail, at once or after a retry,
    come to theirs minutes after they have failed.
    """
    deadline = timedelta(minutes=DEADLINE_MINUTES)
    late = jobs.trigger(date="2026-12-31", run_after=datetime.now(UTC) - deadline)
    begun = datetime.now(UTC) - deadline + LEFT_TO_THOSE_THAT_FAIL
    # A run is named by this instant: no two may have the same.
    soon = [begun + timedelta(seconds=number) for number in range(3)]
    started = {
        "late": late,
        "over": jobs.trigger(file=jobs.file("over.csv", statuses(150)), date="2026-11-01"),
        "under": jobs.trigger(file=jobs.file("under.csv", statuses(50)), date="2026-11-02"),
        "exact": jobs.trigger(file=jobs.file("exact.csv", statuses(100)), date="2026-11-03"),
        "recovers": jobs.trigger(file=f"{sender}/recovers", date="2026-11-04"),
        "killed": jobs.trigger(file=f"{sender}/kills", date="2026-11-09"),
        "down": jobs.trigger(file=f"{sender}/down", date="2026-11-05", run_after=soon[0]),
        "header": jobs.trigger(
            file=jobs.file("header.csv", "order;state\n1;failed\n"), date="2026-11-06", run_after=soon[1]
        ),
        "missing": jobs.trigger(file=str(jobs.folder / "missing.csv"), date="2026-11-07", run_after=soon[2]),
        "rejects": jobs.trigger(
            file=jobs.file("rejects.csv", statuses(500) + "x,failed,2026-11-20T10:00:00\r\n"),
            date="2026-11-08",
            recipients=["one@retailer.example", "two@retailer.example"],
        ),
    }
    for name, run in started.items():
        if name != "late":
            jobs.wait(run)
    return started


def test_under_the_threshold_only_success_is_mailed(jobs, runs):
    assert jobs.wait(runs["under"]) == "success"
    assert jobs.kinds(runs["under"]) == ["success"]
    mail = jobs.mail(runs["under"], "success")
    assert mail["Subject"] == "Delivery analysis done: 5.00% errors on 2026-11-02"
    assert mail["To"] == "analysts@retailer.example"
    assert "recovered" not in text(mail) + html(mail)
    assert jobs.tasks(runs["under"])["send_alert"]["state"] == "skipped"


def test_exactly_the_threshold_is_no_alert(jobs, runs):
    assert jobs.wait(runs["exact"]) == "success"
    assert jobs.kinds(runs["exact"]) == ["success"]
    assert "10.00%" in jobs.mail(runs["exact"], "success")["Subject"]


def test_over_the_threshold_alert_and_success_are_mailed(jobs, runs):
    assert jobs.wait(runs["over"]) == "success"
    assert jobs.kinds(runs["over"]) == ["alert", "success"]
    alert = jobs.mail(runs["over"], "alert")
    assert alert["Subject"] == "Delivery errors over 10.00%: 15.00% on 2026-11-01"
    assert "150" in text(alert)
    assert f"/dags/{DAG}/runs/{quote(runs['over'])}" in html(alert)
    assert names(alert) == ["breakdown.xlsx", "breakdown.csv"]
    (picture,) = [part for part in alert.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html(alert)
    assert picture.get_content().startswith(b"\x89PNG")
    assert jobs.tasks(runs["over"])["no_alert"]["state"] == "skipped"


def test_the_alert_carries_the_rejected_rows_and_goes_to_the_forms_recipients(jobs, runs):
    assert jobs.wait(runs["rejects"]) == "success"
    alert = jobs.mail(runs["rejects"], "alert")
    assert alert["To"] == "one@retailer.example, two@retailer.example"
    assert "rejects.csv" in names(alert)


def test_a_retry_that_succeeds_is_told_in_the_success_mail(jobs, runs):
    assert jobs.wait(runs["recovers"]) == "success"
    assert jobs.kinds(runs["recovers"]) == ["success"]
    mail = jobs.mail(runs["recovers"], "success")
    assert mail["Subject"].endswith("(recovered)")
    assert "recovered: analyse after 2 tries" in text(mail)
    assert "recovered: analyse after 2 tries" in html(mail)


def test_a_task_whose_process_is_killed_is_tried_again(jobs, runs):
    assert Flaky.requests["/kills"] == 2
    assert jobs.wait(runs["killed"]) == "success"
    assert jobs.kinds(runs["killed"]) == ["success"]
    assert "recovered: analyse after 2 tries" in text(jobs.mail(runs["killed"], "success"))


def test_a_task_that_fails_for_good_is_mailed_once(jobs, runs):
    assert jobs.wait(runs["down"]) == "failed"
    assert jobs.kinds(runs["down"]) == ["failure"]
    mail = jobs.mail(runs["down"], "failure")
    assert mail["To"] == "operators@retailer.example"
    assert "Task analyse failed on try 4" in text(mail)
    assert "503" in text(mail)
    assert f"/dags/{DAG}/runs/{quote(runs['down'])}/tasks/analyse?try_number=4" in text(mail)
    assert jobs.tasks(runs["down"])["analyse"]["try_number"] == 4


@pytest.mark.parametrize(("case", "expected"), [("header", "header.csv"), ("missing", "missing.csv")])
def test_bad_input_fails_at_once_and_the_mail_says_why(jobs, runs, case, expected):
    assert jobs.wait(runs[case]) == "failed"
    assert jobs.tasks(runs[case])["analyse"]["try_number"] == 1
    assert jobs.kinds(runs[case]) == ["failure"]
    assert expected in text(jobs.mail(runs[case], "failure"))


def test_bad_input_publishes_nothing(jobs, runs):
    root = Path(jobs.stack.environment["AIRFLOW_VAR_PUBLISHED_ROOT"]) / DAG
    published = sorted(path.parent.name for path in root.glob("dt=*/datapackage.json"))
    assert {"dt=2026-11-01", "dt=2026-11-02", "dt=2026-11-03"} <= set(published)
    assert not {"dt=2026-11-05", "dt=2026-11-06", "dt=2026-11-07"} & set(published)


def test_what_tasks_pass_on_stays_within_two_kilobytes(jobs, runs):
    for run in runs.values():
        for entry in jobs.xcoms(run):
            size = len(json.dumps(entry["value"], ensure_ascii=False).encode())
            assert size <= 2048, (entry["task_id"], entry["key"], size)


def test_a_run_past_its_deadline_is_told_and_goes_on(jobs, runs):
    end = time.monotonic() + 90
    while not jobs.mails(runs["late"]) and time.monotonic() < end:
        time.sleep(1)
    assert jobs.kinds(runs["late"]) == ["late"]
    mail = jobs.mail(runs["late"], "late")
    assert mail["To"] == "operators@retailer.example"
    assert jobs.state(runs["late"]) == "running"
    assert jobs.tasks(runs["late"])["wait_for_statuses"]["state"] == "deferred"

    # The file comes after all: the run that waited for it does its work.
    day_file = Path(jobs.stack.environment["AIRFLOW_VAR_STATUSES_DIR"]) / "delivery_statuses_2026-12-31.csv"
    day_file.write_text(statuses(50), encoding="utf-8")
    assert jobs.wait(runs["late"]) == "success"
    assert jobs.kinds(runs["late"]) == ["late", "success"]


def test_what_could_not_be_mailed_goes_out_when_the_task_is_cleared(jobs, runs):
    jobs.stack.stop_part("mailbox")
    run = jobs.trigger(file=jobs.file("unheard.csv", statuses(300)), date="2026-11-20")
    assert jobs.wait(run) == "failed"
    package = Path(
        jobs.stack.environment["AIRFLOW_VAR_PUBLISHED_ROOT"], DAG, "dt=2026-11-20/datapackage.json"
    )
    assert package.is_file()
    assert jobs.tasks(run)["send_alert"]["state"] == "failed"
    published = package.read_bytes()

    jobs.stack.start_part("mailbox")
    assert jobs.mails(run) == []
    jobs.clear(run, "send_alert")
    time.sleep(2)
    assert jobs.wait(run) == "success"
    assert jobs.kinds(run) == ["alert", "success"]
    assert package.read_bytes() == published


def test_no_failed_run_is_told_late_as_well(jobs, runs):
    failed = [runs[case] for case in ("down", "header", "missing")]
    begun = [datetime.fromisoformat(jobs.run(run)["run_after"]) for run in failed]
    # The scheduler looks for missed deadlines every few seconds, and a mail takes another.
    told_by = max(begun) + timedelta(minutes=DEADLINE_MINUTES, seconds=30)
    while datetime.now(UTC) < told_by:
        time.sleep(1)
    assert jobs.kinds(runs["late"])[0] == "late", "no deadline was missed at all"
    for run in failed:
        assert jobs.kinds(run) == ["failure"]
