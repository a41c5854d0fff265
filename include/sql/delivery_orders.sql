-- Which orders are there, who carries each, and where to? For PostgreSQL; search_path says which schema.
SELECT order_id, carrier, region
FROM orders
