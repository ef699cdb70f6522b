"""Small facts for the store's tests, each with everything but the named part usual."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from trueup.core.facts import (
    Banked,
    BankingStatus,
    Fact,
    Filled,
    Opened,
    OrderReported,
    Settled,
    Source,
    Transferred,
    TransferStatus,
)
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Observation
from trueup.core.orders import OrderStatus, Side
from trueup.core.statements import BalanceStated, MarketStated, PositionStated, Statement
from trueup.core.units import Count, Money, Price
from trueup.ledger.booking import book_market
from trueup.ledger.cash import book_cash
from trueup.store.database import Books

NOW: Final = Instant(1_780_000_000_000_000)
RAIN: Final = Ticker("KXRAIN-26MAY31-B1")
SNOW: Final = Ticker("KXSNOW-26MAY31-B1")


def later(seconds: int) -> Instant:
    return Instant(NOW + seconds * SECOND)


def fill(
    number: int = 1,
    *,
    ticker: Ticker = RAIN,
    side: Side = Side.YES,
    count: int = 10,
    price: str = "0.60",
    fee: str | None = "0.1700",
    at: Instant | None = None,
    order: str = "",
    subaccount: int = 0,
) -> Filled:
    return Filled(
        trade_id=TradeId(f"trade-{number}"),
        order_id=OrderId(order or f"order-{number}"),
        ticker=ticker,
        side=side,
        count=Count.of_contracts(count),
        price=Price.parse(price),
        fee=None if fee is None else Money.parse(fee),
        is_taker=True,
        at=later(number) if at is None else at,
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def settlement(
    *,
    ticker: Ticker = RAIN,
    result: MarketResult = MarketResult.YES,
    count: int = 10,
    revenue: str = "10.00",
    subaccount: int = 0,
    at: Instant | None = None,
) -> Settled:
    return Settled(
        ticker=ticker,
        event_ticker=EventTicker(ticker.rpartition("-")[0]),
        result=result,
        yes_count=Count.of_contracts(count),
        no_count=Count(0),
        yes_cost=Money.parse("6.00"),
        no_cost=Money(0),
        revenue=Money.parse(revenue),
        trade_fees=Money.parse("0.17"),
        value=None,
        at=later(3600) if at is None else at,
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def order(
    status: OrderStatus = OrderStatus.RESTING,
    *,
    number: int = 1,
    filled: int = 0,
    updated: int = 0,
    client: str = "bot-1",
) -> OrderReported:
    return OrderReported(
        order_id=OrderId(f"order-{number}"),
        client_order_id=ClientOrderId(client),
        ticker=RAIN,
        side=Side.YES,
        status=status,
        price=Price.parse("0.60"),
        initial_count=Count.of_contracts(10),
        fill_count=Count.of_contracts(filled),
        remaining_count=Count.of_contracts(0 if status is not OrderStatus.RESTING else 10 - filled),
        taker_fees=Money(0),
        maker_fees=Money(0),
        taker_fill_cost=Money(0),
        maker_fill_cost=Money(0),
        created_at=NOW,
        updated_at=later(updated),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def balance(
    dollars: str,
    *,
    at: int = 0,
    subaccount: Subaccount | None = PRIMARY,
    shard: Shard | None = None,
) -> BalanceStated:
    return BalanceStated(
        low=Money.parse(dollars),
        high=Money.parse(dollars),
        portfolio_value=None,
        subaccount=subaccount,
        shard=shard,
        at=later(at),
        observed_at=later(at),
    )


def position(net: int, *, ticker: Ticker = RAIN, subaccount: int = 0) -> PositionStated:
    return PositionStated(
        ticker=ticker,
        net=Count.of_contracts(net),
        exposure=Money.parse("6.00"),
        realized=Money(0),
        fees_paid=Money(0),
        total_traded=Money.parse("6.00"),
        updated_at=NOW,
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def market(
    status: MarketStatus = MarketStatus.ACTIVE,
    *,
    ticker: Ticker = RAIN,
    result: MarketResult | None = None,
) -> MarketStated:
    return MarketStated(
        ticker=ticker,
        event_ticker=EventTicker(ticker.rpartition("-")[0]),
        status=status,
        result=result,
        settlement_value=None,
        close_at=later(3000),
        settled_at=later(3600) if status is MarketStatus.FINALIZED else None,
        shard=SHARD_ZERO,
    )


def deposit(
    amount: str = "100.00", *, status: BankingStatus = BankingStatus.APPLIED, number: int = 1
) -> Banked:
    return Banked(
        banking_id=f"deposit-{number}",
        amount=Money.parse(amount),
        fee=Money(0),
        status=status,
        method="ach",
        created_at=NOW,
        at=NOW,
    )


def transfer(amount: str = "5.00", *, number: int = 1) -> Transferred:
    return Transferred(
        transfer_id=f"transfer-{number}",
        amount=Money.parse(amount),
        from_subaccount=PRIMARY,
        to_subaccount=Subaccount(1),
        from_shard=SHARD_ZERO,
        to_shard=SHARD_ZERO,
        status=TransferStatus.COMPLETE,
        at=later(60),
    )


def opening(cash: str = "50.00") -> Opened:
    return Opened(
        cash=Money.parse(cash), at=NOW, subaccount=PRIMARY, shard=SHARD_ZERO, note="as told"
    )


def seen(*values: Fact | Statement, source: Source = Source.REST, at: int = 0) -> list[Observation]:
    """The values as observed, each with a payload that tells them apart."""
    return [Observation(value, source, later(at), repr(value).encode()) for value in values]


def book_everything(books: Books) -> None:
    """Book all that is not booked, as `trueup.run.books.booking` does."""
    while unbooked := books.unbooked(100):
        books.write_market_books(
            [
                book_market(
                    each.subaccount,
                    each.shard,
                    each.ticker,
                    recorded=each.facts,
                    market=each.market,
                )
                for each in unbooked
            ]
        )
    while recorded := books.unbooked_cash(100):
        books.write_cash_entries(book_cash(recorded), recorded)


def until_forgotten(place: str) -> None:
    """Wait until PostgreSQL has ended what a killed process left it to do; SQLite has nobody."""
    if not place.startswith("postgres"):
        return
    import psycopg  # noqa: PLC0415  # an extra

    others = (
        "FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(place, autocommit=True) as connection:
        end = time.monotonic() + 120
        while connection.execute(f"SELECT count(*) {others}").fetchone() != (0,):
            assert time.monotonic() < end, "a killed process is still connected"
            time.sleep(0.01)


def run_script(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process that knows the tests' helpers."""
    head = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return subprocess.Popen(  # our own scripts
        [sys.executable, "-c", head + script, *arguments], stdout=subprocess.PIPE, text=True
    )
