"""The numbered copy of a statuses file: which lines are rows, and where each one stands."""

import csv
import io

import pytest

from pipelines.delivery_status.lines import LONGEST_RECORD, NUMBERED_COLUMNS, Malformed, Numbering, split

NAMES = ["order_id", "status", "updated_at", "reason"]


def numbered(text: bytes) -> list[dict[str, str]]:
    target = io.BytesIO()
    Numbering(NAMES, (0, 1, 2)).copy(io.BytesIO(b"header\n" + text), target)
    rows = csv.DictReader(io.StringIO(target.getvalue().decode(), newline=""))
    assert rows.fieldnames == list(NUMBERED_COLUMNS)
    return list(rows)


def places(text: bytes) -> list[tuple[int, str]]:
    """Line and order of each row; of a bad one, line and reason."""
    return [(int(row["line"]), row["reason"] or row["order_id"]) for row in numbered(text)]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (b"a,b", [b"a", b"b"]),
        (b"", [b""]),
        (b",", [b"", b""]),
        (b'"a,b",c', [b"a,b", b"c"]),
        (b'"say ""no""","two\nlines"', [b'say "no"', b"two\nlines"]),
        (b' "a" ,b', [b"a", b"b"]),
        (b'fai"led,b', [b'fai"led', b"b"]),
        (b'"",""', [b"", b""]),
        (b'a,"open', None),
        (b'a,"open ""', None),
    ],
)
def test_split(record, fields):
    assert split(record) == fields


@pytest.mark.parametrize("record", [b'a,"b"c', b'a,"b""c"d,"'])
def test_split_of_text_after_a_quote(record):
    with pytest.raises(Malformed) as caught:
        split(record)
    assert caught.value.place == 1


def test_lines_are_counted_through_records_and_empty_lines():
    text = b'1,a,t,"x\ny\r\nz"\n\n2,a,t,\r\n\r\n3,a,t,"q"'
    assert places(text) == [(2, "1"), (6, "2"), (8, "3")]


def test_a_quote_never_closed_takes_its_own_line_only():
    text = b'1,a,t,r\n2,a,t,"open\n3,a,t,r\n4,a,t,r\n'
    assert places(text) == [(2, "1"), (3, "has a quote that is never closed"), (4, "3"), (5, "4")]


def test_every_line_opens_a_quote():
    text = b"".join(b'%d,a,t,"open\n' % i for i in range(1, 60))
    found = numbered(text)
    # The next line's quote is no closing one: something other than a comma follows it.
    assert [int(row["line"]) for row in found] == list(range(2, 61))
    assert all(row["reason"] for row in found)


def test_a_quote_left_open_for_too_long():
    filler = b"7,a,t,r\n" * (LONGEST_RECORD // 8 + 10)
    found = places(b'1,"a,t,r\n' + filler)
    assert found[0] == (2, "has a quote that is never closed")
    assert found[1:] == [(3 + i, "7") for i in range(len(filler) // 8)]


@pytest.mark.parametrize("unit", [b"x", b"x,", b'x"'])
def test_a_line_too_long_is_one_bad_line(unit):
    text = b"1,a,t," + unit * (3 * LONGEST_RECORD) + b"\n2,a,t,r\n"
    found = numbered(text)
    assert [int(row["line"]) for row in found] == [2, 3]
    assert found[0]["reason"] == f"is longer than {LONGEST_RECORD} bytes"
    assert len(found[0]["value"]) == 200


def test_a_record_of_many_lines_with_a_column_too_many():
    assert places(b'1,a,t,"x\ny",more\n2,a,t,r\n') == [
        (2, "has 5 columns, the header has 4"),
        (3, "has 2 columns, the header has 4"),
        (4, "2"),
    ]


def test_only_what_is_needed_must_be_text():
    found = numbered(b"1,a,t,\xff\n2,\xff,t,r\n")
    assert (found[0]["order_id"], found[0]["reason"]) == ("1", "")
    assert (found[1]["column"], found[1]["reason"]) == ("status", "is not valid UTF-8")
