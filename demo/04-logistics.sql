-- The carrier's rows: 50,000 clients, 5,000 drivers, 2,000 vehicles, 200,000 shipments and five events for
-- each. Most belong to one business day, the one that ended at 20:00 Moscow on the day before demo.today(), so
-- that an export of it is as large as a carrier's day gets. The rest spread over two weeks around
-- demo.today(), and some stand exactly on the 20:00 border.

INSERT INTO logistics.clients (id, name, inn, city, address, active, updated_at)
SELECT
    i,
    (ARRAY['ООО «Вектор-', 'АО "Маяк" №', 'ТД «Орион; опт» ', 'ООО «Север, Юг и ', 'Склад '])[1 + demo.pick(i, 1, 5)]
    || i || CASE WHEN demo.pick(i, 1, 5) IN (0, 3) THEN '»' ELSE '' END,
    CASE WHEN i % 60 = 1 THEN NULL ELSE '00' || lpad((i * 7919 % 100000000)::text, 8, '0') END,
    (ARRAY['Москва', 'Казань', 'Екатеринбург', 'Новосибирск', 'Самара', 'Ростов-на-Дону', 'Орёл'])
        [1 + demo.pick(i, 2, 7)],
    CASE WHEN i % 45 = 2 THEN E'ул. Складская, 1\nвход со двора' ELSE 'ул. Складская, ' || 1 + demo.pick(i, 3, 200) END,
    i % 50 <> 3,
    demo.midnight() - make_interval(secs => demo.pick(i, 4, 31536000) - 43200)
FROM generate_series(1, demo.volume(50000, 50)) AS i;

INSERT INTO logistics.drivers (id, name, licence_category, phone, base_city, active, updated_at)
SELECT
    i,
    'Водитель ' || lpad(i::text, 5, '0'),
    (ARRAY['B', 'C', 'CE', 'C, CE'])[1 + demo.pick(i, 11, 4)],
    CASE WHEN i % 35 = 1 THEN NULL ELSE '+7 000 ' || lpad(i::text, 7, '0') END,
    (ARRAY['Москва', 'Казань', 'Екатеринбург', 'Новосибирск', 'Самара'])[1 + demo.pick(i, 12, 5)],
    i % 15 <> 2,
    demo.midnight() - make_interval(secs => demo.pick(i, 13, 7776000) - 43200)
FROM generate_series(1, demo.volume(5000, 20)) AS i;

INSERT INTO logistics.vehicles (id, plate, model, capacity_kg, year, active, updated_at)
SELECT
    i,
    letters[1 + i % 12] || lpad((i % 1000)::text, 3, '0') || letters[1 + i / 12 % 12] || letters[1 + i / 144 % 12]
    || '77',
    (ARRAY['Фургон 1,5 т', 'Фургон 3 т', 'Тягач', 'Рефрижератор "Север"'])[1 + demo.pick(i, 21, 4)],
    CASE WHEN i % 19 = 1 THEN NULL ELSE (ARRAY[1500, 3000, 20000, 18500.5])[1 + demo.pick(i, 21, 4)] END,
    2008 + demo.pick(i, 22, 18),
    i % 18 <> 2,
    demo.midnight() - make_interval(secs => demo.pick(i, 23, 7776000) - 43200)
FROM generate_series(1, demo.volume(2000, 20)) AS i
CROSS JOIN string_to_array('АВЕКМНОРСТУХ', NULL) AS letters;

INSERT INTO logistics.shipments
    (id, client_id, driver_id, vehicle_id, tracking, status, weight_kg, cost, address, created_at, updated_at)
SELECT
    i,
    1 + demo.pick(i, 31, (SELECT count(*) FROM logistics.clients)),
    CASE WHEN i % 12 <> 1 THEN 1 + demo.pick(i, 32, (SELECT count(*) FROM logistics.drivers)) END,
    CASE WHEN i % 12 <> 1 THEN 1 + demo.pick(i, 33, (SELECT count(*) FROM logistics.vehicles)) END,
    'RU' || lpad((i * 7919)::text, 12, '0'),
    (ARRAY['created', 'in_transit', 'in_transit', 'delivered', 'delivered', 'delivered', 'returned'])
        [1 + demo.pick(i, 34, 7)],
    CASE WHEN i % 100 = 2 THEN NULL ELSE 0.05 + demo.pick(i, 35, 1500000)::numeric / 1000 END,
    CASE WHEN i % 250 = 3 THEN NULL WHEN i % 250 = 4 THEN -120.50 ELSE 300 + demo.pick(i, 36, 9000000)::numeric / 100 END,
    CASE i % 60
        WHEN 5 THEN NULL
        WHEN 6 THEN ''
        WHEN 7 THEN E'г. Орёл, ул. Московская, 12\nкв. 3, домофон "3К"'
        WHEN 8 THEN E'г. Самара, ул. Мира, 5\r\nпозвонить, ждать'
        ELSE
            'г. ' || (ARRAY['Москва', 'Казань', 'Екатеринбург', 'Новосибирск', 'Самара', 'Ростов-на-Дону', 'Тверь'])
                [1 + demo.pick(i, 37, 7)]
            || (ARRAY[', ул. Ленина, ', ', пр-т Мира, ', ', ул. Садовая, '])[1 + demo.pick(i, 38, 3)]
            || 1 + demo.pick(i, 39, 180)
    END,
    updated_at - make_interval(secs => 60 + demo.pick(i, 40, longest)),
    updated_at
