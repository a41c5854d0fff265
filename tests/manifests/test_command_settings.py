"""The settings in the manifests against the command's own options: a misspelt one would be ignored."""

import re

import pytest

from tests.manifests.tree import EXPORTER, ROLE, ROOT

NAMES = sorted(
    {
        name
        for path in EXPORTER.rglob("*")
        if path.is_file() and path != ROLE
        for name in re.findall(r"\bEXTRACTS_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    | set(
        re.findall(r"\bEXTRACTS_[A-Z_]+", (ROOT / "docker/exporter/Dockerfile").read_text(encoding="utf-8"))
    )
)


@pytest.fixture(scope="module")
def known():
    from extracts.command.environment import SECRETS
    from extracts.command.exporting import export

    return {parameter.envvar for parameter in export.params} | {f"{name}_FILE" for name in SECRETS}


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_one_that_the_command_reads(name, known):
    assert name in known


def test_there_are_settings_to_look_at():
    assert {"EXTRACTS_SET", "EXTRACTS_TO", "EXTRACTS_PING_FILE", "EXTRACTS_METRICS"} <= set(NAMES)


@pytest.mark.parametrize("name", ["PGUSER", "PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_every_secret_may_come_from_a_file(name, known):
    assert f"{name}_FILE" in known
