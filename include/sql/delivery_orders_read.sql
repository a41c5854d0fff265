-- The orders that PostgreSQL's COPY wrote, for DuckDB.
INSERT INTO orders
SELECT order_id, carrier, region
FROM read_csv(
    $path,
    columns = {'order_id': 'BIGINT', 'carrier': 'VARCHAR', 'region': 'VARCHAR'},
    auto_detect = false,
    header = true,
    delim = ',',
    quote = '"',
    escape = '"',
    buffer_size = 8000000,
    allow_quoted_nulls = false
)
