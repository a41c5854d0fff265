"""What the page of deliverables shows of what is published."""

import html
import re
from datetime import timedelta

from tests.deliverables_page import (
    BEFORE,
    CONTRACTS,
    DAY,
    IN_TIME,
    PRICES,
    STATUSES,
    change,
    change_file,
    publish,
    reader,
    rows,
    text,
)


def test_the_overview_shows_every_dataset_and_nothing_else(tmp_path):
    publish(tmp_path, at=IN_TIME, rows=5000000)
    publish(tmp_path, CONTRACTS, BEFORE)
    (tmp_path / "refused" / PRICES).mkdir(parents=True)
    (tmp_path / ".sent" / PRICES / f"dt={DAY}").mkdir(parents=True)
    answer = reader(tmp_path).get("/")
    assert re.findall(r'<h2 id="dataset-\d"><a href="\./(\w+)/">', answer.text) == [PRICES, CONTRACTS]
    for part in (
        "Daily at 06:00, due by 06:15 (Europe/Moscow)",
        "Newest day 21 Nov 2026 Published 06:05 Rows 5,000,000 Size 9 B Files 1",
        "Sat 21 Nov On time",
        "Made by hand, without a schedule; times are in Europe/Moscow",
        "Fri 20 Nov By hand",
    ):
        assert part in text(answer)
    assert "refused" not in answer.text
    assert ".sent" not in answer.text


def test_the_newest_day_is_shown_however_long_ago_and_not_one_that_was_only_begun(tmp_path):
    publish(tmp_path, day=DAY - timedelta(days=20))
    client = reader(tmp_path)
    assert "Newest day 1 Nov 2026" in text(client.get("/"))
    publish(tmp_path, day=DAY - timedelta(days=3))
    (tmp_path / PRICES / f"dt={BEFORE}").mkdir()
    assert "Newest day 18 Nov 2026" in text(client.get("/"))
    assert "Fri 20 Nov Missing" in text(client.get("/"))


def test_an_empty_root_says_so(tmp_path):
    assert "Nothing has been published yet" in text(reader(tmp_path).get("/"))


def test_days_are_judged_by_their_schedule_with_the_gaps_between_them(tmp_path):
    publish(tmp_path, day=DAY - timedelta(days=3), at=IN_TIME - timedelta(days=3))
    publish(tmp_path, day=BEFORE, at=IN_TIME - timedelta(days=1) + timedelta(minutes=47))
    answer = reader(tmp_path).get(f"/{PRICES}/")
    assert rows(answer) == [
        "21 Nov 2026 Sat Missing",
        "20 Nov 2026 Fri Late by 37 min 06:52 2 9 B 1 Complete",
        "19 Nov 2026 Thu Missing",
        "18 Nov 2026 Wed On time 06:05 2 9 B 1 Complete",
    ]
    assert "1 to 4 of 4, newest first" in text(answer)


def test_today_is_awaited_until_it_is_due(tmp_path):
    publish(tmp_path, day=BEFORE, at=IN_TIME - timedelta(days=1))
    early = reader(tmp_path, now=IN_TIME).get(f"/{PRICES}/")
    assert rows(early)[0] == "21 Nov 2026 Sat Due by 06:15"
    assert rows(reader(tmp_path).get(f"/{PRICES}/"))[0] == "21 Nov 2026 Sat Missing"


def test_a_day_made_again_keeps_the_time_of_its_first_version(tmp_path):
    publish(tmp_path, files={"index.csv": b"code\n"}, at=IN_TIME)
    again = publish(tmp_path, files={"index.csv": b"code\nA\n"})
    (row,) = rows(reader(tmp_path).get(f"/{PRICES}/"))
    assert row.startswith("21 Nov 2026 Sat On time 06:05 replaced")
    assert "Current version" in text(reader(tmp_path).get(f"/{PRICES}/{DAY}/"))
    change(again, firstPublished=None)
    assert "replaced" in rows(reader(tmp_path).get(f"/{PRICES}/"))[0]


