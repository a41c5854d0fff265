"""What `make lint` says of the Dockerfiles, the manifests and the alerts, and that it would say something."""

import copy

import pytest

from tests.manifests import check
from tests.manifests.tree import EXPORTER, documents


@pytest.mark.parametrize("checked", check.CHECKS, ids=lambda checked: checked.__name__)
def test_nothing_is_to_be_mended(checked):
    try:
        assert checked() == []
    except check.Missing as missing:
        pytest.skip(f"{missing}: {checked.__doc__.rstrip('.')}")


@pytest.fixture
def cronjob():
    return copy.deepcopy(next(documents(EXPORTER / "base" / "cronjob.yaml")))


def test_an_unknown_field_is_found(cronjob):
    cronjob["spec"]["timezone"] = "Europe/Moscow"
    (finding,) = check.invalid("cronjob.yaml", [cronjob])
    assert "CronJob/logistics-export: spec" in finding
    assert "'timezone' was unexpected" in finding


def test_a_wrong_type_is_found(cronjob):
    cronjob["spec"]["jobTemplate"]["spec"]["backoffLimit"] = "six"
    (finding,) = check.invalid("cronjob.yaml", [cronjob])
    assert "spec.jobTemplate.spec.backoffLimit" in finding


def test_a_kind_that_kubernetes_does_not_have_is_found(cronjob):
    assert list(check.invalid("cronjob.yaml", [cronjob | {"kind": "CronJobs"}]))
