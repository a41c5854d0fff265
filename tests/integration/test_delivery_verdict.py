"""The verdict itself: exact at the threshold, equal to a plain reference, and published as files."""

import csv
import json
import random
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from extracts.errors import DataRefused
from extracts.verify import verify
from pipelines.delivery_status import Settings, analyse, publish
from tests.integration.delivery import HEADER, line, make_orders

MOSCOW = ZoneInfo("Europe/Moscow")
ERRORS = {"failed", "returned", "lost", "damaged", "cancelled_by_carrier"}


def test_exactly_a_tenth_is_no_alert_and_one_error_more_is(command):
    make_orders(command.dsn, [(i, "a", "b") for i in range(1, 2001)])
    statuses = [line(i, "failed" if i <= 100 else "delivered") for i in range(1, 1001)]
    exactly = command(HEADER + "".join(statuses)).answer
    assert (exactly["error_orders"], exactly["orders_with_status"]) == (100, 1000)
    assert exactly["error_share"] == 0.1
    assert not exactly["over_threshold"]
    statuses[500] = line(501, "lost")
    more = command(HEADER + "".join(statuses)).answer
    assert (more["error_orders"], more["orders_with_status"]) == (101, 1000)
    assert more["over_threshold"]


@pytest.mark.parametrize("threshold", ["0.07", "0.29", "0.57", "0.58", "1"])
def test_exact_at_thresholds_that_no_float_holds(database, tmp_path, threshold):
    make_orders(database, [(i, "a", "b") for i in range(1, 101)])
    errors = int(Decimal(threshold) * 100)
    for number, over in ((errors, False), (errors + 1, True)):
        if number > 100:
            continue
        path = tmp_path / "statuses.csv"
        path.write_text(HEADER + "".join(line(i, "lost" if i <= number else "ok") for i in range(1, 101)))
        for value in (Decimal(threshold), float(threshold)):
            verdict = analyse(str(path), dsn=database, settings=Settings(threshold=value), work=tmp_path)
            assert verdict.over_threshold is over


def instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=MOSCOW)


def reference(orders: list[tuple], rows: list[tuple[int, str, str]]) -> dict:
    """The verdict, as plainly as it can be said."""
    latest: dict[int, tuple[datetime, int, str]] = {}
    for number, (order_id, status, updated_at) in enumerate(rows):
        found = (instant(updated_at), number, status.strip().lower())
        latest[order_id] = max(latest.get(order_id, found), found)
    known = {order_id for order_id, _, _ in orders}
    breakdown = Counter()
    for order_id, carrier, region in orders:
        status = latest[order_id][2] if order_id in latest else None
        breakdown[carrier, region, "orders"] += 1
        breakdown[carrier, region, "orders_with_status"] += status is not None
        breakdown[carrier, region, "error_orders"] += status in ERRORS
    with_status = len(known & latest.keys())
    return {
        "orders_with_status": with_status,
        "error_orders": sum(latest[order_id][2] in ERRORS for order_id in known & latest.keys()),
        "orders_without_status": len(known) - with_status,
        "statuses_without_order": len(latest.keys() - known),
        "duplicates_folded": len(rows) - len(latest),
        "rows_read": len(rows),
        "rows_rejected": 0,
        "breakdown": {key: number for key, number in breakdown.items() if number},
    }


def written(dice: random.Random, moment: datetime) -> str:
    """The same instant in one of the forms that carriers write."""
    form = dice.randrange(5)
    if form == 0:
        return moment.astimezone(MOSCOW).replace(tzinfo=None).isoformat()
    if form == 1:
        return moment.astimezone(MOSCOW).replace(tzinfo=None).isoformat(sep=" ")
    if form == 2:
        return moment.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
    return moment.astimezone(ZoneInfo(dice.choice(["Asia/Vladivostok", "Asia/Kolkata", "UTC"]))).isoformat()


def field(text: str, dice: random.Random) -> str:
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if set(text) & set(',"\r\n') or dice.random() < 0.2 else text


