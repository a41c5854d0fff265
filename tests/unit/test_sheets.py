"""The XLSX file: equal rows make equal bytes, and text stays text."""

import zipfile

import openpyxl

from pipelines.sheets import Sheet, write_sheets

COLUMNS = ["carrier", "error_orders", "error_share"]


def test_no_time_of_writing_is_left_in_it(tmp_path):
    write_sheets(tmp_path / "a.xlsx", [Sheet("a", COLUMNS, [["a", 1, 0.5]])])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        properties = archive.read("docProps/core.xml").decode()
    assert properties.count("2000-01-01T00:00:00Z") == 2


def test_text_never_computes(tmp_path):
    texts = ["=1+1", "+7", "-1", "@x", "=cmd|' /C calc'!A0", "0012"]
    write_sheets(tmp_path / "a.xlsx", [Sheet("a", COLUMNS, [[text, 0, None] for text in texts])])
    cells = [row[0] for row in openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}


def test_no_rows(tmp_path):
    write_sheets(tmp_path / "a.xlsx", [Sheet("a", COLUMNS, [])])
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").active.max_row == 1
