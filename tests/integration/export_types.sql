-- One column of every type, and the values of each that are hard to write.
CREATE TYPE mood AS ENUM ('рад', 'not, so');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN code AS text CHECK (value <> 'none');
CREATE TABLE things (
    id bigint, n numeric, m numeric(14, 2), r real, d double precision, t text, v varchar(20), c char(5), k code,
    b bytea, j json, jb jsonb, i integer[], ta text[], ts timestamp, tz timestamptz, dt date, ti time, tt timetz,
    iv interval, u uuid, ir int4range, tr tstzrange, mr int4multirange, e mood, p pair, ip inet, bits bit(4),
    x tsvector, pt point, flag boolean
);
INSERT INTO things (id, n, m, r, d, t, c, b, jb, ts, tz, dt, iv, flag) VALUES
    (1, 'NaN', -0.10, '-0', 'Infinity', NULL, 'ab', '\x00ff', '{"ключ": "a\"b"}', 'infinity', 'infinity',
        '-infinity', '1 year 2 days 03:04:05.6', true),
    (2, 'Infinity', 99999999.99, 'NaN', '-Infinity', '', NULL, '', '[1, null]', '2026-11-20 10:00:00.000001',
        '2026-11-20 20:00+03', '0001-01-01 BC', '-3 days', false),
    (3, 12345678901234567890.1234567890, NULL, 1e-30, 0.1, E'line\nbreak\r\n', 'x', NULL, NULL, NULL, NULL,
        NULL, NULL, NULL),
    (4, 0, 0, 0, 1e300, 'кавычка " и, запятая', '', NULL, '"\u0434"', '2026-01-01', '1900-01-01', '2026-01-01',
        '0', true);
INSERT INTO things (id, t, v, k, j, i, ta, ti, tt, u, ir, tr, mr, e, p, ip, bits, x, pt) VALUES
    (5, E'\\.', ' leading', 'код', '{"b": 1,  "a": [ ]}', '{1,NULL,3}', ARRAY['a,b', '"', NULL, '', 'д'],
        '10:00:00.5', '10:00+03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[1,5)', '[2026-01-01,)',
        '{[1,3),[5,7)}', 'not, so', ROW(1, 'x, "y"'), '10.0.0.1/8', B'1010', 'a fat cat', '(1.5,-2)');
INSERT INTO things (id, t) SELECT n, repeat('Груз ', 20) || n FROM generate_series(10, 3000) AS n;
CREATE TABLE lone (t text);
INSERT INTO lone VALUES (E'\\.'), (''), (NULL), ('ё');
