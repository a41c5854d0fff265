"""Every command of the README is run: the make targets by `.ci/run`, the rest here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

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


def test_own_file_and_database(database, tmp_path):
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE orders (order_id bigint PRIMARY KEY, region text, carrier text)")
        cursor.execute("INSERT INTO orders SELECT i, 'Москва', 'СДЭК' FROM generate_series(1, 20) AS i")
    (tmp_path / "statuses.csv").write_text(
        "order_id,status,updated_at\n" + "".join(f"{i},delivered,2026-11-20T10:00:00\n" for i in range(1, 21))
    )
    others = [command for command in COMMANDS if not command.startswith("make ")]
    (export, command) = others
    assert re.fullmatch(r"export( PG[A-Z]+=\S+)+", export)
    assert command.startswith(".venv/bin/python -m pipelines.delivery_status ")
    given = parse_dsn(database)
    environment = os.environ | {
        "PGHOST": given["host"],
        "PGPORT": given["port"],
        "PGDATABASE": given["dbname"],
        "PGUSER": given["user"],
        "PGPASSWORD": given["password"],
    }
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
