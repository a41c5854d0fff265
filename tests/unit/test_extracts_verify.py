"""What `verify` finds in a published set that somebody or something damaged."""

import json
from datetime import date, timedelta

import pytest

from extracts.errors import DataRefused
from extracts.publication import Publication
from extracts.verify import verify

DAY = date(2026, 11, 21)


@pytest.fixture
def published(tmp_path):
    with Publication(tmp_path, "demo_set", DAY).stage() as stage:
        (stage.folder / "orders.csv").write_text("id,note\n1,a\n2,b\n")
        (stage.folder / "report.json").write_text("{}")
        stage.add("orders.csv", rows=2)
        stage.add("report.json")
        return stage.publish()


def described(published, **changes):
    """Rewrite the first resource of the package."""
    descriptor = json.loads(published.package.read_text())
    descriptor["resources"][0] |= changes
    published.package.write_text(json.dumps(descriptor))


def test_a_good_set_is_reported_in_one_line(published):
    report = verify(published.package.parent.parent)
    assert report.ok
    assert str(report).endswith("all as described (packages: 1, files: 2, rows: 2, bytes: 18)")
    report.raise_for_problems()


@pytest.mark.parametrize("place", ["package", "day", "dataset"])
def test_a_package_is_found_from_its_file_its_day_and_its_dataset(published, place):
    path = {
        "package": published.package,
        "day": published.package.parent,
        "dataset": published.package.parent.parent,
    }[place]
    assert (verify(path).ok, verify(path).files) == (True, 2)


def damage_file(published):
    (published.folder / "orders.csv").write_text("id,note\n1,a\n2,c\n")


def cut_file(published):
    (published.folder / "orders.csv").write_text("id,note\n1,a\n")


def remove_file(published):
    (published.folder / "orders.csv").unlink()


def add_file(published):
    (published.folder / "orders.csv.bak").touch()


def remove_package(published):
    published.package.unlink()


def empty_package(published):
    published.package.write_text("")


def other_json(published):
    published.package.write_text('["resources"]')


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (damage_file, "orders.csv has checksum sha256:"),
        (cut_file, "orders.csv has 12 bytes, and not 16"),
        (remove_file, "orders.csv is missing"),
        (add_file, "orders.csv.bak is not described"),
        (remove_package, "no package can be read there (No such file or directory)"),
        (empty_package, "it is not JSON"),
        (other_json, "it is no Data Package"),
        (lambda published: described(published, rows=3), "orders.csv has 2 rows, and not 3"),
        (lambda published: described(published, rows=None), "orders.csv has 2 rows, and not None"),
        (lambda published: described(published, path="../../../etc/passwd"), "leads out of the set"),
        (lambda published: described(published, path="/etc/passwd"), "leads out of the set"),
        (lambda published: described(published, path="https://example.com/a.csv"), "leads out of the set"),
        (lambda published: described(published, path="v=1\\..\\a.csv"), "leads out of the set"),
        (lambda published: described(published, path="v=1/\0.csv"), "leads out of the set"),
        (lambda published: described(published, path="v=1/\ud800.csv"), "leads out of the set"),
        (lambda published: described(published, path=["a.csv", "b.csv"]), "it is no Data Package"),
        (lambda published: published.package.write_text("[" * 100_000), "it is not JSON"),
    ],
)
def test_each_damage_is_named(published, damage, problem):
    damage(published)
    report = verify(published.package.parent.parent)
    assert problem in str(report)
    assert str(published.package) in str(report)
    with pytest.raises(DataRefused, match=r"problems: [12] \(packages"):
        report.raise_for_problems()


def test_a_link_that_leads_out_of_the_set_is_not_followed(published, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes((published.folder / "orders.csv").read_bytes())
    (published.folder / "orders.csv").unlink()
    (published.folder / "orders.csv").symlink_to(secret)
    assert "leads out of the set" in str(verify(published.package))


def test_every_day_of_a_dataset_is_checked(published, tmp_path):
    (tmp_path / "demo_set" / f"dt={DAY - timedelta(days=1)}").mkdir()
    report = verify(tmp_path / "demo_set")
    assert [problem.package.parent.name for problem in report.problems] == ["dt=2026-11-20"]
    assert report.files == 2


def test_a_place_without_anything_is_a_problem(tmp_path):
    assert "no package can be read there" in str(verify(tmp_path / "absent"))


def test_a_set_that_is_replaced_while_it_is_checked_is_read_again(published, monkeypatch):
    """The version that the reader had in hand is pruned under it; the new one is whole."""

    def replace_and_prune():
        monkeypatch.undo()
        publication = Publication(published.package.parents[2], "demo_set", DAY)
        with publication.stage() as stage:
            (stage.folder / "orders.csv").write_text("id,note\n3,c\n")
            stage.add("orders.csv")
            stage.publish()
        publication.prune(1)

    from extracts import verify as module

    real = module.load

    def load(path):
        descriptor = real(path)
        replace_and_prune()
        return descriptor

    monkeypatch.setattr(module, "load", load)
    report = verify(published.package)
    assert (report.ok, report.files, report.rows) == (True, 1, 1)
