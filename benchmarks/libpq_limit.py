"""The limit in benchmarks/export.py: what libpq connections give to Python, received and thrown away.

`python benchmarks/libpq_limit.py QUERY …`: a process and a connection for each query, all at once. Prints the
rows of each. It is the floor of any export by the same driver: nothing is compressed, written or published.
"""

import multiprocessing
import sys

import psycopg2


class Nowhere:
    """Where the bytes go."""

    def write(self, data: bytes) -> None:
        pass


def receive(queries: str) -> None:
    """Receive what these queries, separated by `;`, give."""
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        for query in queries.split(";"):
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", Nowhere())
            print(cursor.rowcount, flush=True)


processes = [multiprocessing.get_context("fork").Process(target=receive, args=(q,)) for q in sys.argv[1:]]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(max(abs(process.exitcode or 0) for process in processes))
