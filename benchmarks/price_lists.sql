-- 10,000 products, 500 clients with 40 contract prices each, all of them active: every list has every product.
CREATE TABLE categories AS
SELECT i AS id, 'Категория ' || i || ' / для дома и мастерской' AS name, true AS active
FROM generate_series(1, 200) AS i;

CREATE TABLE products AS
SELECT
    i AS id,
    CASE WHEN i % 4 = 0 THEN lpad((i * 7919)::text, 14, '0') ELSE 'SKU-' || lpad(i::text, 6, '0') END AS sku,
    CASE WHEN i % 97 = 1 THEN '=Акция+1: набор бит, ' || i ELSE 'Шуруповёрт «Эталон» ' || i * 7919 % 991 || ', арт. ' || i END
        AS name,
    1 + i % 200 AS category_id,
    (ARRAY['шт', 'упак', 'м', 'кг'])[1 + i % 4] AS unit,
    (15 + i * 7919 % 1000000 / 100.0)::numeric(12, 2) AS price,
    CASE WHEN i % 40 <> 15 THEN i * 31 % 900 END AS stock,
    true AS active
FROM generate_series(1, 10000) AS i;

CREATE TABLE clients AS
SELECT i AS id, 'B2B-' || lpad(i::text, 4, '0') AS code, 'ООО «Клиент ' || i || '»' AS name, true AS active
FROM generate_series(1, :'clients'::integer) AS i;

CREATE TABLE client_prices AS
SELECT
    client.id AS client_id,
    product.id AS product_id,
    round(product.price * 0.9, 2) AS price,
    DATE '2026-01-01' AS valid_from,
    CASE WHEN slot % 2 = 0 THEN DATE '2027-12-31' END AS valid_to
FROM clients AS client
CROSS JOIN generate_series(0, 39) AS slot
JOIN products AS product ON product.id = 1 + (client.id * 7919 + slot * 251) % 10000;

ALTER TABLE categories ADD PRIMARY KEY (id);
ALTER TABLE products ADD PRIMARY KEY (id);
ALTER TABLE clients ADD PRIMARY KEY (id);
ALTER TABLE client_prices ADD PRIMARY KEY (client_id, product_id, valid_from);
ANALYZE;
