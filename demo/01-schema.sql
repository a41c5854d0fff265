-- The tables that the jobs read, in two schemas of one database, and the schema of the demo itself.
-- Columns and meaning follow the data model in DESIGN; keys and indexes are made by 03 and 04, after the
-- rows, because building them once is several times faster than keeping them up to date row by row.
--
-- Settings, all optional, are read here, once, and kept in demo.seed:
--   demo.scale        share of the full volume: 1 (default) is 1,000,000 orders, 0.001 is a thousand
--   demo.today        the day that the data is made for (default: today in Moscow)
--   demo.fingerprint  what the maker calls this state of the data, to know it again
-- Equal scale and day give equal rows, on every machine.

CREATE SCHEMA demo;
CREATE SCHEMA shop;
CREATE SCHEMA logistics;

COMMENT ON SCHEMA demo IS 'How the demo data is made; no job reads it';
COMMENT ON SCHEMA shop IS 'The retailer: orders, catalogue, B2B clients and their prices';
COMMENT ON SCHEMA logistics IS 'The carrier: shipments, what happened to them, and who carries them';

CREATE TABLE demo.seed AS
SELECT
    coalesce(nullif(current_setting('demo.scale', true), ''), '1')::numeric AS scale,
    coalesce(
        nullif(current_setting('demo.today', true), '')::date,
        (now() AT TIME ZONE 'Europe/Moscow')::date
    ) AS today,
    current_setting('demo.fingerprint', true) AS fingerprint;

COMMENT ON TABLE demo.seed IS 'The settings that the rows were made with; one row';

CREATE FUNCTION demo.today() RETURNS date
LANGUAGE sql STABLE
RETURN (SELECT today FROM demo.seed);

CREATE FUNCTION demo.volume(full_volume bigint, minimum bigint) RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT greatest(minimum, round(full_volume * scale)::bigint) FROM demo.seed);

COMMENT ON FUNCTION demo.volume IS 'Rows to make of a table, never fewer than its oddities need';

-- Instants are counted from the Moscow midnight that begins demo.today().
CREATE FUNCTION demo.midnight() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT today::timestamp AT TIME ZONE 'Europe/Moscow' FROM demo.seed);

CREATE FUNCTION demo.pick(row_number bigint, salt bigint, choices bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN (hashint8extended(row_number, salt) & 9223372036854775807) % choices;

COMMENT ON FUNCTION demo.pick IS 'A number from 0 to choices - 1 that looks random and is always the same';

CREATE TABLE shop.categories (
    id integer NOT NULL,
    name text NOT NULL,
    active boolean NOT NULL
);

CREATE TABLE shop.products (
    id integer NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    category_id integer,
    unit text,
    price numeric(12, 2) NOT NULL CHECK (price >= 0),
    stock integer,
    active boolean NOT NULL
);

COMMENT ON COLUMN shop.products.sku IS 'The article number: text, some are digits with leading zeros';
COMMENT ON COLUMN shop.products.stock IS 'NULL: not counted (services, goods made to order)';

CREATE TABLE shop.clients (
    id integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    email text,
    segment text,
    region text,
    active boolean NOT NULL
);

COMMENT ON COLUMN shop.clients.code IS 'As the sales department typed it: not always a safe file name';

CREATE TABLE shop.client_prices (
    client_id integer NOT NULL,
    product_id integer NOT NULL,
    price numeric(12, 2) NOT NULL CHECK (price >= 0),
    valid_from date NOT NULL,
    valid_to date,
    CHECK (valid_to >= valid_from)
);

COMMENT ON TABLE shop.client_prices IS 'Contract prices; the windows of one client and product never overlap';
COMMENT ON COLUMN shop.client_prices.valid_to IS 'The last day it holds; NULL: until further notice';

CREATE TABLE shop.orders (
    order_id bigint NOT NULL,
    client_id integer,
    region text,
    carrier text,
    amount numeric(12, 2),
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

COMMENT ON COLUMN shop.orders.client_id IS 'NULL: a buyer without a contract';
COMMENT ON COLUMN shop.orders.carrier IS 'NULL: fetched by the buyer';

CREATE TABLE logistics.clients (
    id integer NOT NULL,
    name text NOT NULL,
    inn text,
    city text,
    address text,
    active boolean NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE logistics.drivers (
    id integer NOT NULL,
    name text NOT NULL,
    licence_category text,
    phone text,
    base_city text,
    active boolean NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE logistics.vehicles (
    id integer NOT NULL,
    plate text NOT NULL,
    model text,
    capacity_kg numeric(8, 1),
    year smallint,
    active boolean NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE logistics.shipments (
    id bigint NOT NULL,
    client_id integer NOT NULL,
    driver_id integer,
    vehicle_id integer,
    tracking text NOT NULL,
    status text NOT NULL,
    weight_kg numeric(12, 3),
    cost numeric(14, 2),
    address text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

COMMENT ON COLUMN logistics.shipments.updated_at IS 'The day of a shipment is the business day of this instant';

CREATE TABLE logistics.shipment_events (
    id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    event_type text NOT NULL,
    event_time timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    location text,
    payload jsonb,
    comment text
);

COMMENT ON COLUMN logistics.shipment_events.event_time IS 'When it happened, by the clock of the device';
COMMENT ON COLUMN logistics.shipment_events.recorded_at IS
    'When it reached the database, sometimes days later; the day of an event is the business day of this instant';
