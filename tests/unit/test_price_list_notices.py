"""The mails of the price lists, built from published sets: what they say, carry, escape and leave out."""

import json
import re
from email import message_from_bytes
from email.policy import default as policy
from html import unescape

import pytest

from extracts.errors import DataRefused
from pipelines.notices import compose
from pipelines.price_list_notices import CLIENTS_SHOWN, delivered, held
from pipelines.price_lists.index import HELD, KEPT, RELEASED
from pipelines.run_notices import Run
from tests.price_list_sets import DAY, GONE, MORE, MOVED, SHRUNK, ZERO, client, publish

RUN = Run(
    "price_list_export", DAY, "manual__1", "http://airflow.example/dags/price_list_export/runs/manual__1"
)


def sent(notice):
    message = compose(
        notice, sender="Jobs <jobs@retailer.example>", recipients=["a@retailer.example"], thread=RUN.run_id
    )
    return message_from_bytes(message.as_bytes(), policy=policy)


def bodies(mail) -> tuple[str, str]:
    return tuple(mail.get_body((kind,)).get_content() for kind in ("plain", "html"))


def names(mail) -> list[str]:
    return [part.get_filename() for part in mail.iter_attachments()]


def configurations(text: str) -> list[dict]:
    """The JSON objects in a text, as an operator copies them out of it."""
    decoder, found = json.JSONDecoder(), []
    while (start := text.find('{"date"')) >= 0:
        content, end = decoder.raw_decode(text, start)
        found.append(content)
        text = text[end:]
    return found


def as_seen(html: str) -> str:
    """What a mail program shows of an HTML part: no tags, spaces in rows folded into one."""
    return unescape(re.sub("[ \\n]+", " ", re.sub("<[^>]+>", " ", html)))


def test_a_day_without_a_held_list_is_told_in_counts_and_a_folder(tmp_path):
    package = publish(tmp_path, [client(f"B2B-{n:04}") for n in range(500)])
    mail = sent(delivered(package, RUN))
    assert mail["Subject"] == f"Price lists delivered: 500 clients on {DAY}"
    assert mail["X-Notice"] == "success"
    for part in bodies(mail):
        assert "5,000,000" in part
        assert "12,500" in part
        assert str(next(package.parent.glob("v=*"))) in part
        assert f"price-lists-{DAY}.zip" in part
        for absent in ("and why", "Released", "No longer", "not in this run", "recovered"):
            assert absent not in part
    assert names(mail) == ["summary.xlsx"]


def test_the_alert_says_who_is_held_why_and_what_is_current(tmp_path):
    clients = [
        client("B2B-0041"),
        client("B2B-0042", HELD, reasons=[ZERO, MOVED]),
        client("B2B-0043", HELD, name="ИП Новый", reasons=[ZERO], listed=False),
        client("B2B-0044", RELEASED, name="not told here", reasons=[MOVED], by="Дежурный"),
    ]
    mail = sent(held(publish(tmp_path, clients), RUN))
    assert mail["Subject"] == f"Price lists held: 2 of 4 clients on {DAY}"
    assert mail["X-Notice"] == "alert"
    for part in bodies(mail):
        assert ZERO in part
        assert MOVED in part
        assert "Чайник «Ёж», 1,7 л" in part
        assert "Current: the list of 2026-11-20." in part
        assert "Current: none, this client has never had a list." in part
        assert "not told here" not in part
        # The first three rows of a reason.
        assert "Товар 2" in part
        assert "Товар 3" not in part
        assert RUN.url in part
    text = bodies(mail)[0]
    assert "SKU-000017  Чайник «Ёж», 1,7 л: 1490.00 -> 0.00" in text
    assert "SKU-000018  Кружка: 99.90 -> none" in text
    assert names(mail) == ["held.csv"]
    (attached,) = mail.iter_attachments()
    assert attached.get_content().count("\n") == 1 + 2 + 20 + 2 + 20


def test_a_reason_about_the_whole_list_has_no_product(tmp_path):
    mail = sent(held(publish(tmp_path, [client("B2B-0042", HELD, reasons=[SHRUNK])]), RUN))
    assert "    10,000 rows -> 0 rows" in bodies(mail)[0].splitlines()


def test_the_alert_gives_the_configuration_of_the_release(tmp_path):
    clients = [client("B2B-0042", HELD, reasons=[ZERO]), client("B2B-0043")]
    text, html = bodies(sent(held(publish(tmp_path, clients), RUN)))
    again, release = configurations(text)
    assert again == {"date": DAY}
    assert release == {
        "date": DAY,
        "clients": ["B2B-0042"],
        "release": ["B2B-0042"],
        "released_by": "your name",
    }
    assert 'href="http://airflow.example/dags/price_list_export"' in html


def test_a_release_of_contract_lists_names_the_assortment(tmp_path):
    package = publish(tmp_path, [client("B2B-0042", HELD, reasons=[ZERO])], assortment="contract")
    mail = sent(held(package, RUN))
    assert mail["Subject"] == f"Contract price lists held: 1 of 1 client on {DAY}"
    again, release = configurations(bodies(mail)[0])
    assert again == {"date": DAY, "assortment": "contract"}
    assert again.items() <= release.items()


CODES = [
    'B"2"B',
    "B\\2\\B",
    "B2B/0042",
    "B2B-1 ",
    " B2B-1",
    "B2B  1",
    "ООО Ёж",
    "</p><script>x</script>",
    "a\tb\nc",
    "a\u00a0b\u200b\u202ec",
    "😀 & co",
    "x" * 300,
]


