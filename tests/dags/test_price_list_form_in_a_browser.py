"""An operator makes two clients' lists for another day, by the trigger form in a real headless Chromium."""

import re

import pytest

from tests.dags import price_list_runs as lists

pytestmark = [pytest.mark.airflow, pytest.mark.browser]

FIELDS = ["Day", "Assortment", "Formats", "Clients", "Release", "Released by", "Recipients"]
CHOSEN = ["B2B-0008", 'Ёлки "и" палки']


def test_the_form_makes_some_clients_lists_for_another_day(price_lists, chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page.set_default_timeout(60_000)
    page.goto(f"{price_lists.stack.url}/dags/{price_lists.dag}")
    page.get_by_role("button", name="Trigger", exact=False).first.click()
    form = page.get_by_role("dialog")

    def field(title: str):
        return form.get_by_role("group").filter(has=page.get_by_text(title, exact=True))

    for title in FIELDS:
        field(title).wait_for()
    assert not form.get_by_text("*", exact=True).count(), "a field that may stay empty is marked as required"
    assert not form.get_by_text("null", exact=True).count()
    day = lists.day_before(price_lists, 2)
    field("Day").get_by_role("textbox").fill(str(day))
    field("Clients").get_by_role("textbox").fill("\n".join([*CHOSEN, ""]))
    form.get_by_role("button", name=re.compile("^Trigger")).click()
    form.wait_for(state="hidden")

    runs = f"/dags/{price_lists.dag}/dagRuns?order_by=-run_after&limit=1"
    (run,) = price_lists.stack.api("GET", runs)["dag_runs"]
    asked = {name: value for name, value in run["conf"].items() if value is not None}
    # The empty line is there, because whoever types presses Enter after the last one as well.
    assert asked == {"date": str(day), "clients": [*CHOSEN, ""]}
    assert price_lists.wait(run["dag_run_id"]) == "success"
    index = lists.index(price_lists, day)
    assert {code for code, row in index.items() if row["status"] == "published"} == set(CHOSEN)
