"""What instant a run is for, and when it came too late to be of use."""

from datetime import UTC, datetime

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from pipelines.schedules import Schedule


def slot(schedule: Schedule) -> datetime:
    """The instant that the current run is for. Skips a run whose slot was overtaken by a later one.

    With catchup off, a scheduler that starts again after days and before the DAG processor does first creates
    the run that was to come next when it ended, and only then the last one, which does what is due now. A run
    that somebody wants, by hand, by clearing or as a backfill, is never skipped.
    """
    run = get_current_context()["dag_run"]
    latest = schedule.last_start(datetime.now(UTC))
    if run.run_type == "scheduled" and not run.clear_number and run.run_after < latest:
        raise AirflowSkipException(
            f"the slot of {run.run_after:%Y-%m-%d %H:%M} UTC was overtaken by that of {latest:%m-%d %H:%M}; "
            "to run it nevertheless, clear it"
        )
    instant: datetime = run.logical_date or run.run_after
    return instant
