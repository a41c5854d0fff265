-- The retailer's rows: 200 categories, 10,000 products, 500 B2B clients with 40 contract prices each, and
-- 1,000,000 orders. The oddities sit at fixed places, so that a small volume has them all.

INSERT INTO shop.categories (id, name, active)
SELECT
    i,
    (ARRAY['Электроинструмент', 'Ручной инструмент', 'Крепёж', 'Сантехника', 'Освещение', 'Лаки и краски',
        'Сад и огород', 'Посуда', 'Хранение', 'Двери и окна'])[1 + (i - 1) % 10]
    || ' / '
    || (ARRAY['для дома', 'для мастерской', 'профессиональное', 'комплекты', 'запасные части', 'расходники',
        'новинки', 'распродажа', 'под заказ', 'товары «Эталон»', 'импорт', 'Урал', 'Сибирь', 'детям', 'офис',
        'склад', 'кухня', 'ванная', 'дача', 'прочее, "разное"'])[1 + (i - 1) / 10 % 20],
    i % 25 <> 0
FROM generate_series(1, demo.volume(200, 20)) AS i;

INSERT INTO shop.products (id, sku, name, category_id, unit, price, stock, active)
SELECT
    i,
    -- Digits only, with leading zeros: a spreadsheet that guesses types spoils them.
    CASE WHEN i % 4 = 0 THEN lpad((i * 7919)::text, 14, '0') ELSE 'SKU-' || lpad(i::text, 6, '0') END,
    CASE i % 97
        WHEN 1 THEN '=Акция+1: набор бит, ' || i
        WHEN 2 THEN '-20% Ведро "Дачник" ' || i
        WHEN 3 THEN '+ Насадка в подарок ' || i
        WHEN 4 THEN '@home Светильник ' || i
        WHEN 5 THEN E'Краска фасадная\nбелая, 10 л ' || i
        WHEN 6 THEN E'Шланг\t3/4" ' || i
        WHEN 7 THEN '  Полка навесная; дуб ' || i
        ELSE
            (ARRAY['Дрель', 'Шуруповёрт', 'Смеситель', 'Светильник', 'Саморез', 'Краска', 'Секатор', 'Кастрюля',
                'Стеллаж', 'Дверь межкомнатная', 'Кабель', 'Розетка'])[1 + demo.pick(i, 1, 12)]
            || ' «'
            || (ARRAY['Эталон', 'Мастер', 'Вектор', 'Ель', 'Ладога', 'Ясень'])[1 + demo.pick(i, 2, 6)]
            || '» '
            || (10 + demo.pick(i, 3, 990))
    END,
    -- A few belong nowhere, a few to an inactive category.
    CASE WHEN i % 500 = 11 THEN NULL ELSE 1 + demo.pick(i, 4, (SELECT count(*) FROM shop.categories)) END,
    (ARRAY['шт', 'шт', 'шт', 'упак', 'м', 'кг', 'л', NULL])[1 + demo.pick(i, 5, 8)],
    CASE
        WHEN i % 1000 = 13 THEN 0.01
        WHEN i % 1000 = 14 THEN 1234567.89
        ELSE 15 + (demo.pick(i, 6, 1000000) * demo.pick(i, 8, 1000000) / 200000)::numeric / 100
    END,
    CASE WHEN i % 40 = 15 THEN NULL WHEN i % 20 = 16 THEN 0 ELSE demo.pick(i, 7, 900) END,
    i % 20 <> 17
FROM generate_series(1, demo.volume(10000, 100)) AS i;

INSERT INTO shop.clients (id, code, name, email, segment, region, active)
SELECT
    i,
    -- Codes that a file name cannot carry as they are: the lists are named by them.
    CASE i
        WHEN 1 THEN 'ООО/Ромашка'
        WHEN 2 THEN 'CON'
        WHEN 3 THEN '..\запад:1*'
        WHEN 4 THEN 'опт '
        WHEN 5 THEN 'b2b-0006'
        WHEN 7 THEN 'Ёлки "и" палки'
        ELSE 'B2B-' || lpad(i::text, 4, '0')
    END,
    (ARRAY['ООО', 'АО', 'ООО', 'ТД'])[1 + demo.pick(i, 11, 4)]
    || (ARRAY[' «Стройбаза ', ' «Комплект ', ' «Интерьер ', ' "Всё; для дома" «', ' «Снабжение '])
        [1 + demo.pick(i, 12, 5)]
    || i || '»',
    CASE WHEN i % 30 = 8 THEN NULL ELSE 'zakupki' || i || '@client.example' END,
    (ARRAY['опт', 'сеть', 'проект', NULL])[1 + demo.pick(i, 13, 4)],
    (ARRAY['Москва', 'Санкт-Петербург', 'Татарстан', 'Свердловская область', 'Приморский край'])
        [1 + demo.pick(i, 14, 5)],
    i % 25 <> 9
