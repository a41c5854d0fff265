"""Every cell of every list, by readers and a query that are not ours; no price in another client's files."""

import csv
import hashlib
import io
import re
import zipfile
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from frictionless import Package
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from extracts.verify import verify
from tests.integration.price_list_files import HEADER, csv_rows, unpacked, xlsx_rows
from tests.integration.price_lists import DAY, NEXT

NASTY = ["0.10", "1234567.89", "-5", "007", "12345678901234567890", "=cmd|' /C calc'!A0", "+7 900", "@x"]
NASTY += [
    "a\tb",
    "\tb",
    "две\nстроки",
    "три\r\nстроки",
    "a\rb",
    "«Ёж»",
    "🦔 и ещё",
    "a;b",
    'a"b"',
    "'b",
    "1E5",
]
NASTY += ["12.05", "ИСТИНА", "#Н/Д", " b ", "-", "=", '"', ";", "\x07", "_x000D_", "&amp;<b>", "\\N", "NULL"]
PRICES = ["0.10", "0.01", "1234567.89", "9999999999.99", "5", "1000", "99.90", "33.33"]
FIRST_CLIENT = 11


@pytest.fixture
def nasty(shop):
    """Products whose SKUs and names are the worst of texts, for nine clients with contract prices."""
    shop.sql("TRUNCATE products, client_prices; UPDATE categories SET name = '=Посуда;\"x\"' WHERE id = 2")
    for number, text in enumerate(NASTY, 1):
        literal = text.replace("'", "''")
        shop.sql(
            f"""INSERT INTO products VALUES ({number}, '{literal}', '{literal}', {1 + number % 2},
                    {"NULL" if number % 3 else "'м''²'"}, {PRICES[number % len(PRICES)]},
                    {"NULL" if number % 5 == 0 else number - 3}, {number % 11 != 0})"""
        )
    shop.sql(
        f"""INSERT INTO clients SELECT n, 'C-' || n, 'ООО "К;' || n || '"', NULL, true
                FROM generate_series({FIRST_CLIENT}, 16) AS n;
            INSERT INTO client_prices
                SELECT id, p, 7700 + id + p / 100.0, date '2026-01-01' + p, CASE WHEN p % 2 = 0 THEN
                    date '2026-12-31' + id END
                FROM clients CROSS JOIN generate_series(1, 30) AS p WHERE (id + p) % 4 = 0"""
    )
    return shop


def expected(shop, code, *, contract_only=False):
    """A client's rows, joined here from plain tables."""
    prices = {
        product: (price, until)
        for product, price, start, until in shop.query(
            "SELECT product_id, client_prices.price, valid_from, valid_to FROM client_prices, clients"
            f" WHERE client_id = id AND code = '{code}'"
        )
        if start <= DAY and (until is None or until >= DAY)
    }
    products = shop.query(
        "SELECT product.id, sku, product.name,"
        " (SELECT name FROM categories WHERE id = category_id) AS category, unit, price, stock"
        " FROM products AS product WHERE active AND category_id IN (SELECT id FROM categories WHERE active)"
        " ORDER BY category, product.name, sku"
    )
    rows = []
    for id, sku, name, category, unit, price, stock in products:
        if contract_only and id not in prices:
            continue
        price, until = prices.get(id, (price, None))
        kind = "договорная" if id in prices else "базовая"
        rows.append([sku, name, category, unit, price, kind, stock, until])
    return rows


def in_a_cell(rows):
    """Line breaks as a cell has them."""
    return [
        [re.sub("\r\n?", "\n", value) if isinstance(value, str) else value for value in row] for row in rows
    ]


def in_xml(rows):
    return [
        [value.replace("\x07", "\ufffd") if isinstance(value, str) else value for value in row]
        for row in rows
    ]


def calamine_rows(path):
    header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert header == HEADER
    return [[plain(value) for value in row] for row in rows]


def plain(value):
    if isinstance(value, float):
        return Decimal(f"{value:.2f}")
    # Its reader leaves an underscore as the standard has it escaped.
    return value.replace("_x005F_", "_") if isinstance(value, str) else value


