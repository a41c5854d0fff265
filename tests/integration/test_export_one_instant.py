"""Rows that were committed together are in both files or in neither, however often, and whatever writes."""

import threading

from extracts.postgres import connect

EXPORTS = 200
WRITERS = 2


def write(dsn, first, stop):
    """One shipment and its event a transaction, until `stop` is set; every tenth one is taken back."""
    connection = connect(dsn)
    with connection.cursor() as cursor:
        for id in range(first, first + 10_000_000):
            if stop.is_set():
                break
            cursor.execute("INSERT INTO shipments VALUES (%s, 'created', '2026-11-20 15:00+03')", (id,))
            cursor.execute("INSERT INTO shipment_events VALUES (%s, %s, '2026-11-20 15:00+03')", (id, id))
            if id % 10:
                connection.commit()
            else:
                connection.rollback()
            if id - first > 300:
                # Both at once again, so that the tables stay small.
                cursor.execute("DELETE FROM shipment_events WHERE id = %s", (id - 300,))
                cursor.execute("DELETE FROM shipments WHERE id = %s", (id - 300,))
                connection.commit()
    connection.close()


def test_both_tables_are_of_one_instant(carrier):
    carrier.sql("DELETE FROM shipment_events")
    carrier.sql("DELETE FROM shipments; INSERT INTO shipments VALUES (1, 'created', '2026-11-20 12:00+03')")
    carrier.sql("INSERT INTO shipment_events VALUES (1, 1, '2026-11-20 12:00+03')")
    stop = threading.Event()
    writers = [
        threading.Thread(target=write, args=(carrier.dsn, 1_000_000_000 * (number + 1), stop))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    seen = set()
    try:
        for _ in range(EXPORTS):
            carrier.export()
            shipments = set(carrier.ids("shipments"))
            assert shipments == set(carrier.ids("shipment_events"))
            seen.add(frozenset(shipments))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    # Were the writers asleep, this would show nothing.
    assert len(seen) > EXPORTS / 2
