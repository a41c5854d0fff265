"""What kustomize makes of the manifests, where kubectl is."""

import re
import subprocess

import pytest
import yaml

from extracts import __version__
from tests.manifests.tree import EXPORTER, ROLE, ROOT, copied, one, overlay, program

pytestmark = pytest.mark.skipif(
    not program("kubectl"), reason="no kubectl on this machine: rendered manifests"
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return copied(tmp_path_factory.mktemp("manifests"))


def pod(objects, name="logistics-export"):
    return one(objects, "CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def values(objects, name):
    return one(objects, "ConfigMap", name)["data"]


def sources(spec):
    """The names of the ConfigMaps and Secrets that a pod is given."""
    volumes = [volume.get("secret", {}).get("secretName") for volume in spec["volumes"]]
    volumes += [volume.get("configMap", {}).get("name") for volume in spec["volumes"]]
    given = [source["configMapRef"]["name"] for source in spec["containers"][0].get("envFrom", [])]
    return {name for name in [*volumes, *given] if name}


def test_every_name_that_a_pod_asks_for_is_there(tree):
    objects = overlay(tree, on="overlays/minikube")
    there = {found["metadata"]["name"] for found in objects}
    for name in ("logistics-export", "logistics-prune"):
        assert sources(pod(objects, name)) <= there
    for found in objects:
        if found["kind"] == "StatefulSet":
            assert sources(found["spec"]["template"]["spec"]) <= there


def test_a_changed_setting_reaches_the_next_run(tree):
    before = sources(pod(overlay(tree)))
    file = tree / "k8s/exporter/base/export-settings.env"
    text = file.read_text()
    file.write_text(text.replace("EXTRACTS_LOOKBACK=1", "EXTRACTS_LOOKBACK=2"))
    try:
        assert len(sources(pod(overlay(tree))) - before) == 1
    finally:
        file.write_text(text)


@pytest.mark.parametrize("on", ["base", "overlays/minikube", "overlays/minikube-s3"])
def test_every_image_of_the_exporter_is_the_version_that_the_project_has(tree, on):
    rendered = yaml.safe_dump_all(overlay(tree, on=on))
    assert set(re.findall(r"image: (batch-extracts-exporter.*)", rendered)) == {
        f"batch-extracts-exporter:{__version__}"
    }


def test_the_pruning_is_given_nothing_of_the_database(tree):
    assert not [
        name for name in sources(pod(overlay(tree), "logistics-prune")) if name.startswith("database")
    ]


def test_minikube_reads_the_demos_rows_as_the_read_only_role(tree):
    objects = overlay(tree, on="overlays/minikube")
    scripts = values(objects, "postgres-scripts")
    for name in ("01-schema.sql", "02-roles.sql", "04-logistics.sql"):
        assert scripts[name] == (ROOT / "demo" / name).read_text(encoding="utf-8")
    assert scripts["read-only-role.psql"] == ROLE.read_text(encoding="utf-8")
    assert values(objects, "database-settings")["PGHOST"] == "postgres"


def test_a_bucket_takes_the_volumes_place(tree):
    objects = overlay(tree, "s3")
    assert values(objects, "export-settings")["EXTRACTS_TO"] == "s3://exports"
    for name in ("logistics-export", "logistics-prune"):
        spec = pod(objects, name)
        mounts = [mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]]
        assert "/data" not in mounts
        assert "/run/secrets/bucket" in mounts
        assert not [volume for volume in spec["volumes"] if "persistentVolumeClaim" in volume]


def test_a_table_more_is_a_file_more(tree):
    objects = overlay(tree, "tables")
    own = {path.name for path in (EXPORTER / "components/tables").glob("*.sql")}
    installed = {path.name for path in (ROOT / "include/sql/logistics").glob("*.sql")}
    assert set(values(objects, "queries")) == installed | own
    folder = values(objects, "export-settings")["EXTRACTS_SQL"]
    assert folder in [mount["mountPath"] for mount in pod(objects)["containers"][0]["volumeMounts"]]


def test_metrics_and_ping_come_together_with_a_bucket(tree):
    objects = overlay(tree, "s3", "tables", "metrics", "ping")
    assert {"EXTRACTS_METRICS", "EXTRACTS_SQL", "EXTRACTS_TO"} <= set(values(objects, "export-settings"))
    assert values(objects, "database-settings")["EXTRACTS_PING_FILE"] == "/run/secrets/ping/EXTRACTS_PING"
    one(objects, "NetworkPolicy", "logistics-export-metrics")


@pytest.mark.skipif(
    not program("git") or not (ROOT / ".git").exists(), reason="not a git checkout: ignored files"
)
def test_secrets_are_ignored_by_git_and_settings_are_not():
    def ignored(path):
        asked = ["git", "check-ignore", "--quiet", "--no-index", str(path)]
        return subprocess.run(asked, cwd=ROOT).returncode == 0

    examples = sorted(EXPORTER.rglob("*.env.example"))
    assert len(examples) == 3
    for example in examples:
        assert ignored(example.with_suffix(""))
        assert not ignored(example)
    for name in ("database-settings.env", "export-settings.env"):
        assert not ignored(EXPORTER / "base" / name)
