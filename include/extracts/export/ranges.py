"""How a big table is cut, so that several readers share it: ranges of its pages, in physical order.

Rows come in physical order whichever way they are found, because index scans, which would give another
order, are off while ranges are read, and the cuts stand at fixed pages: an unchanged table gives an equal
file, however much was appended to it since.

https://www.postgresql.org/docs/current/ddl-system-columns.html (ctid)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from extracts import queries
from extracts.export.tables import Table
from extracts.postgres import Snapshot, translated_errors

# Pages of 8 kB. Small enough that readers end together, and that a bar moves; large enough that a range's own
# cost does not count.
PAGES = 2048
# Where the rows of a day lie scattered over more pages than this many times what they fill, the ranges would
# read too much of other days.
_SCATTERED = 4
_TID_RANGE_SCANS = 140000

Range = tuple[str, str]
EVERYTHING: Range = ("(0,0)", "(4294967294,0)")


@dataclass(frozen=True)
class Plan:
    """What PostgreSQL expects of a query: rows, and bytes a row; and how it would find them."""

    rows: int
    width: int
    nodes: tuple[Mapping[str, Any], ...]


def explain(snapshot: Snapshot, table: Table, params: Mapping[str, Any]) -> Plan:
    """The plan of the whole table's query; nothing is read."""
    text = queries.bind(table.query, {**params, **bounds(table)}, snapshot.connection)
    with translated_errors(snapshot.connection, table.query.name), snapshot.connection.cursor() as cursor:
        snapshot.in_physical_order(table.in_ranges)
        cursor.execute(f"EXPLAIN (FORMAT json, VERBOSE)\n{text}")
        ((answer,),) = cursor.fetchall()
    plan = answer[0]["Plan"]
    return Plan(int(plan["Plan Rows"]), int(plan["Plan Width"]), tuple(_nodes(plan)))


def bounds(table: Table, range: Range = EVERYTHING) -> dict[str, object]:
    """The parameters that limit a table's query to a range; none where it is not read in ranges."""
    return dict(zip(("ctid_from", "ctid_to"), range, strict=True)) if table.in_ranges else {}


def ranges(snapshot: Snapshot, table: Table, plan: Plan) -> list[Range]:
    """The ranges in which `table` is read, in order; they cover all of its rows, each once."""
    if not table.in_ranges or snapshot.connection.server_version < _TID_RANGE_SCANS:
        return [EVERYTHING]
    pages, rows_a_page = _size(snapshot, table.name)
    if pages <= PAGES:
        return [EVERYTHING]
    first, last = 0, pages - 1
    if scan := next((node for node in plan.nodes if node["Node Type"] == "Bitmap Heap Scan"), None):
        # An index knows the day's rows: only the pages from the first to the last of them matter.
        first, last = _extent(snapshot, scan)
        if last - first > PAGES + _SCATTERED * plan.rows / max(rows_a_page, 1):
            return [EVERYTHING]
    cuts = [f"({page},0)" for page in range(first // PAGES * PAGES + PAGES, last + 1, PAGES)]
    return list(zip([EVERYTHING[0], *cuts], [*cuts, EVERYTHING[1]], strict=True))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for node in plan.get("Plans", ()):
        yield from _nodes(node)


def _size(snapshot: Snapshot, name: str) -> tuple[int, float]:
    """The pages of a table, or of the largest of its partitions, and the rows on a page by its statistics."""
    with snapshot.connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(max(pg_relation_size(leaf.oid)), 0) / current_setting('block_size')::bigint,
                coalesce(max(leaf.reltuples / nullif(leaf.relpages, 0)), 0)
            FROM (
                SELECT to_regclass(quote_ident(%(name)s)) AS oid
                UNION SELECT relid FROM pg_partition_tree(to_regclass(quote_ident(%(name)s)))
            ) AS part
            JOIN pg_class AS leaf USING (oid)
            """,
            {"name": name},
        )
        pages, rows_a_page = cursor.fetchone() or (0, 0)
    return int(pages), float(rows_a_page)


def _extent(snapshot: Snapshot, scan: Mapping[str, Any]) -> tuple[int, int]:
    """The first and the last page with a row that a bitmap heap scan looks for."""
    # The condition is PostgreSQL's own text of it, with the query's alias.
    query = sql.SQL(
        "SELECT (min(ctid)::text::point)[0]::bigint, (max(ctid)::text::point)[0]::bigint FROM {} AS {} WHERE "
    ).format(sql.Identifier(scan["Schema"], scan["Relation Name"]), sql.Identifier(scan["Alias"]))
    with snapshot.connection.cursor() as cursor:
        cursor.execute(query.as_string(cursor) + scan["Recheck Cond"])
        first, last = cursor.fetchone() or (None, None)
    return int(first or 0), int(last or 0)
