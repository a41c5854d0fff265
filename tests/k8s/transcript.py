"""Task3/transcript.md, taken from a real cluster: `EXTRACTS_K8S_TESTS=1 python -m tests.k8s.transcript`.

Runs by hand, not as a test: first the steps of Task3/README.md, which it reads there, then what happens when
something goes wrong. Every command is a line that a person can type, and every answer is what it printed. The
cluster is the one that KUBECONFIG names, with the images loaded; its namespace `logistics` must not be there
yet, and is deleted at the end. `python -m tests.k8s.pictures` draws the pictures from what this writes.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.manifests.tree import ROOT

TRANSCRIPT = ROOT / "Task3" / "transcript.md"
# Minikube and its image are how the cluster comes to be; whoever runs this has one already.
BEFORE = ("minikube ", "docker build ")
K = "kubectl -n logistics"
HOLD = (
    "BEGIN; LOCK TABLE logistics.shipments IN ACCESS EXCLUSIVE MODE; "
    "SET idle_in_transaction_session_timeout = 0; SELECT pg_sleep({})"
)
AGE = (
    "import datetime, glob, json;"
    "ended = json.load(open(max(glob.glob('/data/logistics/dt=*/datapackage.json'))))['window']['end'];"
    "now = datetime.datetime.now(datetime.UTC);"
    "print(int((now - datetime.datetime.fromisoformat(ended)).total_seconds()))"
)


def steps() -> list[str]:
    """The commands of the README's first section, as they are written."""
    section = (ROOT / "Task3" / "README.md").read_text(encoding="utf-8").split("\n## ")[1]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


class Transcript:
    """Commands run in a copy of the checkout, and what they answered."""

    def __init__(self, checkout: Path, target: Path) -> None:
        self._checkout, self._target = checkout, target
        target.write_text("", encoding="utf-8")

    def text(self, *lines: str) -> None:
        with self._target.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def part(self, title: str, said: str = "") -> None:
        self.text("", f"## {title}", *(["", said] if said else []))

    def quietly(self, command: str) -> str:
        """Run what is no step of its own."""
        return self._run(command).stdout

    def run(self, command: str, *, code: int = 0) -> str:
        """Run a command and write it down. AssertionError when it ends with another code."""
        done = self._run(command)
        ended = ["", f"Exit code {done.returncode}."] if done.returncode else []
        self.text("", "```console", f"$ {command}", *done.stdout.splitlines(), "```", *ended)
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def until(self, command: str, pattern: str) -> None:
        """Wait until what the command prints has the pattern in it."""
        end = time.monotonic() + 180
        while not re.search(pattern, self.quietly(command)):
            assert time.monotonic() < end, f"{command}: never {pattern}\n{self.quietly(command)}"
            time.sleep(1)

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self._checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )

    def hold(self, seconds: int) -> subprocess.Popen[bytes]:
        """An administrator who holds a table: an export that wants to read it stands still."""
        psql = ["exec", "postgres-0", "--", "psql", "-U", "postgres", "-d", "test_db", "-c"]
        words = ["kubectl", "-n", "logistics", *psql, HOLD.format(seconds)]
        holder = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)
        return holder


def job(name: str, *settings: str) -> str:
    """The command that starts a Job of the CronJob with other settings."""
    made = f"{K} create job {name} --from=cronjob/logistics-export"
    if not settings:
        return made
    changed = f"kubectl set env --local -f - -o yaml {' '.join(settings)}"
    return f"{made} --dry-run=client -o yaml | {changed} | kubectl create -f -"


def pods(name: str) -> str:
    return f"{K} get pods -l batch.kubernetes.io/job-name={name} --sort-by=.metadata.creationTimestamp"


def first_log(name: str) -> str:
    return f"{K} logs $({pods(name)} -o name | head -1)"


def by_hand(said: Transcript) -> None:
    said.part("The steps of the README", "Without those that make the cluster and the image.")
    for command in steps():
        if not command.startswith(BEFORE):
            said.run(command)


def schedule(said: Transcript) -> None:
    said.part("The schedule fires", "Set to a minute that is near, by Moscow's clock; its zone stays.")
    said.run("TZ=Europe/Moscow date")
    minute = said.quietly("TZ=Europe/Moscow date -d '+90 seconds' '+%-M %-H'").strip()
    said.run(f"""{K} patch cronjob logistics-export -p '{{"spec":{{"schedule":"{minute} * * *"}}}}'""")
    said.until(f"{K} get jobs", r"logistics-export-\d+ +Complete")
    said.run(f"{K} get cronjob logistics-export")
    said.run(f"{K} get jobs")
    made = re.findall(r"logistics-export-\d+", said.quietly(f"{K} get jobs"))[-1]
    said.run(f"{K} logs job/{made} | grep -E 'published|ended'")
    said.run(f"""{K} patch cronjob logistics-export -p '{{"spec":{{"schedule":"0 20 * * *"}}}}'""")


def not_tried_again(said: Transcript) -> None:
    reason = "-o jsonpath='{.status.conditions[-1:].reason}: {.status.conditions[-1:].message}{\"\\n\"}'"
    for name, code, why, setting in (
        ("wrong-setting", 2, "A setting that is wrong", "EXTRACTS_WORKERS=none"),
        ("refused", 3, "A day that has no shipments", "EXTRACTS_DATE=2001-01-01"),
    ):
        said.part(f"Exit code {code} is not tried again", f"{why}: one pod, and the Job has failed.")
        said.run(job(name, setting))
        said.run(f"{K} wait job/{name} --for=condition=failed --timeout=120s")
        said.run(pods(name))
        said.run(f"{K} logs job/{name} | tail -3")
        said.run(f"{K} get job {name} {reason}")


