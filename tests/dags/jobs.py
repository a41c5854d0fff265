"""The runs of one Airflow, as an operator sees them through its API, and the mails that they sent."""

import time
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from demo.stack import Stack

DAG = "delivery_status_analysis"
PRICE_LISTS = "price_list_export"
ORDERS = 1000
DEADLINE_MINUTES = 30
PRICE_LIST_DEADLINE_MINUTES = 20


def statuses(errors: int) -> str:
    """A file in which the first `errors` of all orders failed, with the line ends of Windows."""
    lines = ["order_id,status,updated_at"]
    for order in range(1, ORDERS + 1):
        lines.append(f"{order},{'failed' if order <= errors else 'delivered'},2026-11-20T10:00:00")
    return "\r\n".join(lines) + "\r\n"


class Jobs:
    """Triggers runs of one DAG, waits for them, and finds their tasks and mails."""

    def __init__(self, stack: Stack, folder: Path, dag: str = DAG) -> None:
        self.stack = stack
        self.folder = folder
        self.dag = dag

    def of(self, dag: str) -> "Jobs":
        """The runs of another DAG of the same Airflow."""
        return Jobs(self.stack, self.folder, dag)

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8", newline="")
        return str(path)

    def trigger(self, *, run_after: datetime | None = None, **conf: object) -> str:
        body: dict[str, object] = {"logical_date": None, "conf": conf}
        if run_after:
            body["run_after"] = run_after.isoformat()
        return self.stack.api("POST", f"/dags/{self.dag}/dagRuns", body)["dag_run_id"]

    def run(self, run: str) -> dict[str, Any]:
        return self.stack.api("GET", f"/dags/{self.dag}/dagRuns/{run}")

    def state(self, run: str) -> str:
        return self.run(run)["state"]

    def tasks(self, run: str) -> dict[str, dict[str, Any]]:
        """The run's tasks by name; an instance of a mapped one is `make_lists[0]`."""
        found = self.stack.api("GET", f"/dags/{self.dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {instance(task["task_id"], task["map_index"]): task for task in found}

    def clear(self, run: str, task: str) -> None:
        """Clear a task with all that is downstream of it, so that the run goes on from there."""
        body = {"dag_run_id": run, "task_ids": [task], "include_downstream": True, "only_failed": False}
        self.stack.api("POST", f"/dags/{self.dag}/clearTaskInstances", {**body, "dry_run": False})

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
        tasks = f"/dags/{self.dag}/dagRuns/{run}/taskInstances"
        return [
            self.stack.api(
                "GET",
                f"{tasks}/{entry['task_id']}/xcomEntries/{entry['key']}?map_index={entry['map_index']}",
            )
            for entry in self.stack.api("GET", f"{tasks}/~/xcomEntries")["xcom_entries"]
        ]


def instance(task: str, map_index: int) -> str:
    return task if map_index < 0 else f"{task}[{map_index}]"


def text(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def html(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def names(mail: EmailMessage) -> list[str]:
    return [part.get_filename() for part in mail.iter_attachments()]
