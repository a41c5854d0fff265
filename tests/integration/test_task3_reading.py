"""The examples of Task 3's documents, taken out of them, read a real exported set and get the table's rows.

The set holds what readers get wrong: an empty string beside NULL, words that look missing, codes with leading
zeros, quotes, line breaks, and numbers that a float does not hold. Beside the newest day lies an older one,
and beside the current version a younger one that was never described, as a killed run leaves it.
"""

import json
import logging
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.exports import DAY
from tests.integration.sql import execute

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "Task3" / "README.md").read_text(encoding="utf-8")
RUSSIAN = (ROOT / "Task3" / "README.ru.md").read_text(encoding="utf-8")
READERS = ("DuckDB", "pandas", "ClickHouse", "Spark")
COMPRESSED = pytest.mark.parametrize("compression", ["gzip", "zstd"])

COLUMNS = [
    *("id", "tracking", "status", "weight_kg", "cost", "address"),
    *("urgent", "due", "payload", "updated_at"),
]
JSON = '{"a": "b, c"}'
DUE = [date(2026, 11, 21), None, date(2026, 12, 1)]
AT = datetime(2026, 11, 20, 12, 30, 0, 250000, tzinfo=UTC)
# More than a float holds.
COST = Decimal("9007199254740993.01")
ROWS = [
    (1, "007", "created", Decimal("0.100"), COST, "", True, DUE[0], JSON, AT),
    (2, "NA", None, None, Decimal("0.10"), None, False, DUE[1], None, AT),
    (3, 'a "b", c', "null", Decimal("12.000"), None, "дом 1\nкв. 2", None, DUE[2], "[]", AT),
]
TABLE = f"""
    DROP TABLE shipments;
    CREATE TABLE shipments (
        id bigint PRIMARY KEY, tracking text, status text, weight_kg numeric(12,3), cost numeric(20,2),
        address text, urgent boolean, due date, payload jsonb, updated_at timestamptz
    );
    INSERT INTO shipments VALUES
        (1, '007', 'created', 0.1, {COST}, '', true, '2026-11-21',
            '{JSON}', '2026-11-20 12:30:00.25+00'),
        (2, 'NA', NULL, NULL, 0.1, NULL, false, NULL, NULL, '2026-11-20 12:30:00.25+00'),
        (3, 'a "b", c', 'null', 12, NULL, E'дом 1\\nкв. 2', NULL, '2026-12-01', '[]',
            '2026-11-20 12:30:00.25+00');
"""
QUERY = (
    f"SELECT {', '.join(COLUMNS)} FROM shipments\n"
    "WHERE updated_at >= :'start' AND updated_at < :'end' AND ctid >= :'ctid_from' AND ctid < :'ctid_to'\n"
)


def examples(text):
    """Each reader's block of Python, and the first one, by which all of them find the files."""
    section = re.split(r"^## ", text, flags=re.MULTILINE)
    (reading,) = [part for part in section if "### DuckDB" in part]
    blocks = {"": re.findall(r"```python\n(.*?)```", reading.partition("### DuckDB")[0], re.DOTALL)}
    for part in re.split(r"^### ", reading, flags=re.MULTILINE)[1:]:
        blocks[part.splitlines()[0]] = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    return {name: block for name, (block,) in blocks.items()}


@pytest.fixture
def published(carrier, monkeypatch):
    """Export with a compression; the folder of the sets becomes the current one."""
    execute(carrier.dsn, TABLE)
    carrier.query("shipments", QUERY)

    def publish(compression):
        for day in (date(2026, 11, 19), DAY):
            empty = {"allow_empty": ["shipments", "shipment_events"]}
            carrier.export(day, compression=compression, **empty)
        unfinished = carrier.folder() / "v=20991231T000000Z"
        unfinished.mkdir()
        for file in carrier.folder().glob("v=2026*/*.csv.*"):
            (unfinished / file.name).write_bytes(file.read_bytes()[:10])
        monkeypatch.chdir(carrier.root)

    return publish


def run(reader):
    """Run an example as a person would: the first block, then its own; the names that it leaves."""
    blocks = examples(README)
    names = {}
    exec(blocks[""], names)
    exec(blocks[reader], names)
    return names


def test_both_languages_have_the_same_examples():
    assert tuple(examples(README)) == ("", *READERS)
    assert examples(README) == examples(RUSSIAN)


@COMPRESSED
def test_duckdb_reads_the_databases_rows(published, compression):
    published(compression)
    shipments = run("DuckDB")["shipments"]
    # Without this it takes pytz to give out an instant.
    shipments = shipments.project("* REPLACE (updated_at AT TIME ZONE 'UTC' AS updated_at)")
    expected = [(*row[:-1], AT.replace(tzinfo=None)) for row in ROWS]
    assert shipments.order("id").fetchall() == expected


@COMPRESSED
def test_pandas_reads_the_databases_rows(published, compression):
    import pandas as pd

    published(compression)
    frame = run("pandas")["shipments"].sort_values("id")
    assert list(frame.columns) == list(COLUMNS)
    read = [
        tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)
    ]
    # As the document says: pandas takes an empty string for a missing one.
    expected = [tuple(None if value == "" else value for value in row) for row in ROWS]
    # pandas gives a day as its midnight.
    assert [(*row[:7], row[7] and row[7].date(), *row[8:]) for row in read] == expected


@COMPRESSED
def test_clickhouse_reads_the_databases_rows(published, compression):
    published(compression)
    query = run("ClickHouse")["query"].replace("status, count() AS shipments, sum(cost)", "*").replace(
        "GROUP BY status ORDER BY status", "ORDER BY id"
    )  # fmt: skip
    rows = [
        (*row[:3], *(None if n is None else Decimal(n) for n in row[3:5]), *row[5:])
        for row in map(json.loads, clickhouse(f"{query} FORMAT JSONCompactEachRow").splitlines())
    ]
    day = [due and str(due) for due in DUE]
    at = "2026-11-20 12:30:00.250000"
    assert rows == [(*row[:7], due, row[8], at) for row, due in zip(ROWS, day, strict=True)]
    assert clickhouse(run("ClickHouse")["query"])


def clickhouse(query):
    """What ClickHouse answers: the program, or the module that has it inside."""
    settings = {"output_format_json_quote_64bit_integers": 0, "output_format_json_quote_decimals": 1}
    query = query.replace("SETTINGS ", "SETTINGS " + "".join(f"{k} = {v}, " for k, v in settings.items()))
    if program := shutil.which("clickhouse"):
        done = subprocess.run([program, "local", "--query", query], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
    chdb = pytest.importorskip("chdb", reason="ClickHouse: neither the program nor chdb is on this machine")
    return str(chdb.query(query, "TSV"))


@pytest.fixture
def engine(tmp_path):
    """What a person's own configuration would say: one thread, no web page, nothing left in this folder."""
    pytest.importorskip("py4j", reason="Spark: pyspark is not installed (dependency group spark)")
    pyspark = pytest.importorskip(
        "pyspark", reason="Spark: pyspark is not installed (dependency group spark)"
    )
    if shutil.which("java") is None:
        pytest.skip("Spark: there is no Java")
    session = (
        pyspark.sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path / "warehouse"))
        .getOrCreate()
    )
    # Its farewell would come when the interpreter ends, on a stream that pytest has closed by then.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    yield session
    session.stop()


@COMPRESSED
def test_spark_reads_the_databases_rows(published, engine, compression):
    published(compression)
    read = run("Spark")["shipments"].orderBy("id").collect()
    rows = [(*row[:-1], row[-1].astimezone(UTC)) for row in map(tuple, read)]
    assert rows == ROWS
