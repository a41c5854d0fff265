"""Every command of Task 2's documents is run: `make demo` by `.ci/run`, the rest here."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from demo.diagrams import draw, plantuml, sources
from demo.errors import DemoError

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ".venv/bin/python benchmarks/engines.py"


def commands(name):
    text = (ROOT / "Task2" / name).read_text(encoding="utf-8")
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in found for line in block.splitlines() if line]


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
def test_no_command_is_left_out(name):
    assert sorted(commands(name)) == sorted([ENGINES, "make demo", "make diagrams"])
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^make demo$", ci, re.MULTILINE)
    # The programs that the target runs are run below.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^diagrams:.*\n\t@\S.* -m demo\.diagrams$", makefile, re.MULTILINE)


def words(drawing):
    # Where they stand, and where lines break, depends on the machine's fonts.
    return sorted(" ".join(re.findall(r">([^<>]+)</text>", drawing)).split())


def test_diagrams_are_drawn(tmp_path, monkeypatch):
    if shutil.which("java") is None or shutil.which("npm") is None:
        pytest.skip("no Java with npm, which draw the diagrams")
    try:
        jar, originals = plantuml(), sources()
    except DemoError as error:
        pytest.skip(str(error))
    monkeypatch.setattr("demo.diagrams.PROJECT", tmp_path)
    assert originals
    for source in originals:
        copy = tmp_path / source.name
        shutil.copy(source, copy)
        drawn = draw(copy, jar).read_text(encoding="utf-8")
        assert words(drawn) == words(source.with_suffix(".svg").read_text(encoding="utf-8"))
    broken = tmp_path / "broken.puml"
    broken.write_text("@startuml\nRel(\n@enduml\n")
    with pytest.raises(DemoError, match=r"broken\.puml could not be drawn"):
        draw(broken, jar)
    assert not broken.with_suffix(".svg").exists()


@pytest.mark.airflow
def test_engines_are_measured():
    command = ENGINES.split()[1:]
    done = subprocess.run(
        [sys.executable, *command, "--rounds", "1", "--rest", "1"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["process"]["peak_mb"] < 100
    assert set(figures["airflow"]["at_rest"]) == {
        "api-server", "dag-processor", "postgres", "scheduler", "triggerer",
    }  # fmt: skip
    assert figures["airflow"]["total_mb"] > 100
    for engine in {"spring_batch", "spark"} - set(figures["left_out"]):
        assert figures[engine]["peak_mb"] > figures["process"]["peak_mb"]
        assert figures[engine]["seconds"] > figures["process"]["seconds"]
    # What is missing is told as such; what is there and breaks is not passed over.
    assert not [reason for reason in figures["left_out"].values() if reason.startswith("failed")]
