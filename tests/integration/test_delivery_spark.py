"""The verdict's query is one text for two engines: Spark gives DuckDB's answer."""

import logging
import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
import pytest

from pipelines.resources import folder

# pyspark-client, which has no py4j, cannot start an engine of its own.
pytest.importorskip("py4j", reason="Spark: pyspark is not installed (dependency group spark)")
pyspark = pytest.importorskip("pyspark", reason="Spark: pyspark is not installed (dependency group spark)")
if shutil.which("java") is None:
    pytest.skip("Spark: there is no Java", allow_module_level=True)

QUERY = (folder("sql") / "delivery_verdict.sql").read_text(encoding="utf-8")
ORDERS = "order_id bigint, carrier string, region string"
STATUSES = "order_id bigint, status string, updated_at timestamp, line bigint"


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["pyspark.sql.SparkSession"]:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    # Its farewell would come when the interpreter ends, on a stream that pytest has closed by then.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    yield session
    session.stop()


def case(dice: random.Random) -> tuple[list[tuple], list[tuple]]:
    start = datetime(2026, 11, 20, 10)
    orders = [(i, dice.choice(["a", "b", None]), dice.choice(["x", "y", None])) for i in range(1, 30)]
    statuses = [
        (
            dice.randrange(1, 40),
            dice.choice(["failed", "lost", "ok", "new"]),
            start + timedelta(seconds=dice.randrange(3)),
            n,
        )
        for n in range(dice.randrange(80))
    ]
    return orders, statuses


def by_duckdb(orders: list[tuple], statuses: list[tuple]) -> list[tuple]:
    with duckdb.connect() as engine:
        for name, columns, rows in (("orders", ORDERS, orders), ("statuses", STATUSES, statuses)):
            engine.execute(f"CREATE TABLE {name} ({columns})")
            if rows:
                engine.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        engine.execute("CREATE TABLE error_statuses AS SELECT unnest(['failed', 'lost']) AS status")
        return engine.execute(QUERY).fetchall()


@pytest.mark.parametrize("seed", range(5))
def test_the_same_answer(spark, seed):
    orders, statuses = case(random.Random(seed))
    spark.createDataFrame(orders, ORDERS).createOrReplaceTempView("orders")
    spark.createDataFrame(statuses, STATUSES).createOrReplaceTempView("statuses")
    spark.createDataFrame([("failed",), ("lost",)], "status string").createOrReplaceTempView("error_statuses")
    frame = spark.sql(QUERY)
    expected = by_duckdb(orders, statuses)
    assert sorted(map(tuple, frame.collect()), key=repr) == sorted(expected, key=repr)
    assert frame.columns[0] == "scope"
    assert len(expected) > 5
