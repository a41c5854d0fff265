"""The whole way, from tables to a published set, read by a reader that is not ours."""

from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from frictionless import Package

from extracts.formats.machine import DIALECT, open_output, write_csv
from extracts.formats.schema import table_schema
from extracts.postgres import Snapshot, connect
from extracts.publication import Publication
from extracts.verify import verify
from extracts.window import business_day

DAY = date(2026, 11, 21)
QUERY = "SELECT * FROM parcels ORDER BY id"


@pytest.fixture
def parcels(database):
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            """CREATE TABLE parcels (id bigint, weight numeric(12,3), cost float8, fragile boolean, day date,
                   at timestamptz, clock time, spent interval, key uuid, payload jsonb, tags text[],
                   note text);
               INSERT INTO parcels VALUES
                   (1, 0.100, 1e20, true, '2026-11-21', '2026-11-21 20:00:00.25+03', '20:00:00.5', '-26 h',
                    '00000000-0000-0000-0000-000000000001', '{"a": 1}', '{x,"y z"}', E'две\\nстроки, "да"'),
                   (2, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, '[1, 2]', '{}', ''),
                   (3, 12345678.900, -0.5, NULL, '2024-02-29', '2026-01-01', '00:00', '1 mon', NULL, '"s"',
                    NULL, '=1')"""
        )
    connection.close()
    return database


@pytest.fixture
def published(parcels, tmp_path):
    with Snapshot(parcels) as snapshot, Publication(tmp_path, "parcels_daily", DAY).stage() as stage:
        schema = table_schema(snapshot.columns(QUERY))
        for name in ("parcels.csv", "packed.csv.gz"):
            with open_output(stage.folder / name) as file:
                rows = snapshot.copy_out(QUERY, None, file)
            stage.add(name, rows=rows, schema=schema, dialect=DIALECT)
        with open_output(stage.folder / "none.csv") as file:
            assert snapshot.copy_out("SELECT id FROM parcels WHERE false", None, file) == 0
        stage.add("none.csv", rows=0, schema={"fields": schema["fields"][:1]}, dialect=DIALECT)
        write_csv(stage.folder / "plain.csv", ["region", "share"], [("Москва", Decimal("0.10"))])
        stage.add("plain.csv")
        workbook = openpyxl.Workbook()
        workbook.active.append(["id", "weight"])
        workbook.save(stage.folder / "parcels.xlsx")
        stage.add("parcels.xlsx", title="Parcels")
        (stage.folder / "verdict.json").write_text('{"share": 0.1}')
        stage.add("verdict.json")
        (stage.folder / "chart.png").write_bytes(b"\x89PNG\r\n")
        stage.add("chart.png")
        return stage.publish(
            window=business_day(DAY), snapshot_time=snapshot.time, properties={"job": "test"}
        )


def test_frictionless_accepts_the_package(published):
    report = Package(str(published.package)).validate()
    assert report.flatten(["name", "type", "note"]) == []
    assert report.valid
    assert {task.name for task in report.tasks} == {
        "parcels",
        "packed",
        "none",
        "plain",
        "parcels.xlsx",
        "verdict.json",
        "chart.png",
    }
    assert verify(published.package).ok


@pytest.mark.parametrize("name", ["parcels", "packed"])
def test_an_independent_reader_gets_typed_rows(published, name):
    first, second, third = Package(str(published.package)).get_resource(name).read_rows()
    assert (first["id"], first["weight"], first["fragile"]) == (1, Decimal("0.100"), True)
    assert (first["day"], first["note"]) == (DAY, 'две\nстроки, "да"')
    at = first["at"]
    assert isinstance(at, datetime)
    assert at.timestamp() == datetime.fromisoformat("2026-11-21T20:00:00.25+03:00").timestamp()
    assert (second["weight"], second["fragile"], second["at"]) == (None, False, None)
    assert (third["weight"], third["fragile"]) == (Decimal("12345678.900"), None)


@pytest.mark.parametrize("damage", [b"9", b""])
def test_it_finds_damage_too(published, damage):
    with (published.folder / "parcels.csv").open("r+b") as file:
        file.seek(0, 2 if damage else 0)
        file.write(damage)
        file.truncate()
    report = Package(str(published.package)).validate()
    assert not report.valid
    assert not verify(published.package).ok


def test_the_same_database_publishes_nothing_new(parcels, published, tmp_path):
    with Snapshot(parcels) as snapshot, Publication(tmp_path, "parcels_daily", DAY).stage() as stage:
        for resource in published.descriptor["resources"]:
            name = resource["path"].rpartition("/")[2]
            if resource["name"] in ("parcels", "packed"):
                with open_output(stage.folder / name) as file:
                    snapshot.copy_out(QUERY, None, file)
            else:
                (stage.folder / name).write_bytes((published.folder / name).read_bytes())
            described = {key: resource.get(key) for key in ("rows", "schema", "dialect", "title")}
            stage.add(name, **described)
        again = stage.publish(window=business_day(DAY), snapshot_time=snapshot.time)
    assert not again.changed
    assert again.version == published.version
