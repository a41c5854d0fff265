"""A real mail server for one machine: it takes every mail, keeps it as a file, and shows it on a small page.

As a process: `python -m demo.mailbox FOLDER [--smtp-port N] [--page-port N]`.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
from email.message import EmailMessage
from pathlib import Path
from types import FrameType
from typing import Any

from aiosmtpd.smtp import SMTP

from demo import mails
from demo.errors import DemoError
from demo.mailbox_page import Page

_SIZE_LIMIT = 50_000_000


class _Keeper:
    """What aiosmtpd calls for every mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        trace = [f"Return-Path: <{envelope.mail_from}>"]
        trace += [f"Delivered-To: {recipient}" for recipient in envelope.rcpt_tos]
        head = "".join(f"{line}\r\n" for line in trace).encode("utf-8", "surrogateescape")
        try:
            mails.keep(self._folder, head + envelope.content)
        except OSError as error:
            return f"452 The mail could not be kept: {error.strerror}"
        return "250 Kept"


class Mailbox:
    """The mail server and its page, both on loopback ports, in threads of this process.

    `smtp_port` and `page_port` of 0 ask the system for free ones; both hold the real ports after `start`.
    """

    def __init__(self, folder: Path, *, smtp_port: int = 0, page_port: int = 0) -> None:
        self.folder = folder
        self.smtp_port = smtp_port
        self.page_port = page_port
        self._loop = asyncio.new_event_loop()
        self._smtp: asyncio.Server | None = None
        self._page: Page | None = None
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where a person reads the mails."""
        return f"http://127.0.0.1:{self.page_port}"

    def messages(self) -> list[EmailMessage]:
        """All mails kept so far, oldest first."""
        return mails.all_in(self.folder)

    def start(self) -> None:
        """Listen on both ports. Raises DemoError when one of them is taken."""
        self.folder.mkdir(parents=True, exist_ok=True)
        keeper = _Keeper(self.folder)

        def protocol() -> SMTP:
            return SMTP(
                keeper,
                hostname="localhost",
                ident="mailbox",
                data_size_limit=_SIZE_LIMIT,
                enable_SMTPUTF8=True,
                loop=self._loop,
            )

        try:
            self._page = Page(self.folder, self.page_port)
            self._smtp = self._loop.run_until_complete(
                self._loop.create_server(protocol, "127.0.0.1", self.smtp_port)
            )
        except OSError as error:
            if self._page is not None:
                self._page.server_close()
            raise DemoError(
                f"the mailbox cannot listen on ports {self.smtp_port} and {self.page_port} of 127.0.0.1: "
                f"{error.strerror}"
            ) from error
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]
        self.page_port = self._page.server_port
        self._threads = [
            threading.Thread(target=self._loop.run_forever, name="mailbox-smtp", daemon=True),
            threading.Thread(target=self._page.serve_forever, args=(0.05,), name="mailbox-page", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close both ports; the files stay."""
        if self._smtp is None or self._page is None:
            return
        self._page.shutdown()
        self._page.server_close()
        asyncio.run_coroutine_threadsafe(self._close(self._smtp), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join(10)
        self._loop.close()
        self._smtp = self._page = None

    async def _close(self, server: asyncio.Server) -> None:
        server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    def __enter__(self) -> "Mailbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def command(folder: Path, smtp_port: int, page_port: int) -> list[str]:
    """The command line of the mailbox as a process of its own."""
    ports = [f"--smtp-port={smtp_port}", f"--page-port={page_port}"]
    return [sys.executable, "-m", "demo.mailbox", str(folder), *ports]


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.mailbox", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="where the mails are kept, one .eml file each")
    parser.add_argument("--smtp-port", type=int, default=0, help="default: a free one")
    parser.add_argument("--page-port", type=int, default=0, help="default: a free one")
    arguments = parser.parse_args()

    ended = threading.Event()

    def end(signal_number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    mailbox = Mailbox(arguments.folder, smtp_port=arguments.smtp_port, page_port=arguments.page_port)
    try:
        mailbox.start()
    except DemoError as error:
        raise SystemExit(str(error)) from None
    print(
        f"SMTP on 127.0.0.1:{mailbox.smtp_port}, mails on {mailbox.url}, files in {mailbox.folder}",
        flush=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        ended.wait()
    mailbox.stop()


if __name__ == "__main__":
    os.umask(0o077)
    main()
