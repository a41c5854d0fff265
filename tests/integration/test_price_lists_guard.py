"""What holds a list back, what its readers have meanwhile, and how it is released."""

from datetime import timedelta

import pytest

from extracts.verify import verify
from tests.integration.price_list_files import Found
from tests.integration.price_lists import DAY, NEXT, Shop

THIRD = NEXT + timedelta(days=1)
ALL = {"B2B-1", "B2B-2", "B2B-3"}
NAMED = ("--released-by", "the operator")

SPOILED = {
    "zeroed contract prices": (
        "UPDATE client_prices SET price = 0",
        "10 of 40 prices are zero, negative or missing (allowed: none)",
    ),
    "no contract prices": (
        "TRUNCATE client_prices",
        "10 of 10 contract prices that should still hold are gone or base prices (allowed: 20%)",
    ),
    "a category that vanished": (
        "UPDATE categories SET active = false WHERE id = 2",
        "10 of 40 rows that should still be there are gone (allowed: 10%);"
        " 1 of 2 categories lost every row, 10 in all (allowed: none that had 5 or more)",
    ),
    "prices in kopecks": (
        "UPDATE products SET price = price * 100; UPDATE client_prices SET price = price * 100",
        "40 of 40 prices rose or fell by more than a factor of 3 (allowed: none);"
        " 40 of 40 prices moved by more than 30% (allowed: 10%)",
    ),
}
ONE_IN_KOPECKS = "UPDATE client_prices SET price = price * 100 WHERE client_id = 2"


def assert_held(shop: Shop, found: Found, before: Found, held: set[str]) -> None:
    """These clients, and no other, have what they had, to the byte; the set says so in all its places."""
    assert verify(found.path).ok
    assert {code for code, status in found.statuses.items() if status == "held"} == held
    assert {row["code"] for row in found.held} == held
    assert found.package["held"] == [
        {"name": code, "reason": found.index[code]["reasons"]} for code in sorted(held)
    ]
    for code in held:
        assert found.lists(code) == before.lists(code) != {}
        kept = ("list_date", "rows", "contract_rows", "csv", "xlsx", "digest")
        assert [found.index[code][name] for name in kept] == [before.index[code][name] for name in kept]
    for code in found.index.keys() - held:
        assert all(f"_{found.package['day']}." in name for name in found.lists(code))


@pytest.mark.parametrize("day", [NEXT, DAY], ids=["the next day", "the same day"])
@pytest.mark.parametrize("case", SPOILED)
def test_a_mistake_in_the_source_is_held(shop, case, day):
    change, reasons = SPOILED[case]
    before = shop.export()
    kept = {code: before.lists(code) for code in ALL}
    shop.sql(change)
    found = shop.export(day=day)
    assert_held(shop, found, before, ALL)
    assert {code: found.lists(code) for code in ALL} == kept
    assert {row["reasons"] for row in found.index.values()} == {reasons}
    for reason in reasons.split("; "):
        rows = [row for row in found.held if row["reason"] == reason]
        assert {row["code"] for row in rows} == ALL
        assert all(row["before"] != row["now"] for row in rows)
        assert all(row["name"].startswith("ООО") for row in rows)
        assert len(rows) <= 3 * 20
    assert {code for code in ALL if f"_{DAY}." in found.index[code]["csv"]} == ALL


def test_one_held_client_holds_no_other(shop):
    before = shop.export()
    shop.sql(ONE_IN_KOPECKS)
    found = shop.export(day=NEXT)
    assert_held(shop, found, before, {"B2B-2"})
    assert found.statuses == {"B2B-1": "published", "B2B-2": "held", "B2B-3": "published"}
    shown = {row["sku"]: (row["product"], row["before"], row["now"]) for row in found.held}
    assert shown["SKU-010"] == ("Товар 10", "100.00", "10000.00")
    assert len(shown) == 10


def test_held_again_until_it_is_released_or_mended(shop):
    before = shop.export()
    shop.sql(ONE_IN_KOPECKS)
    shop.export(day=NEXT)
    assert_held(shop, shop.export(day=THIRD), before, {"B2B-2"})
    shop.sql(ONE_IN_KOPECKS.replace("* 100", "/ 100"))
    assert set(shop.export(day=THIRD).statuses.values()) == {"published"}


@pytest.mark.parametrize("subset", [False, True], ids=["with all", "alone"])
@pytest.mark.parametrize("case", SPOILED)
def test_release_by_name(shop, case, subset):
    """One goes out, with the record of who said so; the others stay held, with their reasons."""
    change, reasons = SPOILED[case]
    before = shop.export()
    shop.sql(change)
    shop.export(day=NEXT)
    only = ["--clients", "B2B-2"] if subset else []
    found = shop.export(*only, "--release", "B2B-2", *NAMED, day=NEXT)
    assert found.statuses == {"B2B-1": "held", "B2B-2": "released", "B2B-3": "held"}
    assert found.package["released"] == [{"name": "B2B-2", "reason": reasons, "by": "the operator"}]
    assert [found.index[code]["released_by"] for code in sorted(ALL)] == ["", "the operator", ""]
    assert {row["reasons"] for row in found.index.values()} == {reasons}
    assert {row["code"] for row in found.held} == ALL
    assert [item["name"] for item in found.package["held"]] == ["B2B-1", "B2B-3"]
    for code in ("B2B-1", "B2B-3"):
        assert found.lists(code) == before.lists(code)
    assert found.lists("B2B-2").keys() == {f"B2B-2_{NEXT}.csv", f"B2B-2_{NEXT}.xlsx"}
    # The same again says the same of it.
    again = shop.export(day=NEXT)
    assert not again.answer["changed"]
    # What was released is what the next list is compared with.
    after = shop.export(day=THIRD)
    assert after.statuses == {"B2B-1": "held", "B2B-2": "published", "B2B-3": "held"}
    assert after.package["released"] == []


