"""Airflow's connections in the words of the libraries that the jobs use."""

from airflow.providers.postgres.hooks.postgres import PostgresHook
from psycopg2.extensions import make_dsn


def libpq(conn_id: str) -> str:
    """The libpq connection string of an Airflow connection to PostgreSQL, with the options in its extra.

    Not `Connection.get_uri`, which writes a space as a plus sign: libpq reads that as a plus sign, and
    `options` of `-c search_path=shop` would be no longer what they were.
    """
    connection = PostgresHook.get_connection(conn_id)
    extra = {
        name: value
        for name, value in connection.extra_dejson.items()
        if name not in PostgresHook.ignored_extra_options
    }
    return make_dsn(
        host=connection.host,
        port=connection.port,
        user=connection.login,
        password=connection.password,
        dbname=connection.schema,
        **extra,
    )
