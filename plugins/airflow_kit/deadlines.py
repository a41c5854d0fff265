"""When a run is late."""

from datetime import datetime
from typing import Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference, deadline_reference


@deadline_reference
class RunAfterDeadline(BaseDeadlineReference):
    """Counts from the instant after which the run may start: its schedule's, or that of the trigger by hand.

    Airflow's own references do not do: a run by hand may have no logical date, and a run whose deadline
    counts from its queueing cannot be cleared in Airflow 3.3 (apache/airflow#70368).
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        # Evaluated by the scheduler and the api-server, which alone have the models.
        from airflow.models import DagRun
        from sqlalchemy import select

        run_after = select(DagRun.run_after).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        found: datetime | None = session.scalar(run_after)
        return found
