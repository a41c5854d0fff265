-- Orders and the rows of a statuses file, :'orders' of each, for the benchmark of the delivery analysis.
-- Nine statuses in ten are of orders that are there once; the rest are older ones of the same orders, out of
-- order. Every twentieth order has none, and a thousandth of the rows are of orders that nobody knows.
DO $$
BEGIN
    CREATE TABLE orders (
        order_id bigint NOT NULL,
        client_id integer,
        region text,
        carrier text,
        amount numeric(12, 2),
        status text,
        created_at timestamptz,
        updated_at timestamptz
    );
    CREATE TABLE statuses (
        order_id bigint,
        status text,
        updated_at text,
        reason text
    );
END
$$;

INSERT INTO orders
SELECT
    i,
    i % 50000,
    'Регион ' || i * 7919 % 85,
    (ARRAY['Северный экспресс', 'Волга-Транс', 'Доставка 24', 'Урал, склад и рейс', 'ООО "Вектор"', NULL])
        [1 + i * 104729 % 6],
    (i % 100000) / 100.0,
    'shipped',
    timestamptz '2026-11-01 00:00:00+03' + i % 1000000 * interval '1 second',
    timestamptz '2026-11-02 00:00:00+03' + i % 1000000 * interval '1 second'
FROM generate_series(1, current_setting('benchmark.rows')::bigint) AS i;

ALTER TABLE orders ADD PRIMARY KEY (order_id);

INSERT INTO statuses
SELECT
    CASE
        WHEN i % 1000 = 7 THEN i + 1000000000
        -- An older status of the neighbour, so that the file is not in the order of time.
        WHEN i % 10 = 3 THEN i + 1
        WHEN i % 20 = 0 THEN i - 1
        ELSE i
    END,
    (ARRAY['failed', 'returned', 'cancelled_by_carrier', 'lost', 'delivered', 'delivered', 'delivered', 'delivered',
        'delivered', 'delivered', 'delivered', 'in_transit', 'out_for_delivery', 'delivered', 'delivered',
        'delivered', 'delivered', 'delivered', 'delivered', 'created', 'на складе', 'delivered', 'delivered'])
        [1 + (hashint8(i) & 1048575) % 23],
    to_char(
        timestamp '2026-11-20 00:00:00' + (hashint8extended(i, 1) & 1048575) % 86400 * interval '1 second',
        'YYYY-MM-DD"T"HH24:MI:SS"+03:00"'
    ),
    CASE i % 50
        WHEN 1 THEN 'Адрес не найден, звонили дважды'
        WHEN 2 THEN 'Клиент сказал: "не заказывал"'
        WHEN 3 THEN E'Повреждена упаковка\nАкт № ' || i
    END
FROM generate_series(1, current_setting('benchmark.rows')::bigint) AS i;

ANALYZE orders
