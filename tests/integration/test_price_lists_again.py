"""Runs after runs and beside runs: the same again, a part of the clients, other days, two at once."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from extracts.verify import verify
from pipelines.price_lists import publish
from tests.integration.price_lists import DAY, NEXT, WAITING, Shop, made, started

THIRD = NEXT + timedelta(days=1)
NAMED = ("--released-by", "the operator")
IN_KOPECKS = "UPDATE client_prices SET price = price * 100 WHERE client_id = {}"


@pytest.mark.parametrize("options", [(), ("--workers", "3"), ("--formats", "xlsx,csv")])
@pytest.mark.parametrize("assortment", ["full", "contract"])
def test_the_same_data_publishes_nothing_new(shop, assortment, options):
    first = shop.export("--assortment", assortment)
    files, package = first.files, first.package
    again = shop.export("--assortment", assortment, *options)
    assert again.answer == {**first.answer, "changed": False}
    assert (again.files, again.package) == (files, package)
    assert len(list(again.path.parent.glob("v=*"))) == 1


def test_other_data_makes_only_those_files_anew_that_it_concerns(shop):
    before = shop.export()
    files = before.files
    shop.sql("UPDATE client_prices SET price = price + 1 WHERE client_id = 2")
    found = shop.export()
    assert found.answer["changed"]
    assert found.package["version"] > before.answer["version"]
    changed = {name for name, data in found.files.items() if data != files.get(name)}
    assert changed == {f"B2B-2_{DAY}.csv", f"B2B-2_{DAY}.xlsx", "index.csv", f"price-lists-{DAY}.zip"}
    assert len(list(found.path.parent.glob("v=*"))) == 2


@pytest.mark.parametrize("day", [DAY, NEXT])
def test_a_client_that_has_another_name(shop, day):
    """It is called by it at once, also where its list is held."""
    shop.export()
    shop.sql(
        "UPDATE clients SET name = 'АО «Клиент»'; UPDATE client_prices SET price = 0 WHERE client_id = 2"
    )
    found = shop.export(day=day)
    assert found.statuses == {"B2B-1": "published", "B2B-2": "held", "B2B-3": "published"}
    assert {row["name"] for row in found.index.values()} == {"АО «Клиент»"}
    titles = {item.get("title") for item in found.package["resources"]}
    assert titles >= {f"{code} АО «Клиент»" for code in found.index}


def test_the_same_prices_on_the_next_day_are_new_lists(shop):
    """Their files say that they are of that day."""
    shop.export()
    found = shop.export(day=NEXT)
    assert set(found.statuses.values()) == {"published"}
    assert {row["list_date"] for row in found.index.values()} == {str(NEXT)}


def test_a_part_of_the_clients_on_the_next_day(shop):
    shop.export()
    shop.sql(IN_KOPECKS.format(3))
    shop.export("--clients", "B2B-3", "--release", "B2B-3", *NAMED)
    before = {code: shop.found().lists(code) for code in ("B2B-2", "B2B-3")}
    found = shop.export("--clients", "B2B-1", day=NEXT)
    assert found.statuses == {"B2B-1": "published", "B2B-2": "kept", "B2B-3": "kept"}
    for code, lists in before.items():
        assert found.lists(code) == lists
        row = found.index[code]
        assert (row["list_date"], row["reasons"], row["released_by"]) == (str(DAY), "", "")
    assert (found.held, found.package["held"], found.package["released"]) == ([], [], [])
    assert found.answer["kept"] == 2
    assert verify(found.path).ok
    # All of them then, at the usual hour.
    assert set(shop.export(day=NEXT).statuses.values()) == {"published"}


@pytest.mark.parametrize("clients", [["B2B-1"], ["B2B-1", "B2B-4"]])
def test_a_part_of_the_clients_on_the_same_day(shop, clients):
    """The others stay as they are: published, held with its reasons and rows, released with the name."""
    shop.export()
    shop.sql(IN_KOPECKS.format(2) + ";" + IN_KOPECKS.format(3))
    before = shop.export("--release", "B2B-3", *NAMED, day=NEXT)
    index, held = before.index, before.held
    assert before.statuses == {"B2B-1": "published", "B2B-2": "held", "B2B-3": "released"}
    shop.sql("UPDATE clients SET active = true WHERE id = 4; UPDATE products SET price = price + 1")
    found = shop.export("--clients", *clients, day=NEXT)
    assert found.answer["changed"]
    assert found.held == held
    for code in ("B2B-2", "B2B-3"):
        assert found.index[code] == index[code]
    assert found.package["held"] == [{"name": "B2B-2", "reason": index["B2B-2"]["reasons"]}]
    assert found.package["released"][0]["by"] == "the operator"
    assert ("B2B-4" in found.index) == ("B2B-4" in clients)
    # Judged again, the new word stands: what was released is compared with itself.
    again = shop.export(day=NEXT)
    assert again.statuses["B2B-3"] == "published"
    assert {row["code"] for row in again.held} == {"B2B-2"}


def test_days_before_and_after(shop):
    """A day is compared with the one before it, whatever came later; the newest stays the latest."""
    shop.export(day=THIRD)
    shop.sql("UPDATE client_prices SET price = price * 100")
    assert set(shop.export(day=DAY).statuses.values()) == {"published"}
    assert set(shop.export(day=NEXT).statuses.values()) == {"published"}
    assert set(shop.export(day=THIRD).statuses.values()) == {"held"}
    latest = json.loads((shop.root / "price_list_export" / "latest.json").read_bytes())
    assert latest["day"] == str(THIRD)
    assert {row["list_date"] for row in shop.found(THIRD).index.values()} == {str(THIRD)}


def test_assortments_are_datasets_of_their_own(shop):
    full = shop.export()
    contract = shop.export("--assortment", "contract")
    shop.sql("TRUNCATE client_prices")
    shop.sql("INSERT INTO client_prices SELECT id, 1, 80, '2026-01-01', NULL FROM clients WHERE id = 1")
    found = shop.export("--assortment", "contract", day=NEXT)
    assert set(found.statuses.values()) == {"held"}
    assert found.lists("B2B-1") == contract.lists("B2B-1") != full.lists("B2B-1")
    assert "the list is empty, the one before had 10 rows" in found.index["B2B-2"]["reasons"]


def test_a_client_without_contract_prices_has_an_empty_contract_list(shop):
    shop.sql("DELETE FROM client_prices WHERE client_id <> 2")
    for options in (("--workers", "1"), ("--workers", "2"), ("--clients", "B2B-3")):
        found = shop.export("--assortment", "contract", *options)
        assert [found.index[code]["rows"] for code in sorted(found.index)] == ["0", "10", "0"]
        assert [len(found.list_of(code)) for code in sorted(found.index)] == [0, 10, 0]
    assert set(shop.export("--assortment", "contract", day=NEXT).statuses.values()) == {"published"}


RELEASED = {"release": ("*",), "released_by": "the operator"}


@pytest.mark.parametrize(
    ("first", "second", "statuses"),
    [
        ({}, {}, {"held", "published"}),
        ({}, RELEASED, {"released", "published"}),
        (RELEASED, {}, {"held", "published"}),
        ({"formats": ("csv",)}, {}, {"held", "published"}),
        ({}, {"formats": ("csv",)}, {"held", "published"}),
        ({}, {"codes": ("B2B-1",)}, {"held", "published"}),
        ({"codes": ("B2B-1", "B2B-2")}, {"codes": ("B2B-3", "B2B-2")}, {"held", "published"}),
    ],
)
@pytest.mark.parametrize("twice", [False, True], ids=["the first of the day", "again"])
def test_what_is_made_beside_another_run_is_published_whole(shop, first, second, statuses, twice):
    """Both were made before either was published; the later one has the last word on its clients."""
    before = shop.export()
    if twice:
        shop.export(day=NEXT)
    shop.sql(IN_KOPECKS.format(2))
    works = [made(shop, "first", **first), made(shop, "second", **second)]
    for work in works:
        publish(work)
    found = shop.found(NEXT)
    assert verify(found.path).ok
    assert set(found.statuses.values()) == statuses
    assert len(found.index) == 3
    if "held" in statuses:
        assert found.list_of("B2B-2") == before.list_of("B2B-2")
    for code in found.index:
        assert len(found.list_of(code)) == 40


def test_two_commands_at_once(shop):
    shop.export()
    with started(shop) as one, started(shop) as other:
        answers = [process.communicate(timeout=120) for process in (one, other)]
    assert [process.returncode for process in (one, other)] == [0, 0], answers
    assert verify(shop.root / "price_list_export").ok
    assert set(shop.found(NEXT).statuses.values()) == {"published"}
    assert not list((shop.root / ".work").iterdir())


def test_what_is_committed_while_it_reads_is_in_no_list(shop):
    """All is as of one instant, which is before the clients are read, and then the prices."""
    with ThreadPoolExecutor(1) as pool, psycopg2.connect(shop.dsn) as writer, writer.cursor() as cursor:
        cursor.execute("LOCK clients; INSERT INTO clients VALUES (5, 'B2B-5', 'ООО', NULL, true)")
        cursor.execute("UPDATE client_prices SET price = 1; UPDATE products SET price = 1, name = 'later'")
        ran = pool.submit(shop.ask)
        while not shop.query(WAITING)[0][0]:
            assert not ran.done()
            time.sleep(0.01)
        writer.commit()
        answer = ran.result().answer
    writer.close()
    assert (answer["clients"], answer["rows"]) == (3, 120)
    found = shop.found()
    for code in found.index:
        prices = {str(row[0]): row[4] for row in found.list_of(code)}
        assert prices == {f"SKU-{n:03}": 90 + n if n < 11 else 100 + n for n in range(1, 41)}
    assert b"later" not in b"".join(found.files.values())


CLIENTS = """
    TRUNCATE clients, client_prices, products;
    INSERT INTO products SELECT n, 'SKU-' || n, 'Товар ' || n, 1, 'шт', 100 + n, n, true
        FROM generate_series(1, 1000) AS n;
    INSERT INTO clients SELECT n, 'C-' || n, 'ООО', NULL, true FROM generate_series(1, {}) AS n
"""


# A process is said to have had what its parent had when it was started: so not by this big one.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_mb(shop: Shop, day, formats) -> float:
    """The most memory that a process of the command had."""
    command = [sys.executable, "-m", "pipelines.price_lists", "--dsn", shop.dsn, "--to", str(shop.root)]
    command += ["--workers", "1", "--date", str(day), "--formats", formats]
    ran = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout) * 1024 / 1e6


def test_memory_does_not_grow_with_the_number_of_clients(shop):
    """Eight times the clients and rows, compared with their last lists: next to nothing more."""
    peaks = {}
    for clients in (30, 240):
        shop.root = Path(shop.root.parent / f"of-{clients}")
        shop.sql(CLIENTS.format(clients))
        peaks[clients] = max(peak_mb(shop, DAY, "csv,xlsx"), peak_mb(shop, NEXT, "csv"))
        assert shop.found(NEXT).package["rows"] == 1000 * clients
    # 210,000 rows more are 20 MB and more, however they are kept; what is kept of a client is some 10 kB.
    assert peaks[240] < peaks[30] + 10, peaks
