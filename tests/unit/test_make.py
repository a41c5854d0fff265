"""Set-up is one step, made again when its inputs change and not otherwise; what is missing is told."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE = shutil.which("make") or pytest.skip("make is not installed", allow_module_level=True)


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "with a space"
    (folder / ".venv").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / ".installed").write_text(f"{folder} dev\n")
    return folder


def make(folder, *arguments):
    # What the make that runs these tests passes on is not part of the question.
    own = ("MAKE", "MFLAGS", "DEPENDENCY_GROUPS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return subprocess.run([MAKE, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def is_up_to_date(folder, *arguments):
    return make(folder, "-q", "setup", *arguments).returncode == 0


def test_setup_is_not_repeated(checkout):
    assert is_up_to_date(checkout)


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_setup_follows_its_inputs(checkout, name):
    later = (checkout / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(checkout / name, (later, later))
    assert not is_up_to_date(checkout)


def test_setup_is_repeated_for_other_groups_and_in_a_moved_folder(checkout):
    assert not is_up_to_date(checkout, "DEPENDENCY_GROUPS=dev browser")
    moved = checkout.rename(checkout.with_name("moved"))
    assert not is_up_to_date(moved)


def test_a_machine_without_python_is_told(checkout):
    (checkout / ".venv" / ".installed").unlink()
    done = make(checkout, "setup", "PYTHON=")
    assert done.returncode != 0
    assert "no Python 3.11, 3.12 or 3.13 found" in done.stderr


def test_help_is_what_make_says_by_itself(checkout):
    said = make(checkout).stdout
    for target in ("demo", "up", "down", "test", "lint", "constraints", "clean"):
        assert f"make {target} " in said


def test_the_wheel_carries_queries_and_templates(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("include", "pyproject.toml", "README.md", "LICENSE"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, source / name)
    uv = ROOT / ".venv" / "bin" / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("sql", "mail"):
        for file in (ROOT / "include" / folder).rglob("*.*"):
            assert f"pipelines/{file.relative_to(ROOT / 'include')}" in inside
    assert "extracts/publication.py" in inside
    packages = {name.split("/")[0] for name in inside if ".dist-info" not in name}
    assert packages == {"extracts", "pipelines"}
