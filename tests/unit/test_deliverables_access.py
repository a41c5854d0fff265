"""Who may see the page of deliverables, and what every answer tells the browser."""

import pytest

from tests.deliverables_page import DAY, PRICES, publish, reader, stranger

PAGE = f"/{PRICES}/{DAY}/"
FILE = f"{PAGE}files/index.csv"


def addresses(app):
    """Every route of the application with its methods, its parameters filled with what is there."""
    values = {"dataset": PRICES, "day": str(DAY), "name": "index.csv", "path": "a/b"}
    for route in app.routes:
        path = route.path.replace("{path:path}", "{path}")
        for method in route.methods:
            yield method, path.format(**values)


def test_no_route_answers_a_stranger(tmp_path):
    publish(tmp_path)
    client = stranger(tmp_path)
    asked = set()
    for method, address in addresses(client.app):
        answer = client.request(method, address)
        assert answer.status_code == 401, (method, address)
        assert PRICES not in answer.text
        asked.add(address)
    assert {"/", f"/{PRICES}/", PAGE, f"{PAGE}check/", FILE, "/-/index.csv", "/a/b"} <= asked


@pytest.mark.parametrize(
    "address",
    [
        "/docs",
        "/redoc",
        "/openapi.json",
        "/-/page.css",
        "/-/page.js",
        "/-/icon.svg",
        "/nowhere",
        f"/{PRICES}",
        "/refused/",
        "//",
        "/%2e%2e/%2e%2e/etc/passwd",
        f"{PAGE}?page=nonsense&lang=%00",
    ],
)
def test_nor_does_any_other_address(tmp_path, address):
    publish(tmp_path)
    assert stranger(tmp_path).get(address).status_code == 401


@pytest.mark.parametrize(
    "proof",
    [
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": "_token=not.a.token"},
        {"Cookie": "_token="},
    ],
    ids=["bearer", "basic", "cookie", "empty"],
)
def test_what_is_no_token_of_airflow_is_nobody(tmp_path, proof):
    reader(tmp_path)
    publish(tmp_path)
    client = stranger(tmp_path)
    for address in ("/", FILE, "/-/page.css"):
        assert client.get(address, headers=proof).status_code == 401


def test_an_unnamed_root_is_not_told_to_a_stranger(tmp_path):
    assert stranger(tmp_path / "away").get("/").status_code == 401
    assert reader(tmp_path / "away").get("/").status_code == 503


def test_a_user_who_may_not_see_plugins_may_not_see_the_page(tmp_path, monkeypatch):
    publish(tmp_path)
    client = reader(tmp_path)
    assert client.get(FILE).status_code == 200
    monkeypatch.setattr(
        "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager.is_authorized_view",
        lambda self, *, access_view, user: access_view.value != "PLUGINS",
    )
    for address in ("/", FILE, "/-/page.css", "/nowhere"):
        assert client.get(address).status_code == 403
    assert "may not see plugins" in client.get("/").text


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_page_is_only_read(tmp_path, method):
    publish(tmp_path)
    for address in ("/", PAGE, f"{PAGE}check/", FILE):
        answer = reader(tmp_path).request(method, address)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_every_answer_is_private_and_framed_by_airflow_alone(tmp_path):
    publish(tmp_path)
    answers = [
        reader(tmp_path).get(address) for address in ("/", PAGE, f"{PAGE}check/", FILE, "/-/page.js", "/no")
    ]
    for answer in [*answers, stranger(tmp_path).get("/"), stranger(tmp_path).get(FILE)]:
        headers = answer.headers
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'self'"
        assert policy["script-src"] == policy["style-src"] == "'self'"


def test_nothing_is_in_the_pages_that_their_policy_forbids(tmp_path):
    publish(tmp_path, held=[{"name": "A", "reason": "r"}])
    for address in ("/", f"/{PRICES}/", PAGE, f"{PAGE}check/"):
        text = reader(tmp_path).get(address).text
        assert "style=" not in text
        assert "<style" not in text
        assert " on" not in [piece[:3] for piece in text.split("<")]
        assert text.count("<script") == text.count('<script src="') == 1


@pytest.mark.parametrize("role", ["viewer", "user", "op", "admin"])
def test_every_role_that_sees_the_navigation_can_read(tmp_path, role):
    publish(tmp_path)
    assert reader(tmp_path, role=role).get("/").status_code == 200


def test_the_application_has_no_pages_of_its_framework(tmp_path):
    app = stranger(tmp_path).app
    assert (app.docs_url, app.redoc_url, app.openapi_url) == (None, None, None)
    for address in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert reader(tmp_path).get(address).status_code == 404
