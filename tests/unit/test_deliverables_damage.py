"""The page of deliverables over what was damaged or tampered with, and what a check says of it."""

import re
from datetime import timedelta

import pytest

from tests.deliverables_page import (
    BEFORE,
    DAY,
    IN_TIME,
    PRICES,
    change,
    change_file,
    publish,
    reader,
    rows,
    text,
)

NASTY = """A"<b>/\\'&{{ 7 * 7 }}</script><img src=x onerror=alert(1)>"""


def test_whatever_stands_in_a_package_is_shown_as_text(tmp_path):
    published = publish(
        tmp_path,
        held=[{"name": NASTY, "reason": NASTY}],
        released=[{"name": NASTY, "reason": NASTY, "by": NASTY}],
        run={"dag": NASTY, "id": NASTY},
    )
    change_file(published, hash=NASTY, name=NASTY, title=NASTY)
    client = reader(tmp_path)
    for address in ("/", f"/{PRICES}/", f"/{PRICES}/{DAY}/", f"/{PRICES}/{DAY}/?find={NASTY}"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "<b>" not in answer.text
        assert "<img" not in answer.text
        assert "49" not in re.findall(r"A&#34;.*", answer.text)
        assert answer.text.count("</script>") == 1
    assert text(client.get(f"/{PRICES}/{DAY}/")).count(NASTY) == 7


@pytest.mark.parametrize(
    "properties",
    [
        {"held": "all", "released": {"name": "A"}, "run": "run"},
        {"held": [1, None, ["A"], {}], "released": [{"by": None}], "run": {"dag": 1, "id": None}},
        {"rows": "many", "firstPublished": "yesterday"},
        {"rows": -1, "firstPublished": "9999-12-31T23:59:59Z", "created": 7},
        {"rows": True, "firstPublished": "0001-01-01T00:00:00+14:00"},
        {"held": [{"name": "\ud800", "reason": "\ud800"}], "run": {"dag": "\ud800", "id": "\ud800"}},
        {"resources": []},
        {"resources": [{"path": "a/b", "bytes": "9", "rows": 1.5, "hash": 7, "type": []}]},
        {"resources": [{"path": "", "bytes": 10**40, "rows": 10**40}]},
    ],
)
def test_a_package_of_other_types_breaks_nothing(tmp_path, properties):
    publish(tmp_path, day=BEFORE, at=IN_TIME - timedelta(days=1))
    change(publish(tmp_path), **properties)
    client = reader(tmp_path)
    for address in ("/", f"/{PRICES}/", f"/{PRICES}/{DAY}/", f"/{PRICES}/{DAY}/check/"):
        assert client.get(address).status_code == 200
    assert "06:05" in client.get(f"/{PRICES}/").text


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"resources": {}}', '{"resources": [{}]}', "[" * 100_000]
)
def test_a_corrupt_package_is_shown_as_such_beside_the_others(tmp_path, content):
    publish(tmp_path, day=BEFORE, at=IN_TIME - timedelta(days=1))
    publish(tmp_path).package.write_text(content)
    client = reader(tmp_path)
    assert rows(client.get(f"/{PRICES}/")) == [
        "21 Nov 2026 Sat Unreadable",
        "20 Nov 2026 Fri On time 06:05 2 9 B 1 Complete",
    ]
    assert "Sat 21 Nov Unreadable" in text(client.get("/"))
    day = text(client.get(f"/{PRICES}/{DAY}/"))
    assert "datapackage.json cannot be used" in day
    assert "publish this day again" in day
    assert "Not as described: 1." in text(client.get(f"/{PRICES}/{DAY}/check/"))


def test_a_removed_file_is_told_on_every_page(tmp_path):
    published = publish(tmp_path, files={"index.csv": b"code\n", "held.csv": b"code\n"}, at=IN_TIME)
    (published.folder / "held.csv").unlink()
    client = reader(tmp_path)
    assert "Sat 21 Nov Damaged" in text(client.get("/"))
    assert rows(client.get(f"/{PRICES}/"))[0].endswith("2 Damaged")
    index, held = rows(client.get(f"/{PRICES}/{DAY}/"))
    assert index.endswith("Download")
    assert held.endswith("The file is gone")


def test_a_check_reads_the_files_when_it_is_asked_for(tmp_path):
    published = publish(tmp_path, files={"index.csv": b"code\nA\nB\n"})
    client = reader(tmp_path)
    assert "All as described. Files: 1, 9 B." in text(client.get(f"/{PRICES}/{DAY}/check/"))
    (published.folder / "index.csv").write_bytes(b"code\nA\nC\n")
    assert "Every file is there at its size" in text(client.get(f"/{PRICES}/{DAY}/"))
    checked = text(client.get(f"/{PRICES}/{DAY}/check/"))
    assert "Checked 21 Nov 2026, 12:00 (Europe/Moscow). Not as described: 1." in checked
    assert "index.csv has checksum sha256:" in checked


def test_one_check_at_a_time(tmp_path, monkeypatch):
    publish(tmp_path)
    client = reader(tmp_path)
    inside = []

    def verify(path):
        inside.append(text(client.get(f"/{PRICES}/{DAY}/check/")))
        raise OSError("the disk is gone")

    monkeypatch.setattr("deliverables.shelf.verify", verify)
    failed = client.get(f"/{PRICES}/{DAY}/check/")
    assert failed.status_code == 503
    assert "the disk is gone; try again" in text(failed)
    assert "Another check is running" in inside[0]
    monkeypatch.undo()
    assert "All as described" in text(client.get(f"/{PRICES}/{DAY}/check/"))


def test_many_problems_are_shown_in_part(tmp_path):
    published = publish(tmp_path, files={f"{number}.csv": b"a\n" for number in range(30)})
    for file in published.folder.iterdir():
        file.unlink()
    checked = text(reader(tmp_path).get(f"/{PRICES}/{DAY}/check/"))
    assert checked.count("is missing") == 20
    assert "And 10 more." in checked


def test_a_root_that_cannot_be_read_is_told_with_its_remedy(tmp_path):
    answer = reader(tmp_path / "away").get("/")
    assert answer.status_code == 503
    assert "create it, or mount the volume" in text(answer)


def test_a_variable_that_is_not_set_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("AIRFLOW_VAR_PUBLISHED_ROOT", raising=False)
    monkeypatch.setattr("airflow.models.variable.Variable.get", lambda *_, **__: None)
    answer = reader(None).get("/")
    assert answer.status_code == 503
    assert "set the Airflow Variable “published_root”" in text(answer)


def test_the_variable_names_the_root(tmp_path, monkeypatch):
    publish(tmp_path)
    monkeypatch.setenv("AIRFLOW_VAR_PUBLISHED_ROOT", str(tmp_path))
    assert PRICES in reader(None).get("/").text


def test_the_page_remembers_nothing(tmp_path):
    client = reader(tmp_path)
    assert "Nothing has been published" in client.get("/").text
    published = publish(tmp_path)
    assert PRICES in client.get("/").text
    published.package.unlink()
    assert client.get(f"/{PRICES}/{DAY}/").status_code == 404
