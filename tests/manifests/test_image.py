"""The exporter's image, built here where Docker is: its size, its rights, and that it exports.

The base image has to be here, or to be had from a registry. What is built is removed again.
"""

import json
import os
import re
import subprocess
import uuid
from urllib.parse import urlsplit

import psycopg2
import pytest

from extracts import __version__
from tests.manifests.tree import ROOT, program

BASE = "python:3.13-slim-trixie"
LIMIT_MB = 60
# As Kubernetes runs it: nothing may be written but /tmp and the volume, by a user the image does not know.
RESTRICTED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


def docker(*arguments, check=True, **options):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=600, **options)
    assert not check or done.returncode == 0, done.stderr + done.stdout
    return done


@pytest.fixture(scope="module")
def image():
    if not program("docker") or docker("info", check=False).returncode:
        pytest.skip("no Docker on this machine: the exporter's image")
    if (
        docker("image", "inspect", BASE, check=False).returncode
        and docker("pull", BASE, check=False).returncode
    ):
        pytest.skip(f"{BASE} is neither here nor to be pulled: the exporter's image")
    name = f"batch-extracts-exporter:test-{uuid.uuid4().hex[:8]}"
    docker(
        "build", "-f", "docker/exporter/Dockerfile", "-t", name, "--build-arg", "REVISION=abc", ".", cwd=ROOT
    )
    yield name
    docker("image", "rm", "--force", name)


def run(image, *arguments, options=()):
    return docker("run", "--rm", *RESTRICTED, *options, image, *arguments, check=False)


def test_it_is_small(image):
    sizes = [int(docker("image", "inspect", "-f", "{{.Size}}", name).stdout) for name in (image, BASE)]
    assert (sizes[0] - sizes[1]) / 1e6 <= LIMIT_MB


def test_it_says_what_it_is(image):
    labels = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", image).stdout)
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.revision"] == "abc"


def test_it_starts_without_a_shell_and_without_root(image):
    told = json.loads(docker("image", "inspect", "-f", "{{json .Config}}", image).stdout)
    assert (told["User"], told["Entrypoint"]) == ("10001:10001", ["extracts"])
    done = run(image, "--help", options=("--network", "none"))
    assert done.returncode == 0, done.stderr
    assert "freshness" in done.stdout


def test_a_wrong_option_ends_with_2(image):
    assert run(image, "export", "logistics", "--workers", "none").returncode == 2


def test_it_holds_what_the_command_needs_and_nothing_else(image):
    listed = (
        "import sys, importlib.metadata as m; print(*(d.name for d in m.distributions(path=sys.path[-1:])))"
    )
    found = run(image, "-c", listed, options=("--entrypoint", "/opt/extracts/bin/python")).stdout.split()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (block,) = re.findall(r"^dependencies = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r'"([a-z0-9-]+)', block)) | {"batch-extracts"} == {
        name.lower().replace("_", "-") for name in found
    }


# Paths inside the image, where the build runs as root and its cache would lie in root's home.
@pytest.mark.parametrize("what", ["/opt/extracts/bin/pip", "/opt/builder", "/build", "/root/.cache/pip"])
def test_nothing_of_the_build_is_left(image, what):
    done = run(image, "-e", what, options=("--entrypoint", "test"))
    assert done.returncode == 1, f"{what} is in the image"


def test_it_exports_on_a_read_only_file_system(image, database, tmp_path):
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA own; CREATE TABLE own.things AS SELECT n FROM generate_series(1, 1000) AS n"
        )
    connection.close()
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "things.sql").write_text("-- Things.\nSELECT n FROM things ORDER BY n\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "password").write_text(urlsplit(database).password or "")
    options = [
        *("--network", "host", "--user", f"{os.getuid()}:{os.getgid()}"),
        *("--volume", f"{tmp_path}/data:/data", "--volume", f"{tmp_path}/sql:/queries/things:ro"),
        *("--volume", f"{tmp_path}/password:/run/secrets/password:ro"),
    ]
    address = urlsplit(database)
    variables = {
        "PGHOST": address.hostname,
        "PGPORT": address.port,
        "PGUSER": address.username,
        "PGDATABASE": address.path.removeprefix("/"),
        "PGPASSWORD_FILE": "/run/secrets/password",
        "PGOPTIONS": "-c search_path=own",
        "EXTRACTS_SQL": "/queries/things",
        "EXTRACTS_LOOKBACK": "0",
    }
    options += [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    done = run(image, "export", "things", options=options)
    assert done.returncode == 0, done.stderr
    verified = run(image, "verify", "/data/things", options=options)
    assert verified.returncode == 0, verified.stderr
    (package,) = (tmp_path / "data" / "things").glob("dt=*/datapackage.json")
    assert json.loads(package.read_text())["resources"][0]["rows"] == 1000
