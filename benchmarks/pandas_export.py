"""The peer in benchmarks/export.py: pandas, in chunks, from libpq's environment to a gzipped CSV.

`python benchmarks/pandas_export.py QUERY FILE`
"""

import sys
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

query, target = sys.argv[1:]
# Without a cursor on the server the driver would hold all rows at once.
engine = create_engine("postgresql+psycopg2://").execution_options(stream_results=True)
with engine.connect() as connection, Path(target).open("wb") as file:
    for number, chunk in enumerate(pd.read_sql(query, connection, chunksize=50_000)):
        chunk.to_csv(file, index=False, header=number == 0, mode="wb", compression="gzip")
