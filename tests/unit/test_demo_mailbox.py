"""The mailbox: a real SMTP session in, files and pages out."""

import smtplib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from demo import mails
from demo.errors import DemoError
from demo.mailbox import Mailbox, command
from demo.ports import choose

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mails here") as started:
        yield started


def letter(subject: str = "Доставка: 14 %") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "airflow@retailer.example"
    message["To"] = "analysts@retailer.example"
    message["Subject"] = subject
    message.set_content("Всё <b>плохо</b>\n.\n..двоеточие\n")
    message.add_alternative('<p onclick="x()">Всё плохо <img src="cid:chart"></p>', subtype="html")
    html = message.get_payload()[1]
    html.add_related(PNG, "image", "png", cid="<chart>")
    message.add_attachment("a;b\n", subtype="csv", filename="отчёт<1>.csv")
    return message


def send(mailbox: Mailbox, message: EmailMessage, **options: object) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=10) as client:
        client.send_message(message, **options)


def page(mailbox: Mailbox, path: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(f"{mailbox.url}{path}", timeout=10) as answer:
        return answer.read().decode(), dict(answer.headers)


def status(mailbox: Mailbox, path: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as refused:
        page(mailbox, path)
    refused.value.close()
    return refused.value.code


def test_mails_are_kept_as_files_in_their_order_with_the_envelope(mailbox):
    for number in range(3):
        send(mailbox, letter(f"mail {number}"), to_addrs=["a@retailer.example", "hidden@retailer.example"])
    kept = mailbox.messages()
    assert [mail["Subject"] for mail in kept] == ["mail 0", "mail 1", "mail 2"]
    assert kept[0].get_all("Delivered-To") == ["a@retailer.example", "hidden@retailer.example"]
    assert kept[0].get_body(("plain",)).get_content() == "Всё <b>плохо</b>\n.\n..двоеточие\n"
    assert {file.suffix for file in mailbox.folder.iterdir()} == {".eml"}


def test_the_pages_show_a_mail_and_escape_what_it_says(mailbox):
    send(mailbox, letter("<script>alert(1)</script>"))
    name = mails.stored(mailbox.folder)[0].name

    listed, _ = page(mailbox, "/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in listed
    assert "<script" not in listed

    shown, headers = page(mailbox, f"/mail/{name}")
    assert "Всё &lt;b&gt;плохо&lt;/b&gt;" in shown
    assert "отчёт&lt;1&gt;.csv" in shown
    assert "<script" not in shown
    assert f"<iframe sandbox src='/mail/{name}/html'>" in shown
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")

    body, headers = page(mailbox, f"/mail/{name}/html")
    assert 'src="data:image/png;base64,iVBOR' in body
    assert headers["Content-Security-Policy"].startswith("sandbox;")

    raw, headers = page(mailbox, f"/mail/{name}/raw")
    assert raw.startswith("Return-Path: <airflow@retailer.example>")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_an_attachment_is_handed_out_as_a_file(mailbox):
    send(mailbox, letter())
    name = mails.stored(mailbox.folder)[0].name
    parts = [part.get_filename() for part in mails.read(mails.stored(mailbox.folder)[0]).walk()]
    content, headers = page(mailbox, f"/mail/{name}/part/{parts.index('отчёт<1>.csv')}")
    assert content == "a;b\n"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path",
    [
        "/mail/../secret.eml",
        "/mail/..%2Fsecret.eml",
        "/mail/%2e%2e/secret.eml",
        "/mail/none.eml",
        "/other",
        "/mail",
    ],
)
def test_only_the_folders_own_mails_are_opened(mailbox, path):
    (mailbox.folder.parent / "secret.eml").write_text("Subject: secret\n\n")
    assert status(mailbox, path) == 404


@pytest.mark.parametrize("number", ["99", "-1", "0", "x"])
def test_a_part_that_is_none_is_not_found(mailbox, number):
    send(mailbox, letter())
    assert status(mailbox, f"/mail/{mails.stored(mailbox.folder)[0].name}/part/{number}") == 404


def test_a_mail_that_cannot_be_kept_is_refused_for_now(mailbox):
    mailbox.folder.rmdir()
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(mailbox, letter())
    assert refused.value.smtp_code == 452


def test_a_taken_port_is_named(mailbox, tmp_path):
    with pytest.raises(DemoError, match=str(mailbox.smtp_port)):
        Mailbox(tmp_path / "other", smtp_port=mailbox.smtp_port).start()


def test_as_a_process_it_ends_on_sigterm(tmp_path):
    smtp_port = choose()
    process = subprocess.Popen(
        command(tmp_path, smtp_port, choose()), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert f"127.0.0.1:{smtp_port}" in process.stdout.readline()
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=10) as client:
        client.send_message(letter("to a process"))
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()
    assert [mail["Subject"] for mail in mails.all_in(tmp_path)] == ["to a process"]
