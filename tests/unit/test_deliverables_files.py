"""Downloads from the page of deliverables: what a current package names, whole, and nothing else."""

import os
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.deliverables_page import DAY, PRICES, change, change_file, publish, reader

PAGE = f"/{PRICES}/{DAY}/"
SECRET = b"not for readers"


def download(root, name="index.csv", **headers):
    return reader(root).get(f"{PAGE}files/{name}", headers=headers)


def test_a_file_arrives_whole_under_its_name(tmp_path):
    content = os.urandom(3_000_000)
    publish(tmp_path, files={"lists.zip": content, "index.csv": b"code\nA\n"})
    answer = download(tmp_path, "lists.zip", **{"Accept-Encoding": "gzip"})
    assert answer.content == content
    assert answer.headers["Content-Length"] == "3000000"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="lists.zip"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    # Airflow compresses what does not say how it is encoded, and then there is no length.
    assert answer.headers["Content-Encoding"] == "identity"


def test_a_download_can_go_on_where_it_was_cut(tmp_path):
    publish(tmp_path, files={"lists.zip": b"0123456789"})
    answer = download(tmp_path, "lists.zip", Range="bytes=4-")
    assert (answer.status_code, answer.content) == (206, b"456789")


def test_a_large_file_is_not_held_in_memory(tmp_path, monkeypatch):
    publish(tmp_path, files={"lists.zip": b"x" * 5_000_000})
    read = []
    monkeypatch.setattr(
        "starlette.responses.FileResponse.chunk_size",
        property(lambda response: read.append(1) or 64 * 1024),
    )
    assert len(download(tmp_path, "lists.zip").content) == 5_000_000
    assert len(read) > 5_000_000 // (64 * 1024)


def test_the_current_version_is_served_and_an_older_one_is_not(tmp_path):
    old = publish(tmp_path, files={"index.csv": b"code\nold\n", "only_then.csv": b"code\n"})
    new = publish(tmp_path, files={"index.csv": b"code\nnew\n"})
    assert old.folder.is_dir()
    assert old.folder != new.folder
    assert download(tmp_path).content == b"code\nnew\n"
    assert download(tmp_path, "only_then.csv").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../datapackage.json",
        "..%2Fdatapackage.json",
        "%2e%2e%2fdatapackage.json",
        "..%252f..%252fsecret.txt",
        "..%5Csecret.txt",
        "..\\secret.txt",
        "%2Fetc%2Fpasswd",
        "//etc/passwd",
        "secret.txt",
        ".hidden.csv",
        "index.csv%00.txt",
        "index.csv/",
        "INDEX.CSV",
        "",
        "%ff%fe",
        "datapackage.json",
    ],
)
def test_what_the_package_does_not_name_is_not_found(tmp_path, name):
    published = publish(tmp_path)
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (published.folder / "secret.txt").write_bytes(SECRET)
    (published.folder / ".hidden.csv").write_bytes(SECRET)
    answer = download(tmp_path, name)
    assert answer.status_code == 404
    assert SECRET not in answer.content


