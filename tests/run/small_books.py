"""Books in memory, made from a few facts."""

from __future__ import annotations

from trueup.core.facts import Fact, Filled, OrderReported, Settled, Source, Stream
from trueup.core.fees import Precision
from trueup.core.ids import (
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Observation
from trueup.core.orders import OrderStatus, Side
from trueup.core.statements import BalanceStated, MarketStated, Statement
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.coverage import Tier
from trueup.run.books.booking import book_new
from trueup.run.config import Config
from trueup.store.database import Books, open_books
from trueup.store.progress import Progress

NOW = Instant(1_780_000_000_000_000)
RAIN = Ticker("KXRAIN-26MAY31-B1")
EVENT = EventTicker("KXRAIN-26MAY31")


def later(seconds: int) -> Instant:
    return Instant(NOW + seconds * SECOND)


def open_small() -> Books:
    return open_books(":memory:", venue="sandbox", mode="live", account="main", create=True)


def put(books: Books, stream: Stream, *values: Fact | Statement) -> None:
    seen = [Observation(each, Source.REST, later(10**6), repr(each).encode()) for each in values]
    books.append(seen, stream=stream)


def book(books: Books, config: Config | None = None) -> None:
    book_new(books, precision=Precision.DIRECT, config=config or Config())


def cover(books: Books, stream: Stream, *, tier: Tier = Tier.LIVE) -> None:
    """Have a stream of the whole account proven complete, from the beginning."""
    end = later(10**7)
    progress = Progress(
        stream=stream,
        subaccount=None,
        shard=None,
        tier=tier,
        window_start=Instant(0),
        window_end=end,
        cursor="",
        done=True,
        at=end,
        covers=(Instant(0), end),
    )
    books.append([], stream=stream, progress=progress)


def fill(
    number: int,
    side: Side,
    count: int,
    price: str,
    *,
    fee: str = "0",
    order: str = "",
    subaccount: int = 0,
    ticker: Ticker = RAIN,
) -> Filled:
    """The fill of second `number`, at a YES price."""
    return Filled(
        trade_id=TradeId(f"trade-{number}"),
        order_id=OrderId(order or f"order-{number}"),
        ticker=ticker,
        side=side,
        count=Count.of_contracts(count),
        price=Price.parse(price),
        fee=Money.parse(fee),
        is_taker=True,
        at=later(number),
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def order(order_id: str, *, client: str = "", updated: int = 0) -> OrderReported:
    """A resting bid for 10 YES at .60."""
    return OrderReported(
        order_id=OrderId(order_id),
        client_order_id=ClientOrderId(client),
        ticker=RAIN,
        side=Side.YES,
        status=OrderStatus.RESTING,
        price=Price.parse(".60"),
        initial_count=Count.of_contracts(10),
        fill_count=ZERO_COUNT,
        remaining_count=Count.of_contracts(10),
        taker_fees=ZERO_MONEY,
        maker_fees=ZERO_MONEY,
        taker_fill_cost=ZERO_MONEY,
        maker_fill_cost=ZERO_MONEY,
        created_at=later(0),
        updated_at=later(updated),
        subaccount=Subaccount(0),
        shard=SHARD_ZERO,
    )


def settlement(
    *, yes: int = 0, no: int = 0, revenue: str = "0", subaccount: int = 0, cost: str = "0"
) -> Settled:
    """A row of a market that resolved to yes; `cost` is that of the only side held."""
    return Settled(
        ticker=RAIN,
        event_ticker=EVENT,
        result=MarketResult.YES,
        yes_count=Count.of_contracts(yes),
        no_count=Count.of_contracts(no),
        yes_cost=Money.parse(cost) if yes else ZERO_MONEY,
        no_cost=ZERO_MONEY if yes else Money.parse(cost),
        revenue=Money.parse(revenue),
        trade_fees=ZERO_MONEY,
        value=None,
        at=later(3600),
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def market(
    result: MarketResult = MarketResult.YES, *, value: str | None = None, ticker: Ticker = RAIN
) -> MarketStated:
    """A market that has ended."""
    return MarketStated(
        ticker=ticker,
        event_ticker=EventTicker(ticker.rpartition("-")[0]),
        status=MarketStatus.FINALIZED,
        result=result,
        settlement_value=None if value is None else Price.parse(value),
        close_at=later(3000),
        settled_at=later(3600),
        shard=SHARD_ZERO,
    )


def balance(amount: str, at: int) -> BalanceStated:
    money = Money.parse(amount)
    return BalanceStated(
        low=money,
        high=money,
        portfolio_value=None,
        subaccount=Subaccount(0),
        shard=None,
        at=later(at),
        observed_at=later(at),
    )
