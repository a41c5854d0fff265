"""A real API server takes every object, and refuses what the schema alone does not find."""

import pytest
import yaml

from tests.k8s.conftest import rendered
from tests.manifests.tree import overlay


def dry_run(cluster, manifests):
    return cluster.run("apply", "--dry-run=server", "--validate=strict", "--filename=-", input=manifests)


@pytest.mark.parametrize("on", ["minikube", "minikube-s3"])
def test_the_server_accepts_every_object(empty, manifests, on):
    done = dry_run(empty, rendered(manifests, empty.namespace, on=on))
    assert done.returncode == 0, done.stderr
    # What the strictest profile of pod security forbids is told as a warning.
    assert "PodSecurity" not in done.stderr


def test_the_server_accepts_every_component(empty, manifests):
    objects = overlay(manifests, "s3", "tables", "metrics", "ping")
    for found in objects:
        if found["kind"] == "Namespace":
            found["metadata"]["name"] = empty.namespace
        else:
            found["metadata"]["namespace"] = empty.namespace
    done = dry_run(empty, yaml.safe_dump_all(objects))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("timeZone: Europe/Moscow", "timeZone: Europe/Moskva", "unknown time zone"),
        ("schedule: 0 20 * * *", "schedule: 0 25 * * *", "end of range (25)"),
        ("suspend: false", "suspended: false", "unknown field"),
    ],
)
def test_the_server_refuses_a_slip(empty, manifests, right, wrong, complaint):
    good = rendered(manifests, empty.namespace, on="minikube")
    assert right in good
    done = dry_run(empty, good.replace(right, wrong))
    assert done.returncode != 0
    assert complaint in done.stderr
