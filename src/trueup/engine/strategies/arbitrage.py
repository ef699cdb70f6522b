"""The same question on two venues: buy YES on one and NO on the other for less than $1.

**Idea.**  Whatever happens, one of the two legs pays $1 per share.  If both
together cost less than `combined_max` *and* less than $1 after both fees, the
difference is locked in, for equal numbers of shares.

**What it does.**  By default it only tells.  With `executes` it takes the leg on
this exchange, at most `count_max` in a market, and tells what to buy on the other
venue, where it has no account: you or another program take that leg and say so
(`OtherLegTaken`, through the webhook or the news file).

**The failed leg.**  What is filled here and not confirmed there within
`unwind_after` is a bet, not an arbitrage.  `NakedLeg.UNWIND` (the default) sells
it again at the bid, as often as it takes; `NakedLeg.HOLD` keeps it and says so.  A
part that was confirmed stays.  While anything is unconfirmed nothing more is bought
in that market.  After a restart nobody knows which part was confirmed: it is left
alone and told, for selling a covered leg would open the other one.

**Limits.**  It is an arbitrage only if both venues settle alike: same source, same
time, same rules, and YES means YES.  That is recorded by hand in the mapping
file that the feed reads, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from trueup.core.facts import Filled
from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio, rounded_text
from trueup.engine.market import Listing, Top
from trueup.engine.signals import OtherLegTaken, Signal, VenueQuote
from trueup.engine.strategies.anchored import taker_fee
from trueup.engine.strategy import Desk, Strategy, Universe
from trueup.engine.wishes import Tell, Wish, buy_no, buy_yes, sell_no, sell_yes

_NOTHING = Ratio(0)


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

    @property
    def words(self) -> str:
        """The opportunity as a sentence."""
        there = "NO" if self.here is Side.YES else "YES"
        return (
            f"{self.here.value.upper()} here at {self.price_here} and {there} on {self.venue} at "
            f"{rounded_text(self.price_there, 4)}: both for {rounded_text(self.combined, 4)}, fees "
            f"{rounded_text(self.fees, 4)}, net {rounded_text(self.net, 4)} a share, "
            f"{self.shares} shares"
        )


def find(
    top: Top,
    other: VenueQuote,
    fee_here: Mapping[Side, Ratio],
    *,
    combined_max: Ratio,
    net_min: Ratio | None = _NOTHING,
) -> Opportunity | None:
    """The better of the two ways to buy both sides, if it leaves more than `net_min` after both
    fees; with `None` the better of the two even if it leaves a loss.
    """
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
        pays = net_min is None or chance.net > net_min
        if chance.combined < combined_max and pays and whole > 0:
            found.append(chance)
    return max(found, key=lambda one: one.net, default=None)


def fees_here(listing: Listing, top: Top) -> Mapping[Side, Ratio]:
    """What taking either side of the book costs in fees, in dollars per contract."""
    return {side: taker_fee(listing, top.opposite(side) or Price.of_cents(50)) for side in Side}


class NakedLeg(StrEnum):
    """What becomes of contracts whose other leg was not taken in time."""

    UNWIND = "unwind"
    HOLD = "hold"


@dataclass(slots=True)
class _Leg:
    """What was bought here for one opportunity, and how much of it is covered there."""

    chance: Opportunity
    since: Instant
    bought: Count = ZERO_COUNT
    covered: Count = ZERO_COUNT
    is_told: bool = False

    @property
    def naked(self) -> Count:
        return Count(max(0, self.bought.units - self.covered.units))


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
        top_age_max: int = 2 * MINUTE,
        executes: bool = False,
        naked_leg: NakedLeg = NakedLeg.UNWIND,
        unwind_after: int = 2 * MINUTE,
        quiet: int = 5 * MINUTE,
        every: int = 5 * SECOND,
    ) -> None:
        self.universe = Universe() if universe is None else universe
        self.combined_max = Ratio(98, 100) if combined_max is None else combined_max
        self.count_max = Count.of_contracts(50) if count_max is None else count_max
        self.quote_age_max = quote_age_max
        self.top_age_max = top_age_max
        self.executes = executes
        self.naked_leg = naked_leg
        self.unwind_after = unwind_after
        self.quiet = quiet
        self.every = every if executes else None
        self._told: dict[Ticker, Instant] = {}
        self._wanted: dict[tuple[Ticker, Side], Opportunity] = {}
        self._legs: dict[Ticker, _Leg] = {}

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "combined_max": str(self.combined_max),
            "count_max": str(self.count_max),
            "executes": str(self.executes),
            "naked_leg": self.naked_leg.value,
            "unwind_after_seconds": str(self.unwind_after // SECOND),
        }

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        """A quote of the other venue: compare at once.  A leg taken there: it is covered."""
        if isinstance(signal, OtherLegTaken):
            return self._cover(signal)
        if not isinstance(signal, VenueQuote) or signal.ticker not in desk.tickers:
            return ()
        return self._compare(desk, signal)

    def _compare(self, desk: Desk, quote: VenueQuote) -> Iterable[Wish]:
        ticker, top = quote.ticker, desk.top(quote.ticker)
        if (
            desk.now - top.at > self.top_age_max
            or desk.now - quote.at > self.quote_age_max
            or quote.at - desk.now > self.quote_age_max
        ):
            return
        fees = fees_here(desk.listing(ticker), top)
        chance = find(top, quote, fees, combined_max=self.combined_max)
        if chance is None:
            return
        last = self._told.get(ticker)
        if last is None or desk.now - last >= self.quiet:
            self._told[ticker] = desk.now
            yield Tell(ticker=ticker, reason=chance.words)
        net = desk.net(ticker)
        count = min(chance.shares, self.count_max - abs(net))
        leg = self._legs.get(ticker)
        is_busy = bool(desk.orders(ticker)) or (leg is not None and bool(leg.naked))
        # The opposite side here would undo a leg that is covered there.
        undoes = bool(net) and (net > ZERO_COUNT) is not (chance.here is Side.YES)
        if not self.executes or is_busy or undoes or count <= ZERO_COUNT:
            return
        self._wanted[ticker, chance.here] = chance
        buy = buy_yes if chance.here is Side.YES else buy_no
        yield buy(ticker, count, chance.price_here, reason=chance.words)

    # -- the other leg ---------------------------------------------------------------------

    def on_fill(self, desk: Desk, fill: Filled) -> Iterable[Wish]:
        """Remember what must be covered, and say what to buy on the other venue."""
        leg, wanted = self._legs.get(fill.ticker), self._wanted.get((fill.ticker, fill.side))
        if leg is not None and leg.bought and fill.side is not leg.chance.here:
            leg.bought = max(ZERO_COUNT, leg.bought - fill.count)
            return
        if wanted is None:
            return
        if leg is None or not leg.naked:
            leg = self._legs[fill.ticker] = _Leg(
                wanted,
                desk.now,
                bought=ZERO_COUNT if leg is None else leg.bought,
                covered=ZERO_COUNT if leg is None else leg.covered,
            )
        leg.bought += fill.count
        there = "NO" if wanted.here is Side.YES else "YES"
        yield Tell(
            ticker=fill.ticker,
            reason=(
                f"bought {fill.count} {wanted.here.value.upper()} here; now buy {fill.count} {there} "
                f"on {wanted.venue} for {rounded_text(wanted.price_there, 4)} or less within "
                f"{self.unwind_after // SECOND} s, and say that it is done"
            ),
        )

    def _cover(self, taken: OtherLegTaken) -> Iterable[Wish]:
        leg = self._legs.get(taken.ticker)
        if leg is None or leg.chance.venue != taken.venue:
            yield Tell(
                ticker=taken.ticker,
                reason=f"no leg of {taken.venue} is waited for, yet {taken.count} were taken there",
            )
            return
        leg.covered += taken.count
        if leg.covered > leg.bought:
            extra = leg.covered - leg.bought
            words = f"{extra} more were taken on {taken.venue} than are held here: they are a bet"
            yield Tell(ticker=taken.ticker, reason=words)

    def on_timer(self, desk: Desk) -> Iterable[Wish]:
        """Deal with what was not covered in time."""
        for ticker in desk.tickers:
            leg = self._legs.get(ticker)
            if leg is None:
                yield from self._after_a_restart(desk, ticker)
            elif leg.naked and desk.now - leg.since >= self.unwind_after:
                yield from self._naked(desk, ticker, leg)

    def _naked(self, desk: Desk, ticker: Ticker, leg: _Leg) -> Iterable[Wish]:
        here = leg.chance.here
        what = f"{leg.naked} {here.value.upper()} without the other leg on {leg.chance.venue}"
        if not leg.is_told:
            leg.is_told = True
            verb = "sells" if self.naked_leg is NakedLeg.UNWIND else "keeps"
            yield Tell(ticker=ticker, reason=f"{verb} {what}")
        if self.naked_leg is NakedLeg.HOLD:
            return
        top = desk.top(ticker)
        if here is Side.YES and top.bid is not None:
            yield sell_yes(ticker, leg.naked, top.bid, reason=f"unwinds {what}")
        if here is Side.NO and top.ask is not None:
            yield sell_no(ticker, leg.naked, top.ask.complement(), reason=f"unwinds {what}")

    def _after_a_restart(self, desk: Desk, ticker: Ticker) -> Iterable[Wish]:
        net = desk.net(ticker)
        if net and ticker not in self._told:
            self._told[ticker] = desk.now
            words = "holds {} from before the start; look whether the other leg is there"
            yield Tell(ticker=ticker, reason=words.format(net))
