"""Sending the jobs' mails, and the notes that tasks leave for them.

A mail is a task of its own, not a callback: a mail that cannot be delivered leaves its run red, is tried
again, and goes out when the task is cleared, where a callback's error is only a line in a log.
"""

import functools
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.message import EmailMessage
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk import Variable, get_current_context
from airflow.sdk.configuration import conf
from asgiref.sync import sync_to_async

from extracts.errors import UsageError
from pipelines.notices import Notice, compose
from pipelines.run_notices import Failure, Run, late
from pipelines.sent import Sent

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

FAILURE = "failure"
TRIES = "tries"

# A note is an XCom, and those stay within 2 KB.
ERROR_BYTES = 1500


class Mailer(SmtpHook):
    """The SMTP connection of Airflow, sending a message that is built already."""

    def sender(self) -> str:
        """The address that mails come from. Raises UsageError when the connection names none."""
        if not self.from_email:
            raise UsageError(
                f'the connection {self.smtp_conn_id!r} names no sender: set "from_email" in its extra'
            )
        return str(self.from_email)

    def deliver(self, message: EmailMessage) -> None:
        """Send to every recipient. One that the server refuses while it takes others is logged."""
        refused = self._smtp_client.send_message(message)
        for address, (code, reason) in refused.items():
            self.log.error("The mail server refused %s: %s %s", address, code, reason)


def addresses(variable: str) -> list[str]:
    """The mail addresses in an Airflow Variable, separated by commas."""
    listed = [item.strip() for item in str(Variable.get(variable, default="")).split(",") if item.strip()]
    if not listed:
        raise UsageError(
            f"no recipients: set the Airflow Variable {variable!r} to addresses, comma-separated"
        )
    return listed


def send(notice: Notice, recipients: Iterable[str], thread: str) -> str:
    """Send a notice now; errors of the mail server are raised, so that its task is tried again.

    Returns the Message-ID.
    """
    with Mailer() as mailer:
        message = compose(notice, sender=mailer.sender(), recipients=list(recipients), thread=thread)
        mailer.deliver(message)
    return str(message["Message-ID"])


def send_once(notice: Notice, recipients: Iterable[str], sent: Sent, thread: str) -> bool:
    """Send a notice unless the publication's mail of its kind has gone to these recipients already.

    Returns whether it went out now. It is recorded after the server has accepted it: a task that is killed
    in between sends it again, with the same Message-ID, and one that is cleared later does not.
    """
    recipients = list(recipients)
    with sent.alone():
        if sent.has(notice.kind, recipients):
            log.info("Not sent again, it went out before: %s", notice.subject)
            return False
        sent.record(notice.kind, recipients, send(notice, recipients, thread))
    return True


def instance(task_id: str, map_index: int) -> str:
    """A task as the mails name it; `make_lists[2]` where it is an instance of a mapped one."""
    return task_id if map_index < 0 else f"{task_id}[{map_index}]"


def note_failure(ti: Any, error: BaseException) -> None:
    """Leave the error for the failure mail. It never hides the error itself."""
    text = f"{type(error).__name__}: {error}".encode()[:ERROR_BYTES].decode(errors="ignore")
    with suppress(Exception):
        task = instance(ti.task_id, ti.map_index)
        ti.xcom_push(FAILURE, {"task": task, "error": text, "tries": ti.try_number, "log_url": ti.log_url})


def note_tries(ti: Any) -> None:
    """Leave the number of tries for the success mail, where it took more than one."""
    if ti.try_number > 1:
        ti.xcom_push(TRIES, {"task": instance(ti.task_id, ti.map_index), "tries": ti.try_number})


def _notes(ti: Any, task_id: str, key: str) -> dict[str, dict[str, Any]]:
    """What the instances of a task have noted, by their names."""
    found = ti.xcom_pull(task_ids=task_id, key=key) or []
    # All map indexes are pulled, and a single XCom comes without its list.
    notes = found if isinstance(found, list) else [found]
    return {note["task"]: note for note in notes}


def noted(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a task's function: what went wrong, or how many tries it took, is noted for the mails.

    The note is written before the task's state is, so that the task that mails it cannot be earlier.
    """

    @functools.wraps(function)
    def with_notes(*args: P.args, **kwargs: P.kwargs) -> R:
        ti = get_current_context()["ti"]
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            note_failure(ti, error)
            raise
        note_tries(ti)
        return result

    return with_notes


def run_url(dag_id: str, run_id: str) -> str:
    """The run's page in Airflow's UI."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{dag_id}/runs/{quote(run_id)}"


def this_run() -> Run:
    """The current run: its day, as its task `resolve_input` says, and the tasks that took several tries."""
    context = get_current_context()
    ti, run = context["ti"], context["dag_run"]
    names = [name for name in sorted(context["dag"].task_ids) if name != ti.task_id]
    notes = [note for name in names for note in _notes(ti, name, TRIES).values()]
    request = ti.xcom_pull(task_ids="resolve_input") or {"day": str(run.run_after.date())}
    return Run(
        job=run.dag_id,
        day=request["day"],
        run_id=run.run_id,
        url=run_url(run.dag_id, run.run_id),
        tries={note["task"]: note["tries"] for note in notes},
    )


def failures() -> list[Failure]:
    """The tasks of the current run that failed for good, with what they noted."""
    context = get_current_context()
    ti, run = context["ti"], context["dag_run"]
    found = []
    # Not `get_task_states`, in which `make_lists_2` is that task or an instance of `make_lists`.
    for ended in ti.get_task_breadcrumbs(dag_id=run.dag_id, run_id=run.run_id):
        if ended["state"] != "failed":
            continue
        task_id, map_index = ended["task_id"], ended["map_index"]
        name = instance(task_id, map_index)
        note = _notes(ti, task_id, FAILURE).get(name, {})
        mapped = f"/mapped/{map_index}" if map_index >= 0 else ""
        url = note.get("log_url") or f"{run_url(run.dag_id, run.run_id)}/tasks/{task_id}{mapped}"
        found.append(Failure(name, note.get("tries"), note.get("error", ""), url))
    return found


async def tell_late(minutes: int, context: dict[str, Any]) -> None:
    """Deadline callback, run by the triggerer: mail the operators, unless the run has ended.

    Airflow drops a deadline only when the run succeeds; a run that failed has sent its own mail.
    """
    run = context["dag_run"]
    if run["state"] not in ("queued", "running"):
        return
    about = Run(
        job=run["dag_id"],
        day=str(run["logical_date"] or run["queued_at"])[:10],
        run_id=run["dag_run_id"],
        url=run_url(run["dag_id"], run["dag_run_id"]),
    )
    recipients = await sync_to_async(addresses)("operators")
    async with Mailer() as mailer:
        message = compose(
            late(about, minutes), sender=mailer.sender(), recipients=recipients, thread=about.run_id
        )
        await mailer._smtp_client.send_message(message)
