"""What Airflow loads from the plugins folder, in each of its parts and in its api-server."""

import subprocess
import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

LOAD = """
import sys
from airflow import plugins_manager
before = set(sys.modules)
plugins, errors = plugins_manager._get_plugins()
assert not errors, errors
print(*sorted(plugin.name for plugin in plugins))
print(*sorted(set(sys.modules) - before))
"""
PAGE = """
import sys
from airflow import plugins_manager
{before}
((app,), _) = plugins_manager.get_fastapi_plugins()
print(app["url_prefix"], type(app["app"]).__name__)
"""
VIEW = """
from airflow import plugins_manager
((view,), _) = plugins_manager._get_ui_plugins()
print(view["href"], view["url_route"], view["icon"], view["icon_dark_mode"])
"""


def run(code):
    """The last lines that a new process prints, which has Airflow's configuration of the tests."""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_no_part_of_airflow_loads_more_than_the_plugins_themselves():
    names, loaded = run(LOAD)[-2:]
    assert names.split() == ["airflow_kit", "deliverables"]
    modules = set(loaded.split())
    # Airflow runs each file that it takes for a plugin as a module of the file's name alone.
    packages = [file for file in PLUGINS.rglob("*.py") if file.parent != PLUGINS]
    assert len(packages) > 10
    assert not modules & {file.stem for file in packages}
    assert not {name for name in modules if name.startswith(("deliverables.", "fastapi", "jinja2"))}


def test_the_api_server_mounts_the_page():
    assert run(PAGE.format(before=""))[-1] == "/deliverables FastAPI"


def test_a_page_that_cannot_be_loaded_does_not_stop_the_api_server():
    broken = PAGE.format(before="sys.modules['deliverables.texts'] = None").replace(
        "((app,), _)", "(apps, _)"
    )
    assert (
        run(broken.replace('print(app["url_prefix"], type(app["app"]).__name__)', "print(apps)"))[-1] == "[]"
    )


def test_the_view_is_addressed_relatively():
    href, route, *icons = run(VIEW)[-1].split()
    assert (href, route) == ("deliverables/", "deliverables")
    for icon in icons:
        assert (PLUGINS / "deliverables" / "static" / icon.removeprefix("deliverables/-/")).is_file()
