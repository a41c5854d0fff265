# Sourced by the image, once, after the tables are there: the export's role, as production has it.
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v schema=logistics \
  -c '\getenv password BATCH_READER_PASSWORD' -f /docker-entrypoint-initdb.d/read-only-role.psql
