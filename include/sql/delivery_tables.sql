-- What the delivery verdict reads, made in DuckDB. The session's time zone is that of times without one.

-- A value's meaning, NULL where it has none. DuckDB's own casts would take 2.5 for 3 and 'epoch' for a date.
-- Each asks first, cheaply, for what nearly all rows have: the rest costs as much as reading the file.
CREATE MACRO order_id_of(text) AS
    CASE
        WHEN CAST(try_cast(text AS BIGINT) AS VARCHAR) = text THEN try_cast(text AS BIGINT)
        WHEN regexp_full_match(text, '\s*[+-]?[0-9]{1,19}\s*') THEN try_cast(text AS BIGINT)
    END;

CREATE MACRO status_of(text) AS
    CASE
        WHEN regexp_full_match(text, '[a-z_]+') THEN text
        WHEN NOT contains(text, chr(0)) THEN nullif(lower(trim(text, E' \t\r\n' || chr(160))), '')
    END;

CREATE MACRO iso_instant_of(text) AS
    CASE
        WHEN regexp_full_match(
            text,
            '[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}'
            || '(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?'
            || '(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?'
        ) THEN try_cast(text AS TIMESTAMPTZ)
    END;

-- Not coalesce, which trims every text, needed or not.
CREATE MACRO instant_of(text) AS
    CASE
        WHEN iso_instant_of(text) IS NOT NULL THEN iso_instant_of(text)
        ELSE iso_instant_of(trim(text, E' \t\r\n'))
    END;

-- Every row of the input in its order; what has no meaning is NULL.
CREATE TABLE statuses_read (order_id BIGINT, status VARCHAR, updated_at TIMESTAMPTZ);

CREATE VIEW statuses AS
SELECT order_id, status, updated_at, rowid AS line
FROM statuses_read
WHERE order_id IS NOT NULL AND status IS NOT NULL AND updated_at IS NOT NULL;

CREATE VIEW statuses_counted AS
SELECT
    count(*) AS rows_read,
    count(CASE WHEN order_id IS NULL OR status IS NULL OR updated_at IS NULL THEN 1 END) AS rows_rejected
FROM statuses_read;

CREATE TABLE rejects_read (
    part INTEGER, file VARCHAR, line BIGINT, "column" VARCHAR, reason VARCHAR, value VARCHAR
);

CREATE VIEW rejects AS
SELECT file, line, "column", reason, value FROM rejects_read ORDER BY part, line;

CREATE TABLE orders (order_id BIGINT, carrier VARCHAR, region VARCHAR);

-- Not count(DISTINCT), which cannot leave memory for the disk.
CREATE VIEW orders_counted AS
SELECT
    (SELECT count(*) FROM orders) AS rows_read,
    (SELECT count(*) FROM orders) - (SELECT count(*) FROM (SELECT DISTINCT order_id FROM orders)) AS repeated;

CREATE TABLE error_statuses (status VARCHAR);
