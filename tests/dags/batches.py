"""A job of mapped batches, run without a scheduler: `python batches.py CASES`, a JSON list of configurations.

What the tasks ask of Airflow goes through its own task SDK to its own execution API.
"""

import json
import sys
from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task

from airflow_kit.notices import addresses, failures, noted, send, send_once, this_run


@dag(
    schedule=None,
    default_args={"retries": 1, "retry_delay": timedelta(0)},
    params={"batches": Param([], type="array"), "package": Param("", type="string")},
)
def batches():
    @task
    @noted
    def resolve_input() -> dict:
        return {"day": "2026-11-21"}

    @task
    def split(params: dict) -> list:
        return params["batches"]

    @task
    @noted
    def make_lists(batch: str) -> None:
        if batch == "bad" or (batch == "flaky" and get_current_context()["ti"].try_number == 1):
            raise ValueError(f"the batch is {batch}")

    # Without `noted` it leaves no more behind than a task that is killed.
    @task
    def publish(batch: str) -> None:
        if batch == "killed":
            raise SystemExit(137)

    # In the states that Airflow tells, its name is that of an instance of `make_lists`.
    @task
    def make_lists_1() -> None:
        pass

    @task
    def notify_success(params: dict) -> None:
        from pipelines.price_list_notices import delivered
        from pipelines.sent import Sent

        run, package = this_run(), params["package"]
        send_once(delivered(package, run), addresses("analysts"), Sent.of(package), run.run_id)

    @task(trigger_rule="one_failed")
    def notify_failure() -> None:
        from pipelines.run_notices import failure

        run = this_run()
        send(failure(failures(), run), addresses("operators"), run.run_id)

    shares = split()
    resolve_input() >> shares
    published = publish.expand(batch=shares)
    [make_lists.expand(batch=shares), make_lists_1()] >> published >> [notify_success(), notify_failure()]


job = batches()

if __name__ == "__main__":
    from airflow.utils.db import initdb

    initdb()
    for case in json.loads(sys.argv[1]):
        job.test(run_conf=case)
