"""What the exporter's Dockerfile and the build's context promise, as far as reading them tells."""

import re
import tomllib

import pytest

from extracts import __version__
from tests.manifests.tree import ROOT

DOCKERFILE = (ROOT / "docker/exporter/Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if re.match(r"[A-Z]+ ", line)]
DELIVERED = INSTRUCTIONS[[n for n, line in enumerate(INSTRUCTIONS) if line.startswith("FROM ")][-1] :]


def arguments(instruction):
    return [line.split(None, 1)[1] for line in DELIVERED if line.startswith(f"{instruction} ")]


def test_an_old_builder_can_read_it():
    assert not re.search(r"^# *syntax *=", DOCKERFILE, re.MULTILINE)
    assert "--link" not in "".join(INSTRUCTIONS)
    assert "<<" not in "".join(INSTRUCTIONS)


def test_nothing_runs_in_the_stage_that_is_delivered():
    assert arguments("FROM") == ["python:3.13-slim-trixie"]
    assert arguments("RUN") == []
    assert arguments("COPY") == ["--from=build /opt/extracts /opt/extracts"]


def test_it_runs_as_a_number_that_is_not_root_and_without_a_shell():
    assert arguments("USER") == ["10001:10001"]
    assert arguments("ENTRYPOINT") == ['["extracts"]']
    assert arguments("STOPSIGNAL") == ["SIGTERM"]


def test_its_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"VERSION={__version__}" in arguments("ARG")
    assert f"batch-extracts-exporter:{__version__} ." in DOCKERFILE
    assert f'org.opencontainers.image.licenses="{project["license"]}"' in " ".join(arguments("LABEL"))


def test_every_tag_of_the_image_is_the_projects_version():
    files = [path for folder in ("docker", "k8s") for path in (ROOT / folder).rglob("*") if path.is_file()]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert set(re.findall(r"batch-extracts-exporter:(\S+)", text)) == {__version__}


def test_every_package_is_pinned_and_comes_as_a_wheel():
    installs = re.findall(r"pip [^&]*?install [^&]*", DOCKERFILE.replace("\\\n", " "))
    assert len(installs) == 2
    for install in installs:
        assert "--constraint constraints.txt" in install
        assert "--only-binary=:all:" in install


@pytest.mark.parametrize("address", ["http://", "https://", "index-url", "trusted-host"])
def test_it_names_no_index(address):
    assert address not in DOCKERFILE


def test_the_context_is_what_is_copied_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        name.removeprefix("./")
        for line in INSTRUCTIONS if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }  # fmt: skip
    assert "*" in lines
    assert copied <= allowed
