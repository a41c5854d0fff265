"""An export of price lists is killed at every one of its steps; the next run makes the day's set whole."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psutil
import psycopg2
import pytest

from extracts.verify import verify
from pipelines.price_lists import Export, Work, make_lists, publish
from tests.faults.killing import killed_at
from tests.integration.price_lists import (
    DAY,
    MORE_GOODS,
    NEXT,
    WAITING,
    Shop,
    made,
    make_tables,
    read_prices,
    started,
    wait_for_a_batch,
)

TWO_DAYS = 2 * 24 * 3600


@pytest.fixture
def shop(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    make_tables(database)
    root = tmp_path / "published"
    root.mkdir()
    return Shop(database, root, capsys)


def nothing(shop: Shop) -> None:
    pass


def yesterday(shop: Shop) -> None:
    """And one of today's lists will be held."""
    publish(made(shop, "day", day=DAY))
    shop.sql("UPDATE client_prices SET price = price * 100 WHERE client_id = 2")


def this_morning(shop: Shop) -> None:
    """And one of the lists will be another one."""
    publish(made(shop, "morning"))
    shop.sql("UPDATE client_prices SET price = price + 1 WHERE client_id = 1")


def prices(shop: Shop, day=NEXT) -> dict[str, Decimal] | None:
    """What a reader finds: each client's price of the first product, or no set; a set is always whole."""
    found = shop.found(day)
    if not found.path.exists():
        return None
    report = verify(found.path)
    assert report.ok, str(report)
    assert len(found.files) == 4 + 2 * len(found.index)
    return {code: found.list_of(code)[0][4] for code in found.index}


NEW = dict.fromkeys(("B2B-1", "B2B-2", "B2B-3"), Decimal("91.00"))
SCENARIOS = {
    "the first set": (nothing, None, NEW),
    "the next day, one is held": (yesterday, None, NEW),
    "again on the same day": (this_morning, NEW, NEW | {"B2B-1": Decimal("92.00")}),
}


def changes_something(name: str, arguments: tuple) -> bool:
    """Before what only reads or waits, all is as it was after the call before."""
    return name != "fsync" and not (name == "open" and arguments[1] == os.O_RDONLY)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_step(shop, tmp_path, scenario):
    prepare, old, new = SCENARIOS[scenario]
    prepare(shop)
    shutil.rmtree(shop.root / ".work", ignore_errors=True)
    prepared, yesterdays = shop.root, prices(shop, DAY)
    seen = []
    for moment in range(0, 1000, 2):
        shop.root = tmp_path / f"killed-{moment}"
        shutil.copytree(prepared, shop.root, symlinks=True)
        was_killed = killed_at(moment, lambda: publish(made(shop, "killed")), changes_something)
        seen.append(prices(shop))
        publish(made(shop, "after"))
        assert prices(shop) == new
        assert prices(shop, DAY) == yesterdays
        assert verify(shop.root / "price_list_export").ok
        dataset = {path.name for path in (shop.root / "price_list_export").iterdir()}
        assert dataset <= {".lock", "latest.json", f"dt={DAY}", f"dt={NEXT}"}
        shutil.rmtree(shop.root)
        if not was_killed:
            break
    assert not was_killed
    assert moment > 60, "the steps were not seen: does the export bypass the wrapped calls?"
    assert seen == [old] * seen.count(old) + [new] * seen.count(new)
    assert seen.count(old) > 20
    assert seen.count(new) > 2


def steps(shop: Shop) -> list[Callable[[], object]]:
    """Those of a run in a scheduler, which tries one again where it was killed."""
    work = Work.of_run(shop.root, "run")
    return [
        lambda: read_prices(shop, work, Export(day=NEXT)),
        lambda: make_lists(work, 0),
        lambda: make_lists(work, 1),
        lambda: publish(work),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_step_that_was_killed_is_tried_again(shop, tmp_path, number):
    yesterday(shop)
    for step in steps(shop)[:number]:
        step()
    prepared = shop.root
    for moment in range(0, 1000, 2):
        shop.root = tmp_path / f"killed-{moment}"
        shutil.copytree(prepared, shop.root, symlinks=True)
        step, *others = steps(shop)[number:]
        was_killed = killed_at(moment, step, changes_something)
        for again in (step, *others):
            again()
        assert prices(shop) == NEW
        assert verify(shop.root / "price_list_export").ok
        assert len(list((shop.root / "price_list_export" / f"dt={NEXT}").glob("v=*"))) == 1
        shutil.rmtree(shop.root)
        if not was_killed:
            break
    assert not was_killed
    assert moment > 4


def test_what_a_killed_run_left_is_removed_after_two_days(shop):
    """Not before: it may be one that still runs."""
    work = made(shop, "killed")
    made(shop, "running")
    assert work.records(0).stat().st_size > 0
    os.utime(work.path, (time.time(), time.time() - TWO_DAYS + 60))
    publish(made(shop, "next"))
    assert work.path.exists()
    os.utime(work.path, (time.time(), time.time() - TWO_DAYS - 60))
    Work.of_run(shop.root, "later").begin(Export(day=NEXT))
    assert {path.name for path in (shop.root / ".work").iterdir()} == {"running", "next", "later"}


def test_a_run_that_begins_again_takes_nothing_of_its_first_try(shop):
    """As a scheduler does it: the same run's folder, other prices meanwhile."""
    made(shop, "run")
    shop.sql("UPDATE client_prices SET price = price + 1; UPDATE clients SET active = id < 3")
    publish(made(shop, "run"))
    assert prices(shop) == dict.fromkeys(("B2B-1", "B2B-2"), Decimal("92.00"))


def whole_again(shop: Shop) -> None:
    with started(shop) as process:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert verify(shop.root / "price_list_export").ok
    found = shop.found(NEXT)
    assert set(found.statuses.values()) == {"published"}
    assert len(found.index) == 15
    for code in ("B2B-1", "M-11", "M-22"):
        assert len(found.list_of(code)) == 2040


@pytest.mark.parametrize("victim", ["the command", "a worker"])
def test_a_kill_while_lists_are_made(shop, victim):
    shop.sql(MORE_GOODS)
    with started(shop) as process:
        workers = wait_for_a_batch(shop, process)
        assert len(workers) == 2
        if victim == "a worker":
            workers[0].kill()
            out, errors = process.communicate(timeout=60)
            assert (process.returncode, out) == (1, "")
            assert errors.startswith("error: a worker was killed")
            assert not list((shop.root / ".work").iterdir())
        else:
            os.kill(process.pid, signal.SIGKILL)
        assert not psutil.wait_procs(workers, timeout=30)[1]
    assert not list(shop.root.rglob("datapackage.json"))
    whole_again(shop)


def test_a_kill_while_prices_are_read(shop):
    shop.sql(MORE_GOODS)
    with psycopg2.connect(shop.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK client_prices")
        with started(shop) as process:
            while not shop.query(WAITING)[0][0]:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    connection.close()
    whole_again(shop)
