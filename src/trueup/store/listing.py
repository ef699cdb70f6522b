"""Pages of the books: some rows of a table, sorted and filtered by the database, and how many there are.

What a person leafs through must not depend on how long the history is: every
question reads one page.  Rows of equal sort value keep one order, so that no
row is on two pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported, Stream
from trueup.core.ids import ClientOrderId, EventTicker, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.units import Count, Money, Price
from trueup.store.driver import AnyRow, Reading
from trueup.store.records import KINDS
from trueup.store.statement import Statement

T = TypeVar("T")

PAGE_ROWS_MAX: Final = 1_000
"""The longest page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Which page is wanted.

    `sort` is a name that the table offers, `words` a part of a market's ticker or the whole
    of an order's or trade's id, `since` is included and `until` is not.
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
    """One page of rows, and how many rows there are on all pages."""

    rows: tuple[T, ...]
    total: int


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


FILL_SORTS: Final[Mapping[str, str]] = {
    "at": "f.at",
    "ticker": "f.ticker",
    "count": "f.count",
    "price": "f.price",
    "fee": "f.fee",
}
ORDER_SORTS: Final[Mapping[str, str]] = {
    "at": "o.updated_at",
    "created": "o.created_at",
    "ticker": "o.ticker",
    "price": "o.price",
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
_OF_MARKETS: Final = (
    "{table}.book IN (SELECT book FROM market_keys WHERE ticker LIKE ? ESCAPE '\\')"
)


def list_fills(reading: Reading, leaf: Leaf) -> Listed[ListedFill]:
    """A page of fills."""
    conditions = _Conditions()
    if leaf.words:
        matching = _OF_MARKETS.format(table="f")
        conditions.add(
            f"({matching} OR f.order_id = ? OR f.trade_id = ?)",
            *(_pattern(leaf.words.upper()), leaf.words, leaf.words),
        )
    if leaf.ticker:
        conditions.add("f.book IN (SELECT book FROM market_keys WHERE ticker = ?)", leaf.ticker)
    conditions.between("f.at", leaf)
    kind = KINDS[Stream.FILLS]
    columns = ", ".join(f"f.{name}" for name in kind.columns)
    rows = _page(
        reading,
        f"SELECT {columns}, (SELECT client_order_id FROM orders WHERE order_id = f.order_id) "  # noqa: S608
        "FROM fills AS f",
        conditions,
        order=_order(FILL_SORTS, leaf, "f.id"),
        leaf=leaf,
    )
    found = tuple(
        ListedFill(fill=kind.value_of(row[:-1]), client_order_id=row[-1] or None) for row in rows
    )
    return Listed(found, _count(reading, "fills AS f", conditions))


def list_orders(reading: Reading, leaf: Leaf) -> Listed[OrderReported]:
    """A page of orders."""
    conditions = _Conditions()
    if leaf.words:
        conditions.add(
            "(o.ticker LIKE ? ESCAPE '\\' OR o.order_id = ? OR o.client_order_id LIKE ? ESCAPE '\\')",
            *(_pattern(leaf.words.upper()), leaf.words, _pattern(leaf.words)),
        )
    if leaf.ticker:
        conditions.add("o.ticker = ?", leaf.ticker)
    if leaf.status:
        conditions.add("o.status = ?", leaf.status)
    conditions.between("o.updated_at", leaf)
    kind = KINDS[Stream.ORDERS]
    columns = ", ".join(f"o.{name}" for name in kind.columns)
    rows = _page(
        reading,
        f"SELECT {columns} FROM orders AS o",  # noqa: S608
        conditions,
        order=_order(ORDER_SORTS, leaf, "o.order_id"),
        leaf=leaf,
    )
    found = tuple(kind.value_of(row) for row in rows)
    return Listed(found, _count(reading, "orders AS o", conditions))


def list_settled(reading: Reading, leaf: Leaf) -> Listed[SettledMarket]:
    """A page of markets that have paid out."""
    conditions = _Conditions()
    conditions.add("p.settled_at IS NOT NULL")
    if leaf.words:
        conditions.add("p.ticker LIKE ? ESCAPE '\\'", _pattern(leaf.words.upper()))
    if leaf.ticker:
        conditions.add("p.ticker = ?", leaf.ticker)
    conditions.between("p.settled_at", leaf)
    rows = _page(
        reading,
        "SELECT p.settled_at, p.ticker, p.event_ticker, p.subaccount, m.result, "
        "m.settlement_value, p.net_at_settlement, p.payout, p.realized, p.fees, p.evidence "
        "FROM positions AS p LEFT JOIN markets AS m ON m.ticker = p.ticker",
        conditions,
        order=_order(SETTLEMENT_SORTS, leaf, "p.book"),
        leaf=leaf,
    )
    found = tuple(
        SettledMarket(
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
        for row in rows
    )
    return Listed(found, _count(reading, "positions AS p", conditions))


def changes(reading: Reading, dialect: str) -> int:
    """A number that is another one after any other connection has written something."""
    if dialect == "sqlite":
        return int(reading.rows(Statement("PRAGMA data_version"))[0][0])
    return int(reading.rows(Statement("SELECT txid_snapshot_xmax(txid_current_snapshot())"))[0][0])


class _Conditions:
    """A WHERE clause under way.  All words are ours, all values are parameters."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.parameters: list[object] = []

    def add(self, text: str, *values: object) -> None:
        self._texts.append(text)
        self.parameters.extend(values)

    def between(self, column: str, leaf: Leaf) -> None:
        if leaf.since is not None:
            self.add(f"{column} >= ?", leaf.since)
        if leaf.until is not None:
            self.add(f"{column} < ?", leaf.until)

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self._texts)}" if self._texts else ""


def _order(sorts: Mapping[str, str], leaf: Leaf, identity: str) -> str:
    if leaf.sort not in sorts:
        raise CallerError(
            f"this table is not sorted by {leaf.sort!r}", remedy=f"Use one of {', '.join(sorts)}."
        )
    direction = "DESC" if leaf.descending else "ASC"
    return f" ORDER BY {sorts[leaf.sort]} {direction}, {identity} {direction}"


def _page(
    reading: Reading, select: str, conditions: _Conditions, *, order: str, leaf: Leaf
) -> list[AnyRow]:
    statement = Statement(f"{select}{conditions}{order} LIMIT ? OFFSET ?")
    limit = max(1, min(leaf.limit, PAGE_ROWS_MAX))
    return reading.rows(statement, (*conditions.parameters, limit, max(0, leaf.offset)))


def _count(reading: Reading, table: str, conditions: _Conditions) -> int:
    statement = Statement(f"SELECT count(*) FROM {table}{conditions}")  # noqa: S608
    return int(reading.rows(statement, conditions.parameters)[0][0])


def _pattern(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
