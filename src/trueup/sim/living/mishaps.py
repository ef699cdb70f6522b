"""What goes other than planned, now and then: pauses, wrong determinations, games called off.

A mishap is decided by the event's own chance when the event is listed, so the
same seed has the same ones.  `rate` scales all of them in percent; 0 is a calm world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, Instant
from trueup.core.market import MarketResult
from trueup.core.units import Price
from trueup.sim import commands as c
from trueup.sim.chance import Chance, between
from trueup.sim.living.hidden import CERTAIN
from trueup.sim.living.planned import PlannedEvent, PlannedMarket
from trueup.sim.living.questions import Outcome, outcome_of

_PAUSE: Final = 300
_WRONG: Final = 250
_CALLED_OFF: Final = 60
"""How many of 10,000 events have it, at a rate of 100."""

_CENT: Final = 100


@dataclass(frozen=True, slots=True)
class Pause:
    """A market that is paused for a while."""

    ticker: Ticker
    at: Instant
    until: Instant


@dataclass(frozen=True, slots=True)
class Mishaps:
    """What will go wrong with one event.

    The market `wrong` is first determined the other way round, disputed and
    amended.  An event that is `called_off` pays every market its last fair price.
    """

    pause: Pause | None = None
    wrong: Ticker | None = None
    called_off: bool = False


NONE: Final = Mishaps()


def mishaps_of(planned: PlannedEvent, chance: Chance, rate: int) -> Mishaps:
    """What will go wrong with an event: nothing, mostly."""
    draws = [chance.randrange(0, 1_000_000) < 100 * rate * of // 100 for of in _RATES]
    market = planned.markets[chance.randrange(0, len(planned.markets))].market
    pause = _pause(planned, market.ticker, chance) if draws[0] else None
    return Mishaps(
        pause=pause,
        wrong=market.ticker if draws[1] else None,
        called_off=draws[2] and planned.may_be_called_off,
    )


_RATES: Final = (_PAUSE, _WRONG, _CALLED_OFF)


def _pause(planned: PlannedEvent, ticker: Ticker, chance: Chance) -> Pause | None:
    length = planned.decided_at - planned.listed_at
    if length < MINUTE:
        return None
    at = Instant(planned.listed_at + length * between(chance, 20, 80) // 100)
    most = max(1, min(40, length // MINUTE // 10))
    return Pause(ticker, at, Instant(at + between(chance, 1, most) * MINUTE))


def ending(
    planned: PlannedEvent, market: PlannedMarket, mishaps: Mishaps, chance: Chance
) -> list[c.MarketCommand]:
    """The commands that determine a market, from `planned.determined_at` on."""
    at, ticker = planned.determined_at, market.market.ticker
    truth = market.question.outcome(planned.decided_at)
    if mishaps.called_off:
        truth = _fair(planned, market)
    if mishaps.wrong != ticker or truth.result is MarketResult.SCALAR:
        return [_determine(at, ticker, truth)]
    # A dispute comes while the settlement timer runs.
    disputed = Instant(at + market.settlement_timer * between(chance, 20, 60) // 100)
    amended = Instant(disputed + market.settlement_timer * between(chance, 2, 9))
    return [
        _determine(at, ticker, truth.reversed()),
        c.DisputeMarket(at=disputed, ticker=ticker),
        c.AmendMarket(at=amended, ticker=ticker, result=truth.result, value=truth.value),
    ]


def _determine(at: Instant, ticker: Ticker, how: Outcome) -> c.MarketCommand:
    return c.DetermineMarket(at=at, ticker=ticker, result=how.result, value=how.value)


def _fair(planned: PlannedEvent, market: PlannedMarket) -> Outcome:
    """The odds at the end, drawn to the middle: 20 to 80 cents, the two sides of a game $1."""
    fair = market.question.odds(planned.decided_at)
    return outcome_of(Price((20 + fair * 60 // CERTAIN) * _CENT))
