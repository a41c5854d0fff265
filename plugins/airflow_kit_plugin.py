"""Makes known to Airflow what it looks up by name: the deadline that counts from a run's own start."""

from airflow.plugins_manager import AirflowPlugin

from airflow_kit.deadlines import RunAfterDeadline


class AirflowKitPlugin(AirflowPlugin):
    """See `airflow_kit`."""

    name = "airflow_kit"
    deadline_references = (RunAfterDeadline,)
