"""What a run was asked for, and that a refused file leaves its bad rows where an operator finds them."""

import json
from datetime import UTC, datetime

import pytest

from extracts.errors import DataRefused, UsageError
from extracts.verify import verify
from pipelines.delivery_request import analyse_and_publish, resolve, settings
from tests.integration.delivery import HEADER, line, make_orders

NIGHT = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # 01:30 of the 21st in Moscow
EMPTY = {"file": None, "date": None, "threshold": None, "recipients": None}


def resolved(configuration=None, **params):
    return resolve(
        {**EMPTY, **params}, scheduled=NIGHT, statuses_dir="/data", configuration=configuration or {}
    )


def test_an_empty_form_is_the_day_in_moscow_and_its_file():
    assert resolved() == {
        "file": "/data/delivery_statuses_2026-11-21.csv",
        "wait_for": "/data/delivery_statuses_2026-11-21.csv",
        "day": "2026-11-21",
        "threshold": 0.1,
        "recipients": [],
    }


def test_a_file_named_by_hand_is_not_waited_for():
    request = resolved(file=" https://carrier.example/statuses.csv ", date="2026-11-01")
    assert request["file"] == "https://carrier.example/statuses.csv"
    assert request["wait_for"] == ""
    assert request["day"] == "2026-11-01"


def test_the_form_goes_before_the_configuration_and_that_before_the_default():
    assert resolved({"threshold": 0.2})["threshold"] == 0.2
    assert resolved({"threshold": 0.2}, threshold=0.3)["threshold"] == 0.3
    assert resolved({"threshold": 0.2}, threshold=0)["threshold"] == 0


@pytest.mark.parametrize(
    ("configuration", "params", "message"),
    [
        ({"treshold": 0.1}, {}, "unknown setting treshold"),
        ({"threshold": 7}, {}, "threshold 7 is no share"),
        ({}, {"date": "2026-13-01"}, "is no day"),
    ],
)
def test_what_cannot_be_is_told_at_once(configuration, params, message):
    with pytest.raises(UsageError, match=message):
        resolved(configuration, **params)


def test_statuses_that_are_errors_are_configuration():
    assert settings({"error_statuses": ["Teleported"]}).error_statuses == {"teleported"}


@pytest.fixture
def carried_out(database, tmp_path):
    make_orders(database, [(order, "СДЭК", "Москва") for order in range(1, 21)])
    (tmp_path / "published").mkdir()

    def carry_out(content, root="published", **configuration):
        (tmp_path / "statuses.csv").write_text(HEADER + content)
        return analyse_and_publish(
            resolved(file=str(tmp_path / "statuses.csv")),
            dsn=database,
            root=str(tmp_path / root),
            configuration=configuration,
        )

    return carry_out


def test_the_verdict_is_published_and_what_is_passed_on_is_small(carried_out, tmp_path):
    passed_on = carried_out("".join(line(order) for order in range(1, 21)))
    assert passed_on["orders_with_status"] == 20
    assert passed_on["package"].endswith("delivery_status_analysis/dt=2026-11-21/datapackage.json")
    assert verify(tmp_path / "published" / "delivery_status_analysis").ok
    assert len(json.dumps(passed_on)) < 2048


def test_a_refused_file_leaves_all_its_bad_rows(carried_out, tmp_path):
    with pytest.raises(DataRefused) as refused:
        carried_out(line(1) + line("x") * 5)
    kept = tmp_path / "published" / "refused" / "delivery_status_analysis" / "2026-11-21.csv"
    assert str(kept) in str(refused.value)
    assert len(kept.read_text().splitlines()) == 6
    assert not (tmp_path / "published" / "delivery_status_analysis").exists()

    carried_out(line(1) * 1000 + line("x"))
    assert not kept.exists(), "the rows that were refused belong to the published set now"
    assert list((tmp_path / "published" / "delivery_status_analysis").glob("dt=*/v=*/rejects.csv"))


def test_a_missing_root_is_told_before_the_work(carried_out):
    with pytest.raises(UsageError, match="create this folder"):
        carried_out(line(1), root="not mounted")