FROM generate_series(1, demo.volume(500, 10)) AS i;

-- Slots 0 to 31 of a client are products of their own; slots 32 to 39 continue the windows of slots 0 to 7.
INSERT INTO shop.client_prices (client_id, product_id, price, valid_from, valid_to)
SELECT
    client.id,
    product.id,
    -- Two mistakes, which begin tomorrow: a price of nothing, and one in kopecks.
    CASE WHEN client.id = 6 AND slot = 15 THEN 0 WHEN client.id = 8 AND slot = 15 THEN 100 ELSE 1 END
    * round(product.price * (70 + demo.pick(client.id * 40 + slot, 21, 28)) / 100 + 0.01, 2),
    demo.today() + CASE
        WHEN slot = 15 AND client.id IN (6, 8) THEN 1
        WHEN slot < 8 THEN -400 + slot
        WHEN slot < 12 THEN -90
        WHEN slot < 15 THEN 1 + slot
        WHEN slot = 15 THEN 0
        WHEN slot < 32 THEN -200 + slot
        ELSE -29
    END,
    demo.today() + CASE
        WHEN slot < 8 THEN -30
        WHEN slot < 12 THEN -1
        WHEN slot < 14 THEN 120
        WHEN slot = 16 THEN 0
        WHEN slot < 24 THEN 60 + slot
    END
FROM shop.clients AS client
CROSS JOIN generate_series(0, 39) AS slot
JOIN shop.products AS product
    ON product.id = 1 + (client.id * 7919 + slot % 32 * 251) % (SELECT count(*) FROM shop.products);

INSERT INTO shop.orders (order_id, client_id, region, carrier, amount, status, created_at, updated_at)
SELECT
    i,
    CASE WHEN i % 3 = 0 THEN 1 + demo.pick(i, 31, (SELECT count(*) FROM shop.clients)) END,
    CASE WHEN i % 400 = 1 THEN NULL ELSE
        (ARRAY['Москва', 'Москва', 'Московская область', 'Санкт-Петербург', 'Татарстан', 'Свердловская область',
            'Новосибирская область', 'Краснодарский край', 'Нижегородская область', 'Приморский край'])
            [1 + demo.pick(i, 32, 10)]
    END,
    CASE
        WHEN c < 30 THEN 'Северный экспресс'
        WHEN c < 52 THEN 'Волга-Транс'
        WHEN c < 70 THEN 'Доставка 24'
        WHEN c < 84 THEN 'Урал, склад и рейс'
        WHEN c < 94 THEN 'ООО "Вектор"'
        WHEN c < 99 THEN 'Балтика Карго'
    END,
    CASE WHEN i % 800 = 2 THEN NULL ELSE 150 + (demo.pick(i, 34, 1000000) * demo.pick(i, 38, 1000000) / 100000)::numeric / 100 END,
    (ARRAY['shipped', 'shipped', 'shipped', 'closed', 'closed', 'paid'])[1 + demo.pick(i, 35, 6)],
    created_at,
    -- A late row: changed long after its day.
    created_at + make_interval(secs => demo.pick(i, 37, CASE WHEN i % 50 = 3 THEN 864000 ELSE 36000 END))
FROM generate_series(1, demo.volume(1000000, 1000)) AS i
CROSS JOIN LATERAL (
    SELECT
        demo.pick(i, 33, 100) AS c,
        demo.midnight() - make_interval(secs => demo.pick(i, 36, 2592000)) AS created_at
) AS made;

ALTER TABLE shop.categories ADD PRIMARY KEY (id);
ALTER TABLE shop.products ADD PRIMARY KEY (id), ADD UNIQUE (sku),
    ADD FOREIGN KEY (category_id) REFERENCES shop.categories;
ALTER TABLE shop.clients ADD PRIMARY KEY (id), ADD UNIQUE (code);
ALTER TABLE shop.client_prices ADD PRIMARY KEY (client_id, product_id, valid_from),
    ADD FOREIGN KEY (client_id) REFERENCES shop.clients,
    ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.orders ADD PRIMARY KEY (order_id), ADD FOREIGN KEY (client_id) REFERENCES shop.clients;

ANALYZE shop.categories, shop.products, shop.clients, shop.client_prices, shop.orders;
