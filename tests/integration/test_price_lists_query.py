"""What the query of the price lists answers, case by case, and on other shapes of the same tables."""

import csv
import io

import pytest

from extracts import queries
from extracts.errors import UsageError
from extracts.postgres import Snapshot
from pipelines.resources import folder
from tests.integration.price_lists import DAY, GOODS, TABLES, make_tables
from tests.integration.sql import copied, execute

NAMES = ["id", "sku", "name", "category", "unit", "price", "by_contract", "stock", "valid_to"]
ONE = """
    INSERT INTO categories VALUES (1, 'Инструмент', true);
    INSERT INTO products VALUES (1, 'A', 'Дрель', 1, 'шт', 100, 5, true);
    INSERT INTO clients VALUES (1, 'B2B-1', 'ООО', NULL, true);
"""
BASE = {"price": "100.00", "by_contract": "f", "valid_to": ""}


def listed(dsn, *, clients=(1,), assortment="full", day=DAY):
    """The query's rows as dicts, in order."""
    query = queries.load("price_list", folder("sql"))
    _, text = copied(dsn, query, {"clients": list(clients), "assortment": assortment, "day": day})
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def one(schema):
    """A shop of one client and one product, for 100.00."""
    make_tables(schema, goods=ONE)
    return schema


def only(dsn, **parameters):
    (row,) = listed(dsn, **parameters)
    return row


def contract(dsn, *rows):
    """Contract prices of the one client for the one product: (price, valid_from, valid_to)."""
    for price, start, end in rows:
        until = f"'{end}'" if end else "NULL"
        execute(dsn, f"INSERT INTO client_prices VALUES (1, 1, {price}, '{start}', {until})")


@pytest.mark.parametrize(
    ("start", "end", "valid"),
    [
        ("2026-11-21", None, True),
        ("2026-11-21", "2026-11-21", True),
        ("2026-01-01", "2026-11-21", True),
        ("2026-01-01", "2026-11-20", False),
        ("2026-11-22", None, False),
        ("2026-11-22", "2026-12-31", False),
        ("2020-01-01", "9999-12-31", True),
        ("-infinity", None, True),
        ("2026-12-01", "2026-11-01", False),
    ],
)
def test_a_contract_price_holds_from_its_first_day_to_its_last(one, start, end, valid):
    contract(one, (80, start, end))
    expected = {"price": "80.00", "by_contract": "t", "valid_to": end or ""} if valid else BASE
    row = only(one)
    assert {name: row[name] for name in BASE} == expected
    assert len(listed(one, assortment="contract")) == valid


def test_an_end_at_infinity_is_no_end(one):
    contract(one, (80, "2026-01-01", "infinity"))
    assert only(one)["valid_to"] == ""


@pytest.mark.parametrize(
    ("windows", "price"),
    [
        ([(80, "2026-01-01", None), (70, "2026-11-21", None)], "70.00"),
        ([(70, "2026-11-21", "2026-11-30"), (80, "2026-01-01", None)], "70.00"),
        ([(80, "2026-01-01", None), (70, "2026-11-22", None)], "80.00"),
        ([(80, "2026-01-01", None), (70, "2026-06-01", "2026-11-20")], "80.00"),
        # Of equal beginnings the one that ends first, of wholly equal ones the cheaper: never by chance.
        ([(80, "2026-01-01", None), (70, "2026-01-01", "2027-01-01")], "70.00"),
        ([(80, "2026-01-01", "2027-01-01"), (70, "2026-01-01", "2027-01-01")], "70.00"),
    ],
)
def test_of_overlapping_windows_the_later_one_holds_and_the_product_is_listed_once(one, windows, price):
    for order in (windows, windows[::-1]):
        execute(one, "TRUNCATE client_prices")
        contract(one, *order)
        assert only(one)["price"] == only(one, assortment="contract")["price"] == price


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET active = false",
        "UPDATE products SET active = NULL",
        "UPDATE products SET category_id = NULL",
        "UPDATE products SET category_id = 99",
        "UPDATE categories SET active = false",
        "DELETE FROM categories",
    ],
)
def test_what_is_not_sold_is_in_no_list_whatever_a_contract_says(one, change):
    contract(one, (80, "2026-01-01", None))
    execute(one, change)
    assert listed(one) == listed(one, assortment="contract") == []


@pytest.mark.parametrize(
    ("change", "column", "text"),
    [
        ("UPDATE products SET unit = NULL", "unit", ""),
        ("UPDATE products SET stock = NULL", "stock", ""),
        ("UPDATE products SET stock = 0", "stock", "0"),
        ("UPDATE products SET stock = -3", "stock", "-3"),
        ("UPDATE products SET price = NULL", "price", ""),
        ("INSERT INTO client_prices VALUES (1, 1, NULL, '2026-01-01', NULL)", "price", ""),
        ("INSERT INTO client_prices VALUES (1, 1, 0, '2026-01-01', NULL)", "price", "0.00"),
        ("INSERT INTO client_prices VALUES (2, 1, 80, '2026-01-01', NULL)", "price", "100.00"),
    ],
)
def test_a_value_arrives_as_it_is(one, change, column, text):
    execute(one, change)
    assert only(one)[column] == text


