"""Fifteen-minute crypto markets: fractional counts, prices of a tenth of a cent.

Traded from a subaccount; from some day on these markets live on another shard,
where the money has to be first.  Often the other side is bought before the
end, which closes pairs at $1.
"""

from __future__ import annotations

from typing import Final

from trueup.core.grid import DECI_CENT, LINEAR_CENT
from trueup.core.ids import SeriesTicker, Shard, Subaccount, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.sim.chance import between, happens, pick
from trueup.sim.worlds.plan import Plan, date_code, yes_or_no

PREFIX: Final = "btc"

CRYPTO_SHARD: Final = Shard(2)
CRYPTO_SUBACCOUNT: Final = Subaccount(1)
SUBACCOUNT_DAY: Final = 20
"""From this day of the world on the bot trades crypto from its subaccount."""

_SHARD_DAYS_BEFORE_END: Final = 52
_TICK: Final = 10
_DOLLAR: Final = 10_000
_COINS: Final = (("KXBTC15M", "Bitcoin"), ("KXETH15M", "Ether"))


def shard_day(plan: Plan) -> int:
    """The first day on which new crypto markets are listed on their own shard."""
    return plan.days - _SHARD_DAYS_BEFORE_END


def crypto(plan: Plan) -> None:
    """Add the whole crypto trading."""
    coins = [
        plan.series(series, f"{coin} price up in 15 minutes", category="Crypto", tags=(coin,))
        for series, coin in _COINS
    ]
    for number in range(SUBACCOUNT_DAY + 1, plan.days + 1, 4):
        start = Instant(plan.day(number, 9) + between(plan.chance, 0, 20) * 15 * MINUTE)
        for turn in range(between(plan.chance, 1, 2)):
            closes = Instant(start + turn * 15 * MINUTE)
            _trade_quarter(plan, number, pick(plan.chance, coins), closes=closes)


def _trade_quarter(plan: Plan, number: int, series: SeriesTicker, *, closes: Instant) -> None:
    chance = plan.chance
    opens = Instant(closes - 15 * MINUTE)
    moment = to_datetime(Instant(closes - 4 * HOUR))
    event = plan.event(
        series,
        f"{series}-{date_code(Instant(closes - 4 * HOUR))}{moment.hour:02}{moment.minute:02}",
        f"Up in the quarter to {moment.hour:02}:{moment.minute:02} Eastern?",
        at=Instant(opens - DAY),
    )
    ticker = plan.market(
        event,
        f"{moment.minute:02}",
        "Price up?",
        opens=opens,
        closes=closes,
        shard=CRYPTO_SHARD if number >= shard_day(plan) else Shard(0),
        grid=LINEAR_CENT if plan.whole else DECI_CENT,
        timer=60 * SECOND,
    )
    likely = between(chance, 20, 80)
    _trade(plan, ticker, likely, opens=opens)
    plan.determine(ticker, plan.soon(closes, 4, 20), yes_or_no(chance, likely))


def _trade(plan: Plan, ticker: Ticker, likely: int, *, opens: Instant) -> None:
    chance = plan.chance
    side = pick(chance, (Side.YES, Side.NO))
    fair = likely * 100 if side is Side.YES else _DOLLAR - likely * 100
    own = _on_grid(plan, fair - between(chance, 5, 60) * _TICK)
    count = plan.fraction(140, 2_400)
    at = plan.soon(opens, 60, 300)
    _buy(plan, ticker, side, at=at, own=own, count=count)
    yes = Price(own) if side is Side.YES else Price(own).complement()
    plan.quote(Instant(at + 5 * SECOND), ticker, yes, tick=_tick(plan))
    if happens(chance, 45):
        # What is left open is sometimes as little as 0.14 contracts.
        rest = Count(14) if happens(chance, 40) else Count(count.units // 3)
        if plan.whole:
            rest = Count.of_contracts(1)
        other = _on_grid(plan, _DOLLAR - own - between(chance, -90, 60) * _TICK)
        if count > rest:
            later = plan.soon(at, 60, 300)
            _buy(plan, ticker, side.opposite(), at=later, own=other, count=count - rest)


def _buy(plan: Plan, ticker: Ticker, side: Side, *, at: Instant, own: int, count: Count) -> None:
    plan.sweep(
        at,
        ticker,
        side,
        own=own,
        count=count,
        prefix=PREFIX,
        subaccount=CRYPTO_SUBACCOUNT,
        tick=_tick(plan),
    )


def _tick(plan: Plan) -> int:
    return 100 if plan.whole else _TICK


def _on_grid(plan: Plan, own: int) -> int:
    """The nearest price that the market's grid allows, from below."""
    inside = max(100, min(_DOLLAR - 100, own))
    return inside // 100 * 100 if plan.whole else inside
