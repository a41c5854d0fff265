-- What happened to shipments, by when it reached the database (recorded_at), so that late events are not lost.
SELECT
    id, shipment_id, event_type, event_time, recorded_at, location, payload, comment
FROM shipment_events
WHERE recorded_at >= :'start' AND recorded_at < :'end'
    AND ctid >= :'ctid_from' AND ctid < :'ctid_to'
