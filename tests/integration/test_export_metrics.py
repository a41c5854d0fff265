"""What an export tells Prometheus, by text files and by a Pushgateway, and that neither can make it fail."""

import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from demo.ports import choose
from tests.integration.export_watchers import (
    MISBEHAVIOURS,
    Pushgateway,
    StandIn,
    figures,
    impatient,
    misbehaving,
    receiver,
    shown,
    warnings,
    words,
)

ROOT = Path(__file__).resolve().parents[2]
SET = ("set", "logistics")
LAST_RUN = {
    "extracts_last_run_timestamp_seconds",
    "extracts_last_run_exit_code",
    "extracts_last_run_duration_seconds",
}
LAST_SUCCESS = {"extracts_last_success_timestamp_seconds", "extracts_last_window_end_timestamp_seconds"}
# 20:00 in Moscow on the 20th.
WINDOW_END = datetime.fromisoformat("2026-11-20T17:00:00+00:00").timestamp()


@pytest.fixture
def metrics(tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    return folder


def texts(folder):
    """The folder as `node_exporter` reads it: every .prom file, all of them together."""
    return "".join(file.read_text() for file in sorted(folder.glob("*.prom")))


def assert_success(found, package, *labels):
    """The figures of a success are those of the package."""
    end = found["extracts_last_window_end_timestamp_seconds", frozenset({SET, *labels})]
    assert end == WINDOW_END
    for item in package["resources"]:
        of = frozenset({SET, ("table", item["name"]), *labels})
        assert found["extracts_table_rows", of] == item["rows"]
        assert found["extracts_table_bytes", of] == item["bytes"]


def successes(found):
    """All figures but those of the last run, whichever way it ended."""
    return {key: value for key, value in found.items() if key[0] not in LAST_RUN}


def tables(found):
    return {dict(labels)["table"] for name, labels in found if name == "extracts_table_rows"}


def sets(found):
    name = "extracts_last_success_timestamp_seconds"
    return {dict(labels)["set"] for found_name, labels in found if found_name == name}


def test_a_success_stands_in_the_folder_and_a_failure_leaves_it_there(carrier, metrics):
    assert carrier.command(*words(carrier), EXTRACTS_METRICS=str(metrics)).returncode == 0
    first = figures(texts(metrics))
    own = frozenset({SET})
    assert {name for name, _ in first} == LAST_RUN | LAST_SUCCESS | {
        "extracts_table_rows",
        "extracts_table_bytes",
    }
    assert first["extracts_last_run_exit_code", own] == 0
    assert 0 < first["extracts_last_run_duration_seconds", own] < 60
    assert_success(first, carrier.package())

    carrier.sql("DELETE FROM shipments")
    assert carrier.command(*words(carrier), "--metrics", str(metrics)).returncode == 3
    second = figures(texts(metrics))
    assert second["extracts_last_run_exit_code", own] == 3
    later, before = (found["extracts_last_run_timestamp_seconds", own] for found in (second, first))
    assert later > before
    assert successes(second) == successes(first)
    assert sorted(path.name for path in metrics.iterdir()) == [
        "extracts_logistics.prom",
        "extracts_logistics_success.prom",
    ]


def test_promtool_takes_what_stands_in_the_folder(carrier, metrics):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on the PATH: the metrics' files are parsed by prometheus_client alone")
    carrier.command(*words(carrier), EXTRACTS_METRICS=str(metrics))
    check = subprocess.run(
        [promtool, "check", "metrics"], input=texts(metrics), capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr
    assert check.stdout + check.stderr == ""


def test_the_rules_ask_for_what_is_told(carrier, metrics):
    carrier.command(*words(carrier), EXTRACTS_METRICS=str(metrics))
    rules = (ROOT / "k8s/monitoring/logistics-export.rules.yaml").read_text()
    asked = set(re.findall(r"\bextracts_\w+", rules))
    assert asked
    assert asked <= {name for name, _ in figures(texts(metrics))}


@pytest.fixture(params=["pushgateway", "a stand-in"])
def gateway(request, tmp_path):
    """The real Pushgateway where it is installed, and everywhere a server that takes what is pushed."""
    if request.param == "a stand-in":
        with receiver() as (address, received):
            yield StandIn(address, received)
        return
    binary = shutil.which("pushgateway") or shutil.which("prometheus-pushgateway")
    if binary is None:
        pytest.skip("no prometheus-pushgateway on the PATH: a stand-in takes what is pushed")
    gateway = Pushgateway(binary, tmp_path / "pushgateway.log")
    try:
        yield gateway
    finally:
        gateway.stop()


def test_a_pushgateway_keeps_the_last_success_beside_the_last_run(carrier, gateway):
    labels = [("job", "extracts"), ("instance", "")]
    group = frozenset({SET, *labels})
    assert carrier.command(*words(carrier), EXTRACTS_METRICS=gateway.address).returncode == 0
    first = shown(gateway, lambda found: len(tables(found)) == 3)
    assert first["extracts_last_run_exit_code", group] == 0
    assert_success(first, carrier.package(), *labels)

    carrier.sql("DELETE FROM shipments")
    failed = carrier.command(*words(carrier), EXTRACTS_METRICS=gateway.address)
    assert failed.returncode == 3
    assert warnings(failed) == []
    second = shown(gateway, lambda found: found["extracts_last_run_exit_code", group] == 3)
    assert successes(second) == successes(first)

    # A table that is gone is not told of for ever.
    carrier.sql("INSERT INTO shipments VALUES (1, 'created', '2026-11-20 12:00+03')")
    (carrier.queries / "drivers.sql").unlink()
    done = carrier.command(*words(carrier), "--allow-missing", "drivers", EXTRACTS_METRICS=gateway.address)
    assert done.returncode == 0
    shown(gateway, lambda found: tables(found) == {"shipments", "shipment_events"})


def test_two_sets_do_not_disturb_each_other(carrier, gateway):
    for name in ("logistics", "other"):
        names = [name if word == "logistics" else word for word in words(carrier)]
        assert carrier.command(*names, EXTRACTS_METRICS=gateway.address).returncode == 0
    shown(gateway, lambda found: sets(found) == {"logistics", "other"})


def test_a_folder_that_cannot_be_written_is_a_warning(carrier, metrics):
    for name in ("extracts_logistics.prom", "extracts_logistics_success.prom"):
        (metrics / name).mkdir()
    done = carrier.command(*words(carrier), EXTRACTS_METRICS=str(metrics))
    assert done.returncode == 0, done.stderr
    assert len(warnings(done)) == 2
    assert all(str(metrics) in text for text in warnings(done))


@pytest.mark.parametrize("how", [*MISBEHAVIOURS, "answers 500", "is not there"])
def test_a_gateway_that_misbehaves_neither_fails_an_export_nor_holds_it_up(carrier, how):
    """Each push has ten seconds, whatever comes in them; here one, so that the test is soon over."""
    with misbehaving(how) if how in MISBEHAVIOURS else receiver(500) as found:
        address = found if isinstance(found, str) else found[0]
        if how == "is not there":
            address = f"http://127.0.0.1:{choose()}"
        done = impatient(carrier, "--metrics", address)
    assert done.returncode == 0, done.stderr
    assert len(warnings(done)) == 2, done.stdout
    assert all(address in text for text in warnings(done))
    assert carrier.ids("shipments") == [1, 2]
    assert "Traceback" not in done.stderr


def test_a_password_in_the_gateway_s_address_is_not_told(carrier):
    for address in ("http://user:f00d@127.0.0.1:9", "http://user:f00d@127.0.0.1"):
        done = carrier.command(*words(carrier), EXTRACTS_METRICS=address)
        assert done.returncode == 0
        assert len(warnings(done)) == 2
        assert "f00d" not in done.stdout + done.stderr


@pytest.mark.parametrize("to", ["ftp://127.0.0.1", "/nowhere/at/all"])
def test_what_is_neither_a_folder_nor_a_gateway_is_told_before_anything_is_done(carrier, to):
    done = carrier.command(*words(carrier), EXTRACTS_METRICS=to)
    assert done.returncode == 2
    assert f"--metrics {to}" in done.stderr
    assert done.stdout == ""
    assert not carrier.folder().exists()
