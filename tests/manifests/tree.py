"""The manifests as they are written, and as kustomize renders them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXPORTER = ROOT / "k8s" / "exporter"
MONITORING = ROOT / "k8s" / "monitoring"
# The SQL of the role that the export connects as.
ROLE = EXPORTER / "role" / "read-only-role.sql"

Object = dict[str, Any]


def program(name: str) -> str | None:
    """Where the program is: beside this Python, as pip installs it, or on the PATH."""
    here = Path(sys.executable).parent / name
    return str(here) if here.exists() else shutil.which(name)


def documents(path: Path) -> Iterator[Object]:
    """The objects of a file of YAML."""
    yield from (found for found in yaml.safe_load_all(path.read_text(encoding="utf-8")) if found)


def written() -> list[Path]:
    """Every file of Kubernetes objects: what is neither kustomize's own nor Prometheus's."""
    others = ("kustomization.yaml", ".rules.yaml", ".test.yaml")
    return sorted(path for path in (ROOT / "k8s").rglob("*.yaml") if not path.name.endswith(others))


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of this kind and name; a generated name counts without its hash."""
    found = [
        o for o in objects
        if o["kind"] == kind and name in (o["metadata"]["name"], o["metadata"]["name"].rpartition("-")[0])
    ]  # fmt: skip
    assert len(found) == 1, [(o["kind"], o["metadata"]["name"]) for o in objects]
    return found[0]


def copied(target: Path) -> Path:
    """What kustomize reads, copied into the folder `target`, with the committed examples as secrets.

    Nobody's own secrets are read, and none have to be there.
    """
    shutil.copytree(ROOT / "k8s", target / "k8s", ignore=shutil.ignore_patterns("*.env"))
    for settings in EXPORTER.rglob("*-settings.env"):
        shutil.copy(settings, target / settings.relative_to(ROOT))
    for example in (target / "k8s").rglob("*.env.example"):
        shutil.copy(example, example.with_suffix(""))
    shutil.copytree(ROOT / "demo", target / "demo", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(ROOT / "include" / "sql", target / "include" / "sql")
    return target


def kustomize(folder: Path) -> str:
    """What `kubectl apply -k` would apply. Raises RuntimeError with what kustomize says."""
    kubectl = program("kubectl")
    assert kubectl, "no kubectl on this machine"
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def overlay(tree: Path, *components: str, on: str = "base") -> list[Object]:
    """The objects of `on` (base, overlays/minikube) with these components, in a tree that `copied` made."""
    folder = tree / "k8s" / "exporter" / "overlays" / "-".join(["test", *components])
    folder.mkdir(parents=True, exist_ok=True)
    asked = {"resources": [f"../../{on}"], "components": [f"../../components/{name}" for name in components]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(asked), encoding="utf-8")
    return [found for found in yaml.safe_load_all(kustomize(folder)) if found]
