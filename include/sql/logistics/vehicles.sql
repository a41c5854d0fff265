-- All vehicles, as they were at the instant of the set.
SELECT id, plate, model, capacity_kg, year, active, updated_at
FROM vehicles
ORDER BY id
