"""The export's benchmark runs to its end, and says what the documents repeat."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_ratio_comes_from_commands_that_ran_and_gave_the_same_bytes():
    command = [sys.executable, "benchmarks/export.py", "--quick", "--rows", "20000"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    assert answer["benchmark"] == "export"
    assert (answer["rows"], answer["rounds"]) == (20_000, 1)
    peers = {"limit", "psql_limit", "psql_copy", "psql_gzip", "pg_dump", "pg_dump_five", "pandas"}
    assert {name for name in answer if name.startswith("ratio_vs_")} == {f"ratio_vs_{peer}" for peer in peers}
    assert answer["seconds"].keys() == peers | {"export", "export_five"}
    assert 20 < answer["peak_mb"] <= 150
    assert 20 < answer["peak_mb_five"] <= 150
