"""The mails, built from a published package: what they say, carry and escape."""

import json
from email import message_from_bytes
from email.policy import default as policy
from pathlib import Path

import pytest

from pipelines import delivery_notices as notices
from pipelines.notices import ATTACHMENT_LIMIT, compose
from pipelines.run_notices import Failure, Run, failure, late

RUN = Run("delivery_status_analysis", "2026-11-20", "manual__1", "http://airflow.example/dags/d/runs/1")
BREAKDOWN = [
    {"carrier": "<b>СДЭК</b>", "region": "Москва", "orders_with_status": 600, "error_orders": 150},
    {"carrier": "<b>СДЭК</b>", "region": "Казань", "orders_with_status": 200, "error_orders": 0},
    {"carrier": None, "region": None, "orders_with_status": 200, "error_orders": 2},
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    version = tmp_path / "v=20261120T040000Z"
    version.mkdir()
    verdict = {
        "error_share": 0.152,
        "threshold": 0.1,
        "over_threshold": True,
        "orders_with_status": 1000,
        "error_orders": 152,
        "orders_without_status": 3,
        "statuses_without_order": 4,
        "duplicates_folded": 5,
        "rows_read": 1010,
        "rows_rejected": 1,
        "unknown_statuses": {"teleported": 7},
        "breakdown": BREAKDOWN,
    }
    (version / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    (version / "breakdown.csv").write_text("carrier,region\n", encoding="utf-8")
    (version / "breakdown.xlsx").write_bytes(b"PK")
    descriptor = {"resources": [{"path": f"{version.name}/verdict.json"}]}
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return tmp_path / "datapackage.json"


def sent(notice, recipients=("analysts@retailer.example",)):
    message = compose(notice, sender="Jobs <jobs@retailer.example>", recipients=recipients, thread=RUN.run_id)
    return message_from_bytes(message.as_bytes(), policy=policy)


def test_alert_holds_numbers_picture_and_files(package):
    mail = sent(notices.alert(package, RUN))
    assert mail["Subject"] == "Delivery errors over 10.00%: 15.20% on 2026-11-20"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for part in (text, html):
        assert "1,000" in part
        assert "152" in part
        assert "teleported" in part
        assert RUN.url in part
    assert [part.get_filename() for part in mail.iter_attachments()] == ["breakdown.xlsx", "breakdown.csv"]
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<carriers>"
    assert 'src="cid:carriers"' in html


def test_text_from_the_data_cannot_become_html(package):
    html = sent(notices.alert(package, RUN)).get_body(("html",)).get_content()
    assert "<b>СДЭК" not in html
    assert "&lt;b&gt;СДЭК" in html


def test_long_rejects_are_cut_after_a_whole_line_and_the_mail_says_so(package):
    line = "statuses.csv,17,updated_at,not a time,завтра\n"
    rejects = package.parent / "v=20261120T040000Z" / "rejects.csv"
    rejects.write_text(line * (2 * ATTACHMENT_LIMIT // len(line.encode())), encoding="utf-8")
    mail = sent(notices.alert(package, RUN))
    (cut,) = [part for part in mail.iter_attachments() if "rejects" in part.get_filename()]
    content = cut.get_payload(decode=True)
    assert cut.get_filename() == "rejects-first-lines.csv"
    assert ATTACHMENT_LIMIT - len(line.encode()) < len(content) <= ATTACHMENT_LIMIT
    assert content.endswith("завтра\n".encode())
    assert "holds only the first megabyte" in mail.get_body(("plain",)).get_content()
    assert "holds only the first megabyte" in mail.get_body(("html",)).get_content()


def test_short_rejects_are_attached_whole(package):
    (package.parent / "v=20261120T040000Z" / "rejects.csv").write_bytes(b"file,line\na,1\n")
    mail = sent(notices.alert(package, RUN))
    assert [part.get_filename() for part in mail.iter_attachments()][-1] == "rejects.csv"
    assert "first megabyte" not in mail.get_body(("plain",)).get_content()


def test_success_tells_a_recovery_only_where_there_was_one(package):
    quiet = sent(notices.success(package, RUN))
    assert "recovered" not in quiet.as_string()
    recovered = Run(RUN.job, RUN.day, RUN.run_id, RUN.url, tries={"analyse": 3})
    mail = sent(notices.success(package, recovered))
    assert mail["Subject"].endswith("(recovered)")
    assert "recovered: analyse after 3 tries" in mail.get_body(("plain",)).get_content()


def test_failure_names_task_try_error_and_log():
    failed = Failure("analyse", 4, "DataRefused: statuses.csv line 3 <x>", "http://airflow.example/log")
    text = sent(failure([failed], RUN)).get_body(("plain",)).get_content()
    assert "Task analyse failed on try 4" in text
    assert "statuses.csv line 3 <x>" in text
    assert "http://airflow.example/log" in text


def test_failure_of_a_killed_task_says_that_there_is_no_error():
    text = sent(failure([Failure("analyse", None, "", "http://log")], RUN)).as_string()
    assert "its process was killed" in text


def test_the_same_notice_again_has_the_same_message_id(package):
    first, second = sent(late(RUN, 60)), sent(late(RUN, 60))
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"] != sent(notices.success(package, RUN))["Message-ID"]
    assert first["Message-ID"].endswith("@retailer.example>")


def test_a_line_break_in_a_name_cannot_add_a_header():
    run = Run("job\nBcc: someone@else.example", RUN.day, RUN.run_id, RUN.url)
    mail = sent(late(run, 60))
    assert mail["Bcc"] is None


def test_bars_are_ordered_by_share_and_summed_over_regions():
    rows = notices.by_carrier(BREAKDOWN)
    assert [(row["carrier"], row["orders"], row["errors"]) for row in rows] == [
        ("<b>СДЭК</b>", 800, 150),
        ("(no carrier)", 200, 2),
    ]
    assert rows[0]["share"] == pytest.approx(0.1875)


def test_a_carrier_named_like_a_formula_is_drawn_as_text():
    rows = [{"carrier": r"$\frac{1$", "share": 0.2}]
    assert notices.chart(rows, 0.1).startswith(b"\x89PNG")


def test_a_share_just_over_the_threshold_does_not_read_as_the_threshold():
    assert notices.percent(0.1, apart_from=0.1) == "10.00%"
    assert notices.percent(100_001 / 1_000_000, apart_from=0.1) == "10.0001%"
    assert notices.percent(0.152, apart_from=0.1) == "15.20%"
