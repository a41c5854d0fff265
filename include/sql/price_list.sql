-- Price lists: for every client each active product of an active category, at the client's contract price
-- where one holds on the day, else at the list price; for the assortment 'contract' the former alone.
-- All rows of a client stand together, in the order of its list; the order of columns is that of
-- pipelines/price_lists/columns.py, after the client's id.
WITH listed AS MATERIALIZED (
    SELECT
        product.id,
        product.sku,
        product.name,
        category.name AS category,
        product.unit,
        -- A view may give floats for one kind of price, and no float is to meet the other.
        product.price::numeric AS price,
        product.stock,
        -- Sorting by it costs each client a comparison of numbers, not of texts.
        row_number() OVER (ORDER BY category.name, product.name, product.sku) AS place
    FROM products AS product
    JOIN categories AS category ON category.id = product.category_id
    WHERE product.active AND category.active
),

contract AS MATERIALIZED (
    -- Where two windows overlap by mistake, the one that began later holds: a product is listed once.
    SELECT DISTINCT ON (held.client_id, held.product_id)
        held.client_id,
        held.product_id,
        held.price::numeric AS price,
        nullif(held.valid_to, 'infinity')::date AS valid_to
    FROM client_prices AS held
    WHERE
        held.client_id = ANY(:'clients')
        AND held.valid_from <= :'day'
        AND (held.valid_to >= :'day' OR held.valid_to IS NULL)
    ORDER BY held.client_id, held.product_id, held.valid_from DESC, held.valid_to, held.price
)

SELECT
    client.id,
    list.sku,
    list.name,
    list.category,
    list.unit,
    list.price,
    list.by_contract,
    list.stock,
    list.valid_to
FROM clients AS client
-- One client after the other: joined as a whole, millions of rows would be sorted on the server's disk.
CROSS JOIN LATERAL (
    SELECT
        listed.sku,
        listed.name,
        listed.category,
        listed.unit,
        round(CASE WHEN contract.product_id IS NULL THEN listed.price ELSE contract.price END, 2) AS price,
        contract.product_id IS NOT NULL AS by_contract,
        listed.stock,
        contract.valid_to,
        listed.place
    FROM listed
    LEFT JOIN contract ON contract.client_id = client.id AND contract.product_id = listed.id
    WHERE :'assortment' = 'full' OR contract.product_id IS NOT NULL
    -- Keeps this subquery apart from the outer one.
    OFFSET 0
) AS list
WHERE client.id = ANY(:'clients')
ORDER BY client.id, list.place
