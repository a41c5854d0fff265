"""Every command of the README is run: the make targets by `.ci/run`, the rest here."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2.extensions import parse_dsn

from pipelines.schedules import SCHEDULES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line
]


def test_make_targets_are_run_by_ci():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    targets = [command for command in COMMANDS if command.startswith("make ")]
    assert {"make demo", "make test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^\s*(setsid )?{re.escape(target)}\b", ci, re.MULTILINE), (
            f".ci/run does not run {target}"
        )


def libpq_environment(database):
    given = parse_dsn(database)
    return os.environ | {
        "PGHOST": given["host"],
        "PGPORT": given["port"],
        "PGDATABASE": given["dbname"],
        "PGUSER": given["user"],
        "PGPASSWORD": given["password"],
    }


def test_own_price_lists(database, tmp_path):
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TABLE categories (id int, name text, active boolean);
            CREATE TABLE products (
                id int, sku text, name text, category_id int, unit text, price numeric(12, 2), stock int,
                active boolean
            );
            CREATE TABLE clients (id int, code text, name text, active boolean);
            CREATE TABLE client_prices (
                client_id int, product_id int, price numeric(12, 2), valid_from date, valid_to date
            );
            INSERT INTO categories VALUES (1, 'Крепёж', true);
            INSERT INTO products VALUES (1, '007', 'Саморез', 1, 'шт', 0.10, 5, true);
            INSERT INTO clients VALUES (1, 'B2B-0001', 'ООО «Клиент»', true);
            """
        )
    (command,) = [one for one in COMMANDS if one.startswith(".venv/bin/python -m pipelines.price_lists ")]
    done = subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=tmp_path,
        env=libpq_environment(database),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (made,) = (tmp_path / "published" / "price_list_export").glob("dt=*/v=*/B2B-0001_*.csv")
    assert "0,10" in made.read_text(encoding="utf-8-sig")


def test_own_export(database, tmp_path):
    schema = (ROOT / "demo" / "01-schema.sql").read_text(encoding="utf-8")
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(schema)
        cursor.execute(
            "INSERT INTO logistics.shipments VALUES (7, 1, NULL, NULL, 'RU7', 'created', 1, 1, NULL, now(), "
            "now() - interval '24 hours')"
        )
    export, verify = [command for command in COMMANDS if command.startswith(".venv/bin/extracts ")]
    for command in (export, verify):
        done = subprocess.run(
            [Path(sys.executable).parent / "extracts", *command.split()[1:]],
            cwd=tmp_path,
            env=libpq_environment(database) | {"PGOPTIONS": "-c search_path=logistics"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert "all as described" in done.stdout
    assert len(list((tmp_path / "published" / "logistics").glob("dt=*/v=*/*.csv.gz"))) == 5


def test_every_command_is_run_by_a_test():
    run = ("make ", "export PG", ".venv/bin/python -m pipelines.", ".venv/bin/extracts ")
    assert all(command.startswith(run) for command in COMMANDS)


def test_the_table_of_jobs_is_that_of_the_schedules():
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d\d:\d\d \S+ \| \d\d:\d\d) \|", README, re.MULTILINE))
    expected = {}
    for name, schedule in SCHEDULES.items():
        due = schedule.due(date(2026, 11, 21)).astimezone(ZoneInfo(schedule.timezone))
        expected[name] = f"{schedule.at:%H:%M} {schedule.timezone} | {due:%H:%M}"
    assert rows == expected


def test_own_file_and_database(database, tmp_path):
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE orders (order_id bigint PRIMARY KEY, region text, carrier text)")
        cursor.execute("INSERT INTO orders SELECT i, 'Москва', 'СДЭК' FROM generate_series(1, 20) AS i")
    (tmp_path / "statuses.csv").write_text(
        "order_id,status,updated_at\n" + "".join(f"{i},delivered,2026-11-20T10:00:00\n" for i in range(1, 21))
    )
    export, command, *_ = [command for command in COMMANDS if not command.startswith("make ")]
    assert re.fullmatch(r"export( PG[A-Z]+=\S+)+", export)
    assert command.startswith(".venv/bin/python -m pipelines.delivery_status ")
    environment = libpq_environment(database)
    names = set(re.findall(r"(PG[A-Z]+)=", export))
    assert names <= environment.keys()
    arguments = command.split()[1:]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "0.00%" in done.stdout or "0.0%" in done.stdout
    assert list((tmp_path / "published").rglob("datapackage.json"))


def test_there_are_at_most_three_commands_from_checkout_to_own_result():
    section = README.partition("## Your own file and database")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert len(block.strip().splitlines()) <= 3


def test_pictures_are_there_and_small():
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).stat().st_size < 300_000
