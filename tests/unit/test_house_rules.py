"""Which way data and imports walk, and what no file may hold."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("include", "dags", "plugins", "demo", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
)


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_walk_one_way(path):
    folder = path.relative_to(ROOT).parts[0:2]
    forbidden = {
        ("include", "extracts"): {"airflow", "airflow_kit", "pipelines", "demo", "pandas"},
        ("include", "pipelines"): {"airflow", "airflow_kit", "demo"},
    }.get(folder, set())
    if folder[0] == "plugins":
        forbidden = {"demo"}
    assert not imported(path) & forbidden


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_path_tricks(path):
    assert not re.search(r"\bsys\.path\.(insert|append|extend)", path.read_text(encoding="utf-8"))


def test_constraints_pin_versions_and_hold_no_address():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*(\[[a-z0-9,-]+\])?==[^\s@/:]+( ; .+)?", line), line
    assert not [line for line in lines if "://" in line]


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for group in project["dependency-groups"].values():
        wanted += [item for item in group if isinstance(item, str)]
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    names = {re.match(r"[A-Za-z0-9._-]+", item).group().lower().replace("_", "-") for item in wanted}
    # An extra may include another one of the project itself.
    assert names - {project["project"]["name"]} <= pinned