def test_the_same_answer_as_a_plain_reference(database, tmp_path):
    # One set of orders and many files, so that several hundred cases take seconds.
    dice = random.Random(20261121)
    carriers, regions = ["a", 'b "x", y', None, "=c", "Ё"], ["north", "south\nwest", None, ""]
    orders = [(i, dice.choice(carriers), dice.choice(regions)) for i in range(1, 41)]
    make_orders(database, orders)
    start = datetime(2026, 11, 20, 10, tzinfo=MOSCOW)
    path = tmp_path / "statuses.csv"
    for case in range(200):
        rows = []
        for _ in range(dice.randrange(1, 60)):
            order_id = dice.randrange(1, dice.choice([5, 60]))
            status = dice.choice([*sorted(ERRORS), "delivered", "in_transit", " FAILED", "Потерян", "Lost "])
            step = timedelta(seconds=dice.randrange(3), microseconds=dice.choice([0, 0, 1]))
            rows.append((order_id, status, written(dice, start + step)))
        end = dice.choice(["\n", "\r\n"])
        lines = ["note,status,updated_at,order_id"]
        for order_id, status, updated_at in rows:
            note = dice.choice(["", "x", 'say "no"', "two\nlines", "Ж,"])
            lines.append(",".join([field(note, dice), field(status, dice), updated_at, str(order_id)]))
        path.write_bytes((end.join(lines) + dice.choice(["", end])).encode())
        expected = reference(orders, rows)
        if not expected["orders_with_status"]:
            with pytest.raises(DataRefused):
                analyse(str(path), dsn=database, settings=Settings(), work=tmp_path)
            continue
        answer = analyse(str(path), dsn=database, settings=Settings(), work=tmp_path).as_dict()
        answer["breakdown"] = {
            (place["carrier"], place["region"], name): place[name]
            for place in answer["breakdown"]
            for name in ("orders", "orders_with_status", "error_orders")
            if place[name]
        }
        assert {name: answer[name] for name in expected} == expected, f"case {case}"
        assert answer["error_share"] == expected["error_orders"] / expected["orders_with_status"]
        assert answer["over_threshold"] == (10 * expected["error_orders"] > expected["orders_with_status"])


def test_bad_rows_do_not_change_what_becomes_of_the_others(database, tmp_path):
    # With a bad row the file is read another way; all else must come out the same.
    dice = random.Random(7)
    make_orders(database, [(i, "a", "b") for i in range(1, 31)])
    path = tmp_path / "statuses.csv"
    settings = Settings(max_reject_share=1)
    for _ in range(20):
        lines = [
            f"{dice.randrange(1, 35)},{dice.choice(['failed', 'delivered'])},2026-11-2{dice.randrange(3)},"
            + dice.choice(["", '"a\nb"', '"say ""no"""', "Ж", " x "])
            for _ in range(20)
        ]
        answers = []
        for text in (lines, [*lines[:10], "bad", *lines[10:]]):
            path.write_text("\n".join(["order_id,status,updated_at,reason", *text]))
            answer = analyse(str(path), dsn=database, settings=settings, work=tmp_path).as_dict()
            answers.append(
                {
                    k: v
                    for k, v in answer.items()
                    if k not in ("input", "snapshot_time", "rows_read", "rows_rejected")
                }
            )
        assert answers[0] == answers[1]
        assert (answer["rows_read"], answer["rows_rejected"]) == (21, 1)


def test_readable_text(command):
    make_orders(command.dsn, [(1, "СДЭК", "Москва"), (2, "СДЭК", None), (3, None, "Москва")])
    (command.folder / "s.csv").write_text(HEADER + line(1, "failed") + line(2) + line(3, "strange"))
    ran = command.run("s.csv", "--dsn", command.dsn)
    assert ran.code == 0
    assert ran.out.startswith("Error share 33.33%, OVER the threshold of 10.00%: 1 of 3 orders with a status")
    assert "unknown statuses, not counted as errors: strange (1)" in ran.out
    assert [row.split() for row in ran.out.splitlines()[2:4]] == [
        ["carrier", "region", "with", "status", "errors", "share"],
        ["СДЭК", "Москва", "1", "1", "100.00%"],
    ]
    assert ran.err == ""


