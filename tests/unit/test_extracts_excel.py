"""Excel CSV: each value has one text, text stays text, and what was written is read back."""

import csv
import random
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pandas as pd
import pytest
from frictionless import Dialect, Resource, Schema

from extracts.errors import DataRefused
from extracts.formats.excel import BOM, excel_record, read_excel_csv, without_guard, write_excel_csv
from extracts.formats.excel import DIALECT as EXCEL_DIALECT

# What a text becomes: an apostrophe for what could compute or begins with a guard, a tab for what a
# spreadsheet would take for a number, a date, a truth value or an error.
GUARDED = {
    "=1+1": "'=1+1",
    "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
    "+7 900": "'+7 900",
    "-5": "'-5",
    "@x": "'@x",
    " =1+1": "' =1+1",
    "\u00a0\u200b=1+1": "'\u00a0\u200b=1+1",
    "\x01=1+1": "'\x01=1+1",
    "＝1+1": "'＝1+1",
    "\tx": "'\tx",
    "\rx": "'\nx",
    "\r\nx": "'\nx",
    "\nx": "'\nx",
    "\x00x": "'\x00x",
    "'quoted": "''quoted",
    "'": "''",
    "007": "\t007",
    "12345678901234567890": "\t12345678901234567890",
    "5": "\t5",
    " 5 ": "\t 5 ",
    "1E5": "\t1E5",
    "1,5": "\t1,5",
    "12.05": "\t12.05",
    "1/2": "\t1/2",
    "1-2": "\t1-2",
    "2026-11-21": "\t2026-11-21",
    "2026-11-21T07:00": "\t2026-11-21T07:00",
    "21.11.2026": "\t21.11.2026",
    "12:30": "\t12:30",
    "5 pm": "\t5 pm",
    "1 000": "\t1 000",
    "1\u00a0000": "\t1\u00a0000",
    "10%": "\t10%",
    "(5)": "\t(5)",
    "5 ₽": "\t5 ₽",
    "5 руб.": "\t5 руб.",
    "5 мая": "\t5 мая",
    "МАР.26": "\tМАР.26",
    "1 сентября 2026 г.": "\t1 сентября 2026 г.",
    "Mar-1": "\tMar-1",
    "１２": "\t１２",
    "TRUE": "\tTRUE",
    "Истина": "\tИстина",
    "ложь": "\tложь",
    "#N/A": "\t#N/A",
    "#Н/Д": "\t#Н/Д",
    "#ДЕЛ/0!": "\t#ДЕЛ/0!",
}
PLAIN = [
    "",
    "SKU-000123",
    "E5",
    "12A",
    "Дрель «Эталон» 500",
    "Марка 5",
    "Майонез 67%",
    "10 кг",
    "40x60",
    "№ 5",
    "#5 красный",
    "шт",
    "май",
    "«Ёж»",
    "🦔 ёж",
    "http://example.org/?a=1",
    "https://example.org",
    "mailto:x@example.org",
    "a=b",
    " пробелы ",
    "a;b",
    'он сказал "да"',
    "две\nстроки",
    "a\tb",
    "тире –",
    "\x1a",
    "\u2028",
    "\x85",
    ".",
]
TEXTS = [*GUARDED, *PLAIN]


def record(*values):
    return excel_record(values).decode()


def written(tmp_path, columns, rows):
    path = tmp_path / "list.csv"
    assert write_excel_csv(path, columns, rows) == len(rows)
    return path


def line_feeds(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "ИСТИНА"),
        (False, "ЛОЖЬ"),
        (0, "0"),
        (-5, "-5"),
        (12345678901234567890, "12345678901234567890"),
        (Decimal("0.10"), "0,10"),
        (Decimal("1234567.89"), "1234567,89"),
        (Decimal("-5"), "-5"),
        (Decimal("-0.05"), "-0,05"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0,000000001"),
        (Decimal("123456789012345678.901234567890"), "123456789012345678,901234567890"),
        (0.1, "0,1"),
        (1e-7, "0,0000001"),
        (1e20, "100000000000000000000"),
        (date(2026, 1, 2), "02.01.2026"),
        (date(999, 1, 2), "02.01.0999"),
        (datetime(2026, 1, 2, 3, 4, 5, 999999), "02.01.2026 03:04:05"),
    ],
)
def test_values_have_one_text(value, text):
    assert record(value, "") == f"{text};\r\n"


@pytest.mark.parametrize(("text", "field"), GUARDED.items())
def test_what_a_spreadsheet_would_not_take_for_text_is_guarded(text, field):
    assert next(csv.reader([record(text)], delimiter=";")) == [field]
    assert without_guard(field) == line_feeds(text)


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_is_left_alone(text):
    assert next(csv.reader([record(text)], delimiter=";")) == [text]
    assert without_guard(text) == text


def test_only_what_needs_quotes_gets_them():
    assert record("a b", "a;b", 'a"b', "a\nb", " a", "a ", "007", "=1", "a,b") == (
        'a b;"a;b";"a""b";"a\nb";" a";"a ";"\t007";\'=1;a,b\r\n'
    )


def test_the_file_begins_with_the_bom_and_the_header(tmp_path):
    path = written(tmp_path, ["Артикул", "=Цена, руб."], [])
    assert path.read_bytes() == BOM + "Артикул;'=Цена, руб.\r\n".encode()
    assert list(read_excel_csv(path)) == [["Артикул", "=Цена, руб."]]


def test_a_record_of_one_empty_field_is_no_blank_line(tmp_path):
    path = written(tmp_path, ["a"], [(None,), ("",), ("x",)])
    assert path.read_bytes() == BOM + b'a\r\n""\r\n""\r\nx\r\n'
    assert list(read_excel_csv(path)) == [["a"], [""], [""], ["x"]]


