"""Mails from templates: what a job has to say, as one message that any mail program shows.

A template is a pair in `include/mail`: `NAME.html` and `NAME.txt`. The message carries both, pictures
inside the HTML part, and files beside it. Sending is not done here: whoever holds a connection does it.
"""

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipelines.resources import folder

ATTACHMENT_LIMIT = 1_000_000
"""Bytes of a text attachment that a mail carries at the most; a longer one is cut and the mail says so."""


@dataclass(frozen=True)
class Attachment:
    """A file of a mail: its name, its bytes, and whether it was cut."""

    name: str
    content: bytes
    cut: bool = False


@dataclass(frozen=True)
class Notice:
    """What a mail says: `kind` is alert, success, failure or late; `images` are PNG by content id."""

    kind: str
    subject: str
    template: str
    values: Mapping[str, object]
    images: Mapping[str, bytes]
    attachments: Sequence[Attachment]


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(folder("mail")),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def attachment(path: Path, *, limit: int = ATTACHMENT_LIMIT) -> Attachment:
    """Read a text file to attach. Over `limit` bytes it ends after its last whole line within the limit.

    The cut may fall inside a quoted line break, so the file's name says that it is not whole.
    """
    with path.open("rb") as source:
        content = source.read(limit + 1)
    if len(content) <= limit:
        return Attachment(path.name, content)
    content = content[:limit]
    return Attachment(f"{path.stem}-first-lines{path.suffix}", content[: content.rfind(b"\n") + 1], cut=True)


def compose(notice: Notice, *, sender: str, recipients: Sequence[str], thread: str) -> EmailMessage:
    """Build the message. `thread` names the run: the same notice of a run has the same Message-ID.

    A mail server or program that sees the second copy after a repeated try can then tell that it has it.
    """
    message = EmailMessage()
    message["Subject"] = " ".join(notice.subject.split())
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Date"] = formatdate(localtime=True)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    identity = hashlib.sha256(f"{thread}\0{notice.kind}\0{', '.join(recipients)}".encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{notice.kind}.{identity}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Notice"] = notice.kind
    values = {**notice.values, "subject": message["Subject"], "attachments": notice.attachments}
    message.set_content(_templates().get_template(f"{notice.template}.txt").render(values))
    message.add_alternative(
        _templates().get_template(f"{notice.template}.html").render(values), subtype="html"
    )
    (page,) = (part for part in message.iter_parts() if part.get_content_type() == "text/html")
    for name, png in notice.images.items():
        page.add_related(png, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline")
    for item in notice.attachments:
        main, _, sub = (mimetypes.guess_type(item.name)[0] or "application/octet-stream").partition("/")
        params = {"charset": "utf-8"} if main == "text" else None
        message.add_attachment(item.content, main, sub, filename=item.name, params=params)
    return message
