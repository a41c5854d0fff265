"""Who hears what of the price lists: every case of their guard and of their failures, as a real run.

PostgreSQL, the mail server and Airflow's four parts are real; only the pauses between tries are short. Runs
of this DAG go one after another, so each test has days of its own: later ones are compared with earlier ones.
"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from openpyxl import load_workbook

from tests.dags import price_list_runs as lists
from tests.dags.jobs import PRICE_LIST_DEADLINE_MINUTES, Jobs, html, names, text
from tests.dags.price_list_runs import B2B_0006, B2B_0008, B2B_0010, CLIENTS

pytestmark = pytest.mark.airflow

# In days before the one of the demo's rows; on none of them does a contract of the demo begin or end.
FIRST, SUBSET, HELD, RECOVERED, FAILED, UNHEARD, LATE = range(26, 19, -1)


@pytest.fixture(scope="module")
def first(price_lists: Jobs) -> str:
    """A run as the schedule would start it, but for its day: what all other runs are compared with."""
    run = price_lists.trigger(date=str(lists.day_before(price_lists, FIRST)))
    price_lists.wait(run)
    return run


@pytest.fixture(scope="module")
def held(price_lists: Jobs, first: str) -> tuple[str, dict[str, dict[str, str]]]:
    """A run in which one list is held, and the index of its set."""
    day = lists.day_before(price_lists, HELD)
    with lists.zeroed(price_lists, B2B_0006[1]):
        run = price_lists.trigger(date=str(day))
        price_lists.wait(run)
    return run, lists.index(price_lists, day)


@pytest.fixture(scope="module")
def refused(price_lists: Jobs, first: str) -> dict[str, str]:
    """Runs that were asked for what cannot be."""
    day = str(lists.day_before(price_lists, FIRST))
    started = {
        "nameless": price_lists.trigger(date=day, clients=["B2B-0006"], release=["B2B-0006"]),
        "misspelt": price_lists.trigger(date=day, clinets=["B2B-0006"]),
        "unknown": price_lists.trigger(date=day, clients=["B2B-0006", "B2B-0009", "B2B-4711"]),
    }
    for run in started.values():
        price_lists.wait(run)
    return started


def test_all_lists_published_only_success_is_mailed_to_the_analysts(price_lists, first):
    assert price_lists.wait(first) == "success"
    assert price_lists.kinds(first) == ["success"]
    day = lists.day_before(price_lists, FIRST)
    mail = price_lists.mail(first, "success")
    assert mail["Subject"] == f"Price lists delivered: {CLIENTS} clients on {day}"
    assert mail["To"] == "analysts@retailer.example"
    assert "recovered" not in text(mail) + html(mail)
    index = lists.index(price_lists, day)
    rows = sum(int(row["rows"]) for row in index.values())
    contract = sum(int(row["contract_rows"]) for row in index.values())
    assert CLIENTS < contract < rows
    assert f"{rows:,}" in text(mail)
    assert f"{contract:,}" in text(mail)
    assert str(lists.folder(price_lists, day)) in text(mail)
    assert price_lists.tasks(first)["alert_held"]["state"] == "skipped"


def test_the_analysts_get_the_summary_of_the_set(price_lists, first, tmp_path):
    mail = price_lists.mail(first, "success")
    assert names(mail) == ["summary.xlsx"]
    (summary,) = mail.iter_attachments()
    (tmp_path / "summary.xlsx").write_bytes(summary.get_content())
    sheets = load_workbook(tmp_path / "summary.xlsx")
    assert sheets.sheetnames == ["Clients", "Held"]
    codes = [row[0] for row in sheets["Clients"].iter_rows(min_row=2, values_only=True)]
    assert codes == list(lists.index(price_lists, lists.day_before(price_lists, FIRST)))
    assert len(codes) == CLIENTS


def test_the_set_names_its_run_and_the_run_updates_the_asset(price_lists, first, refused):
    set_ = lists.descriptor(price_lists, lists.day_before(price_lists, FIRST))
    assert set_["run"] == {"dag": price_lists.dag, "id": first}
    for run, events in ((first, 1), (refused["unknown"], 0)):
        found = price_lists.stack.api("GET", f"/assets/events?source_run_id={quote(run)}")["asset_events"]
        assert [event["name"] for event in found] == ["price_lists"] * events


def test_a_subset_for_another_day_leaves_the_other_clients_their_lists(price_lists, first):
    day, before = lists.day_before(price_lists, SUBSET), lists.day_before(price_lists, FIRST)
    chosen = [B2B_0008[0], "ООО/Ромашка"]
    recipients = ["one@retailer.example", "two@retailer.example"]
    run = price_lists.trigger(date=str(day), clients=chosen, formats=["csv"], recipients=recipients)
    assert price_lists.wait(run) == "success"
    index = lists.index(price_lists, day)
    assert {code for code, row in index.items() if row["status"] == "published"} == set(chosen)
    for code, row in lists.index(price_lists, before).items():
        if code in chosen:
            assert (index[code]["list_date"], index[code]["xlsx"]) == (str(day), "")
        else:
            assert index[code] == {**row, "status": "kept"}
    assert price_lists.kinds(run) == ["success"]
    mail = price_lists.mail(run, "success")
    assert mail["To"] == ", ".join(recipients)
    assert mail["Subject"] == f"Price lists delivered: 2 clients on {day}"


def test_a_spoiled_list_is_held_and_told_to_the_operators_and_all_others_go_out(price_lists, held):
    run, index = held
    day = lists.day_before(price_lists, HELD)
    code = B2B_0006[0]
    assert price_lists.wait(run) == "success"
    assert price_lists.kinds(run) == ["alert", "success"]
    assert price_lists.tasks(run)["nothing_held"]["state"] == "skipped"

    alert = price_lists.mail(run, "alert")
    assert alert["To"] == "operators@retailer.example"
    assert alert["Subject"] == f"Price lists held: 1 of {CLIENTS} clients on {day}"
    assert names(alert) == ["held.csv"]
    said = text(alert)
    assert "prices are zero, negative or missing" in said
    assert all(word in said for word in (code, "released_by", '"release"', '"clients"', str(day)))
    assert f"/dags/{price_lists.dag}/runs/{quote(run)}" in html(alert)
    (concerned,) = alert.iter_attachments()
    assert concerned.get_content() == (lists.folder(price_lists, day) / "held.csv").read_text("utf-8")
    assert concerned.get_content().count(f"{code},") > 1

    success = price_lists.mail(run, "success")
    assert success["To"] == "analysts@retailer.example"
    assert success["Subject"] == f"Price lists delivered: {CLIENTS - 1} clients on {day}, 1 held"

    assert {name: row["status"] for name, row in index.items() if name != code} == dict.fromkeys(
        index.keys() - {code}, "published"
    )
    last = lists.index(price_lists, lists.day_before(price_lists, FIRST))[code]
    assert index[code]["status"] == "held"
    for column in ("list_date", "rows", "csv", "xlsx"):
        assert index[code][column] == last[column], column
    for column in ("csv", "xlsx"):
        earlier = lists.folder(price_lists, lists.day_before(price_lists, FIRST)) / last[column]
        assert (lists.folder(price_lists, day) / last[column]).read_bytes() == earlier.read_bytes()


def test_a_held_list_is_released_by_name_from_the_form(price_lists, held):
    day, code = lists.day_before(price_lists, HELD), B2B_0006[0]
    with lists.zeroed(price_lists, B2B_0006[1]):
        run = price_lists.trigger(
            date=str(day), clients=[code], release=[code], released_by="Operator on duty"
        )
        assert price_lists.wait(run) == "success"
    row = lists.index(price_lists, day)[code]
    assert (row["status"], row["released_by"], row["list_date"]) == ("released", "Operator on duty", str(day))
    assert "zero" in row["reasons"]
    (released,) = lists.descriptor(price_lists, day)["released"]
    assert (released["name"], released["by"]) == (code, "Operator on duty")
    assert b";0,00;" in (lists.folder(price_lists, day) / row["csv"]).read_bytes()
    assert set(lists.statuses(price_lists, day).values()) == {"published", "released"}
    assert price_lists.kinds(run) == ["success"]
    assert "Operator on duty" in text(price_lists.mail(run, "success"))


@pytest.mark.parametrize(
    ("case", "task", "reason"),
    [
        ("nameless", "resolve_input", "a release is recorded with the name of who released"),
        ("misspelt", "resolve_input", "unknown field clinets: the form has assortment, clients,"),
        ("unknown", "read_prices", "no active client has the code 'B2B-0009', 'B2B-4711'"),
    ],
)
def test_what_cannot_be_done_fails_at_once_and_the_mail_says_why(price_lists, refused, case, task, reason):
    run = refused[case]
    assert price_lists.wait(run) == "failed"
    assert price_lists.tasks(run)[task]["try_number"] == 1
    assert price_lists.kinds(run) == ["failure"]
    mail = price_lists.mail(run, "failure")
    assert mail["To"] == "operators@retailer.example"
    assert f"Task {task} failed on try 1" in text(mail)
    assert reason in text(mail)


def test_a_batch_that_a_retry_made_is_told_in_the_success_mail(price_lists, first):
    day = lists.day_before(price_lists, RECOVERED)
    with lists.prices_locked(price_lists) as wait_for_reader:
        run = price_lists.trigger(date=str(day))
        wait_for_reader()
        record = lists.record(price_lists, day, 1)
        os.mkfifo(record)

    def is_broken() -> bool:
        """Whether batch 1 has met a pipe with nobody at its other end, and has removed it."""
        with suppress(FileNotFoundError):
            os.close(os.open(record, os.O_RDONLY | os.O_NONBLOCK))
        return not record.exists()

    lists.wait_until(is_broken)
    assert price_lists.wait(run) == "success"
    tries = {name: task["try_number"] for name, task in price_lists.tasks(run).items()}
    assert [tries[f"make_lists[{batch}]"] for batch in range(3)] == [1, 2, 1]
    assert price_lists.kinds(run) == ["success"]
    mail = price_lists.mail(run, "success")
    assert mail["Subject"].endswith("(recovered)")
    for body in (text(mail), html(mail)):
        assert "recovered: make_lists[1] after 2 tries" in body
    assert set(lists.statuses(price_lists, day).values()) == {"published"}


def test_a_batch_that_fails_for_good_is_mailed_once_and_nothing_is_published(price_lists, first):
    day = lists.day_before(price_lists, FAILED)
    with lists.prices_locked(price_lists) as wait_for_reader:
        run = price_lists.trigger(date=str(day))
        wait_for_reader()
        in_the_way, _ = lists.files(price_lists, day, B2B_0006[0])
        in_the_way.mkdir()
    assert price_lists.wait(run) == "failed"
    assert price_lists.tasks(run)["make_lists[1]"]["try_number"] == 4
    assert price_lists.kinds(run) == ["failure"]
    mail = price_lists.mail(run, "failure")
    assert mail["To"] == "operators@retailer.example"
    assert mail["Subject"] == f"{price_lists.dag} failed on {day}: make_lists[1]"
    said = text(mail)
    assert "Task make_lists[1] failed on try 4" in said
    assert f"{in_the_way}: Is a directory" in said
    assert f"/dags/{price_lists.dag}/runs/{quote(run)}/tasks/make_lists/mapped/1?try_number=4" in said
    assert not lists.package(price_lists, day).exists()


def test_what_could_not_be_mailed_goes_out_once_when_its_task_is_cleared(price_lists, first):
    day = lists.day_before(price_lists, UNHEARD)
    price_lists.stack.stop_part("mailbox")
    try:
        with lists.zeroed(price_lists, B2B_0010[1]):
            run = price_lists.trigger(date=str(day))
            assert price_lists.wait(run) == "failed"
    finally:
        price_lists.stack.start_part("mailbox")
    tasks = price_lists.tasks(run)
    assert (tasks["publish"]["state"], tasks["alert_held"]["state"]) == ("success", "failed")
    assert lists.statuses(price_lists, day)[B2B_0010[0]] == "held"
    published = lists.package(price_lists, day).read_bytes()
    assert price_lists.mails(run) == []

    # The second time nothing is left to be told.
    for _ in range(2):
        price_lists.clear(run, "alert_held")
        lists.wait_until(lambda: price_lists.state(run) != "failed")
        assert price_lists.wait(run) == "success"
        assert price_lists.kinds(run) == ["alert", "success"]
    assert lists.package(price_lists, day).read_bytes() == published


def test_a_late_run_is_told_and_the_next_one_waits_and_finds_nothing_new(price_lists, first):
    day = lists.day_before(price_lists, LATE)
    deadline = timedelta(minutes=PRICE_LIST_DEADLINE_MINUTES)
    with lists.prices_locked(price_lists) as wait_for_reader:
        run = price_lists.trigger(date=str(day), run_after=datetime.now(UTC) - deadline)
        following = price_lists.trigger(date=str(day))
        wait_for_reader()
        lists.wait_until(lambda: price_lists.mails(run))
        assert price_lists.state(run) == "running"
        assert price_lists.state(following) == "queued"
    mail = price_lists.mail(run, "late")
    assert mail["To"] == "operators@retailer.example"
    assert mail["Subject"] == f"{price_lists.dag} is late: not done after {deadline.seconds // 60} minutes"
    assert price_lists.wait(run) == "success"
    assert price_lists.kinds(run) == ["late", "success"]

    assert price_lists.wait(following) == "success"
    assert price_lists.kinds(following) == []
    assert lists.descriptor(price_lists, day)["run"]["id"] == run
    begun, ended = (
        datetime.fromisoformat(price_lists.tasks(one)[task][time])
        for one, task, time in ((following, "resolve_input", "start_date"), (run, "done", "end_date"))
    )
    assert begun > ended


def test_what_tasks_pass_on_stays_within_two_kilobytes(price_lists, first, held, refused):
    for run in (first, held[0], *refused.values()):
        entries = price_lists.xcoms(run)
        assert entries
        for entry in entries:
            size = len(json.dumps(entry["value"], ensure_ascii=False).encode())
            assert size <= 2048, (entry["task_id"], entry["map_index"], entry["key"], size)
