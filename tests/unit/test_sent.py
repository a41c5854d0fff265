"""The record of sent mails: what is the same mail, what outlives a kill, and that two runs take turns."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from extracts import folder
from extracts.errors import TransientError, UsageError
from pipelines.sent import Sent
from tests.price_list_sets import client, publish

TO = ["analysts@retailer.example", "boss@retailer.example"]


def sent(root: Path, **other: str) -> Sent:
    return Sent(
        root, **{"dataset": "price_list_export", "day": "2026-11-21", "version": "20261121T030201Z", **other}
    )


def record(mails: Sent, kind: str = "success", to: list[str] = TO) -> None:
    with mails.alone():
        mails.record(kind, to, "<success.1@retailer.example>")


def records(root: Path) -> list[Path]:
    return sorted(root.glob(".sent/*/*.json"))


def test_a_mail_is_known_by_publication_kind_and_recipients(tmp_path):
    assert not sent(tmp_path).has("success", TO)
    assert not (tmp_path / ".sent").exists()
    record(sent(tmp_path))
    assert sent(tmp_path).has("success", TO)
    assert sent(tmp_path).has("success", [*reversed(TO), TO[0]])
    assert not sent(tmp_path).has("alert", TO)
    assert not sent(tmp_path).has("success", TO[:1])
    assert not sent(tmp_path).has("success", [*TO, "one@retailer.example"])
    assert not sent(tmp_path).has("success", [", ".join(TO)])
    assert not sent(tmp_path, dataset="price_list_export_contract").has("success", TO)
    assert not sent(tmp_path, day="2026-11-20").has("success", TO)
    assert not sent(tmp_path, version="20261121T050000Z").has("success", TO)


def test_the_record_says_to_people_what_was_sent_when(tmp_path):
    record(sent(tmp_path))
    (path,) = records(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content.pop("sent")[:2] == "20"
    assert content == {
        "dataset": "price_list_export",
        "day": "2026-11-21",
        "version": "20261121T030201Z",
        "kind": "success",
        "recipients": TO,
        "message_id": "<success.1@retailer.example>",
    }


def test_the_publication_is_the_one_that_the_package_describes(tmp_path):
    package = publish(tmp_path, [client("B2B-0042")])
    version = json.loads(package.read_text(encoding="utf-8"))["version"]
    record(Sent.of(package))
    assert sent(tmp_path, version=version).has("success", TO)
    publish(tmp_path, [client("B2B-0042"), client("B2B-0043")])
    assert not Sent.of(package).has("success", TO)


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_recording_leaves_a_whole_record_or_none(tmp_path, call, after):
    (tmp_path / ".sent/price_list_export").mkdir(parents=True)

    def killed() -> None:
        real = getattr(os, call)

        def die(*args, **kwargs):
            if after:
                real(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(os, call, die)
        sent(tmp_path).record("success", TO, "<1@retailer.example>")

    child = multiprocessing.get_context("fork").Process(target=killed)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    # Only the last step makes it known: a mail may go twice, but none is taken for sent that was not.
    assert sent(tmp_path).has("success", TO) == (call == "replace" and after)
    record(sent(tmp_path))
    assert sent(tmp_path).has("success", TO)
    assert json.loads(records(tmp_path)[0].read_text(encoding="utf-8"))["recipients"] == TO
    assert list(tmp_path.glob(f".sent/*/{folder.TEMPORARY}")) == []


def _send_unless_sent(root: Path, start, number: int) -> None:
    mails = sent(root)
    start.wait()
    for version in range(10):
        mails = sent(root, version=f"v{version}")
        with mails.alone():
            if not mails.has("success", TO):
                with (root / f"mails-{version}").open("a") as mailbox:
                    mailbox.write(f"{number}\n")
                mails.record("success", TO, f"<{number}@retailer.example>")


def test_of_runs_at_once_only_one_sends(tmp_path):
    context = multiprocessing.get_context("fork")
    start = context.Event()
    runs = [context.Process(target=_send_unless_sent, args=(tmp_path, start, number)) for number in range(8)]
    for run in runs:
        run.start()
    start.set()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * 8
    assert [len(path.read_text().splitlines()) for path in tmp_path.glob("mails-*")] == [1] * 10
    assert len(records(tmp_path)) == 10


def test_a_run_that_waits_too_long_for_another_is_tried_again(tmp_path):
    with (
        sent(tmp_path).alone(),
        pytest.raises(TransientError, match=f"in use by process {os.getpid()}"),
        sent(tmp_path, day="2026-11-20").alone(wait=0),
    ):
        pass
    with sent(tmp_path).alone(wait=0):
        pass


def test_where_nothing_can_be_written_it_is_told_before_a_mail_is_sent(tmp_path):
    missing = tmp_path / "missing"
    assert not sent(missing).has("success", TO)
    with pytest.raises(UsageError, match="mount the volume"), sent(missing).alone():
        pytest.fail("a mail would be sent that cannot be recorded")


def test_old_records_go_with_the_next_one_and_other_files_stay(tmp_path):
    for version in ("old", "young"):
        record(sent(tmp_path, version=version))
    old, _ = records(tmp_path)
    now = time.time()
    os.utime(old, (now, now - 401 * 86400))
    os.utime(records(tmp_path)[1], (now, now - 399 * 86400))
    # Long past as a day, but sent today.
    record(sent(tmp_path, day="2020-01-01"))
    assert not sent(tmp_path, version="old").has("success", TO)
    assert sent(tmp_path, version="young").has("success", TO)
    assert sent(tmp_path, day="2020-01-01").has("success", TO)
