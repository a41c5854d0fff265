"""`python -m pipelines.price_lists`: its options, its answers, and how it ends when something is wrong."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from psycopg2.extensions import parse_dsn

from extracts.verify import verify
from pipelines.price_lists import command as module
from tests.integration.price_lists import DAY, NEXT, Shop

ALL = {"B2B-1", "B2B-2", "B2B-3"}


def test_usual_options(shop, monkeypatch):
    """Today's day is Moscow's, wherever the host stands; both formats, all clients, below ./published."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 11, 21, 21, 30, tzinfo=UTC).astimezone(tz or ZoneInfo("America/Lima"))

    monkeypatch.setattr(module, "datetime", Clock)
    ran = shop.run("--dsn", shop.dsn)
    assert ran.code == 0, ran.err
    found = shop.found(NEXT)
    assert set(found.index) == ALL
    assert {(row["csv"], row["xlsx"]) for row in found.index.values()} == {
        (f"{code}_{NEXT}.csv", f"{code}_{NEXT}.xlsx") for code in ALL
    }
    assert ran.out.splitlines() == [
        "3 clients, 120 rows: 3 published",
        f"published: published/price_list_export/dt={NEXT}/datapackage.json",
    ]
    assert not ran.err


def test_libpq_environment(shop, monkeypatch):
    names = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGDATABASE": "dbname",
        "PGUSER": "user",
        "PGPASSWORD": "password",
        "PGOPTIONS": "options",
    }
    given = parse_dsn(shop.dsn)
    for variable, name in names.items():
        monkeypatch.setenv(variable, given[name])
    assert shop.run("--date", str(DAY)).code == 0
    assert set(Shop(shop.dsn, Path("published"), None).found().index) == ALL


def test_answer_as_json(shop):
    answer = shop.export().answer
    assert answer == {
        "version": shop.found().package["version"],
        "changed": True,
        "clients": 3,
        "rows": 120,
        "published": 3,
        "released": 0,
        "held": 0,
        "kept": 0,
        "left": 0,
        "package": str(shop.found().path),
    }


@pytest.mark.parametrize(
    ("options", "clients", "forms"),
    [
        (["--formats", "csv"], ALL, {"csv"}),
        (["--formats", "xlsx"], ALL, {"xlsx"}),
        (["--formats", "xlsx,csv"], ALL, {"csv", "xlsx"}),
        (["--clients", "B2B-2"], {"B2B-2"}, {"csv", "xlsx"}),
        (["--clients", "B2B-3", "B2B-1", "B2B-3", "--formats", "csv"], {"B2B-1", "B2B-3"}, {"csv"}),
        (["--workers", "2"], ALL, {"csv", "xlsx"}),
    ],
)
def test_formats_and_clients(shop, options, clients, forms):
    found = shop.export(*options)
    expected = {f"{code}_{DAY}.{form}" for code in clients for form in forms}
    assert {name for code in found.index for name in found.lists(code)} == expected
    tables = {"index.csv", "held.csv", "summary.xlsx", f"price-lists-{DAY}.zip"}
    assert found.files.keys() == expected | tables


def test_assortment(shop):
    found = shop.export("--assortment", "contract")
    assert found.path.parts[-3] == "price_list_export_contract"
    assert found.package["assortment"] == "contract"
    assert {(row["rows"], row["contract_rows"]) for row in found.index.values()} == {("10", "10")}
    assert shop.export().package["assortment"] == "full"


def test_bounds_from_a_file(shop, tmp_path):
    shop.export()
    shop.sql("UPDATE products SET price = price * 1.2")
    assert shop.export(day=NEXT).answer["held"] == 0
    bounds = tmp_path / "bounds.json"
    bounds.write_text('\ufeff{"price_move": 0.1}')
    assert shop.export("--bounds", str(bounds), day=NEXT).answer["published"] == 3
    shop.sql("UPDATE products SET price = price * 1.2")
    assert shop.export("--bounds", str(bounds), day=NEXT).answer["held"] == 3


def test_held_lists_are_told_to_a_person(shop):
    shop.export()
    shop.sql("UPDATE client_prices SET price = 0 WHERE client_id = 2")
    ran = shop.run("--dsn", shop.dsn, "--to", str(shop.root), "--date", str(NEXT))
    assert ran.code == 0
    assert ran.out.splitlines()[:2] == [
        "3 clients, 120 rows: 2 published, 1 held",
        "held: B2B-2 (ООО «Клиент 2»): 10 of 40 prices are zero, negative or missing (allowed: none)",
    ]


