"""The mailbox as a web page: the list, one mail with its parts, and the mail as it came.

Mails are strangers' text: all of it is escaped, HTML parts are shown in a sandbox that may load nothing,
and only names that the folder itself lists are opened.
"""

import base64
import html
import re
from email.message import EmailMessage, MIMEPart
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from demo import mails

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #dde2e8 }
pre { white-space: pre-wrap; background: #f4f6f8; padding: 1rem }
iframe { width: 100%; height: 45rem; border: 1px solid #dde2e8 }
"""
# Shown pages load nothing from anywhere; the mail's own HTML may not even run a script.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'none'"
_SHOWN_IMAGES = {"image/png", "image/jpeg", "image/gif"}


class Page(ThreadingHTTPServer):
    """The page of one folder of mails, on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server_version = "mailbox"
    sys_version = ""

    def do_GET(self) -> None:
        folder = cast(Page, self.server).folder
        steps = [unquote(step) for step in urlsplit(self.path).path.split("/") if step]
        if not steps:
            return self._answer(_list(folder))
        known = {file.name: file for file in mails.stored(folder)}
        if steps[0] != "mail" or len(steps) < 2 or steps[1] not in known:
            return self._missing()
        file = known[steps[1]]
        match steps[2:]:
            case []:
                self._answer(_mail(file.name, mails.read(file)))
            case ["html"]:
                self._answer(_html_part(mails.read(file)), policy=f"sandbox; {_POLICY}")
            case ["raw"]:
                self._answer(file.read_bytes(), kind="text/plain; charset=utf-8")
            case ["part", number]:
                self._part(mails.read(file), number)
            case _:
                self._missing()

    def _part(self, message: EmailMessage, number: str) -> None:
        parts = list(message.walk())
        if not number.isdecimal() or int(number) >= len(parts) or parts[int(number)].is_multipart():
            return self._missing()
        part = parts[int(number)]
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        kind = (
            part.get_content_type()
            if part.get_content_type() in _SHOWN_IMAGES
            else "application/octet-stream"
        )
        name = quote(part.get_filename() or f"part-{number}", safe="")
        self._answer(content, kind=kind, disposition=f"attachment; filename*=UTF-8''{name}")

    def _missing(self) -> None:
        self._answer(
            _frame("No such mail", "<p>No such mail. <a href='/'>All mails</a></p>"), HTTPStatus.NOT_FOUND
        )

    def _answer(
        self,
        body: str | bytes,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        kind: str = "text/html; charset=utf-8",
        policy: str = _POLICY,
        disposition: str | None = None,
    ) -> None:
        content = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if disposition:
            self.send_header("Content-Disposition", disposition)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """The page refreshes itself: a line each time would hide what matters."""


def _frame(title: str, body: str, *, head: str = "") -> str:
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>{head}"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _header(message: EmailMessage, name: str) -> str:
    return html.escape(str(message.get(name, "")))


def _list(folder: Path) -> str:
    rows = []
    for file in reversed(mails.stored(folder)):
        message = mails.read(file)
        subject = _header(message, "Subject") or "(no subject)"
        rows.append(
            f"<tr><td><a href='/mail/{quote(file.name)}'>{subject}</a></td>"
            f"<td>{_header(message, 'To')}</td><td>{_header(message, 'Date')}</td></tr>"
        )
    table = f"<table><tr><th>Subject</th><th>To</th><th>Date</th></tr>{''.join(rows)}</table>"
    body = (
        f"<h1>Mailbox</h1><p>{len(rows)} mails, kept in {html.escape(str(folder))}</p>{table if rows else ''}"
    )
    return _frame("Mailbox", body, head="<meta http-equiv='refresh' content='5'>")


def _mail(name: str, message: EmailMessage) -> str:
    here = f"/mail/{quote(name)}"
    headers = "".join(
        f"<tr><th>{header}</th><td>{_header(message, header)}</td></tr>"
        for header in ("From", "To", "Cc", "Date", "Subject")
        if header in message
    )
    text = message.get_body(("plain",))
    shown = f"<h2>Text</h2><pre>{html.escape(_text(text))}</pre>" if text else ""
    if message.get_body(("html",)):
        shown = f"<iframe sandbox src='{here}/html'></iframe>{shown}"
    files = "".join(
        f"<li><a href='{here}/part/{number}'>{html.escape(part.get_filename() or '(no name)')}</a> "
        f"{html.escape(part.get_content_type())}, {len(part.get_payload(decode=True) or b''):,} bytes</li>"
        for number, part in enumerate(message.walk())
        if not part.is_multipart() and (part.get_filename() or part.get_content_disposition() == "attachment")
    )
    attached = f"<h2>Files</h2><ul>{files}</ul>" if files else ""
    links = f"<p><a href='/'>All mails</a> · <a href='{here}/raw'>As it came</a></p>"
    title = str(message.get("Subject", "")) or "(no subject)"
    return _frame(title, f"{links}<h1>{html.escape(title)}</h1><table>{headers}</table>{shown}{attached}")


def _html_part(message: EmailMessage) -> str:
    """The HTML of the mail with its inline images put in as data, so that it needs no further request."""
    part = message.get_body(("html",))
    images = {}
    for inline in message.walk():
        identifier = str(inline.get("Content-ID", "")).strip("<> ")
        if identifier and inline.get_content_type() in _SHOWN_IMAGES:
            encoded = base64.b64encode(cast(bytes, inline.get_payload(decode=True))).decode()
            images[identifier] = f"data:{inline.get_content_type()};base64,{encoded}"
    return re.sub(
        r"cid:([^\"'\s>)]+)",
        lambda found: images.get(unquote(found[1]), html.escape(found[0])),
        _text(part) if part else "",
    )


def _text(part: MIMEPart) -> str:
    """The decoded text of a part, however wrongly it names its character set."""
    content = cast(bytes, part.get_payload(decode=True))
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
