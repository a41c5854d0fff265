"""Task 3's document in its two languages: the same in both, true to the manifests and to the transcript."""

import re

import pytest
import yaml

from extracts import __version__
from tests.documents import dead_ends
from tests.manifests.tree import ROOT, copied, kustomize, one, overlay, program

FOLDER = ROOT / "Task3"
ENGLISH = (FOLDER / "README.md").read_text(encoding="utf-8")
RUSSIAN = (FOLDER / "README.ru.md").read_text(encoding="utf-8")
TRANSCRIPT = (FOLDER / "transcript.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("text", [ENGLISH, RUSSIAN], ids=["en", "ru"])
# What makes the cluster and its image; whoever took the transcript had them.
BEFORE = ("minikube ", "docker build ")
KUBECTL = pytest.mark.skipif(
    not program("kubectl"), reason="no kubectl on this machine: Task 3's tables against the manifests"
)


def tables(text):
    """Tables as rows of cells, without the heads; by the words that stand before each."""
    found = re.findall(r"([^\n]+)\n\n((?:^\|.*\|$\n)+)", text, re.MULTILINE)
    return {
        before: [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
        for before, table in found
    }


def blocks(text):
    return re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)


def words(text):
    return sorted(re.findall(r"`[^`\n]+`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)))


def at(found, path):
    """The value at a path such as `template.spec.volumes[tmp]`; KeyError when there is none."""
    for step in re.findall(r"[^.\[\]]+|\[[^\]]+\]", path):
        if step.startswith("["):
            (found,) = [item for item in found if item["name"] == step[1:-1]] or [None]
            if found is None:
                raise KeyError(path)
        else:
            found = found[step]
    return found


def leaves(found, path=""):
    """The paths of all fields; what has a name in a list is one, unless it is a container."""
    if isinstance(found, dict) and found:
        for name, value in found.items():
            yield from leaves(value, f"{path}.{name}")
    elif isinstance(found, list) and all(isinstance(item, dict) and "name" in item for item in found):
        for item in found:
            place = f"{path}[{item['name']}]"
            yield from leaves(item, place) if "image" in item else [place]
    else:
        yield path


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    return overlay(copied(tmp_path_factory.mktemp("task3")))


def fields(text):
    """What the tables say of the CronJob: path below the object -> the value as it is written."""
    told = {}
    for before, rows in tables(text).items():
        if prefix := re.search(r"`(spec[^`]*)`:?$", before):
            told |= {f"{prefix[1]}.{row[0].strip('`')}": row[1].strip("`") for row in rows}
    return told


@KUBECTL
@BOTH
def test_every_field_of_the_cronjob_is_in_a_table_and_as_the_table_says(text, objects):
    cronjob = one(objects, "CronJob", "logistics-export")
    told = fields(text)
    assert len(told) > 40
    for path, value in told.items():
        found = at(cronjob, path)
        assert value == "" or yaml.safe_load(value) == found, path
    there = {path for path in leaves(cronjob["spec"], "spec") if ".metadata." not in path}
    assert there == set(told)


@KUBECTL
@BOTH
def test_everything_around_it_is_in_a_table_and_as_the_table_says(text, objects):
    rows = [row for table in tables(text).values() for row in table if re.match(r"`\w+/", row[0])]
    named = set()
    for name, path, value, _ in rows:
        kind, _, name = name.strip("`").partition("/")
        found = at(one(objects, kind, name), path.strip("`"))
        assert value == "" or yaml.safe_load(value.strip("`")) == found, (name, path)
        named.add((kind, name))
    described = {("CronJob", "logistics-export"), *named}
    for found in objects:
        kind, name = found["kind"], found["metadata"]["name"]
        assert {(kind, name), (kind, name.rpartition("-")[0])} & described, f"{kind}/{name} is in no table"


@KUBECTL
def test_the_own_overlay_is_all_that_an_own_database_needs(tmp_path):
    tree = copied(tmp_path)
    folder = tree / "k8s" / "exporter" / "overlays" / "own"
    folder.mkdir()
    (written,) = re.findall(r"```yaml\n(.*?)```", ENGLISH, re.DOTALL)
    (folder / "kustomization.yaml").write_text(written, encoding="utf-8")
    rendered = list(yaml.safe_load_all(kustomize(folder)))
    assert one(rendered, "ConfigMap", "database-settings")["data"]["PGHOST"] == "db.example.org"
    for name in ("logistics-export", "logistics-prune"):
        spec = one(rendered, "CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert spec["containers"][0]["image"] == f"registry.example.org/batch-extracts-exporter:{__version__}"


def test_both_languages_have_the_same_build():
    def heads(text):
        return [line.partition(" ")[0] for line in text.splitlines() if re.match(r"#+ ", line)]

    assert heads(ENGLISH) == heads(RUSSIAN)
    assert blocks(ENGLISH) == blocks(RUSSIAN)
    assert [[len(row) for row in table] for table in tables(ENGLISH).values()] == [
        [len(row) for row in table] for table in tables(RUSSIAN).values()
    ]
    assert words(ENGLISH) == words(RUSSIAN)
    for link in (r"!\[[^]]+\]\(([^)]+)\)", r"(?<!!)\[[^]]+\]\((?!README)([^)]+)\)"):
        assert re.findall(link, ENGLISH) == re.findall(link, RUSSIAN)


@BOTH
def test_what_it_points_at_is_there(text):
    assert dead_ends(text, FOLDER) == []
    assert "](http" not in text
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", text):
        assert (FOLDER / picture).stat().st_size < 300_000


def answered():
    """Commands of the transcript, and what each answered."""
    found = re.findall(r"```console\n\$ (.*?)\n(.*?)```", TRANSCRIPT, re.DOTALL)
    return {command: answer.splitlines() for command, answer in found}


def test_the_steps_are_those_that_were_run_and_show_what_they_answered():
    section = ENGLISH.split("\n## ")[1]
    ran, shown = list(answered()), []
    for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                shown.append(line[2:])
            elif line != "…":
                assert line in answered()[shown[-1]], line
    steps = [command for command in shown if not command.startswith(BEFORE)]
    assert len(steps) >= 10
    assert ran[: len(steps)] == steps


def test_the_transcript_says_what_it_ran_on_and_nothing_of_the_machine():
    assert re.search(r"^Ran on Kubernetes v1\.\d+\.\d+, .*stand-ins", TRANSCRIPT, re.MULTILINE)
    assert not re.search(r"/(work|home|root|tmp|Users)/", TRANSCRIPT)
