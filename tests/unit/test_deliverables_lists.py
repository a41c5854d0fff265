"""Charts and long lists on the page of deliverables."""

import json
import re
from datetime import timedelta

import pytest

from tests.deliverables_page import (
    BEFORE,
    DAY,
    PRICES,
    change_file,
    publish,
    reader,
    rows,
    text,
)


def test_files_are_found_by_a_part_of_their_name_and_paged(tmp_path):
    publish(tmp_path, files={f"C{number:04}_2026-11-21.csv": b"a\n" for number in range(150)})
    client = reader(tmp_path)
    address = f"/{PRICES}/{DAY}/"
    assert len(rows(client.get(address))) == 100
    assert [row[:5] for row in rows(client.get(f"{address}?page=2"))[:2]] == ["C0100", "C0101"]
    assert 'rel="next"' in client.get(address).text
    assert 'rel="next"' not in client.get(f"{address}?page=2").text
    found = client.get(f"{address}?find=c001")
    assert len(rows(found)) == 10
    assert "Files: 10 of 150" in text(found)
    assert "No file has this in its name or title" in text(client.get(f"{address}?find=nothing"))


def test_a_file_is_found_by_its_title_too(tmp_path):
    published = publish(tmp_path, files={f"C{number:04}.csv": b"a\n" for number in range(15)})
    change_file(published, title="ООО «Ёлки <и> палки»")
    found = reader(tmp_path).get(f"/{PRICES}/{DAY}/", params={"find": "ёлки <"})
    assert [row.split(" Download")[0] for row in rows(found)] == [
        f"C0000.csv ООО «Ёлки <и> палки» 0 2 B {published.descriptor['resources'][0]['hash'][7:]}"
    ]


def test_the_chart_has_a_bar_for_every_day_and_says_so_in_words(tmp_path):
    for back, number in enumerate((400, 100, None, 200)):
        if number:
            publish(tmp_path, day=DAY - timedelta(days=back), rows=number)
    answer = reader(tmp_path).get(f"/{PRICES}/")
    heights = re.findall(
        r'<rect( class="none")? x="[\d.]+" y="[\d.]+" width="0.7" height="([\d.]+)">', answer.text
    )
    assert heights == [("", "50.0"), (' class="none"', "3"), ("", "25.0"), ("", "100.0")]
    (label,) = re.findall(r'<svg[^>]*role="img" aria-label="([^"]*)"', answer.text)
    assert "from 100 to 400 rows; the table below has the same numbers" in label.replace("\xa0", " ")
    assert "<title>19 Nov 2026: no rows stated</title>" in answer.text.replace("\xa0", " ")


def test_one_day_makes_no_chart(tmp_path):
    publish(tmp_path)
    assert "<svg" not in reader(tmp_path).get(f"/{PRICES}/").text


@pytest.mark.parametrize("zero", [0, 10**18])
def test_a_chart_of_nothing_or_of_much_is_drawn(tmp_path, zero):
    for day in (DAY, BEFORE):
        publish(tmp_path, day=day, rows=zero)
    assert "<svg" in reader(tmp_path).get(f"/{PRICES}/").text


def many_days(root, number):
    descriptor = json.dumps({"version": "20261121T030000Z", "resources": []})
    for back in range(number):
        folder = root / PRICES / f"dt={DAY - timedelta(days=back)}"
        folder.mkdir(parents=True)
        (folder / "datapackage.json").write_text(descriptor)


def test_of_ten_thousand_days_only_those_that_are_shown_are_read(tmp_path, monkeypatch):
    many_days(tmp_path, 10_000)
    from extracts import package

    load, opened = package.load, []
    monkeypatch.setattr("extracts.publication.load", lambda path: opened.append(path) or load(path))
    client = reader(tmp_path)
    for address, at_most in (
        ("/", 7),
        (f"/{PRICES}/", 30),
        (f"/{PRICES}/?page=200", 30),
        (f"/{PRICES}/?page=99999999", 30),
        (f"/{PRICES}/{DAY}/", 1),
    ):
        opened.clear()
        assert client.get(address).status_code == 200
        assert 1 <= len(opened) <= at_most, address
    last = client.get(f"/{PRICES}/?page=334")
    assert "9,991 to 10,000 of 10,000" in text(last)
    assert len(rows(last)) == 10
    assert "Newer" in text(last)
    assert "Older" not in text(last)


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1e9", "٣", "9" * 400])
def test_any_page_may_be_asked_for(tmp_path, page):
    publish(tmp_path)
    assert reader(tmp_path).get(f"/{PRICES}/", params={"page": page}).status_code == 200
