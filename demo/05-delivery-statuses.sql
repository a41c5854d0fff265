-- The carrier's daily file of delivery statuses, as rows. One COPY makes the CSV of it:
--   COPY (SELECT * FROM demo.delivery_statuses(0.14)) TO STDOUT (FORMAT csv, HEADER)
--
-- As many lines as there are orders. For every 1,000 orders: 20 have no status, 15 have an older status as
-- well (before or after the latest in the file), 1 has two of the same instant (the later line holds), and 4
-- lines name an order that the shop does not know. Some latest statuses are words that nobody agreed on.
-- Carriers differ: the error share of each is error_share times a factor, and the factors average to 1.

CREATE FUNCTION demo.delivery_statuses(error_share numeric)
RETURNS TABLE (order_id bigint, status text, updated_at text, reason text)
LANGUAGE sql STABLE
AS $$
    WITH latest AS (
        SELECT
            o.order_id,
            o.order_id % 1000 AS place,
            demo.pick(o.order_id, 61, 1000000) < 1000000 * error_share * CASE o.carrier
                WHEN 'Северный экспресс' THEN 0.6
                WHEN 'Волга-Транс' THEN 0.9
                WHEN 'Доставка 24' THEN 1.0
                WHEN 'Урал, склад и рейс' THEN 1.2
                WHEN 'ООО "Вектор"' THEN 1.7
                WHEN 'Балтика Карго' THEN 1.9
                ELSE 0.9
            END AS is_error,
            demo.pick(o.order_id, 62, 1000) AS kind,
            demo.midnight() + make_interval(secs => 25200 - demo.pick(o.order_id, 63, 432000)) AS at,
            demo.pick(o.order_id, 64, 1000000000) AS line
        FROM shop.orders AS o
        WHERE o.order_id % 50 <> 0
    ),
    named AS (
        SELECT
            latest.*,
            CASE
                WHEN is_error THEN CASE
                    WHEN kind < 450 THEN 'failed'
                    WHEN kind < 700 THEN 'returned'
                    WHEN kind < 850 THEN 'cancelled_by_carrier'
                    WHEN kind < 930 THEN 'lost'
                    ELSE 'damaged'
                END
                WHEN place = 501 THEN 'awaiting_customs'
                WHEN place = 502 THEN 'на складе'
                WHEN kind < 800 THEN 'delivered'
                WHEN kind < 880 THEN 'out_for_delivery'
                WHEN kind < 970 THEN 'in_transit'
                ELSE 'created'
            END AS status,
            CASE
                WHEN NOT is_error THEN CASE WHEN place = 503 THEN '' END
                WHEN kind % 10 = 1 THEN 'Адрес не найден, звонили дважды'
                WHEN kind % 10 = 2 THEN 'Клиент сказал: "не заказывал"'
                WHEN kind % 10 = 3 THEN E'Повреждена упаковка\nАкт № ' || kind
                WHEN kind % 10 < 7 THEN 'Нет ответа по телефону'
            END AS reason
        FROM latest
    ),
    lines AS (
        SELECT order_id, status, at, reason, place, line, 1 AS turn FROM named
        UNION ALL
        -- An older status of the opposite kind: who does not fold duplicates gets another share.
        SELECT order_id, CASE WHEN is_error THEN 'delivered' ELSE 'failed' END, at - interval '7 hours',
            NULL, place, CASE WHEN place % 2 = 1 THEN line ELSE line - 1 - line % 1000 END, 2
        FROM named WHERE place BETWEEN 101 AND 115
        UNION ALL
        SELECT order_id, CASE WHEN is_error THEN 'delivered' ELSE 'failed' END, at, NULL, place, line, 0
        FROM named WHERE place = 201
        UNION ALL
        -- An order number that the shop never gave, four times in a thousand.
        SELECT 900000000 + order_id, 'failed', at, 'Заказ не опознан', place, line, 3
        FROM named WHERE place BETWEEN 301 AND 304
    )
    SELECT
        order_id,
        status,
        CASE
            WHEN place = 401 THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            WHEN place = 402 THEN to_char(at AT TIME ZONE 'Europe/Moscow', 'YYYY-MM-DD"T"HH24:MI:SS')
            ELSE to_char(at AT TIME ZONE 'Europe/Moscow', 'YYYY-MM-DD"T"HH24:MI:SS"+03:00"')
        END,
        reason
    FROM lines
    ORDER BY line, order_id, turn
$$;

COMMENT ON FUNCTION demo.delivery_statuses IS 'The lines of a delivery statuses file with about this error share';
