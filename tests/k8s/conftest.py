"""The cluster of these tests. It is asked for twice, so that nobody's own is touched by accident."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.k8s.cluster import Cluster
from tests.manifests.tree import copied, kustomize, program

SCALE = "0.05"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out, by name, where no cluster was given."""
    if reason := _missing():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


def _missing() -> str | None:
    if not (os.environ.get("KUBECONFIG") and os.environ.get("EXTRACTS_K8S_TESTS") == "1"):
        return "no cluster for tests (KUBECONFIG and EXTRACTS_K8S_TESTS=1): the export on Kubernetes"
    return None if program("kubectl") else "no kubectl on this machine: the export on Kubernetes"


@pytest.fixture(scope="session")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's manifests that tests may add overlays to."""
    return copied(tmp_path_factory.mktemp("k8s"))


def rendered(tree: Path, namespace: str, *, on: str, scale: str = SCALE) -> str:
    """The overlay `on` in another namespace, with fewer rows; the Namespace itself is renamed with it."""
    folder = tree / "k8s" / "exporter" / "overlays" / namespace
    folder.mkdir(exist_ok=True)
    asked = {
        "namespace": namespace,
        "resources": [f"../{on}"],
        "configMapGenerator": [
            {"name": "postgres-settings", "behavior": "merge", "literals": [f"DEMO_SCALE={scale}"]}
        ],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(asked), encoding="utf-8")
    return kustomize(folder)


@contextmanager
def namespace() -> Iterator[Cluster]:
    """A namespace with nothing in it, removed with whatever has come into it."""
    cluster = Cluster(f"extracts-test-{uuid.uuid4().hex[:8]}")
    cluster.kubectl("create", "namespace", cluster.namespace)
    try:
        yield cluster
    finally:
        cluster.kubectl("delete", "namespace", cluster.namespace, "--timeout=300s")


@pytest.fixture(scope="session")
def empty() -> Iterator[Cluster]:
    with namespace() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster(empty: Cluster, manifests: Path) -> Cluster:
    """The overlay `minikube`, applied, with a twentieth of the rows."""
    empty.apply(rendered(manifests, empty.namespace, on="minikube"))
    for name in ("postgres", "reader"):
        empty.kubectl("rollout", "status", f"statefulset/{name}", "--timeout=300s")
    return empty


@pytest.fixture(scope="session")
def published(cluster: Cluster) -> Cluster:
    """The same, after a first run by hand."""
    assert cluster.ended(cluster.start("by-hand"))["type"] == "Complete", cluster.kubectl(
        "logs", "job/by-hand"
    )
    return cluster
