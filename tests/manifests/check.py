"""What is wrong with the Dockerfiles, the manifests and the alerts: `python -m tests.manifests.check`.

Each check is a function that answers with its findings, one line each. What a machine cannot check, because
a program is not there, is named and is no finding.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import kubernetes_validate
import yaml

from tests.manifests.tree import MONITORING, ROOT, Object, copied, documents, kustomize, program, written

# The version of Kubernetes that the manifests are written for.
KUBERNETES = "1.34"
RENDERED = (
    "k8s/exporter/base",
    "k8s/exporter/overlays/minikube",
    "k8s/exporter/overlays/minikube-s3",
    "k8s/monitoring",
)


class Missing(Exception):
    """A program that a check needs is not on this machine."""


def _needed(name: str) -> str:
    if found := program(name):
        return found
    raise Missing(f"no {name} on this machine")


def _run(*command: str) -> list[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines() if done.returncode else []


def dockerfiles() -> list[str]:
    """Every Dockerfile, by hadolint."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docker").rglob("Dockerfile"))
    return _run(_needed("hadolint"), *files)


def invalid(where: str, objects: list[Object]) -> Iterator[str]:
    """What the schema of Kubernetes refuses, unknown fields included."""
    for found in objects:
        name = f"{found.get('kind')}/{found.get('metadata', {}).get('name')}"
        try:
            kubernetes_validate.validate(found, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(str(step) for step in error.absolute_path)
            yield f"{where}: {name}: {place or 'the object'}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{where}: {name}: {error}"


def manifests() -> list[str]:
    """Every file of objects as it is written."""
    return [
        finding
        for path in written()
        for finding in invalid(str(path.relative_to(ROOT)), list(documents(path)))
    ]


def overlays() -> list[str]:
    """Every overlay as kustomize renders it: what is applied."""
    _needed("kubectl")
    findings: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        for name in RENDERED:
            try:
                objects = [found for found in yaml.safe_load_all(kustomize(tree / name)) if found]
            except RuntimeError as error:
                findings.append(f"{name}: {error}")
            else:
                findings += invalid(name, objects)
    return findings


def alerts() -> list[str]:
    """The rules and their tests, by promtool."""
    promtool = _needed("promtool")
    rules, tests = (sorted(map(str, MONITORING.glob(f"*.{kind}.yaml"))) for kind in ("rules", "test"))
    return _run(promtool, "check", "rules", *rules) + _run(promtool, "test", "rules", *tests)


CHECKS: tuple[Callable[[], list[str]], ...] = (dockerfiles, manifests, overlays, alerts)


def main() -> int:
    """Run every check, print what they find; 1 when that is anything."""
    findings: list[str] = []
    for check in CHECKS:
        try:
            findings += check()
        except Missing as missing:
            print(f"{check.__name__}: not checked, {missing}")
    print("\n".join(findings) if findings else "Dockerfiles and manifests: nothing to mend")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
