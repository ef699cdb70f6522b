"""What a P&L report is made of: rows of what was earned, and what is still open.

By strategy, a market that one strategy traded alone has the ledger's own figures.
One that several strategies traded has each one's round trips, as if it had traded
alone, and a remainder that makes the sum the ledger's to the last unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.ledger.entries import RoundTrip
from trueup.ledger.report import (
    BookedRow,
    OpenPosition,
    stand_alone_positions,
    stand_alone_rows,
)
from trueup.ledger.standing import standing
from trueup.ledger.strategy import StrategyOf
from trueup.run import views
from trueup.store.book_reading import ProfitRow
from trueup.store.database import Books

_Market = tuple[Subaccount, Ticker]


@dataclass(frozen=True, slots=True)
class Earned:
    """What was earned since some moment, and what is open now."""

    rows: Iterator[BookedRow]
    open_positions: list[OpenPosition]


def earned(books: Books, *, since: Instant | None = None) -> Earned:
    """By the ledger: what one strategy sells of another's contracts is the seller's gain."""
    rows = (_booked(row) for row in books.pnl_rows(since=since))
    return Earned(rows, list(views.open_positions(books)))


def earned_by_strategy(
    books: Books, strategy_of: StrategyOf, *, since: Instant | None = None
) -> Earned:
    """The same sums, but strategies that share a market stand alone."""
    strategies = _strategies(books)
    shared = {market for market, names in strategies.items() if len(names) > 1}
    rows = _rows(books, shared, strategy_of, since=since)
    return Earned(rows, list(_open_positions(books, strategies, shared)))


def _strategies(books: Books) -> dict[_Market, set[str]]:
    """The strategies of every market that was ever traded."""
    found: defaultdict[_Market, set[str]] = defaultdict(set)
    for row in books.pnl_rows():
        if row.ticker is not None:
            found[row.subaccount, row.ticker].add(row.strategy)
    return found


def _rows(
    books: Books, shared: set[_Market], strategy_of: StrategyOf, *, since: Instant | None
) -> Iterator[BookedRow]:
    wholes: dict[_Market, BookedRow] = {}
    for row in books.pnl_rows(since=since):
        booked = _booked(row)
        if row.ticker is None or (row.subaccount, row.ticker) not in shared:
            yield booked
            continue
        market = row.subaccount, row.ticker
        whole = wholes.get(market)
        wholes[market] = (
            booked
            if whole is None
            else replace(
                booked, realized=whole.realized + booked.realized, fees=whole.fees + booked.fees
            )
        )
    for (subaccount, ticker), whole in wholes.items():
        before: dict[str, RoundTrip] = {}
        if since is not None:
            fills = books.fills(ticker=ticker, subaccount=subaccount, until=since)
            before = dict(standing(fills, strategy_of))
        trips = books.trades(ticker=ticker, subaccount=subaccount)
        yield from stand_alone_rows(trips, whole, since=since, before=before)


def _open_positions(
    books: Books, strategies: dict[_Market, set[str]], shared: set[_Market]
) -> Iterator[OpenPosition]:
    whole: dict[_Market, OpenPosition] = {}
    for position in views.open_positions(books):
        market = position.subaccount, position.ticker
        if market in shared:
            whole[market] = position
        else:
            (strategy,) = strategies.get(market) or {position.strategy}
            yield replace(position, strategy=strategy)
    quotes = books.cache.quotes() if shared else {}
    for market in sorted(shared):
        subaccount, ticker = market
        aged = quotes.get(ticker)
        yield from stand_alone_positions(
            books.trades(ticker=ticker, subaccount=subaccount),
            whole.get(market),
            None if aged is None else aged.quote,
        )


def _booked(row: ProfitRow) -> BookedRow:
    return BookedRow(
        at=row.hour,
        ticker=row.ticker,
        event_ticker=None,
        subaccount=row.subaccount,
        strategy=row.strategy,
        realized=row.realized,
        fees=row.fees,
    )
