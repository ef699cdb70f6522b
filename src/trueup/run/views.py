"""What the commands and the Python front door show: rows of exact values by name.

Each function reads the books and returns plain dictionaries, so that a table, a
JSON object and a script see the same thing.  Unknown is `None`, never zero.
"""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.errors import CallerError
from trueup.core.facts import OrderReported, Settled
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, format_age, format_instant
from trueup.core.orders import OrderStatus
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_MONEY, Money, Ratio
from trueup.ledger.bare import BareReport
from trueup.ledger.entries import MarketBook
from trueup.ledger.holds import holds
from trueup.ledger.report import OpenPosition, open_position
from trueup.ledger.witnesses import agrees
from trueup.store.database import Books

Row = dict[str, object]


def number_of(number: int, thing: str, things: str = "") -> str:
    """A number of things in words: ``1 page``, ``2 pages``; `things` where no s makes them many."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def balances(books: Books, *, now: Instant) -> list[Row]:
    """The newest reading of every pot of cash, beside what the books say."""
    return [
        _balance(books, reading, now=now) for reading in sorted(books.latest_balances(), key=_pot)
    ]


def _balance(books: Books, reading: BalanceStated, *, now: Instant) -> Row:
    until = Instant(reading.at + 1)
    movements = books.cash_movements(reading.subaccount, reading.shard, until=until)
    cash = Money(sum(movement.amount.units for movement in movements))
    orders = books.rested_orders(reading.subaccount, reading.shard)
    held = -Money(
        sum(each.amount.units for each in holds(orders, books.fills_of) if each.at <= reading.at)
    )
    available = cash - held
    difference = ZERO_MONEY
    if available < reading.low:
        difference = reading.low - available
    elif available > reading.high:
        difference = reading.high - available
    return {
        "subaccount": "all" if reading.subaccount is None else reading.subaccount,
        "shard": "all" if reading.shard is None else reading.shard,
        "exchange": reading.low,
        "exact": reading.low == reading.high,
        "books": available,
        "collateral": held,
        "difference": difference,
        "portfolio_value": reading.portfolio_value,
        "at": format_instant(reading.at),
        "age": format_age(now - reading.at),
    }


def open_positions(books: Books) -> Iterator[OpenPosition]:
    """Every held position at its mark."""
    quotes = books.cache.quotes()
    for book in books.market_books(open_only=True):
        aged = quotes.get(book.ticker)
        position = open_position(book, None if aged is None else aged.quote)
        if position is not None:
            yield position


def positions(books: Books, *, ticker: str = "", now: Instant) -> list[Row]:
    """Open positions with average price, mark, its age, and unrealised P&L."""
    quotes = books.cache.quotes()
    markets = books.cache.catalog().markets
    rows: list[Row] = []
    for position in open_positions(books):
        if ticker and position.ticker != ticker:
            continue
        market, quote = markets.get(position.ticker), quotes.get(position.ticker)
        close_at = None if market is None else market.close_at
        side_mark = position.mark
        if side_mark is not None and position.net.units < 0:
            side_mark = side_mark.complement()
        rows.append(
            {
                "ticker": position.ticker,
                "title": None if market is None else market.title,
                "subaccount": position.subaccount,
                "shard": position.shard,
                "side": position.side.value,
                "quantity": abs(position.net),
                "avg_price": Ratio(position.cost.units, abs(position.net.units) * 10_000),
                "cost": position.cost,
                "mark": side_mark,
                "mark_age": None if quote is None else format_age(now - quote.fetched_at),
                "unrealized_pnl": position.unrealized,
                "realized_pnl": position.realized,
                "fees": position.fees,
                "closes": None if close_at is None else format_instant(close_at),
            }
        )
    return rows


def orders(books: Books, *, ticker: str, status: str, limit: int) -> list[Row]:
    """Orders, newest first."""
    if status and status not in {each.value for each in OrderStatus}:
        raise CallerError(
            f"there is no order status {status!r}",
            remedy=f"Use {', '.join(each.value for each in OrderStatus)}.",
        )
    found = books.orders(
        status=status or None,
        ticker=Ticker(ticker) if ticker else None,
        newest_first=True,
        limit=limit,
    )
    return [_order(order) for order in found]


def _order(order: OrderReported) -> Row:
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "created_at": format_instant(order.created_at),
        "updated_at": format_instant(order.updated_at),
        "ticker": order.ticker,
        "subaccount": order.subaccount,
        "side": order.side.value,
        "price": order.price,
        "initial_count": order.initial_count,
        "fill_count": order.fill_count,
        "remaining_count": order.remaining_count,
        "status": order.status.value,
        "fees": order.taker_fees + order.maker_fees,
    }


def fills(books: Books, *, ticker: str, limit: int) -> list[Row]:
    """Fills, newest first."""
    found = books.fills(ticker=Ticker(ticker) if ticker else None, newest_first=True, limit=limit)
    return [
        {
            "trade_id": fill.trade_id,
            "order_id": fill.order_id,
            "at": format_instant(fill.at),
            "ticker": fill.ticker,
            "subaccount": fill.subaccount,
            "side": fill.side.value,
            "count": fill.count,
            "price": fill.price,
            "fee": fill.fee,
            "liquidity": "taker" if fill.is_taker else "maker",
        }
        for fill in found
    ]


def _agree(book: MarketBook, row: Settled | None, report: BareReport | None) -> bool | None:
    if row is None or report is None:
        return None
    told = agrees(report, row.revenue.units, net=book.net_at_settlement.units)
    return told if told or report.is_whole else None


def settlements(books: Books, *, ticker: str, limit: int) -> list[Row]:
    """Settled markets, newest first, as the books have them: by row, report or market result.

    `rest_revenue` is what the row of REST shows, in whole cents, `fix_payout` and `fix_fee`
    what FIX reported, `None` where there is none.  `agree` says whether those two tell of
    the same payment; `None` where there are not both, or pages of the report are missing.
    """
    settled = [
        book
        for book in books.market_books()
        if book.settled_at is not None and (not ticker or book.ticker == ticker)
    ]
    settled.sort(key=lambda book: (book.settled_at or 0, book.ticker), reverse=True)
    shown = settled[:limit]
    wanted = {(book.subaccount, book.ticker) for book in shown}
    rests = {
        subject: row
        for row in books.settlements(ticker=Ticker(ticker) if ticker else None)
        if (subject := (row.subaccount, row.ticker)) in wanted
    }
    reports = {each.subject: each for each in books.reports() if each.subject in wanted}
    rows: list[Row] = []
    for book in shown:
        stated = books.market(book.ticker)
        row = rests.get((book.subaccount, book.ticker))
        report = reports.get((book.subaccount, book.ticker))
        rows.append(
            {
                "at": None if book.settled_at is None else format_instant(book.settled_at),
                "ticker": book.ticker,
                "subaccount": book.subaccount,
                "result": None if stated is None or stated.result is None else stated.result.value,
                "yes_count": book.yes_bought,
                "no_count": book.no_bought,
                "payout": book.payout,
                "rest_revenue": None if row is None else row.revenue,
                "fix_payout": None if report is None or report.paid is None else Money(report.paid),
                "fix_fee": None if report is None else Money(report.fee),
                "agree": _agree(book, row, report),
                "profit_loss": book.realized - book.fees,
                "fees": book.fees,
                "evidence": None if book.evidence is None else str(book.evidence),
            }
        )
    return rows


def _pot(reading: BalanceStated) -> tuple[int, int]:
    subaccount = -1 if reading.subaccount is None else reading.subaccount
    return subaccount, -1 if reading.shard is None else reading.shard