@pytest.mark.parametrize("code", CODES)
def test_any_code_comes_out_of_the_mail_as_it_is(tmp_path, code):
    package = publish(tmp_path, [client(code, HELD, reasons=[ZERO]), client("B2B-0043")])
    text, html = bodies(sent(held(package, RUN)))
    for given in (text, as_seen(html)):
        _, release = configurations(given)
        assert release["release"] == release["clients"] == [code]
    assert "<script>" not in html
    assert "<script>" not in bodies(sent(delivered(package, RUN)))[1]


def test_a_name_with_line_breaks_cannot_write_lines_of_the_mail(tmp_path):
    package = publish(tmp_path, [client("B2B-1", HELD, name="A\n\nWhat to do\nnothing", reasons=[ZERO])])
    for mail in (sent(held(package, RUN)), sent(delivered(package, RUN))):
        assert "B2B-1  A What to do nothing" in bodies(mail)[0]


def test_five_hundred_held_clients_make_a_mail_that_can_be_read(tmp_path):
    clients = [client(f"B2B-{n:04}", HELD, reasons=[ZERO, MOVED, SHRUNK, *MORE]) for n in range(500)]
    package = publish(tmp_path, clients)
    mail = sent(held(package, RUN))
    assert mail["Subject"] == f"Price lists held: 500 of 500 clients on {DAY}"
    shown, everyone = configurations(bodies(mail)[0])[1:]
    assert shown["release"] == shown["clients"] == [f"B2B-{n:04}" for n in range(CLIENTS_SHOWN)]
    assert everyone == {"date": DAY, "release": ["*"], "released_by": "your name"}
    assert names(mail) == ["held-first-lines.csv"]
    success = sent(delivered(package, RUN))
    assert success["Subject"] == f"Price lists delivered: 0 clients on {DAY}, 500 held"
    for part in (*bodies(mail), *bodies(success)):
        # Where it is longer, Gmail hides the rest.
        assert len(part.encode()) < 102_000
        assert "And 480 more" in part
        assert "B2B-0019" in part
        assert "B2B-0020" not in part
    for part in bodies(mail):
        assert "holds only the first megabyte" in part
        assert "To release every list that is held" in part


def test_clients_that_are_gone_are_released_all_at_once_and_not_as_lists(tmp_path):
    gone = [f"GONE-{n:02}" for n in range(30)]
    clients = [client(f"B2B-{n:04}") for n in range(70)] + [
        client(code, HELD, reasons=[GONE]) for code in gone
    ]
    mail = sent(held(publish(tmp_path, clients), RUN))
    assert mail["Subject"] == f"Price lists held: 30 of 100 clients on {DAY}"
    for part in bodies(mail):
        assert part.count(GONE) == 1
        assert "GONE-19 and 10 more" in part
        assert "Name only these" not in part
    # A run for certain clients takes active ones only.
    assert configurations(bodies(mail)[0])[1:] == [{"date": DAY, "release": gone, "released_by": "your name"}]


def test_what_was_held_released_kept_and_left_is_told_to_the_analysts(tmp_path):
    clients = [
        client("B2B-0041"),
        client("B2B-0042", HELD, reasons=[MOVED]),
        client("B2B-0043", RELEASED, reasons=[MOVED, ZERO], by="Дежурный <оператор>"),
        client("B2B-0044", KEPT),
        client("B2B-0045", HELD, reasons=[ZERO], listed=False),
    ]
    package = publish(tmp_path, clients, left=[f"OLD-{n:02}" for n in range(30)])
    mail = sent(delivered(package, RUN))
    assert mail["Subject"] == f"Price lists delivered: 2 clients on {DAY}, 2 held"
    text, html = bodies(mail)
    assert re.search(r"^New lists published +2$", text, re.MULTILINE)
    assert re.search(r"^  of them released by an operator +1$", text, re.MULTILINE)
    assert re.search(r"^Rows in the new lists +20,000$", text, re.MULTILINE)
    assert re.search(r"^Lists held back +2$", text, re.MULTILINE)
    assert re.search(r"^Not in this run, list as before +1$", text, re.MULTILINE)
    assert re.search(r"^Clients no longer active +30$", text, re.MULTILINE)
    assert f"  {MOVED}.\n  {ZERO}.\n  Released by Дежурный <оператор>." in text
    assert "Released by Дежурный &lt;оператор&gt;." in html
    for part in (text, html):
        assert "Current: the list of 2026-11-20." in part
        assert "Current: none, this client has never had a list." in part
        assert "OLD-19 and 10 more" in part
        assert "OLD-20" not in part


def test_a_recovery_is_told_to_the_analysts(tmp_path):
    run = Run(RUN.job, RUN.day, RUN.run_id, RUN.url, tries={"make_lists[2]": 3})
    mail = sent(delivered(publish(tmp_path, [client("B2B-0042")]), run))
    assert mail["Subject"] == f"Price lists delivered: 1 client on {DAY} (recovered)"
    for part in bodies(mail):
        assert "recovered: make_lists[2] after 3 tries" in part


def test_a_damaged_package_is_refused(tmp_path):
    package = publish(tmp_path, [client("B2B-0042")])
    package.write_text("{", encoding="utf-8")
    with pytest.raises(DataRefused, match="publish this day again"):
        delivered(package, RUN)