AWAY = "AWAY"
WRONG = {
    "the database is away": ([AWAY], "", 1, ["cannot be reached"]),
    "no day": (["--date", "21.11.2026"], "", 2, ["21.11.2026", "YYYY-MM-DD"]),
    "an unknown assortment": (["--assortment", "all"], "", 2, ["all", "contract"]),
    "an unknown format": (["--formats", "csv,pdf"], "", 2, ["pdf", "csv or xlsx"]),
    "no format": (["--formats", ""], "", 2, ["csv or xlsx"]),
    "no worker": (["--workers", "0"], "", 2, ["'0'", "1 or more"]),
    "an unknown option": (["--fast"], "", 2, ["--fast"]),
    "an unknown client": (["--clients", "B2B-1", "B2B-77"], "", 2, ["'B2B-77'", "no active client"]),
    "an inactive client": (["--clients", "B2B-4"], "", 2, ["'B2B-4'", "no active client"]),
    "a release without a name": (["--release", "B2B-1"], "", 2, ["name"]),
    "a release by nobody": (["--release", "*", "--released-by", " "], "", 2, ["name"]),
    "a release of one who is not asked for": (
        ["--clients", "B2B-1", "--release", "B2B-2", "--released-by", "me"],
        "",
        2,
        ["B2B-2", "not among"],
    ),
    "a release of one whom nobody knows": (
        ["--release", "B2B-1", "B2B-77", "--released-by", "me"],
        "",
        2,
        ["B2B-77", "released"],
    ),
    "bounds that are no file": (["--bounds", "absent.json"], "", 2, ["absent.json"]),
    "a table that is not there": ([], "DROP TABLE client_prices", 2, ["client_prices", "search_path"]),
    "a column that is not there": ([], "ALTER TABLE products DROP COLUMN unit", 2, ["unit"]),
    "no active client": ([], "UPDATE clients SET active = false", 3, ["no active client", "clients"]),
    "no client at all": ([], "TRUNCATE clients", 3, ["no active client"]),
    "no product": ([], "UPDATE products SET active = false", 3, ["no active product"]),
    "two clients with one code": ([], "UPDATE clients SET code = 'X' WHERE id < 3", 3, ["several", "X"]),
    "a client without a code": (
        [],
        "UPDATE clients SET code = NULL WHERE id = 3",
        3,
        ["without a code", "3"],
    ),
    "a client with a code of spaces": ([], "UPDATE clients SET code = ' ' WHERE id = 3", 3, ["id 3"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_publishes_nothing(shop, case):
    options, change, code, texts = WRONG[case]
    if options == [AWAY]:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            options = ["--dsn", f"postgresql://reader:secret@127.0.0.1:{unused.getsockname()[1]}/test_db"]
    if change:
        shop.sql(change)
    ran = shop.ask(*options)
    assert ran.code == code
    assert not ran.out
    assert "secret" not in ran.err
    assert "Traceback" not in ran.err
    message = ran.err[ran.err.index("error: ") :]
    assert not [text for text in texts if text not in message], message
    assert not list(shop.root.rglob("datapackage.json"))
    assert not list(shop.root.glob(".work/*"))


@pytest.mark.parametrize("content", ["{", "[]", '{"max_shrnk": 0.1}', '{"max_shrink": 2}'])
def test_bounds_that_are_none(shop, tmp_path, content):
    (tmp_path / "bounds.json").write_text(content)
    ran = shop.ask("--bounds", str(tmp_path / "bounds.json"))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_root_that_is_no_folder(shop, place):
    (shop.root / "file").write_text("in the way")
    ran = shop.run("--dsn", shop.dsn, "--to", str(shop.root / place))
    assert ran.code == 2
    assert f"{shop.root / place}" in ran.err


def test_the_root_is_made_where_it_is_missing(shop):
    shop.root /= "a/b"
    assert shop.export().answer["published"] == 3


def test_help_names_every_option_and_exit_code(shop, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    ran = shop.run("--help")
    assert ran.code == 0
    for text in (
        *("--date", "--assortment", "--formats", "--clients", "--to", "--workers", "--dsn", "--release"),
        *("--released-by", "--bounds", "--json", "exit codes: 0", "; 1 ", "; 2 ", "; 3 "),
    ):
        assert text in ran.out


DEMO = ["ООО/Ромашка", "CON", "..\\запад:1*", "опт ", "b2b-0006", "B2B-0006", 'Ёлки "и" палки']
CODES = [*DEMO, "опт", "a,b", "a\r\nb", "😀", "nul", "=1+1", "x" * 300]


def test_codes_that_no_file_could_be_named_by(shop):
    quoted = ", ".join("({}, '{}')".format(n, code.replace("'", "''")) for n, code in enumerate(CODES, 10))
    shop.sql(
        "TRUNCATE clients; INSERT INTO clients SELECT n, code, code, NULL, true"
        f" FROM (VALUES {quoted}) AS client (n, code);"
        "INSERT INTO client_prices SELECT id, 1, id, '2026-01-01', NULL FROM clients"
    )
    found = shop.export()
    assert list(found.index) == sorted(CODES)
    names = [name for code in CODES for name in found.lists(code)]
    assert len({name.casefold() for name in names}) == len(names) == 2 * len(CODES)
    assert all(name.isascii() for name in names)
    for number, code in enumerate(CODES, 10):
        (row,) = (row for row in found.list_of(code) if row[5] == "договорная")
        assert row[4] == number
    assert found.index["CON"]["csv"] == f"CON_{DAY}.csv"
    assert verify(found.path).ok
    # By the same codes, one by one.
    again = shop.export("--clients", *DEMO, day=NEXT)
    assert {code for code, status in again.statuses.items() if status == "published"} == set(DEMO)


def test_the_reader_of_the_answer_may_leave(shop):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipelines.price_lists", "--dsn", shop.dsn, "--to", str(shop.root)]
    ran = subprocess.run([*command, "--workers", "1"], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_key_of_the_answer_is_json_on_one_line(shop):
    ran = shop.ask()
    assert len(ran.out.splitlines()) == 1
    assert json.loads(ran.out)["clients"] == 3