def test_the_rows_of_a_day_are_counted_once(tmp_path):
    both = {"list.csv": b"a\n1\n2\n", "list.xlsx": b"PK"}
    published = publish(tmp_path, STATUSES, files=both)
    published.descriptor["resources"][1]["rows"] = 2
    change(published, resources=published.descriptor["resources"])
    client = reader(tmp_path)

    def shown():
        return re.search(r"Rows (\S+)", text(client.get(f"/{STATUSES}/{DAY}/")))[1]

    assert shown() == "2"
    change(published, rows=1234)
    assert shown() == "1,234"
    change(published, rows=None, resources=[{**published.descriptor["resources"][1], "rows": 7}])
    assert shown() == "7"
    change_file(published, rows=None)
    assert shown() == "—"


def test_held_lists_are_shown_with_reasons_and_who_released_them(tmp_path):
    publish(
        tmp_path,
        held=[{"name": "B2B-0001", "reason": "3 prices are zero"}, {"name": "B2B-0002", "reason": "shrunk"}],
        released=[{"name": "B2B-0003", "reason": "× 100", "by": "an operator"}],
    )
    client = reader(tmp_path)
    assert "2 held 1 released" in rows(client.get(f"/{PRICES}/"))[0]
    assert "2 held" in text(client.get("/"))
    day = text(client.get(f"/{PRICES}/{DAY}/"))
    assert "B2B-0001 Held 3 prices are zero" in day
    assert "B2B-0003 Released × 100 an operator" in day


def test_a_run_is_linked_where_airflow_shows_it(tmp_path):
    run = {"dag": PRICES, "id": "manual__2026-11-21T03:00:00+00:00/é?#"}
    publish(tmp_path, run=run)
    quoted = "manual__2026-11-21T03%3A00%3A00%2B00%3A00%2F%C3%A9%3F%23"
    client = reader(tmp_path)
    assert f'data-airflow href="../../dags/{PRICES}/runs/{quoted}"' in client.get(f"/{PRICES}/").text
    assert f'href="../../../dags/{PRICES}/runs/{quoted}"' in client.get(f"/{PRICES}/{DAY}/").text


def test_every_link_stays_below_the_place_where_airflow_is_mounted(tmp_path):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    publish(tmp_path, held=[{"name": "A"}], files={f"{number}.csv": b"a\n" for number in range(12)})
    outer = FastAPI(root_path="/company/airflow")
    inner = reader(tmp_path).app
    outer.mount("/deliverables", inner)
    client = TestClient(outer, follow_redirects=False)
    seen, new = set(), {"/company/airflow/deliverables/"}
    while new:
        address = new.pop()
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        links = re.findall(r'(?:href|src|action)="([^"]*)"', html.unescape(answer.text))
        if "text/html" not in answer.headers["Content-Type"]:
            continue
        for link in links:
            assert not link.startswith("/")
            assert "://" not in link
            new |= {str(answer.url.join(link).copy_with(fragment=None).raw_path, "ascii")} - seen
        assert len(seen) < 200
    assert {
        f"/company/airflow/deliverables/{rest}"
        for rest in ("-/page.css", "-/page.js", f"{PRICES}/{DAY}/check/", f"{PRICES}/{DAY}/files/11.csv")
    } <= seen


def test_the_language_is_chosen_by_the_address_then_by_the_browser(tmp_path):
    publish(tmp_path)
    client = reader(tmp_path)
    russian = {"Accept-Language": "ru-RU,ru;q=0.9"}
    assert '<html lang="en"' in client.get("/").text
    assert '<html lang="ru"' in client.get("/", headers=russian).text
    assert '<html lang="en"' in client.get("/?lang=en", headers=russian).text
    assert '<html lang="en"' in client.get("/?lang=xx").text
    chosen = client.get(f"/{PRICES}/?lang=ru").text
    assert f'href="../{PRICES}/{DAY}/?lang=ru"' in chosen
    assert "Ежедневно в 06:00, срок 06:15 (Europe/Moscow)" in chosen
    assert 'lang="ru" hreflang="ru" aria-current="true"' in chosen


def test_changing_the_language_keeps_the_page(tmp_path):
    publish(tmp_path)
    answer = reader(tmp_path).get(f"/{PRICES}/{DAY}/", params={"find": "a&b", "page": "2"})
    assert 'href="?find=a%26b&amp;page=2&amp;lang=ru"' in answer.text
