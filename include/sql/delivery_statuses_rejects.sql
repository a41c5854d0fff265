-- Why were rows of a file rejected? For DuckDB, on the copy in which every row has its line and, when it is
-- no CSV, what is wrong with it.
INSERT INTO rejects_read
SELECT
    $part,
    $file,
    line,
    CASE
        WHEN reason IS NOT NULL THEN "column"
        WHEN order_id_of(order_id) IS NULL THEN 'order_id'
        WHEN status_of(status) IS NULL THEN 'status'
        ELSE 'updated_at'
    END,
    CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN order_id_of(order_id) IS NULL THEN if(order_id IS NULL, 'is empty', 'is not an integer of 64 bits')
        WHEN status_of(status) IS NULL THEN if(contains(status, chr(0)), 'holds a NUL byte', 'is empty')
        ELSE if(updated_at IS NULL, 'is empty', 'is not a date and time of ISO 8601')
    END,
    replace(left(CASE
        WHEN reason IS NOT NULL THEN value
        WHEN order_id_of(order_id) IS NULL THEN order_id
        WHEN status_of(status) IS NULL THEN status
        ELSE updated_at
    END, 200), chr(0), '\0')
FROM read_csv(
    $path,
    columns = $columns,
    auto_detect = false,
    header = true,
    delim = ',',
    quote = '"',
    escape = '"',
    buffer_size = 8000000
)
WHERE order_id_of(order_id) IS NULL OR status_of(status) IS NULL OR instant_of(updated_at) IS NULL
