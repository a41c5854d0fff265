"""The page of deliverables where people log in: a real api-server below a path, as behind a reverse proxy."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from http.cookiejar import CookieJar

import pytest

from demo import airflow
from demo.ports import choose
from demo.stack import PROJECT
from demo.supervisor import Part, Supervisor
from tests.deliverables_page import DAY, PRICES, publish

pytestmark = pytest.mark.airflow

USER, PASSWORD = "analyst", "correct horse"
FILE = f"deliverables/{PRICES}/{DAY}/files/index.csv"
ADDRESSES = (
    "deliverables/",
    f"deliverables/{PRICES}/",
    f"deliverables/{PRICES}/{DAY}/",
    f"deliverables/{PRICES}/{DAY}/check/",
    FILE,
    "deliverables/-/page.css",
    "deliverables/-/icon.svg",
    "deliverables/docs",
    "deliverables/openapi.json",
    "deliverables/nowhere",
)


def ask(address, body=None, cookies=None, **headers):
    """The status, the headers and the body of an answer."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies or CookieJar())
    )
    request = urllib.request.Request(address, headers=headers, data=body and json.dumps(body).encode())
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of an Airflow in which every user logs in."""
    home = tmp_path_factory.mktemp("airflow with users")
    for folder in ("dags", "published"):
        (home / folder).mkdir()
    publish(home / "published")
    (home / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
    port = choose()
    address = f"http://127.0.0.1:{port}/company/airflow"
    environment = {
        **airflow.inherited(database_is_embedded=True),
        **airflow.configuration(
            home,
            dags=home / "dags",
            plugins=PROJECT / "plugins",
            metadata=f"sqlite:///{home}/airflow.db",
            port=port,
            keys=airflow.stored_secrets(home / "secrets.json"),
            scheduled=False,
        ),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW_VAR_PUBLISHED_ROOT": str(home / "published"),
    }
    subprocess.run([*airflow.RUN, "db", "migrate"], env=environment, check=True, capture_output=True)
    supervisor = Supervisor()
    try:
        supervisor.start(
            Part("api-server", [*airflow.RUN, "api-server"], environment, home / "api-server.log")
        )
        end = time.monotonic() + 120
        while not airflow.Rest(address).is_healthy():
            supervisor.check()
            assert time.monotonic() < end, "the api-server does not answer"
            time.sleep(0.5)
        yield address
    finally:
        supervisor.stop_all()


def log_in(server):
    """A token of the user."""
    status, _, answer = ask(
        f"{server}/auth/token",
        {"username": USER, "password": PASSWORD},
        **{"Content-Type": "application/json"},
    )
    assert status == 201
    return json.loads(answer)["access_token"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_user_nothing_is_shown(server, address):
    token = log_in(server)
    middle = len(token) // 2
    tampered = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    for headers in (
        {},
        {"Authorization": f"Bearer {tampered}"},
        {"Cookie": f"_token={tampered}"},
        {"Authorization": f"Basic {token}"},
    ):
        status, found, answer = ask(f"{server}/{address}", **headers)
        assert status == 401
        assert found["Cache-Control"] == "private, no-store"
        assert PRICES.encode() not in answer


@pytest.mark.parametrize(
    "way", [{"Cookie": "_token={}"}, {"Authorization": "Bearer {}"}], ids=["cookie", "bearer"]
)
def test_the_users_token_opens_all_of_it(server, way):
    token = log_in(server)
    headers = {name: value.format(token) for name, value in way.items()}
    for address in ADDRESSES[:7]:
        assert ask(f"{server}/{address}", **headers)[0] == 200
    status, found, content = ask(f"{server}/{FILE}", **headers, **{"Accept-Encoding": "gzip"})
    assert (status, content) == (200, b"code\nA\nB\n")
    assert found["Content-Length"] == "9"
    assert found["Content-Disposition"] == 'attachment; filename="index.csv"'


def test_who_has_logged_out_is_nobody(server):
    token = log_in(server)
    assert ask(f"{server}/{FILE}", Cookie=f"_token={token}")[0] == 200
    ask(f"{server}/api/v2/auth/logout", Cookie=f"_token={token}")
    for headers in ({"Cookie": f"_token={token}"}, {"Authorization": f"Bearer {token}"}):
        assert ask(f"{server}/{FILE}", **headers)[0] == 401


@pytest.mark.browser
def test_logging_in_and_out_in_a_browser(server, chromium):
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    assert page.goto(f"{server}/deliverables/").status == 401
    page.get_by_text("Log in to Airflow, then open this page again.").wait_for()

    page.goto(server)
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Deliverables").click()
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name=PRICES).click()
    inside.get_by_role("link", name="21 Nov 2026", exact=True).click()
    page.wait_for_url(f"{server}/plugin/deliverables/company/airflow/deliverables/{PRICES}/{DAY}/")
    with page.expect_download() as download:
        inside.get_by_role("link", name="Download index.csv").click()
    assert download.value.path().read_bytes() == b"code\nA\nB\n"

    page.goto(f"{server}/api/v2/auth/logout")
    for address in ("deliverables/", FILE):
        assert page.goto(f"{server}/{address}").status == 401
    context.close()
