-- All clients of the carrier, as they were at the instant of the set.
SELECT id, name, inn, city, address, active, updated_at
FROM clients
ORDER BY id
