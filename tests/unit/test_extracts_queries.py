"""Queries from files: which parameters they have, and which files are none."""

import pytest

from extracts import queries
from extracts.errors import UsageError


def test_a_file_is_loaded_by_name_from_a_folder(tmp_path):
    (tmp_path / "logistics").mkdir()
    (tmp_path / "logistics" / "shipments.sql").write_text(
        "\ufeff-- Shipments of a day.\nselect * from shipments\n"
        "where updated_at >= :'start' and updated_at < :'end';\n",
        encoding="utf-8",
    )
    query = queries.load("logistics/shipments", tmp_path)
    assert query.name == "logistics/shipments.sql"
    assert query.parameters == {"start", "end"}
    assert query.text.endswith(":'end'")


@pytest.mark.parametrize(
    "text",
    [
        "select ':''a''', 1",
        "select 1 -- :'a'",
        "select 1 /* :'a' ; */",
        "select \":'a';\" from t",
        "select E'\\':''a' from t",
        "select $$ :'a'; $$, $tag$ :'a' $$ ; $tag$",
        "select x::text, y[1:2], '%', 5 % 2 from t",
        "select date'2026-01-01'",
        "select 'it''s; fine'",
    ],
)
def test_what_only_looks_like_a_parameter_or_an_end_is_text(text):
    query = queries.parse(text)
    assert query.parameters == frozenset()
    assert query.text == text


@pytest.mark.parametrize("text", ["select 1; select 2", "select 1;;", "select 1; -- and\nselect 2"])
def test_several_statements_are_refused(text):
    with pytest.raises(UsageError, match="several statements"):
        queries.parse(text, name="two.sql")


@pytest.mark.parametrize("text", ["", " \n", "-- nothing\n", "/* nothing */ ;"])
def test_an_empty_query_is_refused(text):
    with pytest.raises(UsageError, match="empty"):
        queries.parse(text)


def test_a_semicolon_and_a_comment_may_close_the_query():
    assert queries.parse("select 1; -- that is all\n").text == "select 1"


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    (tmp_path / "orders.sql").write_text("select 1")
    with pytest.raises(UsageError, match=r"no query 'order' in .*; there are: orders"):
        queries.load("order", tmp_path)


@pytest.mark.parametrize("name", ["../orders", "/etc/orders", "a/../../orders"])
def test_a_name_cannot_leave_the_folder(tmp_path, name):
    with pytest.raises(UsageError, match="not a name inside"):
        queries.load(name, tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "orders.sql").write_bytes(b"select '\xff'")
    with pytest.raises(UsageError, match="UTF-8"):
        queries.load("orders", tmp_path)
