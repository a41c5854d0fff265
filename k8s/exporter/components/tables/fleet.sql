-- How many vehicles of each model there are, and what they carry together.
SELECT model, count(*) AS vehicles, sum(capacity_kg) AS capacity_kg
FROM vehicles
WHERE active
GROUP BY model
ORDER BY model
