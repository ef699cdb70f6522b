"""The same question on two venues: buy YES on one and NO on the other for less than $1.

**Idea.**  Whatever happens, one of the two legs pays $1 per share.  If both
together cost less than `combined_max` *and* less than $1 after both fees, the
difference is locked in, for equal numbers of shares.

**Limits.**  It is an arbitrage only if both venues settle alike: same source, same
time, same rules, and YES means YES.  That is recorded by hand in the mapping
file that the feed reads, and nowhere else.  By default the finder only tells;
with `executes` it buys the leg on this exchange, and the other leg is the
operator's (or another system's) affair, so the risk of one naked leg is bounded
by `count_max` and by the exit at `unwind_after`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio, rounded_text
from trueup.engine.market import Top
from trueup.engine.signals import Signal, VenueQuote
from trueup.engine.strategies.anchored import taker_fee
from trueup.engine.strategy import Desk, Strategy, Universe
from trueup.engine.wishes import Wish, buy_no, buy_yes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """Two legs that cost less than they pay.  All figures in dollars per share."""

    ticker: Ticker
    venue: str
    here: Side
    """What is bought on this exchange; the other venue gets the opposite."""
    price_here: Price
    price_there: Ratio
    fees: Ratio
    shares: Count
    at: Instant

    @property
    def combined(self) -> Ratio:
        """What both legs cost before fees."""
        return Ratio(self.price_here.units, 10_000) + self.price_there

    @property
    def net(self) -> Ratio:
        """What is left of $1 after both legs and both fees."""
        return 1 - self.combined - self.fees


def find(
    top: Top, other: VenueQuote, fee_here: Mapping[Side, Ratio], *, combined_max: Ratio
) -> Opportunity | None:
    """The better of the two ways to buy both sides, if it pays after both fees."""
    found: list[Opportunity] = []
    for side, there, size in (
        (Side.YES, other.no_ask, other.no_size),
        (Side.NO, other.yes_ask, other.yes_size),
    ):
        price = top.opposite(side)
        if price is None or there is None:
            continue
        here = price if side is Side.YES else price.complement()
        whole = min(top.available(side).units // 100, int(size))
        chance = Opportunity(
            ticker=top.ticker,
            venue=other.venue,
            here=side,
            price_here=here,
            price_there=there,
            fees=fee_here[side] + other.fee_per_share,
            shares=Count.of_contracts(whole),
            at=top.at,
        )
        if chance.combined < combined_max and chance.net > 0 and whole > 0:
            found.append(chance)
    return max(found, key=lambda one: one.net, default=None)


class Arbitrage(Strategy):
    """Finds, and on request takes, its leg of a cross-venue arbitrage."""

    name = "arbitrage"

    def __init__(
        self,
        universe: Universe | None = None,
        *,
        combined_max: Ratio | None = None,
        count_max: Count | None = None,
        quote_age_max: int = 10 * SECOND,
        executes: bool = False,
        quiet: int = 5 * MINUTE,
    ) -> None:
        self.universe = Universe() if universe is None else universe
        self.combined_max = Ratio(98, 100) if combined_max is None else combined_max
        self.count_max = Count.of_contracts(50) if count_max is None else count_max
        self.quote_age_max = quote_age_max
        self.executes = executes
        self.quiet = quiet
        self.found: list[Opportunity] = []
        """What was found and not yet collected; the shell takes it for its alerts."""
        self._told: dict[Ticker, Instant] = {}

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "combined_max": str(self.combined_max),
            "count_max": str(self.count_max),
            "executes": str(self.executes),
        }

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        """A quote of the other venue: compare at once."""
        if not isinstance(signal, VenueQuote) or signal.ticker not in desk.tickers:
            return
        top = desk.top(signal.ticker)
        if max(desk.now - top.at, desk.now - signal.at) > self.quote_age_max:
            return
        fees = {
            side: taker_fee(desk, signal.ticker, top.opposite(side) or Price.of_cents(50))
            for side in Side
        }
        chance = find(top, signal, fees, combined_max=self.combined_max)
        if chance is None:
            return
        last = self._told.get(signal.ticker)
        if last is None or desk.now - last >= self.quiet:
            self._told[signal.ticker] = desk.now
            self.found.append(chance)
        room = self.count_max - abs(desk.net(signal.ticker))
        count = min(chance.shares, room)
        if not self.executes or count <= ZERO_COUNT:
            return
        words = (
            f"both legs for {rounded_text(chance.combined, 4)}, {rounded_text(chance.net, 4)} net"
        )
        buy = buy_yes if chance.here is Side.YES else buy_no
        yield buy(signal.ticker, count, chance.price_here, reason=words)
