"""The peer in benchmarks/export.py: dlt, from libpq's environment to CSV files as it makes them by default.

`python benchmarks/dlt_export.py TABLE FOLDER`
"""

import os
import sys

import dlt
from dlt.destinations import filesystem
from dlt.sources.sql_database import sql_table

table, target = sys.argv[1:]
place = "{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/{PGDATABASE}".format_map(os.environ)
pipeline = dlt.pipeline("export", pipelines_dir=f"{target}/state", destination=filesystem(f"file://{target}"))
source = sql_table(
    f"postgresql+psycopg2://{place}", table=table, schema="logistics", backend="pyarrow", chunk_size=50_000
)
pipeline.run(source, loader_file_format="csv")
