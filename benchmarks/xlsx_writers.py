"""Which library writes XLSX how fast? `python benchmarks/xlsx_writers.py`

10,000 rows of eight columns as our price lists have them, by each of several libraries as it is meant to be
used, in turn, in CPU time; openpyxl in write-only mode is 1. Beside the speed: whether a text that begins
with `=` became a formula. The peers are installed into a temporary folder, from the package index; what
cannot be had is left out by name. The last line is one of JSON. Exit 0 whatever was measured, 1 when nothing
could be.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ["xlsxwriter", "pyexcelerate", "jetxl", "pyarrow", "xlsxturbo"]
ROWS = 10_000

Row = tuple[object, ...]


def rows() -> list[Row]:
    """SKU, name, category, unit, price, kind of price, stock, last day."""
    return [
        (
            f"SKU-{i:06d}" if i % 4 else f"{i * 7919:014d}",
            f"=Акция+1 {i}" if i % 97 == 1 else f"Шуруповёрт «Эталон» {i * 7919 % 991}",
            f"Категория {i % 200} / для дома и мастерской",
            "шт",
            Decimal(1500 + i * 7919 % 1_000_000) / 100,
            "договорная" if i % 400 == 0 else "базовая",
            i * 31 % 900 if i % 40 else None,
            date(2026, 12, 31) if i % 400 == 0 else None,
        )
        for i in range(1, ROWS + 1)
    ]


def with_ours(made: Sequence[Row]) -> Callable[[Path], None]:
    from extracts.formats.xlsx import write_xlsx, xlsx_record
    from pipelines.price_lists.columns import COLUMNS

    # Made once and shared, as between the lists of many clients.
    records = [xlsx_record(COLUMNS, row) for row in made]
    return lambda path: write_xlsx(path, "list", COLUMNS, records)


def with_openpyxl(made: Sequence[Row]) -> Callable[[Path], None]:
    from benchmarks.openpyxl_price_lists import write_xlsx

    return lambda path: write_xlsx(path, made)


def with_xlsxwriter(made: Sequence[Row]) -> Callable[[Path], None]:
    library = import_module("xlsxwriter")

    def write(path: Path) -> None:
        book = library.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
        sheet = book.add_worksheet("list")
        formats = {
            4: book.add_format({"num_format": "#,##0.00"}),
            7: book.add_format({"num_format": "dd.mm.yyyy"}),
        }
        for line, row in enumerate(made):
            for column, value in enumerate(row):
                sheet.write(line, column, value, formats.get(column))
        book.close()

    return write


def with_pyexcelerate(made: Sequence[Row]) -> Callable[[Path], None]:
    library = import_module("pyexcelerate")
    typed = [[float(v) if isinstance(v, Decimal) else v for v in row] for row in made]

    def write(path: Path) -> None:
        book = library.Workbook()
        book.new_sheet("list", data=typed)
        book.save(str(path))

    return write


def _table(made: Sequence[Row]) -> object:
    arrow = import_module("pyarrow")
    types = [arrow.string()] * 4 + [arrow.float64(), arrow.string(), arrow.int64(), arrow.date32()]
    columns = [list(column) for column in zip(*made, strict=True)]
    columns[4] = [float(price) for price in columns[4]]
    return arrow.table(
        {str(i): arrow.array(c, t) for i, (c, t) in enumerate(zip(columns, types, strict=True))}
    )


def with_jetxl(made: Sequence[Row]) -> Callable[[Path], None]:
    library = import_module("jetxl")
    (batch,) = _table(made).to_batches()  # type: ignore[attr-defined]
    return lambda path: library.write_sheet_arrow(batch, str(path))


def with_xlsxturbo(made: Sequence[Row]) -> Callable[[Path], None]:
    library = import_module("xlsxturbo")
    frame = _table(made).to_pandas()  # type: ignore[attr-defined]
    formats = {"4": {"num_format": "#,##0.00"}, "7": {"num_format": "dd.mm.yyyy"}}

    def write(path: Path) -> None:
        library.df_to_xlsx(frame, str(path), constant_memory=True, column_formats=formats)

    return write


WRITERS: Mapping[str, Callable[[Sequence[Row]], Callable[[Path], None]]] = {
    "openpyxl": with_openpyxl,
    "rustpy-xlsxwriter": with_ours,
    "xlsxwriter": with_xlsxwriter,
    "pyexcelerate": with_pyexcelerate,
    "xlsxturbo": with_xlsxturbo,
    "jetxl": with_jetxl,
}


def has_formula(path: Path) -> bool:
    from openpyxl import load_workbook

    sheet = load_workbook(path).worksheets[0]
    return any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def measure(rounds: int) -> dict[str, object]:
    """The fastest of `rounds` turns of each library, as a multiple of openpyxl's speed."""
    made, ready, left_out = rows(), {}, {}
    for name, prepare in WRITERS.items():
        try:
            ready[name] = prepare(made)
        except Exception as error:
            left_out[name] = str(error)
    seconds: dict[str, float] = {}
    formulas = {}
    with tempfile.TemporaryDirectory(prefix="xlsx-writers-") as folder:
        for _ in range(rounds):
            for name, write in ready.items():
                path = Path(folder) / f"{name}.xlsx"
                path.unlink(missing_ok=True)
                started = time.process_time()
                write(path)
                taken = time.process_time() - started
                seconds[name] = min(seconds.get(name, taken), taken)
        for name in ready:
            formulas[name] = has_formula(Path(folder) / f"{name}.xlsx")
    for name, taken in seconds.items():
        formula = "  makes formulas of texts" if formulas[name] else ""
        print(f"{name:<18} {version(name):<9} {seconds['openpyxl'] / taken:6.1f}{formula}")
    for name, reason in left_out.items():
        print(f"{name:<18} left out: {reason}")
    return {
        "rounds": rounds,
        "speed": {name: round(seconds["openpyxl"] / taken, 1) for name, taken in seconds.items()},
        "makes_formulas": sorted(name for name, found in formulas.items() if found),
        "left_out": left_out,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: 5)")
    parser.add_argument("--peers-are-here", action="store_true", help="install nothing")
    options = parser.parse_args()
    if options.peers_are_here:
        print(json.dumps({"benchmark": "xlsx_writers", **measure(options.rounds)}, ensure_ascii=False))
        return 0
    with tempfile.TemporaryDirectory(prefix="xlsx-peers-") as peers:
        for peer in PEERS:
            command = [
                sys.executable,
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--target",
                peers,
                peer,
            ]
            subprocess.run(command, stderr=subprocess.DEVNULL)
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.xlsx_writers",
                "--peers-are-here",
                "--rounds",
                str(options.rounds),
            ],
            env={**os.environ, "PYTHONPATH": peers},
        ).returncode


if __name__ == "__main__":
    if not __package__:
        # As a module, so that the project's root is where packages are looked for.
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.xlsx_writers", *sys.argv[1:]])
    sys.exit(main())
