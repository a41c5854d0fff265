"""Every kind of statuses file that a carrier may send, through the command: an answer or a clear error."""

import csv
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from demo.postgres import EmbeddedServer
from tests.integration.delivery import HEADER, line, make_orders

MANY = 200


@pytest.fixture(scope="module")
def database(postgres_server: EmbeddedServer) -> Iterator[str]:
    """A database with orders 1 to 200, which no test here changes."""
    with psycopg2.connect(postgres_server.dsn()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA delivery_inputs")
    dsn = postgres_server.dsn(options="-csearch_path=delivery_inputs")
    make_orders(dsn, [(i, f"carrier {i % 3}", f"region {i % 2}") for i in range(1, MANY + 1)])
    yield dsn
    with connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA delivery_inputs CASCADE")
    connection.close()


def rows(first: int = 1, last: int = MANY) -> str:
    return "".join(line(i) for i in range(first, last + 1))


def rejects(path: Path) -> list[tuple[int, str, str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (int(row["line"]), row["column"], row["reason"], row["value"]) for row in csv.DictReader(file)
        ]


def test_good_file(command):
    answer = command(HEADER + line(1, "failed") + rows(2)).answer
    assert (answer["orders_with_status"], answer["error_orders"], answer["rows_read"]) == (MANY, 1, MANY)
    assert answer["error_share"] == 1 / MANY
    assert answer["rows_rejected"] == 0
    assert list(command.folder.iterdir()) == [command.folder / "statuses.csv"]


def test_no_file(command):
    ran = command(command.folder / "absent.csv")
    assert ran.code == 2
    assert f"error: no such file or folder: {command.folder / 'absent.csv'}" in ran.err


def test_empty_file(command):
    ran = command("")
    assert ran.code == 3
    assert "is empty (0 bytes)" in ran.err


def test_header_only(command):
    ran = command(HEADER)
    assert ran.code == 3
    assert "statuses.csv has a header and no rows" in ran.err


def test_wrong_header(command):
    ran = command("order,status,date\n" + rows())
    assert ran.code == 3
    assert "line 1 lacks columns order_id, updated_at" in ran.err
    assert "found order, status, date" in ran.err


def test_a_column_twice(command):
    ran = command("order_id,status,Status,updated_at\n1,failed,failed,2026-11-20\n")
    assert ran.code == 3
    assert "line 1 has column status more than once" in ran.err


def test_header_in_any_order_and_case_with_other_columns(command):
    answer = command(
        ' Reason,UPDATED_AT,"Order_Id",extra,status \n"no, one\nat home",2026-11-20,1,,failed\n'
    ).answer
    assert (answer["error_orders"], answer["rows_read"]) == (1, 1)


def test_bom(command):
    assert command(("\ufeff" + HEADER + rows()).encode()).answer["orders_with_status"] == MANY


@pytest.mark.parametrize(
    ("delimiter", "called"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")]
)
def test_another_delimiter(command, delimiter, called):
    ran = command((HEADER + rows()).replace(",", delimiter))
    assert ran.code == 3
    assert f"is separated by {called}: expected commas" in ran.err


def test_crlf(command):
    answer = command((HEADER + line(1, "failed") + rows(2)).replace("\n", "\r\n")).answer
    assert (answer["orders_with_status"], answer["error_orders"]) == (MANY, 1)


def test_mixed_line_ends_and_empty_lines(command):
    answer = command(
        HEADER + line(1).replace("\n", "\r\n") + "\n" + line(2) + "\r\n\n" + line(3).strip()
    ).answer
    assert (answer["orders_with_status"], answer["rows_read"], answer["rows_rejected"]) == (3, 3, 0)


def test_cr_alone(command):
    ran = command((HEADER + rows()).replace("\n", "\r"))
    assert ran.code == 3
    assert "lines that end with CR alone" in ran.err


def test_line_break_inside_quotes(command):
    text = "order_id,status,updated_at,reason\n"
    text += '1,failed,2026-11-20,"nobody\nat ""home"""\n2,lost,2026-11-20,"a\r\nb"\n'
    answer = command(text + "3,delivered,2026-11-20,\n").answer
    assert (answer["orders_with_status"], answer["error_orders"], answer["rows_read"]) == (3, 2, 3)


def test_lines_are_those_of_an_editor(command):
    text = "order_id,status,updated_at,reason\n" + '1,failed,2026-11-20,"three\nlines\nlong"\n\n'
    text += "".join(f"{i},delivered,2026-11-20,\n" for i in range(2, MANY))
    ran = command(text + "x7,delivered,2026-11-20,\n")
    assert ran.answer["rows_rejected"] == 1
    found = rejects(command.folder / "statuses.csv.rejects.csv")
    assert found == [(6 + MANY - 2, "order_id", "is not an integer of 64 bits", "x7")]
    assert text.count("\n") + 1 == found[0][0]
    assert "rejected rows:" in ran.err


def test_unclosed_quote_loses_its_own_line_and_no_other(command):
    text = "order_id,status,updated_at,reason\n" + "".join(f"{i},failed,2026-11-20,\n" for i in range(1, 100))
    text += '100,failed,2026-11-20,"never closed\n'
    text += "".join(f"{i},delivered,2026-11-20,\n" for i in range(101, MANY + 1))
    answer = command(text).answer
    assert (answer["rows_read"], answer["rows_rejected"]) == (MANY, 1)
    assert (answer["orders_with_status"], answer["error_orders"]) == (MANY - 1, 99)
    (found,) = rejects(command.folder / "statuses.csv.rejects.csv")
    assert found == (101, "reason", "has a quote that is never closed", '100,failed,2026-11-20,"never closed')


def test_unclosed_quote_that_a_later_one_ends(command):
    text = (
        HEADER + rows(1, 98) + '99,"failed,2026-11-20\n' + line(100) + '101,"lost",2026-11-20\n' + rows(102)
    )
    answer = command(text).answer
    assert (answer["rows_read"], answer["rows_rejected"]) == (MANY, 1)
    assert (answer["orders_with_status"], answer["error_orders"]) == (MANY - 1, 1)
    assert rejects(command.folder / "statuses.csv.rejects.csv")[0][0] == 100


def test_invalid_utf8(command):
    text = (HEADER + rows(1, MANY - 1)).encode() + b"200,fail\xffed,2026-11-20\n"
    assert command(text).answer["rows_rejected"] == 1
    (found,) = rejects(command.folder / "statuses.csv.rejects.csv")
    assert found[:3] == (MANY + 1, "status", "is not valid UTF-8")


def test_another_encoding_in_the_header(command):
    ran = command("order_id,status,updated_at,причина\n".encode("cp1251") + b"1,failed,2026-11-20,\n")
    assert ran.code == 3
    assert "line 1 is not valid UTF-8" in ran.err


@pytest.mark.parametrize("content", [(HEADER + rows()).encode("utf-16"), b"PK\x03\x04 and so on"])
def test_a_spreadsheets_own_format(command, content):
    ran = command(content)
    assert ran.code == 3
    assert "is no UTF-8 text" in ran.err
    assert "save it as CSV in UTF-8" in ran.err


def test_nul_byte(command):
    text = HEADER + rows(1, MANY - 1) + "200,fail\0ed,2026-11-20\n"
    assert command(text, "--max-reject-share", "0.02").answer["rows_rejected"] == 1
    (found,) = rejects(command.folder / "statuses.csv.rejects.csv")
    assert found == (MANY + 1, "status", "holds a NUL byte", "fail\\0ed")


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ("200,failed,2026-13-40", "updated_at", "is not a date and time of ISO 8601"),
        ("200,failed,20.11.2026", "updated_at", "is not a date and time of ISO 8601"),
        ("200,failed,infinity", "updated_at", "is not a date and time of ISO 8601"),
        ("200,failed,2026-02-30T10:00:00", "updated_at", "is not a date and time of ISO 8601"),
        ("200,failed,2026-11-20T10:00:00+99:99", "updated_at", "is not a date and time of ISO 8601"),
        ("200,failed,", "updated_at", "is empty"),
        ("2.5,failed,2026-11-20", "order_id", "is not an integer of 64 bits"),
        ("1e3,failed,2026-11-20", "order_id", "is not an integer of 64 bits"),
        ("9223372036854775808,failed,2026-11-20", "order_id", "is not an integer of 64 bits"),
        (",failed,2026-11-20", "order_id", "is empty"),
        ("200,,2026-11-20", "status", "is empty"),
        ('200,"  ",2026-11-20', "status", "is empty"),
        ("200,failed", "", "has 2 columns, the header has 3"),
        ("200,failed,2026-11-20,more", "", "has 4 columns, the header has 3"),
        ('200,"failed"x,2026-11-20', "status", "has text after its closing quote"),
    ],
)
def test_bad_row(command, bad, column, reason):
    answer = command(HEADER + rows(1, 99) + bad + "\n" + rows(100, MANY - 1)).answer
    assert (answer["rows_read"], answer["rows_rejected"]) == (MANY, 1)
    assert answer["orders_with_status"] == MANY - 1
    assert answer["error_orders"] == 0
    (found,) = rejects(command.folder / "statuses.csv.rejects.csv")
    assert found[:3] == (101, column, reason)


def test_too_many_bad_rows_are_refused_with_the_first_of_them(command):
    ran = command(HEADER + rows(1, 197) + "x,failed,2026-11-20\n2,failed,today\n3,,2026-11-20\n")
    assert ran.code == 3
    assert "3 of 200 rows were rejected, more than the 1.00% allowed" in ran.err
    assert "statuses.csv line 199, column order_id: is not an integer of 64 bits ('x')" in ran.err
    assert "line 200, column updated_at" in ran.err
    rejected = command.folder / "statuses.csv.rejects.csv"
    assert f"all are in {rejected}" in ran.err
    assert [row[0] for row in rejects(rejected)] == [199, 200, 201]
    assert not ran.out


def test_just_the_allowed_share_of_bad_rows_is_no_refusal(command):
    assert command(HEADER + rows(1, 198) + "x,x,x\ny,y,y\n").answer["rows_rejected"] == 2


def test_fewer_rows_than_asked_for(command):
    ran = command(HEADER + rows(1, 9), "--min-rows", "10")
    assert ran.code == 3
    assert "has 9 usable rows, fewer than the 10 expected" in ran.err
    assert command(HEADER + rows(1, 10), "--min-rows", "10").code == 0


def test_duplicate_statuses_out_of_order(command):
    text = (
        HEADER + line(1, "failed", "2026-11-20T12:00:00") + line(1, "delivered", "2026-11-20T11:59:59.999999")
    )
    text += line(2, "delivered", "2026-11-20T12:00:00") + line(2, "lost", "2026-11-20T09:00:00Z")
    text += line(3, "failed", "2026-11-20T12:00:00+03:00") + line(3, "delivered", "2026-11-20 15:00:00+0600")
    text += line(4, "delivered", "2026-11-20") + line(4, "returned", "2026-11-19T21:00:00.000001Z")
    answer = command(text).answer
    # 1: the later time; 2: equal instants, the later line, written in two zones; 3: the same the other way
    # round; 4: a day is its midnight in Moscow.
    assert (answer["orders_with_status"], answer["error_orders"], answer["duplicates_folded"]) == (4, 3, 4)


def test_status_for_no_order_and_order_without_status(command):
    text = HEADER + rows(1, 150) + line(900, "failed") + line(900, "failed") + line(901, "delivered")
    answer = command(text).answer
    assert answer["orders_with_status"] == 150
    assert answer["orders_without_status"] == 50
    assert answer["statuses_without_order"] == 2
    assert answer["duplicates_folded"] == 1
    assert answer["error_orders"] == 0


def test_no_order_has_a_status(command):
    ran = command(HEADER + line(900))
    assert ran.code == 3
    assert "none of the 200 orders has a status" in ran.err


def test_unknown_status_is_reported_and_is_no_error(command):
    text = (
        HEADER + line(1, "Abducted by aliens") + line(2, "abducted by aliens ") + line(3, "FAILED") + rows(4)
    )
    answer = command(text).answer
    assert answer["unknown_statuses"] == {"abducted by aliens": 2}
    assert answer["error_orders"] == 1


def test_which_statuses_are_errors_is_an_option(command):
    text = HEADER + line(1, "failed") + line(2, "Abducted") + rows(3)
    answer = command(text, "--error-statuses", "abducted, delivered").answer
    assert answer["error_orders"] == MANY - 1
    assert answer["unknown_statuses"] == {"failed": 1}
