"""What a Russian LibreOffice makes of the files: codes stay texts, numbers are numbers, nothing computes.

A CSV is opened the way its import dialog would: by default, with "detect special numbers", which guesses
dates, times, shares and truth values as a double click in Excel does, and with quoted fields as text.
"""

import csv
import random
import re
import shutil
import subprocess
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest

from extracts.formats.excel import excel_record, write_excel_csv
from extracts.formats.xlsx import SheetColumn, write_xlsx, xlsx_record

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
if OFFICE is None:
    pytest.skip("LibreOffice: soffice is not installed", allow_module_level=True)

RUSSIAN = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>ru-RU</value></prop></item>
</oor:items>
"""
# Semicolon, quotes, UTF-8, from line 1, columns as they come, ru-RU; then: quoted fields as text, detect
# special numbers.
IMPORT = "CSV:59,34,76,1,,1049,{quoted},{special}"
# The same, and every cell as it is shown.
EXPORT = "csv:Text - txt - csv (StarCalc):59,34,76,1,,1049,false,true"
WAYS = {"default": ("false", "false"), "special": ("false", "true"), "quoted": ("true", "true")}

TEXTS = [
    *(
        "0.10",
        "0,10",
        "1234567.89",
        "-5",
        "007",
        "12345678901234567890",
        "99999999999",
        "1E5",
        "1e-3",
        "25,E 7",
    ),
    *(
        "12.05",
        "1/2",
        "1-2",
        "01.02.2026",
        "2026-01-02",
        "2026-01-02T10:00",
        "12:30",
        "5 AM",
        "5 мая",
        "май 2025",
    ),
    *("янв.25", "5-янв-26", "10%", "1 000", "1\u00a0000", "(5)", "1 1/2", ",5", "5-", "5 ₽", "$5", "1E400"),
    *("TRUE", "ИСТИНА", "ложь", "#N/A", "#Н/Д", "#ДЕЛ/0!", "=1+1", " =1+1", "\u00a0=1+1", "\t=1+1", "\n=1+1"),
    *(
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://x";"y")',
        "+7 900",
        "@x",
        "-1+2",
        "{=1+1}",
        "'апостроф",
        "''",
    ),
    *("http://example.org", "a\tb", "две\nстроки", "«Ёж»", "🦔 ёж", " пробелы ", "a;b", 'он "сказал"', "a,b"),
]
ROWS = [
    (Decimal("0.10"), 5, date(2026, 1, 2)),
    (Decimal("1234567.89"), -5, date(2026, 12, 31)),
    (Decimal("-5"), 1234567, None),
    (None, None, date(1999, 2, 3)),
]


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    profile = tmp_path_factory.mktemp("libreoffice")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(RUSSIAN, encoding="utf-8")

    def run(path, into, *options):
        target = path.parent / "converted"
        subprocess.run(
            [
                *(OFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"),
                *("--convert-to", into, *options, "--outdir", str(target), str(path)),
            ],
            check=True,
            capture_output=True,
            timeout=300,
        )
        return target / path.with_suffix("." + into.partition(":")[0]).name

    return run


@pytest.fixture(params=WAYS)
def opened(request, convert):
    """Opens a CSV; the rows below the header, each cell with its type."""
    quoted, special = WAYS[request.param]

    def open_csv(path):
        options = IMPORT.format(quoted=quoted, special=special)
        book = convert(path, "xlsx:Calc MS Excel 2007 XML", f"--infilter={options}")
        with zipfile.ZipFile(book) as archive:
            assert not re.search(rb"<(f|hyperlinks?)[\s/>]", archive.read("xl/worksheets/sheet1.xml"))
        return list(openpyxl.load_workbook(book).active.iter_rows(min_row=2))

    open_csv.special = special == "true"
    return open_csv


def parsed(text):
    """A text as the file has it, with its guard."""
    return next(csv.reader([excel_record([text]).decode()], delimiter=";"))[0]


def test_texts_of_a_csv_stay_texts(tmp_path, opened):
    pick = random.Random(1)
    parts = [
        *"0123456789",
        *"0123456789",
        *" .,:/+-−%()'eEдTг₽$#=@",
        "мая",
        "янв",
        "руб.",
        "am",
        "\u00a0",
        "2026",
    ]
    texts = TEXTS + ["".join(pick.choices(parts, k=pick.randrange(1, 7))) for _ in range(3000)]
    write_excel_csv(tmp_path / "list.csv", ["text", "end"], [(text, "end") for text in texts])
    cells = [row[0] for row in opened(tmp_path / "list.csv")]
    assert [cell.value for cell in cells] == [parsed(text) for text in texts]
    assert {cell.data_type for cell in cells} == {"s"}


def test_numbers_of_a_csv_are_numbers(tmp_path, opened):
    write_excel_csv(tmp_path / "list.csv", ["price", "stock", "until"], ROWS)
    for cells, (price, stock, until) in zip(opened(tmp_path / "list.csv"), ROWS, strict=True):
        assert [cell.value for cell in cells[:2]] == [price and float(price), stock]
        # LibreOffice takes such dates for texts unless it detects special numbers.
        day = until and (
            datetime(until.year, until.month, until.day) if opened.special else f"{until:%d.%m.%Y}"
        )
        assert (cells[2].value if len(cells) > 2 else None) == day


def test_truth_values_of_a_csv(tmp_path, opened):
    write_excel_csv(tmp_path / "list.csv", ["a", "b"], [(True, False)])
    values = [cell.value for cell in opened(tmp_path / "list.csv")[0]]
    assert values == ([True, False] if opened.special else ["ИСТИНА", "ЛОЖЬ"])


def test_a_sheet_is_shown_the_russian_way(tmp_path, convert):
    columns = [
        SheetColumn("text", "text", 30),
        SheetColumn("price", "money", 14),
        SheetColumn("stock", "integer", 14),
        SheetColumn("until", "date", 14),
    ]
    rows = [(text, *ROWS[number % len(ROWS)]) for number, text in enumerate(TEXTS)]
    path = tmp_path / "list.xlsx"
    write_xlsx(path, "Прайс-лист", columns, [xlsx_record(columns, row) for row in rows])
    # A formula would show its result.
    with convert(path, EXPORT).open(encoding="utf-8-sig", newline="") as file:
        header, *shown = csv.reader(file, delimiter=";")
    assert header == [column.name for column in columns]
    numbers = [
        ["0,10", "5", "02.01.2026"],
        ["1 234 567,89", "-5", "31.12.2026"],
        ["-5,00", "1 234 567", ""],
        ["", "", "03.02.1999"],
    ]
    assert [[cell.replace("\u00a0", " ") for cell in row[1:]] for row in shown] == [
        numbers[number % len(ROWS)] for number in range(len(TEXTS))
    ]
    assert [row[0] for row in shown] == TEXTS