@pytest.mark.parametrize(
    "address",
    [
        "/../secret.txt",
        "/%2e%2e/2026-11-21/files/secret.txt",
        "/..%2f/2026-11-21/files/secret.txt",
        f"/{PRICES}/../files/secret.txt",
        f"/{PRICES}/..%2f..%2f/files/secret.txt",
        f"/{PRICES}/20261121/files/index.csv",
        f"/{PRICES}/2026-W47-6/files/index.csv",
        f"/{PRICES}/1795219200/files/index.csv",
        "/.hidden/2026-11-21/files/index.csv",
        "/-/../app.py",
        "/-/..%2fapp.py",
    ],
)
def test_no_address_leads_elsewhere(tmp_path, address):
    publish(tmp_path)
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / ".hidden").symlink_to(tmp_path / PRICES)
    answer = reader(tmp_path).get(address)
    assert answer.status_code == 404
    assert SECRET not in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "../../secret.txt",
        "/etc/passwd",
        "secret.txt",
        "{version}/../secret.txt",
        "{version}/../../../secret.txt",
        "{version}\\..\\secret.txt",
        "{version}/sub/secret.txt",
        "{version}/..",
        "{version}/",
        "current/secret.txt",
        "v=20200101T000000Z/secret.txt",
        "file:///etc/passwd",
        "https://example.com/secret.txt",
        "\u0000",
        "\ud800/secret.txt",
        "",
    ],
)
def test_a_tampered_path_is_shown_and_not_served(tmp_path, path):
    published = publish(tmp_path)
    for folder in (tmp_path, tmp_path / PRICES, published.package.parent, published.folder / "sub"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_bytes(SECRET)
    (published.package.parent / "v=20200101T000000Z").mkdir()
    (published.package.parent / "v=20200101T000000Z" / "secret.txt").write_bytes(SECRET)
    path = path.replace("{version}", published.folder.name)
    change_file(published, path=path, bytes=len(SECRET))
    page = reader(tmp_path).get(PAGE)
    assert page.status_code == 200
    assert "publish this day again" in page.text
    assert "Download " not in page.text
    assert "Not as described" in reader(tmp_path).get(f"{PAGE}check/").text
    for name in (path.rpartition("/")[2], path, "secret.txt", "passwd"):
        answer = download(tmp_path, quote(name, safe="", errors="replace"))
        assert answer.status_code == 404
        assert SECRET not in answer.content


@pytest.mark.parametrize("version", ["../..", "../../x", "20261121T030000Z/../..", "", None, 7, ["v"]])
def test_a_tampered_version_serves_nothing(tmp_path, version):
    published = publish(tmp_path)
    change(published, version=version)
    change_file(published, path=f"v={version}/secret.txt", bytes=len(SECRET))
    (tmp_path / "secret.txt").write_bytes(SECRET)
    for address in (PAGE, f"{PAGE}check/"):
        assert reader(tmp_path).get(address).status_code == 200
    assert download(tmp_path, "secret.txt").status_code == 404


def test_a_link_out_of_the_set_is_not_followed(tmp_path):
    published = publish(tmp_path)
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"code\nA\nB\n")
    (published.folder / "index.csv").unlink()
    (published.folder / "index.csv").symlink_to(secret)
    assert "The file is gone" in reader(tmp_path).get(PAGE).text
    assert download(tmp_path).status_code == 404


def test_nor_is_a_version_that_is_a_link(tmp_path):
    published = publish(tmp_path)
    published.folder.rename(tmp_path / "elsewhere")
    published.folder.symlink_to(tmp_path / "elsewhere")
    assert download(tmp_path).status_code == 404


def test_a_removed_file_is_missed(tmp_path):
    published = publish(tmp_path, files={"index.csv": b"code\n", "held.csv": b"code\n"})
    (published.folder / "index.csv").unlink()
    answer = download(tmp_path)
    assert answer.status_code == 404
    assert "The file is gone" in answer.text
    assert download(tmp_path, "held.csv").status_code == 200


def test_a_file_of_another_size_is_refused(tmp_path):
    published = publish(tmp_path)
    with (published.folder / "index.csv").open("ab") as file:
        file.write(b"C\n")
    answer = download(tmp_path)
    assert answer.status_code == 409
    assert "11 bytes instead of 9" in answer.text


def test_a_day_that_is_not_there_is_not_found(tmp_path):
    publish(tmp_path)
    page = reader(tmp_path)
    for day in (DAY - timedelta(days=1), "2026-02-30", "today", "2026-11-21T00:00", "９９９９-12-31"):
        for rest in ("", "check/", "files/index.csv"):
            assert page.get(f"/{PRICES}/{day}/{rest}").status_code == 404


def test_a_damaged_package_serves_nothing(tmp_path):
    published = publish(tmp_path)
    published.package.write_text('{"resources": [')
    assert download(tmp_path).status_code == 404
