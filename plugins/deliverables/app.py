"""The page's routes. All of them, the unknown ones too, ask for a user whom Airflow has logged in."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from airflow.models.variable import Variable
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from deliverables.access import is_nobody, reader
from deliverables.headers import PrivateHeaders
from deliverables.shelf import Entry, Shelf
from deliverables.views import View, message, page
from extracts.errors import ExtractsError
from extracts.verify import Report
from pipelines.schedules import SCHEDULES, Schedule

VARIABLE = "published_root"
DAYS_PER_PAGE = 30
FILES_PER_PAGE = 100
WEEK = 7

_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# A check reads every byte of a day: one at a time leaves Airflow its threads and its disk.
_CHECKING = threading.Lock()


class NoRoot(Exception):
    """No folder is configured."""


def published_root() -> Path:
    """The folder that the Airflow Variable names."""
    folder = Variable.get(VARIABLE, default_var=None)
    if not folder:
        raise NoRoot
    return Path(folder)


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    *,
    root: Callable[[], Path] = published_root,
    now: Callable[[], datetime] = utc_now,
    schedules: Mapping[str, Schedule] = SCHEDULES,
) -> FastAPI:
    """The application, to be mounted in Airflow's.

    Args:
        root: names the folder of the published datasets, asked at every request.
        now: the time.
        schedules: when datasets are due, by name.
    """
    app = FastAPI(title="Deliverables", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.open_shelf = lambda: Shelf(root(), now(), schedules)
    app.include_router(router)
    app.add_middleware(PrivateHeaders)
    app.add_exception_handler(AnyHTTPException, _refuse)
    app.add_exception_handler(ExtractsError, _unavailable)
    app.add_exception_handler(NoRoot, _unavailable)
    return app


# Its routes run in threads, because none of them is a coroutine: they wait for the disk.
router = APIRouter(dependencies=[Depends(reader)])


def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.open_shelf()
    return shelf


ShelfDep = Annotated[Shelf, Depends(_shelf)]


def _entry(shelf: ShelfDep, dataset: str, day: str) -> Entry:
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        raise HTTPException(404) from None
    entry = shelf.entry(dataset, asked)
    # Other ways of writing a date are other addresses.
    if entry is None or day != asked.isoformat():
        raise HTTPException(404)
    return entry


EntryDep = Annotated[Entry, Depends(_entry)]


@router.get("/")
def overview(request: Request, shelf: ShelfDep) -> Response:
    datasets = filter(None, (shelf.dataset(name, first=0, count=WEEK) for name in shelf.names()))
    cards = [(dataset, shelf.newest(dataset)) for dataset in datasets]
    return page(request, "overview.html", cards=cards)


@router.get("/-/{name}")
def own_file(name: str) -> Response:
    for file in _STATIC.iterdir():
        if file.name == name:
            return FileResponse(file, media_type=_TYPES[file.suffix])
    raise HTTPException(404)


@router.get("/{dataset}/")
def days(request: Request, shelf: ShelfDep, dataset: str) -> Response:
    first = (_number(request) - 1) * DAYS_PER_PAGE
    seen = shelf.dataset(dataset, first=first, count=DAYS_PER_PAGE)
    if seen is None:
        raise HTTPException(404)
    return page(request, "dataset.html", dataset=seen, per_page=DAYS_PER_PAGE)


@router.get("/{dataset}/{day}/")
def one_day(request: Request, shelf: ShelfDep, dataset: str, entry: EntryDep) -> Response:
    return _day_page(request, shelf, dataset, entry)


@router.get("/{dataset}/{day}/check/")
def check(request: Request, shelf: ShelfDep, dataset: str, entry: EntryDep) -> Response:
    if not _CHECKING.acquire(blocking=False):
        return _day_page(request, shelf, dataset, entry, busy=True)
    try:
        report = shelf.check(dataset, entry.day)
    finally:
        _CHECKING.release()
    return _day_page(request, shelf, dataset, entry, report=report)


@router.get("/{dataset}/{day}/files/{name}")
def download(request: Request, entry: EntryDep, name: str) -> Response:
    for file in entry.files:
        if file.name != name or file.problem == "outside":
            continue
        if file.place is None:
            view = View.of(request)
            text = view.wording("gone_text", name=name, problem=view.problem(file))
            status = 404 if file.problem == "gone" else 409
            return message(request, status, view.wording("gone_title"), text)
        # Said to be encoded already, so that Airflow does not compress it again on its way: a download has
        # a length, and one that was cut is seen.
        return FileResponse(
            file.place,
            filename=name,
            media_type="application/octet-stream",
            headers={"Content-Encoding": "identity"},
        )
    raise HTTPException(404)


# Last: what is no route above has no page, but a user is asked for first.
@router.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def other(request: Request) -> Response:
    raise HTTPException(404 if request.method == "GET" else 405)


def _day_page(
    request: Request,
    shelf: Shelf,
    dataset: str,
    entry: Entry,
    *,
    report: Report | None = None,
    busy: bool = False,
) -> Response:
    wanted = request.query_params.get("find", "").strip()
    files = [file for file in entry.files if wanted.lower() in f"{file.name}\n{file.title}".lower()]
    first = (_number(request) - 1) * FILES_PER_PAGE
    return page(
        request,
        "day.html",
        dataset=dataset,
        entry=entry,
        clock=shelf.clock(dataset),
        files=files[first : first + FILES_PER_PAGE],
        first=first,
        matching=len(files),
        per_page=FILES_PER_PAGE,
        find=wanted,
        report=report,
        busy=busy,
    )


def _number(request: Request) -> int:
    """The page asked for, from 1 on."""
    number = request.query_params.get("page", "")
    return max(1, int(number)) if number.isascii() and number.isdecimal() and len(number) < 9 else 1


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    status = 401 if is_nobody(error) else error.status_code
    kind = {401: "login", 403: "forbidden", 405: "method"}.get(status, "not_found")
    t = View.of(request).wording
    answer = message(request, status, t(f"{kind}_title"), t(kind), known=status not in (401, 403))
    if status == 405:
        answer.headers["Allow"] = "GET"
    return answer


def _unavailable(request: Request, error: Exception) -> Response:
    t = View.of(request).wording
    text = t("no_root", variable=VARIABLE) if isinstance(error, NoRoot) else str(error)
    return message(request, 503, t("unavailable_title"), text)
