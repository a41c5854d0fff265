"""Waiting for input."""

import glob
from typing import Any

from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSensorTimeout

from airflow_kit.notices import note_failure, note_tries


class DayFileSensor(FileSensor):
    """Waits, deferred, for one file. An empty `filepath` passes at once: there is nothing to wait for.

    `filepath` is a name, not a pattern: brackets and asterisks in it are themselves.
    """

    def execute(self, context: Context) -> None:
        if not self.filepath:
            self.log.info("The file was named by hand: it is not waited for.")
            return
        self.filepath = glob.escape(self.filepath)
        super().execute(context)
        note_tries(context["ti"])

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        try:
            result = super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout:
            error = AirflowSensorTimeout(
                f"no file {self.filepath} came within {self.timeout / 3600:g} hours: ask its sender, "
                "then clear this task and its downstream tasks, or run the job by hand with another file"
            )
            note_failure(context["ti"], error)
            raise error from None
        note_tries(context["ti"])
        return result
