-- The delivery statuses of one CSV file, for DuckDB. Fails at the first row that is no CSV; see
-- delivery_statuses_rejects.sql for what becomes of those.
INSERT INTO statuses_read
SELECT order_id_of(order_id), status_of(status), instant_of(updated_at)
FROM read_csv(
    $path,
    columns = $columns,
    auto_detect = false,
    header = true,
    delim = ',',
    quote = '"',
    escape = '"',
    -- DuckDB's own 32 MB a thread would cost more memory than all the rest, and read no faster.
    buffer_size = 8000000
)
