"""What an export writes is what PostgreSQL's own COPY writes, byte for byte, whatever the type."""

import os
import subprocess
from pathlib import Path

import pytest
from frictionless import Package

from demo.postgres import binaries
from extracts.export import ranges

TYPES = Path(__file__).with_name("export_types.sql").read_text(encoding="utf-8")
SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex -c extra_float_digits=1 "
    "-c synchronize_seqscans=off -c max_parallel_workers_per_gather=0"
)


@pytest.fixture
def things(carrier):
    carrier.sql(TYPES)
    for name in ("things", "lone"):
        text = f"SELECT * FROM {name} WHERE ctid >= :'ctid_from' AND ctid < :'ctid_to'"
        carrier.query(name, text)
    return carrier


def copied(carrier, table):
    (schema,) = carrier.ask("SELECT current_schema()")[0]
    environment = {
        **os.environ,
        "PGOPTIONS": f"-c search_path={schema} {SETTINGS}",
        "PGCLIENTENCODING": "UTF8",
    }
    command = [binaries() / "psql", "--no-psqlrc", "--quiet", carrier.dsn.partition("?")[0], "-c"]
    answer = subprocess.run(
        [*command, f"COPY {table} TO STDOUT (FORMAT csv, HEADER)"],
        env=environment,
        capture_output=True,
        check=True,
    )
    return answer.stdout


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("workers", [1, 3])
def test_the_bytes_are_those_of_copy(things, monkeypatch, compression, workers):
    monkeypatch.setattr(ranges, "PAGES", 4)
    things.export(compression=compression, workers=workers)
    for table in ("things", "lone", "shipments", "shipment_events", "drivers"):
        assert things.bytes(table) == copied(things, table), table


def test_frictionless_accepts_the_package(things):
    # It reads no day of infinity and no year before 1, and takes a line with nothing but '' for a blank one.
    things.sql("DELETE FROM things WHERE id < 3; DELETE FROM lone WHERE coalesce(t, '') = ''")
    things.export()
    report = Package(str(things.folder() / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "note"])
