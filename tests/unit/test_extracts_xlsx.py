"""XLSX: every cell has its type, no text computes, and a number is shown to its last digit or refused."""

import itertools
import random
import re
import subprocess
import sys
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
import python_calamine
from rustpy_xlsxwriter import Format, write_worksheet

from extracts.errors import DataRefused, UsageError
from extracts.formats.xlsx import SheetColumn, write_xlsx, xlsx_record

COLUMNS = [
    SheetColumn("Артикул", "text", 16),
    SheetColumn("Цена, руб.", "money", 12),
    SheetColumn("Остаток", "integer", 10),
    SheetColumn("Действует до", "date", 13),
    SheetColumn("Доля", "number", 8.5),
]
TEXT = [SheetColumn("text", "text", 20)]
ROW = ("SKU-1", Decimal("0.10"), 5, date(2026, 1, 2), 0.25)
TEXTS = [
    *("0.10", "1234567.89", "-5", "007", "12345678901234567890", "1E5", "12.05", "1/2", "TRUE", "#N/A"),
    *("=1+1", "=cmd|' /C calc'!A0", "+7 900", "@x", "{=1+1}", '=HYPERLINK("http://x")', " =1+1", "\t=1+1"),
    *(
        "http://example.org",
        "https://example.org/?a=1&b=2",
        "mailto:x@example.org",
        "internal:A1",
        "file:///x",
    ),
    *("«Ёж»", "🦔 ёж", "'апостроф", "'", " пробелы ", "a;b", 'он "сказал"', "<b>&amp;</b>", "]]>"),
    *("a\tb", "две\nстроки", "\n", "\u2028", "\x85", "\ufeff", "\ufffd", "x" * 32_767, "🦔" * 16_383),
]


@pytest.fixture
def sheet(tmp_path):
    """Writes rows, and holds every such file to having neither formulas nor links."""
    numbers = itertools.count()

    def write(columns, rows, name="Прайс-лист"):
        path = tmp_path / f"{next(numbers)}.xlsx"
        write_xlsx(path, name, columns, [xlsx_record(columns, row) for row in rows])
        assert_nothing_computes(path)
        return path

    return write


def assert_nothing_computes(path):
    with zipfile.ZipFile(path) as archive:
        assert not archive.testzip()
        assert not [name for name in archive.namelist() if "worksheets/_rels" in name or "calcChain" in name]
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert not re.search(r"<(f|hyperlinks?)[\s/>]", xml)
    cells = [cell for row in openpyxl.load_workbook(path).active.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert not [cell for cell in cells if cell.hyperlink]


def cells(path):
    """The rows below the header, as openpyxl has them: a date is a datetime."""
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2)]


def calamine(path):
    """The same, as python-calamine has them: an empty cell is ''."""
    return python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()[1:]


def sheet_xml(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


def test_cells_have_types_and_formats(sheet):
    path = sheet(COLUMNS, [ROW])
    assert calamine(path) == [["SKU-1", 0.1, 5.0, date(2026, 1, 2), 0.25]]
    row = openpyxl.load_workbook(path).active[2]
    assert [cell.value for cell in row] == ["SKU-1", 0.1, 5, datetime(2026, 1, 2), 0.25]
    assert [cell.data_type for cell in row] == ["s", "n", "n", "d", "n"]
    assert [cell.number_format for cell in row] == ["@", "#,##0.00", "#,##0", "dd.mm.yyyy", "General"]


@pytest.mark.parametrize("rows", [[], [ROW], [ROW] * 3, [(None,) * 5]])
def test_the_header_is_bold_frozen_and_filters(sheet, rows):
    path = sheet(COLUMNS, rows)
    book = openpyxl.load_workbook(path)
    view = book.active
    assert book.sheetnames == ["Прайс-лист"]
    assert [cell.value for cell in view[1]] == [column.name for column in COLUMNS]
    assert all(cell.font.b for cell in view[1])
    assert view.freeze_panes == "A2"
    assert view.auto_filter.ref == f"A1:E{1 + max(1, len(rows))}"
    # A column's width holds five pixels of padding besides its characters.
    assert [view.column_dimensions[letter].width - 5 / 7 for letter in "ABCDE"] == pytest.approx(
        [column.width for column in COLUMNS], abs=0.1
    )
    assert (view.page_setup.fitToHeight, view.print_title_rows) == (0, "$1:$1")
    assert not any(cell.font.b for row in view.iter_rows(min_row=2) for cell in row)
    assert len(calamine(path)) == len([row for row in rows if any(row)])


def test_text_stays_text(sheet):
    path = sheet(TEXT, [(text,) for text in TEXTS])
    assert [row[0] for row in cells(path)] == TEXTS
    assert [row[0] for row in calamine(path)] == TEXTS
    assert {row[0].data_type for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2)} == {"s"}


