"""
### Delivery status analysis

Reads the day's delivery statuses (a CSV file of about a million rows) and the orders in PostgreSQL, finds
the share of orders whose latest status is an error, and sends an alert when it is over the threshold.

**When.** Daily at 07:00 Europe/Moscow, or by hand (*Trigger*). By hand every field of the form may stay as
it is: then the run does what the schedule would do today.

**Input.** The day's file is `delivery_statuses_<date>.csv` in the folder of the Variable `statuses_dir`; the
run waits for it, at most 2 hours, without holding a worker. A file named in the form (a path, a folder of
CSV files, or a URL; plain or `.gz`) is not waited for. Orders come through the connection `test_db`.

**Result.** `verdict.json`, `breakdown.csv` and `breakdown.xlsx` (and `rejects.csv`, if rows were rejected),
published under the Variable `published_root`, in `delivery_status_analysis/dt=<date>/`, whichever way the
verdict goes. Running a day again replaces it whole; the same data again publishes nothing new.

**Mails.** Over the threshold: an alert with chart and files. At the end: success, saying so when a task
needed more than one try. A task that fails for good: failure, with its error and log. Not done after an
hour: late. Alert and success go to the form's recipients, else to the Variable `analysts`; failure and
late to the Variable `operators` (addresses separated by commas).

**Configuration.** The Variable `delivery_status` (JSON, optional) sets any of `threshold`, `min_rows`,
`max_reject_share`, `error_statuses` and `known_statuses`; a field of the form goes before it. An example
for the form:

    {"file": "/data/statuses/delivery_statuses_2026-11-20.csv.gz", "date": "2026-11-20", "threshold": 0.05}

**When it fails.** A database or mail server that is away is tried again, with growing pauses. Data that
cannot be right (no file, a wrong header, too many rejected rows, too few rows) fails at once, and nothing is
published; every rejected row is in `refused/delivery_status_analysis/<date>.csv` under `published_root`. Mend
or replace the file, then clear the failed task *with downstream*. A run that is red because a mail could not
be sent has published its verdict already: clear the task *with downstream* when the mail server is back, and
what was not delivered goes out.
"""

import os
from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    Asset,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    ExceptionRetryPolicy,
    Label,
    Param,
    RetryAction,
    RetryRule,
    Variable,
    dag,
    get_current_context,
    task,
)

from airflow_kit.connections import libpq
from airflow_kit.deadlines import RunAfterDeadline
from airflow_kit.notices import addresses, failures, noted, send, tell_late, this_run
from airflow_kit.sensors import DayFileSensor
from extracts.errors import DataRefused, UsageError
from pipelines.schedules import SCHEDULES

SCHEDULE = SCHEDULES["delivery_status_analysis"]
DEADLINE_MINUTES = int(os.environ.get("DELIVERY_STATUS_DEADLINE_MINUTES", SCHEDULE.deadline_minutes))

verdict_published = Asset("delivery_verdict")


@dag(
    schedule=CronTriggerTimetable(SCHEDULE.cron, timezone=SCHEDULE.timezone),
    # No start date: with one, Airflow would run the last slot as soon as the DAG is unpaused.
    catchup=False,
    max_active_runs=4,
    doc_md=__doc__,
    tags=["delivery", "marketing"],
    default_args={
        "owner": "data-platform",
        "retries": 3,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "retry_policy": ExceptionRetryPolicy(
            rules=[
                RetryRule(
                    exception=[DataRefused, UsageError], action=RetryAction.FAIL, reason="no retry helps"
                )
            ]
        ),
        "execution_timeout": timedelta(minutes=30),
    },
    params={
        # Each may be null: what may not is required by the form.
        "file": Param(
            None,
            type=["null", "string"],
            title="Statuses",
            description="Path of a CSV file or of a folder of them, or a URL. Empty: the day's file.",
        ),
        "date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description="The day that the verdict is for and is published under. Empty: the run's own day.",
        ),
        "threshold": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Threshold",
            description="Error share over which an alert is sent, 0 to 1. Empty: the configured one (0.10).",
        ),
        "recipients": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "format": "idn-email"},
            title="Recipients",
            description="Addresses for the alert and the success mail. Empty: the Variable 'analysts'.",
        ),
    },
    deadline=DeadlineAlert(
        reference=RunAfterDeadline(),
        interval=timedelta(minutes=DEADLINE_MINUTES),
        callback=AsyncCallback(tell_late, kwargs={"minutes": DEADLINE_MINUTES}),
    ),
)
def delivery_status_analysis():
    @task
    @noted
    def resolve_input(params: dict) -> dict:
        """Which file, for which day, against which threshold: told before anything is waited for."""
        from pipelines.delivery_request import resolve

        context = get_current_context()
        return resolve(
            params,
            scheduled=context.get("logical_date") or context["dag_run"].run_after,
            statuses_dir=Variable.get("statuses_dir"),
            configuration=Variable.get("delivery_status", default={}, deserialize_json=True),
        )

    @task(outlets=[verdict_published])
    @noted
    def analyse(request: dict) -> dict:
        """Read statuses and orders, find the verdict, publish it; pass on its numbers and its path."""
        from pipelines.delivery_request import analyse_and_publish

        return analyse_and_publish(
            request,
            dsn=libpq("test_db"),
            root=Variable.get("published_root"),
            configuration=Variable.get("delivery_status", default={}, deserialize_json=True),
        )

    @task.branch
    @noted
    def decide(verdict: dict) -> str:
        return "send_alert" if verdict["over_threshold"] else "no_alert"

    @task
    @noted
    def send_alert(request: dict, verdict: dict) -> None:
        from pipelines.delivery_notices import alert

        run = this_run()
        send(alert(verdict["package"], run), request["recipients"] or addresses("analysts"), run.run_id)

    @task(trigger_rule="none_failed_min_one_success")
    @noted
    def notify_success(request: dict, verdict: dict) -> None:
        from pipelines.delivery_notices import success

        run = this_run()
        send(success(verdict["package"], run), request["recipients"] or addresses("analysts"), run.run_id)

    @task(trigger_rule="one_failed")
    def notify_failure() -> None:
        from pipelines.run_notices import failure

        run = this_run()
        send(failure(failures(), run), addresses("operators"), run.run_id)

    request = resolve_input()
    wait_for_statuses = DayFileSensor(
        task_id="wait_for_statuses",
        filepath="{{ ti.xcom_pull('resolve_input')['wait_for'] }}",
        deferrable=True,
        poke_interval=30,
        timeout=timedelta(hours=2).total_seconds(),
    )
    verdict = analyse(request)
    no_alert = EmptyOperator(task_id="no_alert")
    alert = send_alert(request, verdict)
    success = notify_success(request, verdict)
    # The run's colour is that of its last tasks. Without this one the failure mail would be the only
    # last task, and a run that failed would turn green by mailing that it did.
    done = EmptyOperator(task_id="done")

    decision = decide(verdict)
    request >> wait_for_statuses >> verdict >> decision
    decision >> Label("over the threshold") >> alert
    decision >> Label("at or under it") >> no_alert
    # Whatever fails before it, `success` is at the least upstream_failed.
    [alert, no_alert] >> success >> [done, notify_failure()]


delivery_status_analysis()
