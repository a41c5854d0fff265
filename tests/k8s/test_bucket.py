"""The overlay that publishes to an S3 server in the cluster, in a namespace of its own."""

import pytest

from tests.k8s.conftest import namespace, rendered

VERIFY = {"args": ["verify", "$(EXTRACTS_TO)/$(EXTRACTS_SET)"]}


@pytest.fixture(scope="module")
def bucket(manifests):
    with namespace() as cluster:
        cluster.apply(rendered(manifests, cluster.namespace, on="minikube-s3"))
        cluster.kubectl("rollout", "status", "statefulset/postgres", "--timeout=300s")
        if cluster.run("rollout", "status", "statefulset/s3", "--timeout=120s").returncode:
            pytest.skip("no image of SeaweedFS in this cluster: the export to a bucket")
        yield cluster


def test_a_run_publishes_to_the_bucket_a_set_that_verifies(bucket):
    assert bucket.ended(bucket.start("export"))["type"] == "Complete", bucket.kubectl("logs", "job/export")
    (package,) = {
        e["package"] for e in bucket.events("export") if e["event"] == "published" and e["rows"] > 9000
    }
    assert package.startswith("s3://exports/logistics/dt=")
    # The pruning's pod has the keys of the bucket, and nothing of the database.
    assert bucket.ended(bucket.start("verify", of="logistics-prune", **VERIFY))["type"] == "Complete"
    assert "all as described" in bucket.kubectl("logs", "job/verify")
    assert bucket.ended(bucket.start("prune", of="logistics-prune"))["type"] == "Complete"


def test_keys_that_are_wrong_are_not_tried_again(bucket):
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong", "AWS_SECRET_ACCESS_KEY_FILE": ""}
    assert bucket.ended(bucket.start("wrong-keys", env=wrong))["reason"] == "PodFailurePolicy"
    assert bucket.exit_codes("wrong-keys") == [2]