def tried_again(said: Transcript) -> None:
    said.part("Exit code 1 is tried again", "The database goes away, and comes back after some tries.")
    said.run(f"{K} scale statefulset/postgres --replicas=0")
    said.quietly(f"{K} wait pod/postgres-0 --for=delete --timeout=60s")
    said.run(job("away"))
    said.until(pods("away"), r"(?s)Error.*Error")
    said.run(pods("away"))
    said.run(first_log("away"))
    said.run(f"{K} scale statefulset/postgres --replicas=1")
    said.run(f"{K} wait job/away --for=condition=complete --timeout=300s")
    said.run(pods("away"))


def second_run(said: Transcript) -> None:
    said.part(
        "A second run at the same time is turned away",
        "An administrator holds a table: the first run stands still, the second finds the lock taken.",
    )
    holder = said.hold(25)
    said.run(job("first", "EXTRACTS_LOCK_TIMEOUT=10min"))
    said.until(f"{K} logs job/first", "snapshot")
    said.run(job("second"))
    said.until(pods("second"), "Error")
    said.run(first_log("second"))
    holder.wait(timeout=120)
    said.run(f"{K} wait job/first job/second --for=condition=complete --timeout=180s")
    said.run(pods("second"))


def terminated(said: Transcript) -> None:
    said.part(
        "A pod that is deleted leaves nothing half published",
        "A run stands still before a table; its pod is deleted, as a drained node would do. The files are "
        "the same afterwards, and the Job's next pod does the work.",
    )
    holder = said.hold(30)
    every = "cd /data/logistics && find dt=* latest.json -type f | sort | xargs sha256sum | sha256sum"
    sums = f"{K} exec reader-0 -- sh -c '{every}'"
    before = said.run(sums)
    said.run(job("deleted", "EXTRACTS_LOCK_TIMEOUT=10min"))
    said.until(f"{K} logs job/deleted", "snapshot")
    pod = said.quietly(f"{pods('deleted')} -o name").split()[0]
    with tempfile.TemporaryFile() as log:
        # Its log goes with the pod: it is followed while the pod is deleted.
        follow = subprocess.Popen(["kubectl", "-n", "logistics", "logs", "-f", pod], stdout=log)
        time.sleep(2)
        said.run(f"time {K} delete {pod}")
        follow.wait(timeout=120)
        log.seek(0)
        said.text("", "```console", f"$ {K} logs -f {pod}", log.read().decode().rstrip("\n"), "```")
    assert said.run(sums) == before
    holder.wait(timeout=120)
    said.run(f"{K} wait job/deleted --for=condition=complete --timeout=180s")
    said.run(pods("deleted"))
    said.run(f"{K} exec reader-0 -- extracts verify /data/logistics")


def suspended(said: Transcript) -> None:
    said.part(
        "Suspended and forgotten",
        "Every minute, and suspended: no Job is made, and the published day grows older than it may be.",
    )
    change = f"{K} patch cronjob logistics-export -p"
    said.run(f"""{change} '{{"spec":{{"suspend":true,"schedule":"* * * * *"}}}}'""")
    age = int(said.quietly(f'{K} exec reader-0 -- python -c "{AGE}"')) + 60
    fresh = f"{K} exec reader-0 -- extracts freshness /data/logistics --max-age {age}s"
    said.run(fresh)
    said.until(fresh, "too old")
    said.run(fresh, code=3)
    said.run(f"{K} get cronjob logistics-export")
    said.run(f"""{change} '{{"spec":{{"suspend":false,"schedule":"0 20 * * *"}}}}'""")


def to_a_bucket(said: Transcript) -> None:
    said.part("Pruning, and publishing to a bucket", "SeaweedFS in the cluster is the S3 server.")
    said.run(f"{K} create job prune-now --from=cronjob/logistics-prune")
    said.run(f"{K} wait job/prune-now --for=condition=complete --timeout=120s")
    said.run(f"{K} logs job/prune-now")
    said.run("cp k8s/exporter/components/s3/bucket.env.example k8s/exporter/components/s3/bucket.env")
    said.run("kubectl apply -k k8s/exporter/overlays/minikube-s3 | grep -v unchanged")
    said.run(f"{K} rollout status statefulset/s3 --timeout=120s")
    said.run(job("to-bucket"))
    said.run(f"{K} wait job/to-bucket --for=condition=complete --timeout=120s")
    said.run(f"{K} logs job/to-bucket | grep -E 'published|ended'")


def main() -> int:
    """Write the transcript; 2 where no cluster was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--note", default="", help="what else a reader should know of the cluster")
    asked = parser.parse_args()
    if not (os.environ.get("KUBECONFIG") and os.environ.get("EXTRACTS_K8S_TESTS") == "1"):
        print("give a cluster for tests: KUBECONFIG and EXTRACTS_K8S_TESTS=1", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder)
        for name in ("k8s", "demo", "include/sql"):
            ignored = shutil.ignore_patterns("database.env", "bucket.env", "ping.env", "__pycache__")
            shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
        said = Transcript(checkout, TRANSCRIPT)
        version = json.loads(said.quietly("kubectl version -o json"))["serverVersion"]["gitVersion"]
        nodes = json.loads(said.quietly("kubectl get nodes -o json"))["items"]
        count = "one node" if len(nodes) == 1 else f"{len(nodes)} nodes"
        said.text(
            "# The export on a real cluster: commands and answers",
            "",
            f"Ran on Kubernetes {version}, {count}. {asked.note}".rstrip(),
        )
        try:
            for part in (
                *(by_hand, schedule, not_tried_again, tried_again),
                *(second_run, terminated, suspended, to_a_bucket),
            ):
                part(said)
        finally:
            said.quietly("kubectl delete namespace logistics --ignore-not-found --timeout=300s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
