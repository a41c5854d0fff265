"""
### Price list export

Makes a CSV and an XLSX price list for each active B2B client, compares each with the client's last one, and
publishes them all as one set for the day.

**When.** Daily at 06:00 Europe/Moscow, or by hand (*Trigger*). By hand every field of the form may stay as it
is: then the run does what the schedule would do today. After a pause only the last missed day is made up for.

**Input.** The tables or views `products`, `categories`, `clients` and `client_prices`, through the connection
`test_db`, all as of one instant: every active product of an active category, at the client's contract price
where one holds on the day, else at the list price.

**Result.** Published under the Variable `published_root`, in `price_list_export/dt=<date>/` (for the
assortment *contract* in `price_list_export_contract/`): `<code>_<date>.csv` and `.xlsx` for each client,
`price-lists-<date>.zip` with all of them, `index.csv` (what each client got), `held.csv` and `summary.xlsx`.
The *Deliverables* page shows them. The same prices again publish nothing new.

**Held lists.** A list with zero or missing prices, or one that moved, shrank or lost contract prices beyond
the bounds, is held: the client's last list stays current, `held.csv` names the reasons and the rows, and the
operators get an alert. All other lists go out. To let a held list out, trigger a run by hand with its day and
the client, say so in *Release*, and give your name, which is kept in the set's record:

    {"date": "2026-11-21", "clients": ["B2B-0042"], "release": ["B2B-0042"], "released_by": "who I am"}

**Mails.** To the operators: an alert when lists are held, failure, and late, when the set is not there by
06:15 (after 15 minutes). To the form's recipients, else to the Variable `analysts`: what was published and
held, with the summary. A publication is mailed about once, however often its run is tried or cleared.

**Configuration.** The Variable `price_lists` (JSON, optional) sets `batches` and any of the bounds
`max_price_factor`, `price_move`, `max_moved_share`, `max_shrink`, `min_category_rows`, `max_vanished_share`
and `max_left_share`.

**When it fails.** A database or mail server that is away is tried again, with growing pauses. Data that
cannot be right (no active client, no product, two clients with one code) fails at once, and yesterday's set
stays. Mend the data, then clear `read_prices` *with downstream*. A run that is red because a mail could not
be sent has published its set already: clear that task *with downstream* when the mail server is back.
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
from airflow_kit.notices import addresses, failures, noted, send, send_once, tell_late, this_run
from airflow_kit.slots import slot
from extracts.errors import DataRefused, UsageError
from pipelines.schedules import SCHEDULES

SCHEDULE = SCHEDULES["price_list_export"]
DEADLINE_MINUTES = int(os.environ.get("PRICE_LIST_DEADLINE_MINUTES", SCHEDULE.deadline_minutes))

price_lists_published = Asset("price_lists")


def configuration() -> dict:
    return Variable.get("price_lists", default={}, deserialize_json=True)


@dag(
    schedule=CronTriggerTimetable(SCHEDULE.cron, timezone=SCHEDULE.timezone),
    # No start date: with one, Airflow would run the last slot as soon as the DAG is unpaused.
    catchup=False,
    # One after another: a run that releases a list must not be overtaken by one that holds it.
    max_active_runs=1,
    doc_md=__doc__,
    tags=["prices", "b2b"],
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
        "date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description="Whose prices, and the day that they are published under. Empty: the run's own day.",
        ),
        "assortment": Param(
            None,
            type=["null", "string"],
            enum=["full", "contract", None],
            values_display={"null": "full, as usual"},
            title="Assortment",
            description="full: all products. contract: those with a contract price alone. Empty: full.",
        ),
        "formats": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "enum": ["csv", "xlsx"]},
            title="Formats",
            description="csv, xlsx, or both, one a line. Empty: both.",
        ),
        "clients": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Clients",
            description="Codes of clients, one a line; all others keep the list they have. Empty: all.",
        ),
        "release": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="Release",
            description="Codes of clients whose lists go out whatever the check finds; * is all of them.",
        ),
        "released_by": Param(
            None,
            type=["null", "string"],
            title="Released by",
            description="Your name, for the record. Needed when anything is released.",
        ),
        "recipients": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "format": "idn-email"},
            title="Recipients",
            description="Addresses for the mail about the set. Empty: the Variable 'analysts'.",
        ),
    },
    deadline=DeadlineAlert(
        reference=RunAfterDeadline(),
        interval=timedelta(minutes=DEADLINE_MINUTES),
        callback=AsyncCallback(tell_late, kwargs={"minutes": DEADLINE_MINUTES}),
    ),
)
def price_list_export():
    @task
    @noted
    def resolve_input(params: dict) -> dict:
        """Which day, which clients, which bounds: told before anything is read."""
        from pipelines.price_list_request import resolve

        return resolve(
            params,
            scheduled=slot(SCHEDULE),
            run_id=get_current_context()["dag_run"].run_id,
            root=Variable.get("published_root"),
            configuration=configuration(),
        )

    @task
    @noted
    def read_prices(request: dict, params: dict) -> list[int]:
        """Read all prices as of one instant, split into batches; pass on the batches' numbers."""
        from pipelines.price_list_request import read_prices

        return read_prices(request, params, dsn=libpq("test_db"), configuration=configuration())

    @task
    @noted
    def make_lists(request: dict, batch: int) -> dict:
        """Make a batch's files, and compare each list with the client's last one."""
        from pipelines.price_list_request import make_batch

        return make_batch(request, batch)

    @task(outlets=[price_lists_published])
    @noted
    def publish(request: dict) -> dict:
        """Make all of it the day's set; pass on its numbers and its path."""
        from pipelines.price_list_request import publish_lists

        run = get_current_context()["dag_run"]
        return publish_lists(request, dag_id=run.dag_id, run_id=run.run_id)

    @task.branch
    @noted
    def decide(outcome: dict) -> str:
        return "alert_held" if outcome["held"] else "nothing_held"

    @task
    @noted
    def alert_held(outcome: dict) -> None:
        from pipelines.price_list_notices import held
        from pipelines.sent import Sent

        run = this_run()
        send_once(
            held(outcome["package"], run), addresses("operators"), Sent.of(outcome["package"]), run.run_id
        )

    @task(trigger_rule="none_failed_min_one_success")
    @noted
    def notify_success(request: dict, outcome: dict) -> None:
        from pipelines.price_list_notices import delivered
        from pipelines.sent import Sent

        run, recipients = this_run(), request["recipients"] or addresses("analysts")
        send_once(delivered(outcome["package"], run), recipients, Sent.of(outcome["package"]), run.run_id)

    @task(trigger_rule="one_failed")
    def notify_failure() -> None:
        from pipelines.run_notices import failure

        run = this_run()
        send(failure(failures(), run), addresses("operators"), run.run_id)

    request = resolve_input()
    batches = read_prices(request)
    made = make_lists.partial(request=request).expand(batch=batches)
    outcome = publish(request)
    nothing_held = EmptyOperator(task_id="nothing_held")
    alert = alert_held(outcome)
    success = notify_success(request, outcome)
    # See delivery_status_analysis: without it a run that failed would turn green by mailing that it did.
    done = EmptyOperator(task_id="done")

    decision = decide(outcome)
    made >> outcome >> decision
    decision >> Label("lists are held") >> alert
    decision >> Label("all went out") >> nothing_held
    [alert, nothing_held] >> success >> [done, notify_failure()]


price_list_export()
