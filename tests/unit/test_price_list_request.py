"""What a run of the price lists was asked for: form, schedule and configuration as one request."""

import json
from datetime import UTC, date, datetime

import pytest

from extracts.errors import UsageError
from pipelines.price_list_request import export, resolve

EMPTY = dict.fromkeys(
    ("date", "assortment", "formats", "clients", "release", "released_by", "recipients"), None
)
SIX_IN_MOSCOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def resolved(configuration=None, *, scheduled=SIX_IN_MOSCOW, run_id="scheduled__1", **params):
    return resolve(
        {**EMPTY, **params},
        scheduled=scheduled,
        run_id=run_id,
        root="/published",
        configuration=configuration or {},
    )


def exported(configuration=None, **params):
    return export({**EMPTY, **params}, day=date(2026, 11, 21), configuration=configuration or {})


def test_an_empty_form_is_the_usual_run():
    request = resolved()
    assert (request["day"], request["batches"], request["recipients"]) == ("2026-11-21", 4, [])
    assert request["work"].startswith("/published/.work/2026-11-21-")
    asked = exported()
    assert (asked.assortment, asked.formats, asked.codes) == ("full", ("csv", "xlsx"), None)
    assert (asked.release, asked.released_by) == ((), None)


@pytest.mark.parametrize(
    ("scheduled", "day"),
    [
        (datetime(2026, 11, 20, 20, 59, tzinfo=UTC), "2026-11-20"),
        (datetime(2026, 11, 20, 21, 0, tzinfo=UTC), "2026-11-21"),
    ],
)
def test_the_day_begins_at_midnight_in_moscow(scheduled, day):
    assert resolved(scheduled=scheduled)["day"] == day
    assert resolved(scheduled=scheduled, date="2026-11-01")["day"] == "2026-11-01"


def test_every_run_has_a_work_folder_of_its_own():
    asked = [{}, {"run_id": "manual__2/../.."}, {"date": "2026-11-20"}, {"assortment": "contract"}]
    folders = [resolved(**params)["work"] for params in asked]
    assert len(set(folders)) == len(folders)
    assert all(folder.count("/") == 3 and ".." not in folder for folder in folders)
    assert resolved()["work"] == resolved()["work"]


def test_empty_lines_are_no_clients_and_spaces_belong_to_a_code():
    assert exported(clients=["опт ", "", "B2B-0008", " "]).codes == ("опт ", "B2B-0008")
    assert exported(clients=[""]).codes is None
    assert exported(clients=["A"], release=["A", ""], released_by=" me ").release == ("A",)


@pytest.mark.parametrize(
    ("configuration", "params", "said"),
    [
        ({}, {"clinets": ["B2B-0001"]}, "unknown field clinets: the form has assortment, clients, date,"),
        ({}, {"date": "yesterday"}, "'yesterday' is no day: write it as YYYY-MM-DD"),
        ({}, {"release": ["A"]}, "give it"),
        ({}, {"release": ["A"], "released_by": "  "}, "give it"),
        (
            {},
            {"clients": ["A"], "release": ["B"], "released_by": "me"},
            "not among the clients of this run: B",
        ),
        ({"batches": 0}, {}, "batches 0 .* give 1 to 64"),
        ({"batches": True}, {}, "batches True"),
        ({"batches": "4"}, {}, "batches '4'"),
        ({"max_shrink": 2}, {}, "max_shrink 2"),
        ({"max_shirnk": 0.2}, {}, "unknown bound max_shirnk"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(configuration, params, said):
    with pytest.raises(UsageError, match=said):
        resolved(configuration, **params)


def test_the_configuration_sets_batches_and_bounds():
    assert resolved({"batches": 64, "max_shrink": 0.2})["batches"] == 64
    assert str(exported({"batches": 64, "max_shrink": 0.2}).bounds.max_shrink) == "0.2"


def test_a_request_does_not_grow_with_what_was_asked_for():
    clients = [f"B2B-{number:04}" for number in range(500)]
    request = resolved(clients=clients, release=clients, released_by="me")
    assert len(json.dumps(request)) < 300
