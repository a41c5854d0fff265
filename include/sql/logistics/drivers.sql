-- All drivers, as they were at the instant of the set.
SELECT id, name, licence_category, phone, base_city, active, updated_at
FROM drivers
ORDER BY id
