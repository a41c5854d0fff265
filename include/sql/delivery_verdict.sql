-- What share of the orders that have a delivery status ended in an error, by carrier and region?
-- DuckDB and Spark SQL run this text unchanged: it keeps to what both read the same way.
--
-- Reads:
--   statuses(order_id, status, updated_at, line)  updated_at an instant; line grows through the input
--   orders(order_id, carrier, region)             one row an order
--   error_statuses(status)                        which statuses are errors, each once
-- Gives one row for every carrier and region (scope 'place'), for every latest status (scope 'status') and
-- for all (scope 'total'):
--   orders                 orders known to the shop
--   orders_with_status     those of them that have any status
--   error_orders           those of them whose latest status is an error
--   statuses_without_order orders that have a status and that the shop does not know, each counted once
--   status_rows            rows of statuses, the same in every row of the answer
WITH ranked AS (
    SELECT
        order_id,
        status,
        row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC, line DESC) AS place
    FROM statuses
),

latest AS (
    SELECT order_id, status
    FROM ranked
    WHERE place = 1
),

-- Counted once before the grouping sets, each of which would else go through all orders again.
counted AS (
    SELECT
        orders.carrier,
        orders.region,
        latest.status,
        count(orders.order_id) AS orders,
        count(latest.order_id) AS latest_statuses,
        count(CASE WHEN orders.order_id IS NOT NULL THEN latest.order_id END) AS orders_with_status
    FROM orders
    FULL JOIN latest ON latest.order_id = orders.order_id
    GROUP BY orders.carrier, orders.region, latest.status
)

SELECT
    CASE
        WHEN grouping(counted.carrier) = 0 THEN 'place'
        WHEN grouping(counted.status) = 0 THEN 'status'
        ELSE 'total'
    END AS scope,
    counted.carrier,
    counted.region,
    counted.status,
    sum(counted.orders) AS orders,
    sum(counted.orders_with_status) AS orders_with_status,
    sum(CASE WHEN error_statuses.status IS NULL THEN 0 ELSE counted.orders_with_status END) AS error_orders,
    sum(counted.latest_statuses - counted.orders_with_status) AS statuses_without_order,
    (SELECT count(*) FROM statuses) AS status_rows
FROM counted
LEFT JOIN error_statuses ON error_statuses.status = counted.status
GROUP BY GROUPING SETS ((counted.carrier, counted.region), (counted.status), ())
