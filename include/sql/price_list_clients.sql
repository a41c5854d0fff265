-- The B2B clients that get a price list, by the code that their files are named by.
SELECT client.id, client.code, coalesce(client.name, '') AS name
FROM clients AS client
WHERE client.active
ORDER BY client.code, client.id
