"""Machine CSV from Python rows, counting its rows, and the schema that describes it."""

import gzip
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from extracts.errors import DataRefused, UsageError
from extracts.formats.machine import count_rows, write_csv
from extracts.formats.schema import table_schema
from extracts.postgres import Column


def written(tmp_path, columns, rows):
    path = tmp_path / "file.csv"
    path.unlink(missing_ok=True)
    assert write_csv(path, columns, rows) == len(rows)
    return path.read_bytes().decode()


def test_null_and_empty_text_differ(tmp_path):
    assert written(tmp_path, ["a", "b"], [(None, ""), ("", None)]) == 'a,b\n,""\n"",\n'


def test_only_what_needs_quotes_gets_them(tmp_path):
    rows = [("a,b",), ('say "да"',), ("two\nlines",), ("cr\r",), (" padded ",), ("=1+1",), ("\\.",)]
    assert written(tmp_path, ["text"], rows) == (
        'text\n"a,b"\n"say ""да"""\n"two\nlines"\n"cr\r"\n padded \n=1+1\n"\\."\n'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "t"),
        (False, "f"),
        (12345678901234567890, "12345678901234567890"),
        (Decimal("811.080000"), "811.080000"),
        (Decimal("1E+3"), "1000"),
        (Decimal("NaN"), "NaN"),
        (Decimal("-Infinity"), "-Infinity"),
        (1.0, "1"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e15, "1e+15"),
        (1.5e-7, "1.5e-07"),
        (float("inf"), "Infinity"),
        (datetime(2026, 11, 21, 20, 0, 3, 250000, timezone(timedelta(hours=3))), "2026-11-21 17:00:03.25+00"),
        (datetime(2026, 11, 21, 20, 0), "2026-11-21 20:00:00"),
        (date(2026, 11, 21), "2026-11-21"),
        (time(20, 0, 0, 500000), "20:00:00.5"),
        (timedelta(0), "PT0S"),
        (timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S"),
        (timedelta(seconds=-1), "PT-1S"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "\\x00ff"),
        ({"ключ": None}, '"{""ключ"": null}"'),
    ],
)
def test_values_have_one_text(tmp_path, value, text):
    assert written(tmp_path, ["value", "other"], [(value, 1)]) == f"value,other\n{text},1\n"


def test_equal_rows_make_equal_gzip_files(tmp_path):
    one, other = tmp_path / "one.csv.gz", tmp_path / "other.csv.gz"
    for path in (one, other):
        write_csv(path, ["a"], [(number,) for number in range(1000)])
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes()[4:8] == bytes(4)
    assert gzip.decompress(one.read_bytes()).startswith(b"a\n0\n1\n")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, 2), (3,)], "row 2: 1 values for 2 columns"),
        ([(1, object())], "row 1, column price: a object has no CSV text"),
        ([(1, "\ud800")], "row 1, column price: not Unicode text"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path, rows, message):
    with pytest.raises(DataRefused, match=message):
        write_csv(tmp_path / "file.csv", ["id", "price"], rows)


def test_an_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "file.csv").write_text("kept")
    with pytest.raises(FileExistsError):
        write_csv(tmp_path / "file.csv", ["a"], [])


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a\n", 0),
        (b"a", 0),
        (b"a\n\n", 1),
        (b"a\n1\n2\n", 2),
        (b"a\n1\n2", 2),
        (b'a\n"x\n""\n"\n2\n', 2),
        (b'"a\nb"\n1\n', 1),
        (b"a\r\n1\r\n", 1),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 3, 1 << 20])
def test_rows_are_counted_over_line_breaks_in_quotes(tmp_path, monkeypatch, data, rows, block):
    monkeypatch.setattr("extracts.formats.machine._BLOCK", block)
    (tmp_path / "file.csv").write_bytes(data)
    (tmp_path / "file.csv.gz").write_bytes(gzip.compress(data))
    assert count_rows(tmp_path / "file.csv") == count_rows(tmp_path / "file.csv.gz") == rows


@pytest.mark.parametrize("data", [gzip.compress(b"a\n1\n" * 1000)[:-9], b"plain", gzip.compress(b"a")[:5]])
def test_a_cut_off_gzip_is_named(tmp_path, data):
    (tmp_path / "file.csv.gz").write_bytes(data)
    with pytest.raises(UsageError, match=r"file\.csv\.gz is not a complete gzip"):
        count_rows(tmp_path / "file.csv.gz")


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv", b""), ("a.csv.gz", b""), ("a.csv.gz", gzip.compress(b""))]
)
def test_a_file_without_a_header_is_no_empty_table(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match="is empty"):
        count_rows(tmp_path / name)


def test_types_of_postgresql_become_fields():
    schema = table_schema(
        [
            Column("id", "bigint"),
            Column("price", "numeric(12,2)"),
            Column("active", "boolean"),
            Column("at", "timestamp(3) with time zone"),
            Column("payload", "jsonb"),
            Column("tags", "integer[]"),
            Column("mood", "shop.mood"),
        ]
    )
    assert [{key: field[key] for key in field if key != "postgresType"} for field in schema["fields"]] == [
        {"name": "id", "type": "integer"},
        {"name": "price", "type": "number"},
        {"name": "active", "type": "boolean", "trueValues": ["t"], "falseValues": ["f"]},
        {"name": "at", "type": "datetime", "format": "any"},
        {"name": "payload", "type": "any"},
        {"name": "tags", "type": "string"},
        {"name": "mood", "type": "string"},
    ]
    assert schema["fields"][1]["postgresType"] == "numeric(12,2)"
    assert schema["missingValues"] == [""]


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(UsageError, match="named twice: id"):
        table_schema([Column("id", "bigint"), Column("id", "bigint")])


def test_an_empty_frame_is_a_header(tmp_path):
    assert written(tmp_path, ["a", "b"], []) == "a,b\n"
