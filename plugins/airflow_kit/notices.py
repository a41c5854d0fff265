"""Sending the jobs' mails, and the notes that tasks leave for them.

A mail is a task of its own, not a callback: a mail that cannot be delivered leaves its run red, is tried
again, and goes out when the task is cleared, where a callback's error is only a line in a log.
"""

import functools
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
from pipelines.delivery_notices import Failure, Run, late
from pipelines.notices import Notice, compose

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


def send(notice: Notice, recipients: Iterable[str], thread: str) -> None:
    """Send a notice now; errors of the mail server are raised, so that its task is tried again."""
    with Mailer() as mailer:
        mailer.deliver(compose(notice, sender=mailer.sender(), recipients=list(recipients), thread=thread))


def note_failure(ti: Any, error: BaseException) -> None:
    """Leave the error for the failure mail. It never hides the error itself."""
    text = f"{type(error).__name__}: {error}".encode()[:ERROR_BYTES].decode(errors="ignore")
    with suppress(Exception):
        ti.xcom_push(FAILURE, {"error": text, "tries": ti.try_number, "log_url": ti.log_url})


def note_tries(ti: Any) -> None:
    """Leave the number of tries for the success mail, where it took more than one."""
    if ti.try_number > 1:
        ti.xcom_push(TRIES, ti.try_number)


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
    tries = {name: ti.xcom_pull(task_ids=name, key=TRIES) for name in names}
    request = ti.xcom_pull(task_ids="resolve_input") or {"day": str(run.run_after.date())}
    return Run(
        job=run.dag_id,
        day=request["day"],
        run_id=run.run_id,
        url=run_url(run.dag_id, run.run_id),
        tries={name: number for name, number in tries.items() if number},
    )


def failures() -> list[Failure]:
    """The tasks of the current run that failed for good, with what they noted."""
    context = get_current_context()
    ti, run = context["ti"], context["dag_run"]
    states = ti.get_task_states(dag_id=run.dag_id, run_ids=[run.run_id])[run.run_id]
    found = []
    for task in sorted(name for name, state in states.items() if state == "failed" and name != ti.task_id):
        note = ti.xcom_pull(task_ids=task, key=FAILURE) or {}
        url = note.get("log_url") or f"{run_url(run.dag_id, run.run_id)}/tasks/{task}"
        found.append(Failure(task, note.get("tries"), note.get("error", ""), url))
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
