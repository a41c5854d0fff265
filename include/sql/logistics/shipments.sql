-- Shipments whose last change lies in the business day; a shipment stands in the day of its last change alone.
-- extracts: not-empty
SELECT
    id, client_id, driver_id, vehicle_id, tracking, status, weight_kg, cost, address, created_at, updated_at
FROM shipments
WHERE updated_at >= :'start' AND updated_at < :'end'
    AND ctid >= :'ctid_from' AND ctid < :'ctid_to'