def test_digits_as_text_are_no_mistake(sheet):
    ignored = re.findall(r"<ignoredError [^>]*>", sheet_xml(sheet(COLUMNS, [ROW, ROW])))
    assert ignored == ['<ignoredError sqref="A2:A3" numberStoredAsText="1"/>']


def test_empty_text_and_nothing_are_both_empty(sheet):
    path = sheet([*TEXT, SheetColumn("other", "text", 9)], [("", "x"), (None, "x")])
    assert cells(path) == [[None, "x"], [None, "x"]]
    assert calamine(path) == [["", "x"], ["", "x"]]


def test_lines_end_with_a_line_feed(sheet):
    path = sheet(TEXT, [("a\r\nb\rc\n",)])
    assert cells(path) == calamine(path) == [["a\nb\nc\n"]]


def test_what_xml_cannot_hold_is_replaced(sheet):
    path = sheet(TEXT, [("a\x00b\x01\x0b\x1f\ufffe\uffff\x7f",)])
    assert cells(path) == calamine(path) == [["a\ufffdb\ufffd\ufffd\ufffd\ufffd\ufffd\x7f"]]


def test_what_looks_like_an_escape_is_text(sheet):
    # openpyxl leaves the escapes of inline strings as they are.
    assert calamine(sheet(TEXT, [("_x000D_",), ("a_x0041_b",)])) == [["_x000D_"], ["a_x0041_b"]]


@pytest.mark.parametrize("kind", ["text", "money", "integer", "number", "date"])
def test_the_first_rows_do_not_decide_for_the_rest(sheet, kind):
    """The engine guesses the type of a column from the first record, here of every column another one."""
    values = {
        "text": ["x", "=1+1", "http://x", "007"],
        "money": [Decimal("0.10"), 5, Decimal("-1234567.89")],
        "integer": [0, -5, Decimal("7")],
        "number": [1, 0.25, Decimal("0.5"), 1e300],
        "date": [date(1900, 1, 1), date(1900, 2, 28), date(2026, 1, 2), date(9999, 12, 31)],
    }[kind]
    mixtures = list(itertools.product([None, *values], repeat=3))
    columns = [SheetColumn(str(number), kind, 9) for number in range(len(mixtures))]
    rows = list(zip(*mixtures, strict=True))
    path = sheet(columns, rows)
    expected = [[float(v) if isinstance(v, Decimal) else v for v in row] for row in rows]
    assert calamine(path) == [["" if value is None else value for value in row] for row in expected]
    found = cells(path)
    if kind == "date":
        found = [[value and value.date() for value in row] for row in found]
    assert found == expected


def test_the_engine_keeps_a_column_of_mixed_types(tmp_path):
    """What the records of this library rest on, wider than they use it."""
    mixtures = list(itertools.product([None, "x", "=1+1", "http://x", "007", 5, 0.25, True], repeat=3))
    rows = [
        dict(zip(map(str, range(len(mixtures))), row, strict=True)) for row in zip(*mixtures, strict=True)
    ]
    formats = {name: Format().set_num_format("@") for name in rows[0]}
    write_worksheet(rows, str(tmp_path / "a.xlsx"), column_formats=formats, ignore_errors=list(formats))
    assert_nothing_computes(tmp_path / "a.xlsx")
    assert cells(tmp_path / "a.xlsx") == [list(row.values()) for row in rows]


def test_records_are_shared_between_sheets(tmp_path):
    records = [xlsx_record(COLUMNS, ROW)]
    copy = [dict(record) for record in records]
    for name in ("a.xlsx", "b.xlsx"):
        write_xlsx(tmp_path / name, "Лист", COLUMNS, records * 2)
    assert records == copy
    assert cells(tmp_path / "a.xlsx") == cells(tmp_path / "b.xlsx")


@pytest.mark.parametrize(
    "text", ["0.10", "1234567.89", "-5", "-0.05", "0", "9999999999999.99", "0.01", "1E+2"]
)
def test_money_is_exact_and_shown_with_two_digits(sheet, text):
    price = Decimal(text)
    path = sheet([SheetColumn("price", "money", 12)], [(price,), (None,)])
    stored = re.search("<v>(.*?)</v>", sheet_xml(path)).group(1)
    assert float(stored) == float(price)
    assert round(Decimal(repr(float(stored))), 2) == price
    cell = openpyxl.load_workbook(path).active["A2"]
    assert cell.number_format == "#,##0.00"
    assert Decimal(f"{cell.value:.2f}") == Decimal(f"{calamine(path)[0][0]:.2f}") == price


