"""What the catalog finds below a root folder, and what it does not take for published."""

from datetime import UTC, date, datetime, timedelta

import pytest

from extracts import catalog, package
from extracts.errors import DataRefused, UsageError
from extracts.publication import Publication

DAY = date(2026, 11, 21)
BEFORE = DAY - timedelta(days=1)


def publish(root, dataset="orders", day=DAY):
    with Publication(root, dataset, day).stage() as stage:
        (stage.folder / "orders.csv").write_text(f"id\n{day:%d}\n")
        stage.add("orders.csv")
        return stage.publish()


def test_datasets_are_the_folders_that_hold_days(tmp_path):
    publish(tmp_path, "orders")
    publish(tmp_path, "shipments")
    for other in (".sent/orders/dt=2026-11-21", "refused/orders", "Notes/dt=2026-11-21", "empty/dt=soon"):
        (tmp_path / other).mkdir(parents=True)
    (tmp_path / "readme.txt").touch()
    assert catalog.datasets(tmp_path) == ["orders", "shipments"]


def test_days_are_newest_first_and_only_those_that_can_be_read_again(tmp_path):
    for day in (BEFORE, DAY, date(2025, 12, 31)):
        publish(tmp_path, day=day)
    for other in ("dt=20261120", "dt=2026-W47-1", "dt=2026-11-31", "2026-11-20", ".staging-1"):
        (tmp_path / "orders" / other).mkdir()
    (tmp_path / "orders" / "dt=2026-11-19").touch()
    assert catalog.days(tmp_path, "orders") == [DAY, BEFORE, date(2025, 12, 31)]


def test_a_dataset_that_was_never_published_has_no_days(tmp_path):
    assert catalog.days(tmp_path, "orders") == []
    assert catalog.last(tmp_path, "orders", upto=DAY) is None


@pytest.mark.parametrize(
    "look",
    [
        catalog.datasets,
        lambda root: catalog.days(root, "orders"),
        lambda root: catalog.last(root, "orders", upto=DAY),
    ],
)
def test_a_root_that_is_away_is_not_taken_for_an_empty_one(tmp_path, look):
    with pytest.raises(UsageError, match="mount the volume"):
        look(tmp_path / "away")


@pytest.mark.parametrize("name", ["", "..", "../orders", "/etc", "Orders", ".sent", "a/b"])
def test_what_is_no_name_is_not_looked_for(tmp_path, name):
    with pytest.raises(UsageError, match="no name"):
        catalog.days(tmp_path, name)


def test_a_day_is_read_as_its_package_says(tmp_path):
    published = publish(tmp_path)
    found = catalog.read(tmp_path, "orders", DAY)
    assert (found.version, found.folder) == (published.version, published.folder)
    assert found.descriptor["resources"][0]["rows"] == 1
    assert catalog.read(tmp_path, "orders", BEFORE) is None


def test_the_last_day_is_the_newest_published_one_up_to_a_date(tmp_path):
    publish(tmp_path, day=BEFORE - timedelta(days=7))
    publish(tmp_path, day=BEFORE)
    publish(tmp_path, day=DAY)

    def last(upto):
        found = catalog.last(tmp_path, "orders", upto=upto)
        return found and found.descriptor["day"]

    assert last(DAY + timedelta(days=300)) == last(DAY) == "2026-11-21"
    assert last(BEFORE) == "2026-11-20"
    assert last(BEFORE - timedelta(days=1)) == "2026-11-13"
    assert last(BEFORE - timedelta(days=8)) is None


def test_a_day_that_was_only_begun_is_not_the_last(tmp_path):
    publish(tmp_path, day=BEFORE)
    (tmp_path / "orders" / f"dt={DAY}" / "v=20261121T030000Z").mkdir(parents=True)
    assert catalog.last(tmp_path, "orders", upto=DAY).descriptor["day"] == str(BEFORE)


def test_a_damaged_last_day_is_named_and_not_passed_over(tmp_path):
    publish(tmp_path, day=BEFORE)
    publish(tmp_path).package.write_text("{")
    with pytest.raises(DataRefused, match=r"dt=2026-11-21.datapackage\.json cannot be used"):
        catalog.last(tmp_path, "orders", upto=DAY)
    assert catalog.last(tmp_path, "orders", upto=BEFORE).descriptor["day"] == str(BEFORE)


def test_the_last_of_many_days_is_found_without_opening_the_others(tmp_path, monkeypatch):
    for number in range(3000):
        (tmp_path / "orders" / f"dt={DAY - timedelta(days=number + 1)}").mkdir(parents=True)
    publish(tmp_path)
    opened = []
    load = package.load
    monkeypatch.setattr("extracts.publication.load", lambda path: opened.append(path) or load(path))
    assert len(catalog.days(tmp_path, "orders")) == 3001
    assert catalog.last(tmp_path, "orders", upto=DAY).descriptor["day"] == str(DAY)
    assert len(opened) == 1


def test_where_a_package_does_not_say_it_a_day_was_first_published_with_its_oldest_version(tmp_path):
    published = publish(tmp_path)
    del published.descriptor["firstPublished"]
    assert f"{catalog.first_published(published):%Y%m%dT%H%M%SZ}" == published.version
    published.folder.with_name("v=20261121T025959Z").mkdir()
    assert catalog.first_published(published) == datetime(2026, 11, 21, 2, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "stated", ["2026-11-21T06:00:00+03:00", "2026-11-21T03:00:00Z", "2026-11-21T03:00:00"]
)
def test_a_package_may_say_when_it_was_first_published(tmp_path, stated):
    published = publish(tmp_path)
    published.descriptor["firstPublished"] = stated
    assert catalog.first_published(published) == datetime(2026, 11, 21, 3, tzinfo=UTC)


@pytest.mark.parametrize("stated", ["soon", 7, None, ["2026-11-21"], "9999-12-31T23:59:59-23:59"])
def test_a_package_that_says_nonsense_is_not_believed(tmp_path, stated):
    published = publish(tmp_path)
    published.descriptor["firstPublished"] = stated
    assert f"{catalog.first_published(published):%Y%m%dT%H%M%SZ}" == published.version
