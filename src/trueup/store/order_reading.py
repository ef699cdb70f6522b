"""Orders that rested, with all that was ever reported of each: what the cash proof needs.

The table of orders holds one merged view of each; how large an order was before it
was decreased or amended is only in the journal's earlier versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from trueup.core.facts import OrderReported, Stream
from trueup.core.ids import Shard, Subaccount
from trueup.store.driver import AnyRow, Driver, Reading
from trueup.store.journal_index import versions_of
from trueup.store.records import KINDS
from trueup.store.selection import Selection, where
from trueup.store.statement import Statement

_AT_ONCE = 5000
"""Orders whose versions are looked up together."""


def rested_orders(
    driver: Driver, subaccount: Subaccount | None, shard: Shard | None
) -> Iterator[OrderReported]:
    """Every report of the orders that rested for a while.

    Market by market, by the first order of each market; the reports of one order
    are together, in the sequence in which they came.
    """
    columns = ", ".join(KINDS[Stream.ORDERS].columns)
    conditions, parameters = where(
        Selection(subaccount=subaccount, shard=shard),
        "created_at",
        ("(status = 'resting' OR updated_at > created_at)",),
    )
    statement = Statement(
        f"SELECT version, {columns} FROM (SELECT version, {columns}, min(created_at) OVER "  # noqa: S608
        f"(PARTITION BY subaccount, shard, ticker) AS first_at FROM orders{conditions}) AS rested "
        "ORDER BY first_at, ticker, subaccount, shard, created_at, order_id"
    )
    rows = driver.stream(statement, parameters)
    while together := list(islice(rows, _AT_ONCE)):
        yield from _reports(driver, together)


def _reports(reading: Reading, rows: list[AnyRow]) -> Iterator[OrderReported]:
    """All reports of these orders; one that was reported once is its row."""
    kind = KINDS[Stream.ORDERS]
    retold = [kind.key_of(row[1:]) for row in rows if row[0] > 1]
    versions: dict[str, list[OrderReported]] = {}
    if retold:
        for recorded in versions_of(reading, Stream.ORDERS, retold):
            if isinstance(recorded.value, OrderReported):
                versions.setdefault(recorded.key, []).append(recorded.value)
    for row in rows:
        merged: OrderReported = kind.value_of(row[1:])
        for report in versions.get(merged.order_id, [merged]):
            if (report.subaccount, report.shard) == (merged.subaccount, merged.shard):
                yield report
            else:
                # An order stays one order, also if an earlier report placed it elsewhere.
                yield replace(report, subaccount=merged.subaccount, shard=merged.shard)
