"""What the installed package must carry, and what it must not load."""

import subprocess
import sys

import pytest

from extracts.errors import UsageError
from pipelines import resources
from pipelines.delivery_status.reading import connect


def test_folders_are_found():
    assert (resources.folder("sql") / "delivery_verdict.sql").is_file()
    assert list(resources.folder("mail").glob("*.html"))
    with pytest.raises(UsageError, match="no folder 'nothing'"):
        resources.folder("nothing")


def test_an_installed_wheels_own_folder_goes_first(tmp_path, monkeypatch):
    (tmp_path / "pipelines" / "sql").mkdir(parents=True)
    (tmp_path / "sql").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "pipelines")
    assert resources.folder("sql") == tmp_path / "pipelines" / "sql"


def test_the_command_loads_nothing_heavy():
    code = (
        "import sys, pipelines.delivery_status.command;"
        "print(*{'pandas', 'numpy', 'matplotlib', 'airflow', 'openpyxl', 'sqlalchemy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_progress_bar_is_drawn_into_the_answer(tmp_path):
    with connect(tmp_path, "Europe/Moscow") as engine:
        assert engine.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)