def test_each_client_has_its_own_prices_and_only_those_asked_for(one):
    execute(
        one, "INSERT INTO clients SELECT n, 'B2B-' || n, 'ООО', NULL, true FROM generate_series(2, 4) AS n"
    )
    execute(
        one, "INSERT INTO client_prices SELECT n, 1, 80 + n, '2026-01-01', NULL FROM generate_series(1, 3) n"
    )
    rows = listed(one, clients=[4, 1, 3])
    assert [(row["id"], row["price"]) for row in rows] == [("1", "81.00"), ("3", "83.00"), ("4", "100.00")]
    assert [row["id"] for row in listed(one, clients=[4, 1, 3], assortment="contract")] == ["1", "3"]
    assert listed(one, clients=[4], assortment="contract") == []


def test_rows_stand_by_client_then_category_name_and_sku(one):
    execute(
        one,
        """TRUNCATE products; INSERT INTO categories VALUES (2, 'Аренда', true);
           INSERT INTO clients VALUES (2, 'B2B-2', 'ООО', NULL, true);
           INSERT INTO products SELECT n, sku, name, category, NULL, 1, 1, true FROM (VALUES
               (1, 'B', 'Дрель', 1), (2, 'A', 'Дрель', 1), (3, 'Z', 'Бур', 1), (4, 'Y', 'Ящик', 2)
           ) AS product (n, sku, name, category)""",
    )
    order = ["Y", "Z", "A", "B"]
    assert [(row["id"], row["sku"]) for row in listed(one, clients=[1, 2])] == [
        (client, sku) for client in ("1", "2") for sku in order
    ]


def views(of):
    """Views by the tables' names in place of tables, which stand in schema `base`; `of` is put into them."""
    names = ("categories", "products", "clients", "client_prices")
    made = {name: f"CREATE VIEW {name} AS SELECT * FROM base.{name}" for name in names} | of
    return f"CREATE SCHEMA base; SET search_path = base; {TABLES.format(id='integer')}{ONE}" + (
        f"INSERT INTO client_prices VALUES (1, 1, 80, '2026-01-01', '2026-12-31');"
        f"SET search_path = public; {'; '.join(made.values())}"
    )


PRICES = (
    "CREATE VIEW client_prices AS SELECT client_id, product_id, {} AS price, {}, {} FROM base.client_prices"
)
PRODUCTS = (
    "CREATE VIEW products AS SELECT id, sku, name, category_id, unit, {} AS price, {} AS stock, active"
    " FROM base.products"
)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({}, {"price": "80.00", "valid_to": "2026-12-31", "stock": "5"}),
        ({"client_prices": PRICES.format("1.005::numeric", "valid_from", "valid_to")}, {"price": "1.01"}),
        ({"client_prices": PRICES.format("79.994999", "valid_from", "valid_to")}, {"price": "79.99"}),
        ({"client_prices": PRICES.format("80", "valid_from", "valid_to")}, {"price": "80.00"}),
        ({"client_prices": PRICES.format("80.1::float8", "valid_from", "valid_to")}, {"price": "80.10"}),
        (
            {
                "client_prices": PRICES.format(
                    "price", "valid_from::timestamp", "'2026-11-21 00:00'::timestamp AS valid_to"
                )
            },
            {"price": "80.00", "valid_to": "2026-11-21"},
        ),
        ({"products": PRODUCTS.format("100.999", "stock")}, {"price": "80.00"}),
    ],
)
def test_tables_may_be_views_with_other_digits_and_types(database, view, expected):
    execute(database, views(view))
    row = only(database)
    assert {name: row[name] for name in expected} == expected


def test_ids_beyond_four_bytes(schema):
    make_tables(schema, id="bigint", goods=ONE)
    big = 2**40
    execute(schema, f"UPDATE clients SET id = {big}; UPDATE products SET id = {big + 1}")
    execute(schema, f"INSERT INTO client_prices VALUES ({big}, {big + 1}, 80, '2026-01-01', NULL)")
    assert only(schema, clients=[big])["price"] == "80.00"
    assert listed(schema, clients=[1]) == []


def test_another_schema_is_named_by_the_search_path(database, monkeypatch):
    execute(database, f"CREATE SCHEMA other; SET search_path = other; {TABLES.format(id='integer')}{GOODS}")
    with pytest.raises(UsageError, match="search_path"):
        listed(database)
    monkeypatch.setenv("PGOPTIONS", "-c search_path=other")
    assert len(listed(database)) == 40


def test_the_columns_are_those_that_the_lists_are_made_of(one):
    with Snapshot(one) as snapshot:
        query = queries.load("price_list", folder("sql"))
        columns = snapshot.columns(query, {"clients": [1], "assortment": "full", "day": DAY})
    assert [column.name for column in columns] == NAMES
