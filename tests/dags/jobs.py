"""The runs of one Airflow, as an operator sees them through its API, and the mails that they sent."""

import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from demo.stack import Stack

DAG = "delivery_status_analysis"
ORDERS = 1000
DEADLINE_MINUTES = 2


def statuses(errors: int) -> str:
    """A file in which the first `errors` of all orders failed, with the line ends of Windows."""
    lines = ["order_id,status,updated_at"]
    for order in range(1, ORDERS + 1):
        lines.append(f"{order},{'failed' if order <= errors else 'delivered'},2026-11-20T10:00:00")
    return "\r\n".join(lines) + "\r\n"


class Jobs:
    """Triggers runs of the job, waits for them, and finds their tasks and mails."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8", newline="")
        return str(path)

    def trigger(self, **conf: object) -> str:
        run = self.stack.api("POST", f"/dags/{DAG}/dagRuns", {"logical_date": None, "conf": conf})
        return run["dag_run_id"]

    def run(self, run: str) -> dict[str, Any]:
        return self.stack.api("GET", f"/dags/{DAG}/dagRuns/{run}")

    def state(self, run: str) -> str:
        return self.run(run)["state"]

    def tasks(self, run: str) -> dict[str, dict[str, Any]]:
        found = self.stack.api("GET", f"/dags/{DAG}/dagRuns/{run}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def wait(self, run: str, *, seconds: float = 300) -> str:
        end = time.monotonic() + seconds
        while (state := self.state(run)) not in ("success", "failed"):
            if time.monotonic() > end:
                raise TimeoutError({name: task["state"] for name, task in self.tasks(run).items()})
            time.sleep(1)
        return state

    def mails(self, run: str) -> list[EmailMessage]:
        return [mail for mail in self.stack.mailbox.messages() if run in text(mail)]

    def kinds(self, run: str) -> list[str]:
        return sorted(mail["X-Notice"] for mail in self.mails(run))

    def mail(self, run: str, kind: str) -> EmailMessage:
        (found,) = [mail for mail in self.mails(run) if mail["X-Notice"] == kind]
        return found

    def xcoms(self, run: str) -> list[dict[str, Any]]:
        tasks = f"/dags/{DAG}/dagRuns/{run}/taskInstances"
        return [
            self.stack.api("GET", f"{tasks}/{entry['task_id']}/xcomEntries/{entry['key']}")
            for entry in self.stack.api("GET", f"{tasks}/~/xcomEntries")["xcom_entries"]
        ]


def text(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def html(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def names(mail: EmailMessage) -> list[str]:
    return [part.get_filename() for part in mail.iter_attachments()]