@pytest.mark.parametrize("seed", range(3))
def test_random_rows_are_read_back(sheet, seed):
    pick = random.Random(seed)
    alphabet = "'\t\n;\"=+-@ 0157.,/:%Eмaё🦔\u00a0<>&]\u2028#!"
    rows = [
        (
            "".join(pick.choices(alphabet, k=pick.randrange(1, 9))),
            Decimal(pick.randrange(-(10**15) + 1, 10**15)).scaleb(-pick.randrange(3)),
            pick.randrange(-(10**15) + 1, 10**15),
            date.fromordinal(pick.randrange(date(1900, 3, 1).toordinal(), date.max.toordinal())),
            pick.uniform(-1e9, 1e9),
        )
        for _ in range(1000)
    ]
    path = sheet(COLUMNS, rows)
    assert [tuple(row) for row in calamine(path)] == [(a, float(b), c, d, e) for a, b, c, d, e in rows]
    for row, (text, price, whole, day, number) in zip(cells(path), rows, strict=True):
        assert row == [text, float(price), whole, datetime(day.year, day.month, day.day), number]
        assert Decimal(f"{row[1]:.15g}") == price


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("text", 7, "7 is no text"),
        ("text", "\ud800", "not Unicode text"),
        ("text", "x" * 32_768, "a text of 32768 characters, a cell holds 32767"),
        ("text", "🦔" * 16_384, "a text of 32768 characters"),
        ("money", 0.1, "0.1 is no money"),
        ("money", True, "True is no money"),
        ("money", Decimal("0.105"), "0.105 has more than the 2 decimal digits"),
        ("money", Decimal("12345678901234.56"), "12345678901234.56 cannot be held to its last digit"),
        ("money", Decimal("NaN"), "NaN cannot be held"),
        ("money", Decimal("sNaN"), "sNaN cannot be held"),
        ("money", Decimal("Infinity"), "Infinity cannot be held"),
        ("money", Decimal("1E+400"), r"1E\+400 cannot be held"),
        ("money", Decimal("1E-400"), "1E-400 cannot be held"),
        ("integer", Decimal("0.5"), "0.5 has more than the 0 decimal digits"),
        ("integer", 10**15 + 1, "1000000000000001 cannot be held"),
        ("integer", 10**400, "cannot be held"),
        ("integer", "5", "'5' is no integer"),
        ("number", float("nan"), "nan is no number"),
        ("number", float("inf"), "inf is no number"),
        ("date", datetime(2026, 1, 2), "is no date"),
        ("date", "2026-01-02", "'2026-01-02' is no date"),
        ("date", date(1899, 12, 31), "1899-12-31 lies before 1900"),
    ],
)
def test_a_value_that_would_not_be_shown_exactly_is_named(kind, value, message):
    columns = [SheetColumn("id", "text", 9), SheetColumn("value", kind, 9)]
    with pytest.raises(DataRefused, match=f"^column value: .*{message}"):
        xlsx_record(columns, ["x", value])


def test_a_row_of_another_length_is_refused():
    with pytest.raises(DataRefused, match="1 values for 5 columns"):
        xlsx_record(COLUMNS, ["x"])


@pytest.mark.parametrize("record", [{}, {"b": 1, "a": 2}, {"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_a_record_of_other_columns_is_named(tmp_path, record):
    """The engine would put its values under the wrong headers."""
    columns = [SheetColumn("a", "integer", 9), SheetColumn("b", "integer", 9)]
    with pytest.raises(DataRefused, match=r"list\.xlsx, row 2: a record of other columns than a, b"):
        write_xlsx(tmp_path / "list.xlsx", "Лист", columns, [{"a": 1, "b": 2}, record])
    assert not list(tmp_path.iterdir())


def test_more_rows_than_a_sheet_has_are_refused(tmp_path):
    records = [xlsx_record(TEXT, ["x"])] * 1_048_576
    with pytest.raises(DataRefused, match="1048576 rows, a sheet holds 1048575"):
        write_xlsx(tmp_path / "list.xlsx", "Лист", TEXT, records)


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(UsageError, match="named twice: text"):
        write_xlsx(tmp_path / "list.xlsx", "Лист", TEXT * 2, [])


@pytest.mark.parametrize("name", ["", "a/b", "x" * 32, "'Лист'"])
def test_a_name_that_excel_does_not_allow_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match=r"list\.xlsx, sheet "):
        write_xlsx(tmp_path / "list.xlsx", name, TEXT, [])
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "list.xlsx").write_text("kept")
    with pytest.raises(FileExistsError):
        write_xlsx(tmp_path / "list.xlsx", "Лист", TEXT, [])
    assert (tmp_path / "list.xlsx").read_text() == "kept"


def test_the_engine_is_loaded_only_to_write():
    code = "import sys, extracts.formats; print('rustpy_xlsxwriter' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
