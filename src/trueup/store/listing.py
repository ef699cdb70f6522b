"""Pages of the books: some rows of a table, sorted and filtered by the database, and how many there are.

What a person leafs through must not depend on how long the history is: every
question reads one page, by an index.  So rows are counted up to `COUNT_MAX`, and what
no index sorts is sorted among the newest so many.  Rows of equal sort value keep one
order, so that no row is on two pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported, Stream
from trueup.core.ids import ClientOrderId, EventTicker, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.units import Count, Money, Price
from trueup.store.driver import AnyRow, Reading
from trueup.store.finding import Conditions, Searched
from trueup.store.records import KINDS
from trueup.store.statement import Statement

T = TypeVar("T")

PAGE_ROWS_MAX: Final = 1_000
"""The longest page."""

COUNT_MAX: Final = 10_000
"""Rows are counted up to so many, or to the end of the page that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Which page is wanted.

    `sort` is a name that the table offers, `since` is included and `until` is not.  `words`
    are the beginning of a market's ticker; where none begins with them, a part of one; where
    no ticker has them, an order's or trade's id, or a part of an order's own name.
    """

    sort: str = "at"
    descending: bool = True
    words: str = ""
    ticker: Ticker | None = None
    status: str = ""
    since: Instant | None = None
    until: Instant | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of rows, and how many rows there are on all pages; with `more` at least so many.

    With `more` and a sort that is not by time, `rows` are sorted among the newest `total`.
    """

    rows: tuple[T, ...]
    total: int
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFill:
    """A fill with the name that its order was given."""

    fill: Filled
    client_order_id: ClientOrderId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledMarket:
    """A market that has paid out, by the books: net position × result, after all fees.

    `value` is what one YES contract paid, `None` where only the payout is known.
    """

    at: Instant
    ticker: Ticker
    event_ticker: EventTicker | None
    subaccount: Subaccount
    result: MarketResult | None
    value: Price | None
    net: Count
    payout: Money
    realized: Money
    fees: Money
    evidence: str


# As people see it: of contracts of NO what NO costs.
_PAID: Final = "CASE WHEN {0}.side = 'yes' THEN {0}.price ELSE 10000 - {0}.price END"
FILL_SORTS: Final[Mapping[str, str]] = {
    "at": "f.at",
    "ticker": "f.ticker",
    "count": "f.count",
    "price": _PAID.format("f"),
    "fee": "f.fee",
}
ORDER_SORTS: Final[Mapping[str, str]] = {
    "at": "o.updated_at",
    "created": "o.created_at",
    "ticker": "o.ticker",
    "price": _PAID.format("o"),
    "count": "o.initial_count",
    "filled": "o.fill_count",
    "status": "o.status",
}
SETTLEMENT_SORTS: Final[Mapping[str, str]] = {
    "at": "p.settled_at",
    "ticker": "p.ticker",
    "payout": "p.payout",
    "fees": "p.fees",
    "profit": "p.realized - p.fees",
}
_FILLS: Final = Searched(table="market_keys", key="book", column="f.book", ticker="f.ticker")
_ORDERS: Final = Searched(table="orders", key="ticker", column="o.ticker", ticker="o.ticker")
_SETTLED: Final = Searched(table="market_keys", key="book", column="p.book", ticker="p.ticker")


def list_fills(reading: Reading, leaf: Leaf) -> Listed[ListedFill]:
    """A page of fills."""
    conditions = Conditions()
    if leaf.words and not conditions.search(reading, _FILLS, leaf.words):
        conditions.fills_of_id(reading, leaf.words)
    if leaf.ticker:
        conditions.add("f.book IN (SELECT book FROM market_keys WHERE ticker = ?)", leaf.ticker)
    conditions.between("f.at", since=leaf.since, until=leaf.until)
    kind = KINDS[Stream.FILLS]
    ours = "(SELECT client_order_id FROM orders WHERE order_id = f.order_id)"
    query = _Query(
        select=", ".join((*(f"f.{name}" for name in kind.columns), ours)),
        table="fills AS f",
        sorts=FILL_SORTS,
        identity="f.id",
    )
    return _listed(
        reading,
        query,
        conditions,
        leaf=leaf,
        made=lambda row: ListedFill(
            fill=kind.value_of(row[:-1]),
            client_order_id=ClientOrderId(row[-1]) if row[-1] else None,
        ),
    )


