"""Trades as small scripts: one line per fact, the way a trader would tell it.

    12:00 buy yes 10 @ .60 fee .17
    12:05 sell yes 4 @ .65 fee .07 order b
    13:00 row yes revenue 6.00 fees .24

Prices are those of the side that is named.  Times are minutes of 2026-06-01 UTC.
"""

from __future__ import annotations

from dataclasses import replace

from trueup.core.facts import Filled, Settled, Source
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, OrderId, Subaccount, Ticker, TradeId
from trueup.core.instant import MINUTE, Instant, parse_instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated, MarketStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.booking import book_market
from trueup.ledger.entries import MarketBook
from trueup.ledger.strategy import StrategyOf, no_strategy

TICKER = Ticker("KXHIGHNY-26JUN01-B78")
EVENT = EventTicker("KXHIGHNY-26JUN01")
MIDNIGHT = parse_instant("2026-06-01T00:00:00Z")


def at(clock: str) -> Instant:
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return Instant(MIDNIGHT + (hours * 60 + minutes) * MINUTE + sum(seconds) * 1_000_000)


def facts(script: str, ticker: Ticker = TICKER) -> list[Recorded]:
    """The recorded facts of a script, in the order of its lines."""
    lines = [line.split("#")[0].split() for line in script.splitlines()]
    return [_fact(number, words, ticker) for number, words in enumerate(filter(None, lines), 1)]


def fills(script: str, ticker: Ticker = TICKER) -> list[Filled]:
    return [each.value for each in facts(script, ticker) if isinstance(each.value, Filled)]


def book(
    script: str | list[Recorded],
    *,
    market: MarketStated | None = None,
    precision: Precision = Precision.DIRECT,
    strategy_of: StrategyOf = no_strategy,
    ticker: Ticker = TICKER,
) -> MarketBook:
    recorded = facts(script, ticker) if isinstance(script, str) else script
    return book_market(
        PRIMARY,
        SHARD_ZERO,
        ticker,
        recorded=recorded,
        market=market,
        precision=precision,
        strategy_of=strategy_of,
    )


def market(
    result: str = "",
    *,
    status: str = "finalized",
    settled: str | None = "13:00",
    closed: str = "12:59",
    value: str | None = None,
    ticker: Ticker = TICKER,
) -> MarketStated:
    return MarketStated(
        ticker=ticker,
        event_ticker=EVENT,
        status=MarketStatus(status),
        result=MarketResult(result) if result else None,
        settlement_value=None if value is None else Price.parse(value),
        close_at=at(closed),
        settled_at=None if settled is None else at(settled),
        shard=SHARD_ZERO,
    )


def reading(clock: str, dollars: str, high: str | None = None) -> BalanceStated:
    low = Money.parse(dollars)
    return BalanceStated(
        low=low,
        high=low if high is None else Money.parse(high),
        portfolio_value=None,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        at=at(clock),
        observed_at=at(clock),
    )


def seen(recorded: Recorded, clock: str, *, version: int = 2, **changes: object) -> Recorded:
    """A later version of a fact, as observed at `clock`."""
    value = replace(recorded.value, **changes)  # pyright: ignore[reportArgumentType]
    return replace(recorded, version=version, value=value, observed_at=at(clock))


def _fact(number: int, words: list[str], ticker: Ticker) -> Recorded:
    clock, verb, *rest = words
    if verb == "row":
        row = _row(clock, rest, ticker)
        return Recorded(number, f"settlement {ticker}", 1, row, Source.REST, row.at)
    filled = _fill(number, clock, [verb, *rest], ticker)
    return Recorded(number, f"fill {number}", 1, filled, Source.REST, filled.at)


def _fill(number: int, clock: str, words: list[str], ticker: Ticker) -> Filled:
    verb, side_word, count, _, price, *options = words
    named = dict(zip(options[::2], options[1::2], strict=True))
    side, own = Side(side_word), Price.parse(price)
    fee = named.get("fee", "0")
    return Filled(
        trade_id=TradeId(f"trade {number}"),
        order_id=OrderId(named.get("order", f"order {number}")),
        ticker=ticker,
        side=side if verb == "buy" else side.opposite(),
        count=Count.parse(count),
        price=own if side is Side.YES else own.complement(),
        fee=None if fee == "unknown" else Money.parse(fee),
        is_taker=named.get("as", "taker") == "taker",
        at=at(clock),
        subaccount=Subaccount(int(named.get("subaccount", "0"))),
        shard=SHARD_ZERO,
    )


def _row(clock: str, words: list[str], ticker: Ticker) -> Settled:
    result, *options = words
    named = dict(zip(options[::2], options[1::2], strict=True))

    def money(name: str) -> Money:
        return Money.parse(named[name]) if name in named else ZERO_MONEY

    def count(name: str) -> Count:
        return Count.parse(named[name]) if name in named else ZERO_COUNT

    return Settled(
        ticker=ticker,
        event_ticker=EVENT,
        result=MarketResult(result),
        yes_count=count("yes"),
        no_count=count("no"),
        yes_cost=money("yes_cost"),
        no_cost=money("no_cost"),
        revenue=money("revenue"),
        trade_fees=money("fees"),
        value=Price.parse(named["value"]) if "value" in named else None,
        at=at(clock),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


NOON_READINGS = [reading("12:00", "10"), reading("12:30", "10")]
