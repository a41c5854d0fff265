"""A bucket that answers badly, late or not at all: what passes by itself, what fails, what a reader sees.

Between the client and a real S3 server stands a proxy that goes wrong on demand.
"""

import signal
import subprocess
import sys
import time
from datetime import date, timedelta

import pytest

from extracts.errors import TransientError, UsageError
from extracts.storage import objects, open_storage
from extracts.verify import verify
from tests.faulty_proxy import CUT_ANSWER, CUT_REQUEST, LOST_ANSWER

DAY = date(2026, 11, 21)
MEGABYTE = 1 << 20
# The most that an upload may add to a process's memory.
GROWTH = 64 * MEGABYTE
UPLOAD = """
import resource, sys
from datetime import date
from pathlib import Path
from extracts.storage import open_storage

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

storage = open_storage(sys.argv[1], work=Path(sys.argv[2]))
storage.check()
before = peak()
with storage.publication("demo_set", date(2026, 11, 21)).stage() as stage:
    block = bytes(range(256)) * 4096
    with (stage.folder / "big.bin").open("wb") as file:
        for _ in range(200):
            file.write(block)
    stage.add("big.bin")
    stage.publish()
print(peak() - before)
"""


def publish(storage, text="id\n1\n"):
    with storage.publication("demo_set", DAY).stage() as stage:
        for name in ("first.csv", "second.csv"):
            (stage.folder / name).write_text(text)
            stage.add(name)
        return stage.publish()


@pytest.fixture
def storage(bucket, proxy, monkeypatch):
    monkeypatch.setattr(objects, "PATIENCE", timedelta(seconds=1))
    return open_storage(bucket.url)


@pytest.fixture
def direct(bucket, s3_server, proxy, monkeypatch):
    """The URL of the dataset as a reader finds it, past the proxy."""

    def check():
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
        report = verify(f"{bucket.url}/demo_set")
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        return report

    return check


@pytest.mark.parametrize("fault", [503, 429, 500, CUT_REQUEST, LOST_ANSWER, CUT_ANSWER, 0.3])
def test_every_request_may_fail_once(storage, proxy, direct, fault):
    """The first, the second, … the last request of a publication: each time it goes through."""
    publish(storage)
    proxy.forget()
    publish(storage, "id\n0\n")
    requests = len(proxy.seen)
    assert requests > 8
    for nth in range(1, requests + 1):
        proxy.forget()
        proxy.rule = lambda request, nth=nth: fault if request.number == nth else None
        assert publish(storage, f"id\n{nth}\n").changed
        report = direct()
        assert report.ok, str(report)
        proxy.forget()
        assert storage.publication("demo_set", DAY).prune(1)


@pytest.mark.parametrize("fault", [503, 429, CUT_REQUEST, LOST_ANSWER])
def test_a_server_that_goes_away_at_any_request_leaves_a_whole_set(bucket, proxy, direct, fault, monkeypatch):
    monkeypatch.setattr(objects, "PATIENCE", timedelta(seconds=0.1))
    storage = open_storage(bucket.url)
    publish(storage, "id\n0\n")
    told = []
    for nth in range(1, 30):
        proxy.forget()
        proxy.rule = lambda request, nth=nth: fault if request.number >= nth else None
        try:
            publish(storage, f"id\n{nth}\n")
            break
        except TransientError as error:
            told.append(str(error))
        report = direct()
        assert report.ok, str(report)
    assert len(told) > 8
    assert not [text for text in told if "storage error at s3://" not in text or "Debug" in text]
    proxy.forget()
    assert publish(storage, "id\nlast\n").changed
    assert direct().ok


def test_nothing_of_what_failed_is_left_after_the_next_run(storage, proxy, bucket):
    for nth in (3, 4, 5, 6):
        proxy.forget()
        proxy.rule = lambda request, nth=nth: (
            503 if request.number >= nth and request.method == "PUT" else None
        )
        with pytest.raises(TransientError):
            publish(storage)
    proxy.forget()
    published = publish(storage)
    day = f"demo_set/dt={DAY}"
    assert bucket.keys() == [
        f"{day}/datapackage.json",
        f"{day}/v={published.version}/first.csv",
        f"{day}/v={published.version}/second.csv",
        "demo_set/latest.json",
    ]