def test_carriage_return_and_line_feed_only_part_records(tmp_path):
    rows = [(text, "x\r\ny\rz\n", Decimal("0.10")) for text in TEXTS]
    data = written(tmp_path, ["a\r\nb", "c", "d"], rows).read_bytes()
    assert data.count(b"\r") == data.count(b"\r\n")
    assert data.removeprefix(BOM).split(b"\r\n") == [
        *(excel_record(row).removesuffix(b"\r\n") for row in [("a\nb", "c", "d"), *rows]),
        b"",
    ]


def test_what_was_written_is_read_back(tmp_path):
    rows = [(text, number, text) for number, text in enumerate(TEXTS)]
    path = written(tmp_path, ["text", "number", "again"], rows)
    assert list(read_excel_csv(path))[1:] == [
        [line_feeds(text), str(number), line_feeds(text)] for text, number, _ in rows
    ]


def test_other_parsers_read_the_same_fields(tmp_path):
    path = written(
        tmp_path, ["id", "text", "price"], [(f"id {text}", text, Decimal("1.50")) for text in TEXTS]
    )
    fields = [[f"id {line_feeds(text)}", GUARDED.get(text, text), "1,50"] for text in TEXTS]
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file, delimiter=";"))[1:] == fields
    frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    assert frame.to_numpy().tolist() == fields
    assert pd.read_csv(path, sep=";", decimal=",")["price"].unique().tolist() == [1.5]
    relation = duckdb.read_csv(
        str(path), delimiter=";", quotechar='"', escapechar='"', all_varchar=True, header=True, parallel=False
    )
    assert [[value or "" for value in row] for row in relation.fetchall()] == fields


def test_the_dialect_describes_the_file(tmp_path):
    written(tmp_path, ["sku", "price", "until"], [("a;b", Decimal("-1234567.89"), date(2026, 1, 2))])
    fields = [
        {"name": "sku", "type": "string"},
        {"name": "price", "type": "number", "decimalChar": ","},
        {"name": "until", "type": "date", "format": "%d.%m.%Y"},
    ]
    resource = Resource(
        path="list.csv",
        basepath=str(tmp_path),
        encoding="utf-8",
        dialect=Dialect.from_descriptor(dict(EXCEL_DIALECT)),
        schema=Schema.from_descriptor({"fields": fields}),
    )
    assert [row.to_dict() for row in resource.read_rows()] == [
        {"sku": "a;b", "price": Decimal("-1234567.89"), "until": date(2026, 1, 2)}
    ]


@pytest.mark.parametrize("seed", range(5))
def test_random_rows_are_read_back(tmp_path, seed):
    pick = random.Random(seed)
    alphabet = "'\t\r\n;\"=+-@ 0157.,/:%Eeмайaя_ё🦔\u00a0\ufeff\x00\x0b\x1c\x85\u2028#!"

    def text():
        return "".join(pick.choices(alphabet, k=pick.randrange(9)))

    def price():
        return Decimal(pick.randrange(-(10**18), 10**18)).scaleb(-pick.randrange(9))

    rows = [(text(), price(), text()) for _ in range(2000)]
    read = list(read_excel_csv(written(tmp_path, [text(), "b", text()], rows)))[1:]
    assert [(one, other) for one, _, other in read] == [
        (line_feeds(one), line_feeds(other)) for one, _, other in rows
    ]
    prices = [Decimal(number.replace(",", ".")) for _, number, _ in read]
    assert [price.as_tuple() for price in prices] == [row[1].as_tuple() for row in rows]
    assert not [number for _, number, _ in read if not re.fullmatch(r"-?\d+(,\d+)?", number)]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Decimal("NaN"), "NaN is no number"),
        (Decimal("-Infinity"), "-Infinity is no number"),
        (float("inf"), "Infinity is no number"),
        (object(), "a object has no CSV text"),
        (b"x", "a bytes has no CSV text"),
        ("\ud800", "not Unicode text"),
        ("x" * 32_768, "a text of 32768 characters, a cell holds 32767"),
        ("=" * 32_767, "a text of 32768 characters"),
        ("🦔" * 16_384, "a text of 32768 characters"),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=3))), "a time with a zone"),
    ],
)
def test_a_value_without_a_place_is_named(tmp_path, value, message):
    with pytest.raises(DataRefused, match=f"^column 2: {message}"):
        excel_record(["x", value])
    with pytest.raises(DataRefused, match=rf"^list\.csv, row 2, column 2: {message}"):
        write_excel_csv(tmp_path / "list.csv", ["id", "b"], [(1, 2), (1, value)])


@pytest.mark.parametrize("text", ["x" * 32_767, "=" * 32_766, "🦔" * 16_383])
def test_the_longest_text_is_read_back(tmp_path, text):
    assert list(read_excel_csv(written(tmp_path, ["a"], [(text,)])))[1] == [text]


def test_a_row_of_another_length_is_named(tmp_path):
    with pytest.raises(DataRefused, match=r"list\.csv, row 2: 1 values for 2 columns"):
        write_excel_csv(tmp_path / "list.csv", ["a", "b"], [(1, 2), (3,)])


def test_an_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "list.csv").write_text("kept")
    with pytest.raises(FileExistsError):
        write_excel_csv(tmp_path / "list.csv", ["a"], [])


@pytest.mark.parametrize("data", [b'a;"b\r\n', b"\xd6\xe5\xed\xe0\r\n", b'a;"b"c\r\n', b"PK\x03\x04\xff"])
def test_a_broken_file_is_named(tmp_path, data):
    (tmp_path / "list.csv").write_bytes(data)
    with pytest.raises(DataRefused, match=r"list\.csv cannot be read as excel CSV"):
        list(read_excel_csv(tmp_path / "list.csv"))
