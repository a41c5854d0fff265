"""Airflow reads its configuration when it is first imported, so it is set here, before any test is."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if "AIRFLOW_HOME" not in os.environ:
    # Removed when the tests' process ends.
    temporary = tempfile.TemporaryDirectory(prefix="airflow-home-")
    home = temporary.name
    os.environ |= {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