def test_reading_goes_on_over_answers_that_are_cut(storage, proxy, bucket):
    with storage.publication("demo_set", DAY).stage() as stage:
        (stage.folder / "big.csv").write_text("id\n" + "1\n" * (3 * MEGABYTE))
        stage.add("big.csv")
        stage.publish()
    proxy.forget()
    proxy.rule = lambda request: CUT_ANSWER if request.number % 2 else None
    report = verify(f"{bucket.url}/demo_set")
    assert (report.ok, report.rows) == (True, 3 * MEGABYTE)


def test_a_large_file_survives_faults_in_its_parts(storage, proxy, direct):
    proxy.rule = lambda request: {5: 503, 7: CUT_REQUEST, 9: LOST_ANSWER}.get(request.number)
    with storage.publication("demo_set", DAY).stage() as stage:
        (stage.folder / "big.csv").write_text("id\n" + "1\n" * (20 * MEGABYTE))
        stage.add("big.csv")
        stage.publish()
    assert sum("partNumber=" in request.path for request in proxy.seen) >= 5
    report = direct()
    assert (report.ok, report.rows) == (True, 20 * MEGABYTE)


def test_an_upload_whose_last_answer_is_lost_is_made_again(storage, proxy, direct):
    """The server has forgotten the upload that it completed: what the client asks again is not there."""
    asked = []

    def rule(request):
        if request.method == "POST" and "uploadId=" in request.path:
            asked.append(request)
            return LOST_ANSWER if len(asked) == 1 else None
        return None

    proxy.rule = rule
    with storage.publication("demo_set", DAY).stage() as stage:
        (stage.folder / "big.csv").write_text("id\n" + "1\n" * (5 * MEGABYTE))
        stage.add("big.csv")
        stage.publish()
    assert len(asked) >= 2
    assert direct().ok


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_heard_while_a_server_does_not_answer(bucket, proxy, number):
    """Trying again takes two minutes; a person, and a scheduler's grace period, do not wait for that."""
    proxy.rule = lambda request: 503
    program = (
        "import signal, sys; from extracts.storage import open_storage\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        f"open_storage({bucket.url!r}).check()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    while len(proxy.seen) < 2:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(timeout=60) == (143 if number == signal.SIGTERM else -signal.SIGINT)


def test_an_upload_holds_little_memory(bucket, tmp_path):
    command = [sys.executable, "-c", UPLOAD, bucket.url, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < GROWTH
    assert not list(tmp_path.glob("extracts-work-*"))
    assert len(bucket.read(f"demo_set/dt={DAY}/datapackage.json")) > 0


def test_a_bucket_that_is_not_there_is_named(s3_server, bucket):
    with pytest.raises(UsageError, match=r"s3://no-such-bucket.*NoSuchBucket.*create the bucket"):
        open_storage("s3://no-such-bucket/prefix").check()
    with pytest.raises(UsageError, match="NoSuchBucket"):
        open_storage("s3://no-such-bucket").days("demo_set")


@pytest.mark.parametrize("method", ["check", "days"])
def test_keys_that_are_wrong_are_told(bucket, monkeypatch, method):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    storage = open_storage(bucket.url)
    with pytest.raises(UsageError, match=r"SignatureDoesNotMatch.*check AWS_ACCESS_KEY_ID") as refused:
        storage.check() if method == "check" else storage.days("demo_set")
    assert "not-the-secret" not in str(refused.value)


def test_keys_that_may_only_read_are_told_before_anything_is_staged(s3_server, bucket, monkeypatch):
    publish(open_storage(bucket.url))
    for name, value in s3_server.environment(s3_server.reader).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"AccessDenied.*that they may get, put, list and delete"):
        open_storage(bucket.url).check()
    # Reading is what they are for.
    assert verify(f"{bucket.url}/demo_set").ok


def test_nobody_at_the_endpoint_may_pass(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(objects, "PATIENCE", timedelta(seconds=0.5))
    with pytest.raises(TransientError, match=r"storage error at s3://.*try again"):
        open_storage(bucket.url).check()
