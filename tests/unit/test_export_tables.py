"""A set is a folder of queries: what a file may say, and what is wrong with it."""

import pytest

from extracts.errors import UsageError
from extracts.export.tables import read_set
from pipelines.resources import folder

WINDOW = "recorded_at >= :'start' AND recorded_at < :'end'"


def write(tmp_path, text, name="events.sql"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_installed_set_has_the_five_tables():
    tables = {table.name: table for table in read_set(folder("sql") / "logistics")}
    assert sorted(tables) == ["clients", "drivers", "shipment_events", "shipments", "vehicles"]
    assert [name for name, table in tables.items() if table.of_a_day] == ["shipment_events", "shipments"]
    assert [name for name, table in tables.items() if table.in_ranges] == ["shipment_events", "shipments"]
    assert [name for name, table in tables.items() if table.not_empty] == ["shipments"]
    assert all(table.description for table in tables.values())


def test_comments_at_the_head_describe_the_table(tmp_path):
    text = (
        "-- What happened,\n-- in the order of arrival.\n--\n-- extracts: not-empty\n\nSELECT 1 -- not this\n"
    )
    (table,) = read_set(write(tmp_path, text))
    assert table.description == "What happened, in the order of arrival."
    assert table.not_empty


def test_without_comments_there_is_no_description(tmp_path):
    (table,) = read_set(write(tmp_path, "SELECT 1 AS id"))
    assert (table.description, table.not_empty, table.of_a_day, table.in_ranges) == (
        None,
        False,
        False,
        False,
    )


def test_a_mounted_configmap_is_a_set(tmp_path):
    """Its files are links to files in a folder that is replaced as a whole."""
    data = tmp_path / "..2026_11_22"
    data.mkdir()
    write(data, "SELECT 1 AS id")
    (tmp_path / "..data").symlink_to(data.name)
    (tmp_path / "events.sql").symlink_to("..data/events.sql")
    assert [table.name for table in read_set(tmp_path)] == ["events"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SELECT :'day'",
            "has a parameter day that an export has not; it has: ctid_from, ctid_to, end, start",
        ),
        ("SELECT 1 WHERE now() > :'start'", "uses only one of end and start: use both, or neither"),
        ("SELECT 1 WHERE ctid > :'ctid_from'", "uses only one of ctid_from and ctid_to"),
        ("-- extracts: not-emty\nSELECT 1", "'extracts: not-emty' is no directive; there is: not-empty"),
        ("SELECT 1; SELECT 2", "has several statements"),
        ("-- nothing\n", "is empty"),
    ],
)
def test_what_is_wrong_with_a_query_is_named(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read_set(write(tmp_path, text))


def test_a_name_that_is_no_files_name_everywhere_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is named by letters, digits"):
        read_set(write(tmp_path, "SELECT 1", name="события.sql"))


def test_an_empty_folder_and_none_are_told_apart(tmp_path):
    with pytest.raises(UsageError, match=r"no \.sql file in"):
        read_set(tmp_path)
    with pytest.raises(UsageError, match="name it by --sql, or mount it there"):
        read_set(tmp_path / "gone")