def test_wrong_options_are_told_before_anything_is_read(command):
    for options, message in [
        (["--threshold", "1.5"], "threshold 1.5 is no share"),
        (["--threshold", "x"], "'x' is no number"),
        (["--threshold", "nan"], "is no share"),
        (["--max-reject-share", "-1"], "max_reject_share -1 is no share"),
        (["--min-rows", "-1"], "min_rows -1"),
        (["--date", "20.11.2026", "--to", "x"], "is no day"),
        (["--date", "2026-11-20"], "give --to DIR"),
        (["--error-statuses", ","], "error_statuses is empty"),
    ]:
        ran = command.run("absent.csv", *options)
        assert ran.code == 2
        assert message in ran.err
        assert "no such file" not in ran.err


def publish_twice(dsn: str, folder: Path, text: str):
    (folder / "statuses.csv").write_text(text)
    (folder / "published").mkdir(exist_ok=True)
    settings = Settings(max_reject_share=0.5)
    for _ in range(2):
        verdict = analyse(str(folder / "statuses.csv"), dsn=dsn, settings=settings, work=folder)
        published = publish(verdict, root=folder / "published", day=date(2026, 11, 20))
        yield verdict, published


def test_published_files(database, tmp_path):
    make_orders(database, [(1, "=1+1", "Москва"), (2, "b", None), (3, "b", "\x01"), (4, "b", "Тверь")])
    text = HEADER + line(1, "failed") + line(2) + line(3) + "x,failed,2026-11-20\n"
    (verdict, first), (_, second) = publish_twice(database, tmp_path, text)
    assert (first.changed, second.changed) == (True, False)
    assert verify(first.package).problems == []
    assert {path.name for path in first.folder.iterdir()} == {
        "verdict.json",
        "breakdown.csv",
        "breakdown.xlsx",
        "rejects.csv",
    }
    content = json.loads((first.folder / "verdict.json").read_text(encoding="utf-8"))
    assert content["error_orders"] == verdict.error_orders == 1
    assert content["rows_rejected"] == 1

    with (first.folder / "breakdown.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    assert table[1:] == [
        ["=1+1", "Москва", "1", "1", "1", "1"],
        ["b", "\x01", "1", "1", "0", "0"],
        ["b", "Тверь", "1", "0", "0", ""],
        ["b", "", "1", "1", "0", "0"],
    ]
    sheet = openpyxl.load_workbook(first.folder / "breakdown.xlsx")["breakdown"]
    cells = list(sheet.iter_rows())
    assert [cell.value for cell in cells[0]] == table[0]
    assert all(cell.font.bold for cell in cells[0])
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in cells[1]] == ["=1+1", "Москва", 1, 1, 1, 1]
    assert cells[1][0].data_type == "s"
    assert cells[1][5].number_format == "0.00%"


def test_published_by_the_command(command):
    make_orders(command.dsn, [(1, "a", "b")])
    options = ("--to", str(command.folder / "new" / "published"), "--date", "2026-11-20")
    ran = command(HEADER + line(1), *options)
    assert ran.answer["error_orders"] == 0
    package = command.folder / "new/published/delivery_status_analysis/dt=2026-11-20/datapackage.json"
    assert f"published: {package}" in ran.err
    assert verify(package).problems == []
    assert "unchanged" in command(HEADER + line(1), *options).err
    assert command(HEADER, *options).code == 3
    assert verify(package).problems == []


def test_summary_is_small_whatever_the_data(database, tmp_path):
    make_orders(database, [(i, "a", "b") for i in range(1, 101)])
    path = tmp_path / ("имя" * 30 + ".csv")
    path.write_text(HEADER + "".join(line(i, f"неизвестно{i}" * 20) for i in range(1, 101)))
    verdict = analyse(str(path), dsn=database, settings=Settings(), work=tmp_path)
    assert len(verdict.unknown_statuses) == 20
    assert len(json.dumps(verdict.summary())) < 1700
    assert "breakdown" not in verdict.summary()
    assert verdict.summary()["rows_read"] == 100


def test_an_answer_that_nobody_reads_to_its_end_is_no_error(database, tmp_path):
    make_orders(database, [(1, "СДЭК", "Москва")])
    (tmp_path / "statuses.csv").write_text(HEADER + line(1))
    command = [sys.executable, "-m", "pipelines.delivery_status", "statuses.csv", "--dsn", database]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