def list_orders(reading: Reading, leaf: Leaf) -> Listed[OrderReported]:
    """A page of orders."""
    conditions = Conditions()
    if leaf.words and not conditions.search(reading, _ORDERS, leaf.words):
        conditions.orders_of_name(leaf.words)
    if leaf.ticker:
        conditions.add("o.ticker = ?", leaf.ticker)
    if leaf.status:
        conditions.add("o.status = ?", leaf.status)
    conditions.between("o.updated_at", since=leaf.since, until=leaf.until)
    kind = KINDS[Stream.ORDERS]
    query = _Query(
        select=", ".join(f"o.{name}" for name in kind.columns),
        table="orders AS o",
        sorts=ORDER_SORTS,
        identity="o.order_id",
    )
    return _listed(reading, query, conditions, leaf=leaf, made=kind.value_of)


def list_settled(reading: Reading, leaf: Leaf) -> Listed[SettledMarket]:
    """A page of markets that have paid out."""
    conditions = Conditions()
    conditions.add("p.settled_at IS NOT NULL")
    if leaf.words and not conditions.search(reading, _SETTLED, leaf.words):
        return Listed((), 0)
    if leaf.ticker:
        conditions.add("p.ticker = ?", leaf.ticker)
    conditions.between("p.settled_at", since=leaf.since, until=leaf.until)
    stated = "(SELECT {} FROM markets AS m WHERE m.ticker = p.ticker)"
    query = _Query(
        select="p.settled_at, p.ticker, p.event_ticker, p.subaccount, "
        f"{stated.format('m.result')}, {stated.format('m.settlement_value')}, "
        "p.net_at_settlement, p.payout, p.realized, p.fees, p.evidence",
        table="positions AS p",
        sorts=SETTLEMENT_SORTS,
        identity="p.book",
    )
    return _listed(reading, query, conditions, leaf=leaf, made=_settled)


def _settled(row: AnyRow) -> SettledMarket:
    return SettledMarket(
        at=row[0],
        ticker=row[1],
        event_ticker=row[2],
        subaccount=row[3],
        result=None if row[4] is None else MarketResult(row[4]),
        value=None if row[5] is None else Price(row[5]),
        net=Count(row[6]),
        payout=Money(row[7]),
        realized=Money(row[8]),
        fees=Money(row[9]),
        evidence=row[10] or "",
    )


def count_orders(reading: Reading) -> int:
    """How many orders there are, exactly; the database counts them one by one."""
    return int(reading.rows(Statement("SELECT count(*) FROM orders"))[0][0])


def changes(reading: Reading, dialect: str) -> int:
    """A number that is another one after any other connection has written something."""
    if dialect == "sqlite":
        return int(reading.rows(Statement("PRAGMA data_version"))[0][0])
    return int(reading.rows(Statement("SELECT txid_snapshot_xmax(txid_current_snapshot())"))[0][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """Which columns of which table, and how it can be sorted.  All words are ours."""

    select: str
    table: str
    sorts: Mapping[str, str]
    identity: str

    @property
    def alias(self) -> str:
        return self.identity.partition(".")[0]

    def order(self, sort: str, *, descending: bool) -> str:
        """Raises `CallerError` for a sort that is not offered."""
        if sort not in self.sorts:
            raise CallerError(
                f"this table is not sorted by {sort!r}",
                remedy=f"Use one of {', '.join(self.sorts)}.",
            )
        direction = "DESC" if descending else "ASC"
        return f"ORDER BY {self.sorts[sort]} {direction}, {self.identity} {direction}"


def _listed(
    reading: Reading,
    query: _Query,
    conditions: Conditions,
    *,
    leaf: Leaf,
    made: Callable[[AnyRow], T],
) -> Listed[T]:
    limit, offset = max(1, min(leaf.limit, PAGE_ROWS_MAX)), max(0, leaf.offset)
    order = query.order(leaf.sort, descending=leaf.descending)
    count_max = max(COUNT_MAX, offset + limit)
    total = _count(reading, query.table, conditions, count_max + 1)
    more = total > count_max or conditions.is_cut
    clause, parameters = conditions.clause()
    source = f"{query.table}{clause}"
    if more and leaf.sort != "at":
        newest = query.order("at", descending=True)
        source = f"(SELECT * FROM {source} {newest} LIMIT ?) AS {query.alias}"  # noqa: S608
        parameters.append(COUNT_MAX)
        total = min(total, COUNT_MAX)
    statement = Statement(f"SELECT {query.select} FROM {source} {order} LIMIT ? OFFSET ?")  # noqa: S608
    rows = reading.rows(statement, (*parameters, limit, offset))
    return Listed(tuple(map(made, rows)), min(total, count_max), more)


def _count(reading: Reading, table: str, conditions: Conditions, most: int) -> int:
    clause, parameters = conditions.clause(counting=True)
    statement = Statement(
        f"SELECT count(*) FROM (SELECT 1 AS one FROM {table}{clause} LIMIT ?) AS counted"  # noqa: S608
    )
    return int(reading.rows(statement, (*parameters, most))[0][0])
