"""Machine CSV written from Python has the bytes of PostgreSQL's own COPY, and DuckDB reads it back."""

import io
import random
import struct

import duckdb
import pytest

from extracts.formats.machine import count_rows, open_output, write_csv
from extracts.formats.schema import table_schema
from extracts.postgres import Snapshot, connect

TYPES = """
SELECT id, nullif(id, 2) AS whole, (id - 2) * 811.0800000000 AS amount, price::numeric(12,2), id = 1 AS flag,
       day, at, at AT TIME ZONE 'UTC' AS local, time '20:00:00.5' AS clock, spent,
       uuid, payload, convert_to(text, 'UTF8') AS bytes, text
FROM (VALUES
    (1, 1.5, date '2026-11-21', timestamptz '2026-11-21 20:00:03.250+03', interval '1 day 02:00:03.5',
     '00000000-0000-0000-0000-000000000001'::uuid, '{"ключ": [1, "a\\"b", null, 1.5]}'::jsonb, 'plain'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, 0, date '0999-01-02', '0999-01-02 03:04:05.000001+00', interval '-1 second', NULL, '{}', ''),
    (4, -0.005, '9999-12-31', '9999-12-31 23:59:59.999999+00', interval '-3 days', NULL, '[]', ' padded '),
    (5, 'NaN', NULL, NULL, interval '0', NULL, '{"a": {"b": true}}', E'a,b'),
    (6, 1, NULL, NULL, interval '1 day', NULL, NULL, E'say "да"'),
    (7, 1, NULL, NULL, interval '-00:59:59.000001', NULL, NULL, E'two\\nlines\\r\\n'),
    (8, 1, NULL, NULL, NULL, NULL, NULL, E'\\\\.'),
    (9, 1, NULL, NULL, NULL, NULL, NULL, E'=1+1\\t'),
    (10, 1, NULL, NULL, NULL, NULL, NULL, E'\\\\N'),
    (11, 1, NULL, NULL, NULL, NULL, NULL, E'😀 \\u2028')
) AS t(id, price, day, at, spent, uuid, payload, text)
"""
ALONE = "SELECT text FROM (VALUES ('a'), (NULL), (''), ('\\.'), ('\"'), (' ')) AS t(text)"


def both_ways(dsn, query, tmp_path, parameters=()):
    """The bytes of COPY, and those of the same rows fetched into Python and written there."""
    with connect(dsn) as connection, connection.cursor() as cursor:
        literal = cursor.mogrify(query, parameters).decode() if parameters else query
        cursor.execute(literal)
        rows, names = cursor.fetchall(), [column.name for column in cursor.description]
    connection.close()
    sink = io.BytesIO()
    with Snapshot(dsn) as snapshot:
        assert snapshot.copy_out(literal, None, sink) == len(rows)
    path = tmp_path / "rows.csv"
    assert write_csv(path, names, rows) == count_rows(path) == len(rows)
    return sink.getvalue(), path.read_bytes()


@pytest.mark.parametrize("query", [TYPES, ALONE, 'SELECT 1 AS "a,b", 2 AS "say ""да""", 3 AS "two\nlines"'])
def test_python_and_copy_write_the_same_bytes(database, tmp_path, query):
    copied, written = both_ways(database, query, tmp_path)
    assert written == copied


def test_python_and_copy_write_the_same_numbers(database, tmp_path):
    chance = random.Random(2026)
    numbers = [struct.unpack("d", chance.randbytes(8))[0] for _ in range(3000)]
    numbers += [chance.uniform(-1, 1) * 10.0**power for power in range(-12, 24) for _ in range(20)]
    numbers += [float(f"{digit}e{power}") for digit in (1, 9, 123456) for power in range(-12, 24)]
    numbers = [number for number in numbers if number == number]
    query = "SELECT n FROM unnest(%s::float8[]) AS n"
    copied, written = both_ways(database, query, tmp_path, (numbers,))
    lines = list(zip(numbers, copied.split()[1:], written.split()[1:], strict=True))
    assert [line for line in lines if abs(line[0]) < 2**53 and line[1] != line[2]] == []
    assert [line for line in lines if not line[0] == float(line[1]) == float(line[2])] == []


def test_duckdb_tells_null_from_empty(database, tmp_path):
    path = tmp_path / "texts.csv.gz"
    with Snapshot(database) as snapshot, open_output(path) as file:
        rows = snapshot.copy_out("SELECT 1 AS id, '' AS a, NULL AS b", None, file)
    assert rows == count_rows(path) == 1
    relation = duckdb.read_csv(str(path), header=True, allow_quoted_nulls=False, all_varchar=True)
    assert relation.fetchall() == [("1", "", None)]


def test_compressed_copies_of_equal_rows_are_equal(database, tmp_path):
    paths = [tmp_path / "one.csv.gz", tmp_path / "other.csv.gz"]
    for path in paths:
        with Snapshot(database) as snapshot, open_output(path) as file:
            snapshot.copy_out("SELECT n, md5(n::text) FROM generate_series(1, 10000) AS n", None, file)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert count_rows(paths[0]) == 10_000


def test_every_column_has_a_field(database):
    with Snapshot(database) as snapshot:
        fields = table_schema(snapshot.columns(TYPES))["fields"]
    assert {field["name"]: (field["type"], field["postgresType"]) for field in fields} == {
        "id": ("integer", "integer"),
        "whole": ("integer", "integer"),
        "amount": ("number", "numeric"),
        "price": ("number", "numeric(12,2)"),
        "flag": ("boolean", "boolean"),
        "day": ("date", "date"),
        "at": ("datetime", "timestamp with time zone"),
        "local": ("datetime", "timestamp without time zone"),
        "clock": ("time", "time without time zone"),
        "spent": ("string", "interval"),
        "uuid": ("string", "uuid"),
        "payload": ("any", "jsonb"),
        "bytes": ("string", "bytea"),
        "text": ("string", "text"),
    }
