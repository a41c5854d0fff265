"""What several DAGs share and only Airflow can do: sending notices, and waiting for a day's file.

It stands in the plugins folder because every part of Airflow has that on its import path: the task's
process, the dag-processor and the triggerer.
"""
