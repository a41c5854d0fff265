-- The carrier's tables for benchmarks/export.py: :'rows' events, and the others at the brief's volumes. Events
-- and shipments all belong to one business day, the one that ends on 20 November 2026 at 20:00 Moscow.

CREATE SCHEMA logistics;
SET search_path = logistics;

CREATE TABLE clients (
    id integer PRIMARY KEY, name text, inn text, city text, address text, active boolean, updated_at timestamptz
);
CREATE TABLE drivers (
    id integer PRIMARY KEY, name text, licence_category text, phone text, base_city text, active boolean,
    updated_at timestamptz
);
CREATE TABLE vehicles (
    id integer PRIMARY KEY, plate text, model text, capacity_kg numeric(8, 1), year smallint, active boolean,
    updated_at timestamptz
);
CREATE TABLE shipments (
    id bigint, client_id integer, driver_id integer, vehicle_id integer, tracking text, status text,
    weight_kg numeric(12, 3), cost numeric(14, 2), address text, created_at timestamptz, updated_at timestamptz
);
CREATE TABLE shipment_events (
    id bigint, shipment_id bigint, event_type text, event_time timestamptz, recorded_at timestamptz, location text,
    payload jsonb, comment text
);

INSERT INTO clients
SELECT i, 'ООО «Вектор-' || i || '»', lpad(i::text, 10, '0'), 'Екатеринбург', 'ул. Складская, ' || i % 200,
    i % 50 <> 3, timestamptz '2026-11-01 12:00+03' - make_interval(secs => i)
FROM generate_series(1, 50000) AS i;

INSERT INTO drivers
SELECT i, 'Водитель ' || i, 'CE', '+7 000 ' || i, 'Казань', i % 15 <> 2,
    timestamptz '2026-11-01 12:00+03' - make_interval(secs => i)
FROM generate_series(1, 5000) AS i;

INSERT INTO vehicles
SELECT i, 'А' || i || 'ВС77', 'Рефрижератор "Север"', 18500.5, 2008 + i % 18, i % 18 <> 2,
    timestamptz '2026-11-01 12:00+03' - make_interval(secs => i)
FROM generate_series(1, 2000) AS i;

INSERT INTO shipments
SELECT i, 1 + i % 50000, 1 + i % 5000, 1 + i % 2000, 'RU' || lpad((i::bigint * 7919)::text, 12, '0'), 'in_transit',
    0.05 + (i * 37 % 1500000)::numeric / 1000, 300 + (i::bigint * 7919 % 9000000)::numeric / 100,
    'г. Ростов-на-Дону, пр-т Мира, ' || i % 180, timestamptz '2026-11-19 21:00+03',
    timestamptz '2026-11-19 20:00+03' + make_interval(secs => i * 0.43)
FROM generate_series(1, 200000) AS i;

INSERT INTO shipment_events
SELECT
    i,
    1 + i % 200000,
    (ARRAY['accepted', 'sorted', 'departed', 'arrived', 'handed_over'])[1 + i % 5],
    recorded_at - make_interval(secs => i % 240 + 1),
    recorded_at,
    (ARRAY['Москва', 'Казань', 'Екатеринбург', 'Новосибирск', 'Самара', 'Ростов-на-Дону', 'Орёл', NULL])[1 + i % 8],
    jsonb_build_object('scanner', i % 400, 'ok', i % 7 <> 0, 'code', md5(i::text)),
    CASE i % 10
        WHEN 0 THEN NULL
        WHEN 1 THEN ''
        WHEN 2 THEN E'Получатель просил:\n"оставить у двери", не звонить'
        ELSE 'Груз осмотрен; замечаний нет'
    END
FROM generate_series(1, :rows::bigint) AS i
CROSS JOIN LATERAL (
    SELECT timestamptz '2026-11-19 20:00+03' + make_interval(secs => i * (86400.0 / (:rows::bigint + 1))) AS recorded_at
) AS told;

ALTER TABLE shipments ADD PRIMARY KEY (id);
ALTER TABLE shipment_events ADD PRIMARY KEY (id);
CREATE INDEX ON shipments (updated_at);
CREATE INDEX ON shipment_events (recorded_at);
-- Visibility is settled here, so that the first reader does not pay for it.
VACUUM ANALYZE clients, drivers, vehicles, shipments, shipment_events;
CHECKPOINT;
