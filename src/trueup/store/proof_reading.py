"""What the proof and the reconciliation read: whole tables, in the order they need."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.facts import Filled, Opened, OrderReported, Source, Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.ledger.bare import BareBook
from trueup.ledger.entries import Entry, EntryKind, MarketBook
from trueup.store.book_reading import entries
from trueup.store.driver import Driver
from trueup.store.projections import POSITION_COLUMNS
from trueup.store.reading import cash_facts
from trueup.store.records import KINDS
from trueup.store.selection import EVERYTHING, Selection, select
from trueup.store.statement import Statement


def market_books(
    driver: Driver, *, open_only: bool = False, ticker: Ticker | None = None
) -> Iterator[MarketBook]:
    """The book of every market (or of one) by ticker, without its entries and round trips."""
    statement, parameters = select(
        "positions",
        POSITION_COLUMNS,
        Selection(ticker=ticker),
        order=("ticker", "subaccount", "shard"),
        given=("net <> 0",) if open_only else (),
    )
    return (MarketBook(BareBook(*row[1:])) for row in driver.stream(statement, parameters))


def fills_by_order(driver: Driver) -> Iterator[Filled]:
    """All fills sorted by order, those of one order in time order."""
    kind = KINDS[Stream.FILLS]
    statement, parameters = select(
        kind.table, kind.columns, EVERYTHING, order=("order_id", "at", "trade_id")
    )
    return (kind.value_of(row) for row in driver.stream(statement, parameters))


def fills_of_one_side(driver: Driver, *, told_by_fix: bool) -> Iterator[Filled]:
    """Fills that only FIX has told, or that everybody but FIX has, in time order.

    The latter only of orders of which FIX told another fill: nobody says that a listener
    session hears of all orders of an account.
    """
    kind = KINDS[Stream.FILLS]
    fix = Source.FIX.value
    told = f"SELECT order_id FROM fills WHERE source = '{fix}' OR version > 1"  # noqa: S608
    which = (f"source = '{fix}'",)
    if not told_by_fix:
        which = (f"source <> '{fix}'", f"order_id IN ({told})")
    statement, parameters = select(
        kind.table,
        kind.columns,
        EVERYTHING,
        order=("at", "id"),
        given=("version = 1", *which),
    )
    return (kind.value_of(row) for row in driver.stream(statement, parameters))


def orders_by_id(driver: Driver) -> Iterator[OrderReported]:
    """All orders sorted by their id."""
    kind = KINDS[Stream.ORDERS]
    statement, parameters = select(kind.table, kind.columns, EVERYTHING, order=("order_id",))
    return (kind.value_of(row) for row in driver.stream(statement, parameters))


def transfer_entries(driver: Driver) -> Iterator[Entry]:
    """The entries of transfers, in time order."""
    return entries(driver, EVERYTHING, given=(f"kind = '{EntryKind.TRANSFER.value}'",))


def cash_entries(driver: Driver) -> Iterator[Entry]:
    """The entries that belong to no market, in time order."""
    return entries(driver, EVERYTHING, given=("book < 0",))


def pots(driver: Driver) -> list[tuple[Subaccount, Shard | None]]:
    """Every subaccount and shard that a fact or an order names; `None`: it names no shard."""
    statement = Statement(
        "SELECT subaccount, shard FROM fills "
        "UNION SELECT subaccount, shard FROM settlements "
        "UNION SELECT subaccount, shard FROM orders "
        "UNION SELECT from_subaccount, from_shard FROM transfers "
        "UNION SELECT to_subaccount, to_shard FROM transfers "
        "UNION SELECT subaccount, shard FROM openings "
        "UNION SELECT subaccount, NULL FROM settlement_reports WHERE subaccount IS NOT NULL "
        "UNION SELECT 0, 0 FROM banking "
        "ORDER BY 1, 2"
    )
    return [(row[0], row[1]) for row in driver.stream(statement)]


def openings(driver: Driver) -> Iterator[Opened]:
    """The operator's opening balances."""
    for stream, recorded in cash_facts(driver):
        if stream is Stream.OPENING and isinstance(recorded.value, Opened):
            yield recorded.value
