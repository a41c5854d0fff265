"""Answers as HTML: what the templates are given, in the language of the request."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deliverables.chart import chart
from deliverables.reading import File
from deliverables.shelf import Entry
from deliverables.texts import LANGUAGES
from deliverables.timing import Clock, Punctuality
from deliverables.wording import Wording, preferred

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    # Templates and code change together, when the api-server starts.
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)

_KINDS = {
    Punctuality.ON_TIME: "good",
    Punctuality.LATE: "warning",
    Punctuality.MISSING: "bad",
    Punctuality.AWAITED: "plain",
    Punctuality.BY_HAND: "plain",
}


@dataclass(frozen=True)
class View:
    """How one request is answered: its language, and how its links are written, all of them relative."""

    wording: Wording
    chosen: str | None
    up: str

    @classmethod
    def of(cls, request: Request) -> "View":
        asked = request.query_params.get("lang")
        chosen = asked if asked in LANGUAGES else None
        language = chosen or preferred(request.headers.get("accept-language", ""))
        tail = request.scope["path"].removeprefix(request.scope["root_path"])
        return cls(Wording(language), chosen, "../" * (tail.count("/") - 1) or "./")

    def url(self, *steps: object, **query: object) -> str:
        """The address of a page of this application, in the language that was chosen."""
        path = "".join(f"{quote(str(step), safe='', errors='replace')}/" for step in steps)
        return f"{self.up}{path}{self._query(query)}"

    def file_url(self, *steps: object) -> str:
        """The address of something that is no page."""
        return self.url(*steps).partition("?")[0].removesuffix("/")

    def run_url(self, run: tuple[str, str]) -> str:
        """The address of a run in Airflow, which stands one step above this application."""
        dag, identifier = (quote(part, safe="", errors="replace") for part in run)
        return f"{self.up}../dags/{dag}/runs/{identifier}"

    def _query(self, query: Mapping[str, object]) -> str:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        if self.chosen:
            given.setdefault("lang", self.chosen)
        return f"?{urlencode(given, errors='replace')}" if given else ""

    def state(self, entry: Entry, clock: Clock, *, with_files: bool = False) -> tuple[str, str]:
        """The kind of a day's state, which has a colour of its own, and its words.

        `with_files` is for where these are not told beside it.
        """
        if entry.content and entry.content.refused:
            return "bad", self.wording("unreadable")
        if with_files and entry.content and not entry.content.whole:
            return "bad", self.wording("damaged")
        time = (
            self.wording.duration(entry.late)
            if entry.late
            else self.wording.time(entry.due, clock.zone, of=entry.day)
        )
        return _KINDS[entry.punctuality], self.wording(entry.punctuality, time=time)

    def problem(self, file: File) -> str:
        """What is wrong with a file."""
        number = self.wording.number
        return self.wording(file.problem or "intact", found=number(file.found), bytes=number(file.bytes))


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The answer to `request` by a template. What UTF-8 cannot hold, as a stranger's package may, is `?`."""
    view = View.of(request)
    html = _TEMPLATES.get_template(template).render(
        view=view,
        t=view.wording,
        languages={code: view._query({**request.query_params, "lang": code}) or "?" for code in LANGUAGES},
        chart=chart,
        **values,
    )
    return HTMLResponse(html.encode("utf-8", "replace"), status)


def message(request: Request, status: int, title: str, text: str, *, known: bool = True) -> HTMLResponse:
    """A page that says one thing; `known` when the user is, and may load what the other pages are made of."""
    return page(request, "message.html", status=status, title=title, text=text, known=known)