@pytest.mark.parametrize("assortment", ["full", "contract"])
def test_every_cell(nasty, assortment):
    found = nasty.export("--assortment", assortment)
    assert found.answer["clients"] == found.answer["published"] == 9
    kinds = set()
    for code, row in found.index.items():
        rows = in_a_cell(expected(nasty, code, contract_only=assortment == "contract"))
        assert csv_rows(found.folder / row["csv"]) == rows
        assert xlsx_rows(found.folder / row["xlsx"]) == in_xml(rows)
        blank = [["" if value is None else value for value in row] for row in in_xml(rows)]
        assert calamine_rows(found.folder / row["xlsx"]) == blank
        kinds |= {row[5] for row in rows}
        assert len(rows) > 20 or assortment == "contract"
    assert kinds == ({"договорная", "базовая"} if assortment == "full" else {"договорная"})


def test_money_to_the_digit(nasty):
    """As the file spells it: always two digits, no spaces, no exponent."""
    found = nasty.export()
    spelled = set()
    for row in found.index.values():
        text = (found.folder / row["csv"]).read_bytes().decode("utf-8-sig")
        spelled |= {record[4] for record in csv.reader(io.StringIO(text, newline=""), delimiter=";")}
    assert spelled >= {"0,10", "0,01", "1234567,89", "9999999999,99", "5,00", "1000,00", "99,90", "33,33"}
    sheet = load_workbook(found.folder / found.index["B2B-1"]["xlsx"]).worksheets[0]
    assert {cell.number_format for cell in sheet["E"][1:]} == {"#,##0.00"}
    assert {cell.number_format for cell in sheet["A"][1:]} == {"@"}
    assert sheet.freeze_panes == "A2"
    assert sheet.title == "Прайс-лист 21.11.2026"


def test_index_summary_and_archive_say_what_the_files_do(nasty):
    nasty.export()
    nasty.sql("UPDATE client_prices SET price = 0 WHERE client_id = 12")
    found = nasty.export(day=NEXT)
    assert found.statuses["C-12"] == "held"
    assert list(found.index) == sorted(found.index)
    for code, row in found.index.items():
        rows = found.list_of(code)
        assert len(rows) == int(row["rows"])
        assert sum(cells[5] == "договорная" for cells in rows) == int(row["contract_rows"])
        assert row["list_date"] == str(DAY if code == "C-12" else NEXT)
        assert (row["csv"], row["xlsx"]) == tuple(f"{code}_{row['list_date']}.{f}" for f in ("csv", "xlsx"))
        assert (row["reasons"] != "", row["released_by"]) == (code == "C-12", "")
    files = found.files
    lists = {name: data for code in found.index for name, data in found.lists(code).items()}
    assert unpacked(files[f"price-lists-{NEXT}.zip"]) == lists
    assert files.keys() - lists.keys() == {
        *("index.csv", "held.csv", "summary.xlsx", f"price-lists-{NEXT}.zip"),
    }
    clients, held = load_workbook(found.folder / "summary.xlsx").worksheets
    assert (clients.title, held.title) == ("Clients", "Held")
    shown = [["" if cell is None else cell for cell in row] for row in clients.iter_rows(values_only=True)]
    for row in shown[1:]:
        row[3:6] = [str(row[3].date()), str(row[4]), str(row[5])]
    assert [dict(zip(shown[0], row, strict=True)) for row in shown[1:]] == [
        {name: text for name, text in row.items() if name != "digest"} for row in found.index.values()
    ]
    titles, *rows = held.iter_rows(values_only=True)
    assert len(rows) == len(found.held) > 1
    for row, record in zip(rows, found.held, strict=True):
        assert {name: value or "" for name, value in zip(titles, row, strict=True)} == in_cells(record)


def in_cells(record):
    return {name: text.replace("\x07", "\ufffd").replace("\r\n", "\n") for name, text in record.items()}


def test_the_package_is_accepted_by_others(nasty):
    found = nasty.export()
    report = Package(str(found.path)).validate()
    assert report.valid, report.flatten(["title", "type", "message"])
    checked = verify(found.path)
    assert checked.ok, str(checked)
    assert checked.files == len(found.files) == 2 * 9 + 4
    rows = {item["path"]: item.get("rows") for item in found.package["resources"]}
    for item in found.package["resources"]:
        data = (found.path.parent / item["path"]).read_bytes()
        assert item["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert (
        sum(rows[path] for path in rows if re.search(r"/(C|B2B)-\d+_.*csv$", path)) == found.package["rows"]
    )
    lists = {item["name"]: item for item in found.package["resources"]}
    assert lists[f"c-11_{DAY}"]["title"] == 'C-11 ООО "К;11"'
    assert lists[f"c-11_{DAY}"]["dialect"]["delimiter"] == ";"