FROM generate_series(1, demo.volume(200000, 200)) AS i
CROSS JOIN LATERAL (
    -- Shipments of the full day, and the seconds of each between the day's beginning and its last change:
    -- ten minutes at least, and five minutes before the day's end, in which its last event is recorded.
    SELECT CASE WHEN i % 199 > 5 AND demo.pick(i, 42, 100) < 86 THEN 600 + demo.pick(i, 41, 85500) END AS elapsed
) AS full_day
CROSS JOIN LATERAL (
    -- Those of the full day begin on it; the others were under way for up to five days.
    SELECT
        coalesce(elapsed - 60, 400000) AS longest,
        -- The others: from twelve days before today's midnight to half an hour before tomorrow's.
        demo.midnight() + CASE
            WHEN i % 199 = 0 THEN interval '20 hours'
            WHEN i % 199 = 1 THEN interval '-4 hours'
            WHEN i % 199 = 2 THEN interval '20 hours -0.000001 seconds'
            WHEN i % 199 = 3 THEN interval '-4 hours -0.000001 seconds'
            WHEN i % 199 = 4 THEN interval '-28 hours'
            WHEN i % 199 = 5 THEN interval '-28 hours -0.000001 seconds'
            WHEN elapsed IS NOT NULL THEN make_interval(hours => -28, secs => elapsed)
            ELSE make_interval(secs => 84600 - demo.pick(i, 41, 1123200))
        END AS updated_at
) AS made;

INSERT INTO logistics.shipment_events
    (id, shipment_id, event_type, event_time, recorded_at, location, payload, comment)
SELECT
    (s.id - 1) * 5 + step,
    s.id,
    (ARRAY['accepted', 'sorted', 'departed', 'arrived', 'handed_over'])[shown],
    event_time,
    -- One in a hundred reaches the database days later; a device with a wrong clock reports the future.
    event_time + CASE
        WHEN n % 100 = 7 THEN make_interval(days => 1 + (n % 3)::integer)
        WHEN n % 1000 = 8 THEN interval '-2 hours'
        ELSE make_interval(secs => 1 + demo.pick(n, 51, 240))
    END,
    CASE WHEN n % 30 = 1 THEN NULL ELSE
        (ARRAY['Москва', 'Казань', 'Екатеринбург', 'Новосибирск', 'Самара', 'Ростов-на-Дону', 'Орёл'])
            [1 + demo.pick(n, 52, 7)]
    END,
    CASE
        WHEN n % 20 = 2 THEN NULL
        WHEN n % 20 < 5 THEN jsonb_build_object('сканер', 'С-' || n % 400, 'фото', n % 3, 'примечание', 'угол "смят"')
        ELSE jsonb_build_object('scanner', n % 400, 'ok', n % 7 <> 0)
    END,
    CASE
        WHEN n % 40 = 3 THEN ''
        WHEN n % 40 = 4 THEN E'Получатель просил:\n"оставить у двери", не звонить'
        WHEN n % 40 = 5 THEN 'Груз осмотрен; замечаний нет'
    END
FROM logistics.shipments AS s
CROSS JOIN generate_series(1, 5) AS step
CROSS JOIN LATERAL (
    SELECT
        (s.id - 1) * 5 + step AS n,
        -- The last event of some shipments repeats the one before: the device sent it twice.
        CASE WHEN step = 5 AND s.id % 50 = 9 THEN 4 ELSE step END AS shown
) AS numbered
CROSS JOIN LATERAL (
    SELECT s.created_at + (s.updated_at - s.created_at) * (shown - 1) / 4 AS event_time
) AS timed;

ALTER TABLE logistics.clients ADD PRIMARY KEY (id);
ALTER TABLE logistics.drivers ADD PRIMARY KEY (id);
ALTER TABLE logistics.vehicles ADD PRIMARY KEY (id), ADD UNIQUE (plate);
ALTER TABLE logistics.shipments ADD PRIMARY KEY (id), ADD UNIQUE (tracking),
    ADD FOREIGN KEY (client_id) REFERENCES logistics.clients,
    ADD FOREIGN KEY (driver_id) REFERENCES logistics.drivers,
    ADD FOREIGN KEY (vehicle_id) REFERENCES logistics.vehicles;
ALTER TABLE logistics.shipment_events ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (shipment_id) REFERENCES logistics.shipments;

CREATE INDEX ON logistics.shipments (updated_at);
CREATE INDEX ON logistics.shipment_events (recorded_at);

ANALYZE logistics.clients, logistics.drivers, logistics.vehicles, logistics.shipments, logistics.shipment_events;