def test_release_of_all(shop):
    shop.export()
    shop.sql(SPOILED["prices in kopecks"][0])
    found = shop.export("--release", "*", *NAMED, day=NEXT)
    assert set(found.statuses.values()) == {"released"}
    assert {item["by"] for item in found.package["released"]} == {"the operator"}
    assert not found.package["held"]
    after = shop.export("--release", "*", *NAMED, day=THIRD)
    assert set(after.statuses.values()) == {"published"}
    assert (after.package["released"], after.held) == ([], [])


def more_clients(shop: Shop) -> None:
    shop.sql("INSERT INTO clients SELECT n, 'C-' || n, 'ООО', NULL, true FROM generate_series(11, 17) AS n")


def test_a_client_that_left_and_one_that_came(shop):
    more_clients(shop)
    shop.export()
    shop.sql("UPDATE clients SET active = false WHERE id = 2; UPDATE clients SET active = true WHERE id = 4")
    found = shop.export(day=NEXT)
    assert found.package["left"] == ["B2B-2"]
    assert (found.answer["left"], found.answer["clients"]) == (1, 10)
    assert "B2B-2" not in found.index
    assert not [name for name in found.files if name.startswith("B2B-2")]
    assert found.statuses["B2B-4"] == "published"
    assert shop.export(day=THIRD).package["left"] == []


def test_too_many_clients_that_left_are_held(shop):
    more_clients(shop)
    before = shop.export()
    shop.sql("UPDATE clients SET active = false WHERE id < 4")
    found = shop.export(day=NEXT)
    assert_held(shop, found, before, ALL)
    reason = "3 of 10 clients of the last set are no longer there (allowed: 20%)"
    assert {found.index[code]["reasons"] for code in ALL} == {reason}
    assert found.answer["left"] == 0
    # One by name, the others with all.
    found = shop.export("--release", "B2B-1", *NAMED, day=THIRD)
    assert found.package["left"] == ["B2B-1"]
    assert found.package["released"] == [{"name": "B2B-1", "reason": reason, "by": "the operator"}]
    assert {code for code, status in found.statuses.items() if status == "held"} == ALL - {"B2B-1"}
    shop.sql("UPDATE clients SET active = false WHERE id < 13")
    found = shop.export("--release", "*", *NAMED, day=THIRD + timedelta(days=1))
    assert found.package["left"] == ["B2B-2", "B2B-3", "C-11", "C-12"]
    assert set(found.statuses.values()) == {"published"}
    assert [item["name"] for item in found.package["released"]] == found.package["left"]


def test_a_first_list_with_a_price_of_nothing(shop):
    shop.sql("UPDATE client_prices SET price = 0 WHERE client_id = 2 AND product_id = 7")
    found = shop.export()
    assert found.statuses["B2B-2"] == "held"
    row = found.index["B2B-2"]
    assert {name: row[name] for name in ("list_date", "rows", "contract_rows", "csv", "xlsx", "digest")} == {
        name: "" for name in ("list_date", "rows", "contract_rows", "csv", "xlsx", "digest")
    }
    assert found.held == [
        {
            "code": "B2B-2",
            "name": "ООО «Клиент 2»",
            "reason": row["reasons"],
            "sku": "SKU-007",
            "product": "Товар 7",
            "before": "",
            "now": "0.00",
        }
    ]
    assert not [name for name in found.files if name.startswith("B2B-2")]
    shop.sql("UPDATE client_prices SET price = 1 WHERE price = 0")
    assert set(shop.export(day=NEXT).statuses.values()) == {"published"}


def test_no_first_list_of_all(shop):
    """When the first set has no list at all, it still is a set."""
    shop.sql("UPDATE products SET price = 0")
    found = shop.export()
    assert set(found.statuses.values()) == {"held"}
    assert found.files.keys() == {"index.csv", "held.csv", "summary.xlsx", f"price-lists-{DAY}.zip"}
    assert verify(found.path).ok


FORMATS = {"csv": ["csv"], "xlsx": ["xlsx"], "both": ["csv", "xlsx"]}


@pytest.mark.parametrize("second", FORMATS)
@pytest.mark.parametrize("first", FORMATS)
def test_lists_are_compared_whatever_format_they_have(shop, first, second):
    before = shop.export("--formats", ",".join(FORMATS[first]))
    forms = ("--formats", ",".join(FORMATS[second]))
    assert set(shop.export(*forms, day=NEXT).statuses.values()) == {"published"}
    shop.found(NEXT).path.unlink()
    shop.sql(ONE_IN_KOPECKS)
    found = shop.export(*forms, day=NEXT)
    assert_held(shop, found, before, {"B2B-2"})
    assert len(found.lists("B2B-2")) == len(FORMATS[first])
    assert len(found.lists("B2B-1")) == len(FORMATS[second])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("assortment", ["full", "contract"])
def test_contracts_end_in_lists_of_every_format(shop, form, assortment):
    """The last day of a contract is read back, so that its end is told from a loss."""
    shop.sql(f"UPDATE client_prices SET valid_to = '{DAY}' WHERE product_id > 5")
    options = ("--formats", ",".join(FORMATS[form]), "--assortment", assortment)
    shop.export(*options)
    assert set(shop.export(*options, day=NEXT).statuses.values()) == {"published"}
    shop.sql("UPDATE client_prices SET valid_to = '2026-01-31' WHERE product_id < 4")
    assert set(shop.export(*options, day=THIRD).statuses.values()) == {"held"}
