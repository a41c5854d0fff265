"""An operator's and an analyst's first minutes, in a real headless Chromium."""

import re

import pytest

from tests.dags.jobs import DAG, text

pytestmark = [pytest.mark.airflow, pytest.mark.browser]


@pytest.fixture(scope="module")
def page(chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page.set_default_timeout(60_000)
    return page


def test_the_form_starts_a_run_as_it_is_and_its_mail_can_be_read(jobs, page):
    before = {run["dag_run_id"] for run in jobs.stack.api("GET", f"/dags/{DAG}/dagRuns")["dag_runs"]}
    page.goto(f"{jobs.stack.url}/dags/{DAG}")
    page.get_by_role("button", name="Trigger", exact=False).first.click()
    form = page.get_by_role("dialog")
    form.get_by_text("Error share over which an alert is sent").wait_for()
    assert not form.get_by_text("*", exact=True).count(), "a field that may stay empty is marked as required"
    start = form.get_by_role("button", name=re.compile("^Trigger"))
    assert start.is_enabled()
    start.click()
    form.wait_for(state="hidden")
    after = {run["dag_run_id"] for run in jobs.stack.api("GET", f"/dags/{DAG}/dagRuns")["dag_runs"]}
    (run,) = after - before

    # The day's file of the demo is over the threshold.
    assert jobs.wait(run) == "success"
    assert jobs.kinds(run) == ["alert", "success"]

    page.goto(jobs.stack.mailbox.url)
    subject = jobs.mail(run, "alert")["Subject"]
    page.get_by_role("link", name=subject).first.click()
    page.get_by_role("heading", name=subject).first.wait_for()
    picture = page.frame_locator("iframe").locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 300
    assert "breakdown.xlsx" in page.content()


def test_the_manual_is_there_for_the_operator(jobs, page):
    page.goto(f"{jobs.stack.url}/dags/{DAG}")
    page.get_by_label("Dag Docs").click()
    page.get_by_text("When it fails.").wait_for()
    assert page.get_by_text("max_reject_share").count()


def test_the_runs_page_links_from_the_mail(jobs, page):
    (alert, *_) = [mail for mail in jobs.stack.mailbox.messages() if mail["X-Notice"] == "alert"]
    (address,) = re.findall(r"^Run: (\S+)$", text(alert), re.MULTILINE)
    page.goto(address)
    page.get_by_text("send_alert").first.wait_for()
    assert page.get_by_text("Success").count()
