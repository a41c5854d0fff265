"""An Airflow connection reaches PostgreSQL with everything that was written into it."""

import json

import psycopg2
from psycopg2.extensions import parse_dsn


def test_options_with_a_space_and_a_password_with_signs_arrive(database, monkeypatch):
    from airflow_kit.connections import libpq

    given = parse_dsn(database)
    with psycopg2.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA shop; CREATE ROLE signs LOGIN PASSWORD 'a+b %40/:\"'' c'")
    connection.close()
    extra = {"options": "-c search_path=shop -c lock_timeout=5s", "sslmode": "prefer", "cursor": "dictcursor"}
    described = {
        "conn_type": "postgres",
        "host": given["host"],
        "port": int(given["port"]),
        "login": "signs",
        "password": "a+b %40/:\"' c",
        "schema": given["dbname"],
        "extra": extra,
    }
    monkeypatch.setenv("AIRFLOW_CONN_SIGNS_DB", json.dumps(described))
    try:
        connection = psycopg2.connect(libpq("signs_db"))
        with connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            assert cursor.fetchone() == ("shop",)
        connection.close()
    finally:
        with psycopg2.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute("DROP ROLE signs")
        connection.close()
