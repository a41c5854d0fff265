"""A namespace of its own in a real cluster, with the export, its database and a pod to look through."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.manifests.tree import program

Object = dict[str, Any]
CRONJOB = "logistics-export"
ROOT = "/data/logistics"
# A node that is busy starts a pod late; what is waited for here takes seconds.
PATIENCE = 180


class Cluster:
    """What `kubectl` says and does in one namespace of the cluster that KUBECONFIG names."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._kubectl = program("kubectl") or "kubectl"

    def command(self, *arguments: str) -> list[str]:
        """The command line, for a process that the test watches itself."""
        return [self._kubectl, "--namespace", self.namespace, *arguments]

    def run(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """Whatever becomes of it."""
        return subprocess.run(
            self.command(*arguments), input=input, capture_output=True, text=True, timeout=600
        )

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """What it prints. Raises AssertionError when it fails."""
        done = self.run(*arguments, input=input)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def get(self, *arguments: str) -> Object:
        return json.loads(self.kubectl("get", *arguments, "--output=json"))

    def apply(self, manifests: str) -> None:
        self.kubectl("apply", "--filename=-", input=manifests)

    def patch(self, kind: str, name: str, **spec: Any) -> None:
        """Set fields of the object's spec."""
        self.kubectl("patch", kind, name, "--type=merge", "--patch", json.dumps({"spec": spec}))

    def wait(self, what: str, answer: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """The first answer that is true. Raises AssertionError naming `what` when none comes."""
        end = time.monotonic() + seconds
        while not (found := answer()):
            assert time.monotonic() < end, (
                f"{what}: not within {seconds} s\n{self.kubectl('get', 'jobs,pods')}"
            )
            time.sleep(0.5)
        return found

    # --- jobs

    def start(self, name: str, *, of: str = CRONJOB, env: dict[str, str] | None = None, **spec: Any) -> str:
        """Start a Job as the CronJob would; its name.

        What may differ: variables, the container's `args`, its set (`queries`: file name to SQL), and fields
        of the Job's spec.
        """
        asked = ("create", "job", name, f"--from=cronjob/{of}", "--dry-run=client", "--output=json")
        job = json.loads(self.kubectl(*asked))
        container = job["spec"]["template"]["spec"]["containers"][0]
        if args := spec.pop("args", None):
            container["args"] = args
        container["env"] = [{"name": key, "value": value} for key, value in (env or {}).items()]
        if queries := spec.pop("queries", None):
            self._mount(job, name, queries)
        job["spec"] |= spec
        self.kubectl("create", "--filename=-", input=json.dumps(job))
        return name

    def _mount(self, job: Object, name: str, queries: dict[str, str]) -> None:
        """Give the Job a set of its own, as components/tables does, under /queries."""
        metadata = {"name": f"queries-{name}"}
        self.apply(
            json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": queries})
        )
        pod = job["spec"]["template"]["spec"]
        pod["volumes"].append({"name": "queries", "configMap": metadata})
        container = pod["containers"][0]
        container["volumeMounts"].append({"name": "queries", "mountPath": "/queries", "readOnly": True})
        container["env"].append({"name": "EXTRACTS_SQL", "value": "/queries"})

    def ended(self, name: str) -> Object:
        """The Job's last condition: type Complete or Failed, reason."""

        def over() -> Object | None:
            conditions = self.get("job", name)["status"].get("conditions", [])
            return next(
                (c for c in conditions if c["type"] in ("Complete", "Failed") and c["status"] == "True"), None
            )

        return self.wait(f"job {name} to end", over)

    def pods(self, job: str) -> list[Object]:
        """The Job's pods, the first one first."""
        found = self.get("pods", f"--selector=batch.kubernetes.io/job-name={job}")["items"]
        return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def exit_codes(self, job: str) -> list[int]:
        """Of the pods that have ended."""
        states = [pod["status"].get("containerStatuses", [{}])[0].get("state", {}) for pod in self.pods(job)]
        return [state["terminated"]["exitCode"] for state in states if "terminated" in state]

    def events(self, job: str) -> list[Object]:
        """What the first pod of the Job said, one JSON object a line."""
        return events(self.kubectl("logs", self.pods(job)[0]["metadata"]["name"]))

    # --- what is published, and what is read

    def look(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the pod that mounts the volume."""
        return self.run("exec", "reader-0", "--", *command)

    def files(self) -> list[str]:
        """Every path on the volume."""
        found = self.look("find", "/data", "-mindepth", "1")
        assert found.returncode == 0, found.stderr
        return sorted(found.stdout.splitlines())

    def sql(self, statement: str) -> str:
        return self.kubectl(
            "exec", "postgres-0", "--", "psql", "-U", "postgres", "-d", "test_db", "-tAc", statement
        )

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Nobody reads the table while this lasts: an export that wants to stands still, with all it has."""
        name = f"held-{os.getpid()}"
        script = (
            f"SET application_name = '{name}'; BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;"
            " SELECT pg_sleep(600)"
        )
        holder = subprocess.Popen(
            self.command("exec", "postgres-0", "--", "psql", "-U", "postgres", "-d", "test_db", "-c", script),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        locked = (
            f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass"
            " AND mode = 'AccessExclusiveLock' AND granted"
        )
        try:
            self.wait(f"the lock of {table}", lambda: self.sql(locked).strip() == "1")
            yield
        finally:
            self.sql(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
            )
            holder.wait(timeout=60)

    def waits_for(self, table: str) -> bool:
        """Whether an export stands before the table."""
        waiting = f"SELECT count(*) > 0 FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted"
        return self.sql(waiting).strip() == "t"


def ended_with(said: list[Object]) -> list[int]:
    """The exit codes that a log tells: one, unless the process was killed."""
    return [event["exit_code"] for event in said if event["event"] == "ended"]


def events(log: str) -> list[Object]:
    """The JSON objects of a log; a line that is none is a failure of what wrote it."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]
