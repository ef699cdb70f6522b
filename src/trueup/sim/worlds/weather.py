"""Daily high temperatures: the bot buys one or two strikes of a city's day and waits.

Some positions are sold in part or in full before the day ends, two of them by
hand; one determination is disputed and amended before it is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count
from trueup.sim import commands as c
from trueup.sim.chance import between, happens, pick
from trueup.sim.worlds.plan import MANUAL, Plan, Window, date_code, value_of, yes_or_no

PREFIX: Final = "wx"

_CITIES: Final = (
    ("KXHIGHNY", "New York City", 84),
    ("KXHIGHCHI", "Chicago", 80),
    ("KXHIGHMIA", "Miami", 90),
)
_TRADED_PERCENT: Final = 9
_TRADED_PERCENT_DOWN: Final = 20
"""In the windows of the story there must be something to miss."""


@dataclass(frozen=True, slots=True)
class _Bet:
    ticker: Ticker
    side: Side
    own: int
    count: Count
    entered_at: Instant
    closes: Instant


def weather(plan: Plan, down: tuple[Window, ...]) -> None:
    """Add the whole weather trading."""
    cities = [
        (
            plan.series(
                series,
                f"Highest temperature in {city}",
                category="Climate and Weather",
                tags=("Daily temperature",),
            ),
            city,
            warmth,
        )
        for series, city, warmth in _CITIES
    ]
    disputed = False
    for number in range(1, plan.days + 2):
        noon = plan.day(number, 12)
        missed = any(Instant(noon + DAY) in window for window in down)
        for series, city, warmth in cities:
            percent = _TRADED_PERCENT_DOWN if missed else _TRADED_PERCENT
            if number >= plan.days or happens(plan.chance, percent):
                wants_dispute = not disputed and number > plan.days * 4 // 5
                disputed = disputed or wants_dispute
                _trade_day(plan, number, series, city=city, warmth=warmth, dispute=wants_dispute)


def _trade_day(
    plan: Plan, number: int, series: SeriesTicker, *, city: str, warmth: int, dispute: bool
) -> None:
    chance = plan.chance
    opens, closes = plan.day(number - 1, 14), plan.day(number + 1, 4, 59)
    day = date_code(plan.day(number))
    event = plan.event(
        series,
        f"{series}-{day}",
        f"Highest temperature in {city} on {day}?",
        at=Instant(opens - 2 * HOUR),
        exclusive=True,
    )
    strike = warmth + between(chance, -6, 6)
    won = False
    for offset in range(2 if happens(chance, 25) else 1):
        degrees = strike + 2 * offset
        ticker = plan.market(
            event,
            f"B{degrees}.5",
            f"Will the high temp in {city} be {degrees}-{degrees + 1}° on {day}?",
            opens=opens,
            closes=closes,
        )
        likely = between(chance, 12, 45)
        bet = _enter(plan, ticker, likely, closes=closes)
        _perhaps_leave(plan, bet)
        # Of mutually exclusive markets only one can be right.
        result = MarketResult.NO if won else yes_or_no(chance, likely)
        won = won or result is MarketResult.YES
        determined = plan.soon(closes, 8 * 3_600, 10 * 3_600)
        if dispute and offset == 0:
            _dispute(plan, ticker, determined, result)
        else:
            plan.determine(ticker, determined, result)


def _enter(plan: Plan, ticker: Ticker, likely: int, *, closes: Instant) -> _Bet:
    """Buy the side that seems cheap: NO mostly, since most strikes miss."""
    chance = plan.chance
    side = Side.NO if happens(chance, 62) else Side.YES
    fair = likely if side is Side.YES else 100 - likely
    own = max(3, min(96, fair - between(chance, 2, 9))) * 100
    count = Count.of_contracts(between(chance, 6, 36))
    at = plan.soon(Instant(closes - 20 * HOUR), 0, 8 * 3_600)
    placed = plan.sweep(at, ticker, side, own=own, count=count, prefix=PREFIX)
    yes = placed.price
    plan.quote(Instant(at + 2 * MINUTE), ticker, yes)
    plan.drift(plan.soon(at, 300, 5_000), ticker, yes)
    if happens(chance, 22):
        again = plan.soon(at, 1_800, 7_200)
        more = Count.of_contracts(between(chance, 4, 16))
        plan.sweep(again, ticker, side, own=own, count=more, prefix=PREFIX)
        count += more
        at = again
    return _Bet(ticker, side, own, count, at, closes)


def _perhaps_leave(plan: Plan, bet: _Bet) -> None:
    chance = plan.chance
    if not happens(chance, 24):
        return
    at = plan.soon(bet.entered_at, 3_600, 4 * 3_600)
    now_worth = max(200, min(9_700, bet.own + between(chance, -15, 25) * 100))
    whole = happens(chance, 35)
    count = bet.count if whole else Count(bet.count.units // 200 * 100)
    if not count:
        return
    # A sale is a purchase of the other side at the complement.
    prefix = pick(chance, (PREFIX, PREFIX, MANUAL))
    plan.sweep(
        at, bet.ticker, bet.side.opposite(), own=10_000 - now_worth, count=count, prefix=prefix
    )


def _dispute(plan: Plan, ticker: Ticker, at: Instant, result: MarketResult) -> None:
    """First the wrong result, then a dispute within the timer, then the right one."""
    wrong = MarketResult.NO if result is MarketResult.YES else MarketResult.YES
    plan.determine(ticker, at, wrong)
    plan.say(c.DisputeMarket(at=Instant(at + 25 * MINUTE), ticker=ticker))
    amended_at = Instant(at + 7 * HOUR)
    plan.say(c.AmendMarket(at=amended_at, ticker=ticker, result=result, value=value_of(result)))