def parts(name, data):
    """A file, and what is inside it where it is a zip or a workbook, with their names."""
    yield name, data
    if data.startswith(b"PK"):
        for inner, content in unpacked(data).items():
            yield from parts(f"{name}!{inner}", content)


def test_a_clients_price_is_in_its_files_and_in_no_other(shop):
    """Canaries: one contract price a client that occurs nowhere else, looked for in every file of the set."""
    shop.sql(
        """INSERT INTO clients SELECT n, 'C-' || n, 'ООО', NULL, true FROM generate_series(11, 40) AS n;
           INSERT INTO client_prices
               SELECT id, 1 + id % 40, 770000 + id + 0.13, '2026-06-01', NULL FROM clients"""
    )
    active = dict(shop.query("SELECT code, id FROM clients WHERE active"))
    shop.export()
    # Of one set: lists made today, and lists that are kept or held from the day before.
    shop.sql("UPDATE client_prices SET price = 0 WHERE client_id = 15 AND price < 100")
    shop.sql("INSERT INTO client_prices VALUES (15, 7, 0, '2026-02-01', NULL)")
    found = shop.export("--clients", *list(active)[1::2], "C-15", day=NEXT)
    assert set(found.statuses.values()) == {"published", "kept", "held"}
    places = defaultdict(set)
    for file, data in found.files.items():
        for name, content in parts(file, data):
            for canary in re.findall(rb"7700(\d\d)[.,]13", content):
                places[int(canary)].add(name)
    for code, number in active.items():
        lists = [found.index[code][form] for form in ("csv", "xlsx")]
        archive = f"price-lists-{NEXT}.zip"
        sheet = f"{lists[1]}!xl/worksheets/sheet1.xml"
        assert places.pop(number) == {lists[0], sheet, f"{archive}!{lists[0]}", f"{archive}!{sheet}"}
    assert not places


def test_whole_stocks_of_a_view_are_whole_and_others_are_said(shop):
    shop.sql("ALTER TABLE products ALTER stock TYPE numeric(12, 3)")
    assert shop.export().answer["published"] == 3
    assert [row[6] for row in shop.found().list_of("B2B-1")][:3] == [1, 10, 11]
    shop.sql("UPDATE products SET stock = 2.5 WHERE id = 7")
    found = shop.export(day=NEXT)
    assert set(found.statuses.values()) == {"held"}
    assert "SKU-007" in found.index["B2B-1"]["reasons"]
    assert "2.5" in found.index["B2B-1"]["reasons"]


PRICE = "ALTER TABLE products ALTER price TYPE numeric; UPDATE products SET price = {} WHERE id = 30"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE products SET sku = NULL WHERE id = 3", "Товар 3"),
        ("UPDATE products SET sku = 'SKU-001' WHERE id = 3", "twice"),
        (
            "UPDATE products SET sku = CASE id WHEN 3 THEN E'A\\nB' ELSE E'A\\r\\nB' END WHERE id IN (3, 4)",
            "twice",
        ),
        (PRICE.format("'NaN'"), "SKU-030"),
        (PRICE.format("12345678901234567.89"), "SKU-030"),
        ("UPDATE products SET name = repeat('x', 32768) WHERE id = 30", "SKU-030"),
        ("UPDATE client_prices SET valid_to = '20261-01-01' WHERE product_id = 2", "SKU-002"),
    ],
)
def test_a_list_that_cannot_be_made_is_held_with_the_article_named(shop, change, reason):
    shop.export()
    shop.sql(change)
    found = shop.export("--release", "*", "--released-by", "me", day=NEXT)
    assert set(found.statuses.values()) == {"held"}
    assert {row["list_date"] for row in found.index.values()} == {str(DAY)}
    for row in found.index.values():
        assert reason in row["reasons"]


def test_texts_that_are_not_there(shop):
    shop.sql("UPDATE clients SET name = NULL; UPDATE products SET name = NULL, unit = NULL WHERE id = 5")
    shop.sql("UPDATE categories SET name = NULL WHERE id = 2")
    found = shop.export()
    assert found.answer["published"] == 3
    assert ["SKU-005", "", "Инструмент", None] in [row[:4] for row in found.list_of("B2B-1")]
    assert {row["name"] for row in found.index.values()} == {""}
    assert shop.export(day=NEXT).answer["held"] == 0
    assert date.fromisoformat(found.index["B2B-1"]["list_date"]) == DAY
    assert "None" not in {item.get("title", "")[-4:] for item in found.package["resources"]}
    assert zipfile.is_zipfile(found.folder / f"price-lists-{DAY}.zip")
