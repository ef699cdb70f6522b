"""A plan of commands: what a world wants to happen, written in any order.

Worlds say what a trader did and how markets ended; the plan invents the ids and
sorts the commands by time.  What would come after the end is left out, so the
present looks like any other moment: some orders rest, some positions are open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.grid import LINEAR_CENT, PriceGrid
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import DAY, HOUR, SECOND, Instant, to_datetime
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Count, Price, Ratio
from trueup.sim import commands as c
from trueup.sim.chance import Chance, between, happens, identifier
from trueup.sim.commands import SETTLEMENT_TIMER

MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)

_WHOLE: Final = Ratio(1)

MANUAL: Final = "manual"
"""The client-id prefix of what the trader did by hand, unseen by the bot."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both ends included."""

    start: Instant
    end: Instant

    def __contains__(self, at: Instant) -> bool:
        return self.start <= at <= self.end


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of the plan."""

    order_id: OrderId
    ticker: Ticker
    side: Side
    at: Instant
    price: Price
    count: Count


class Plan:
    """Commands for one member from `start` to `end`.

    A `whole` plan knows only whole cents and whole contracts, as in 2025.
    """

    def __init__(
        self, chance: Chance, member: c.Member, end: Instant, *, days: int, whole: bool = False
    ) -> None:
        self.whole = whole
        self.chance = chance
        self.member = member
        self.end = end
        self.days = days
        self.start = Instant(end - end % DAY - days * DAY)
        self._commands: list[c.Command] = []
        self._listed: set[str] = set()

    def commands(self) -> tuple[c.Command, ...]:
        """Everything up to the end, in time order."""
        inside = (one for one in self._commands if one.at <= self.end)
        return tuple(sorted(inside, key=lambda one: one.at))

    def say(self, command: c.Command) -> None:
        """Add a command."""
        self._commands.append(command)

    # -- times -----------------------------------------------------------------------------

    def day(self, number: int, hour: int = 0, minute: int = 0) -> Instant:
        """A time of the UTC day `number`; day 0 is the first."""
        return Instant(self.start + number * DAY + hour * HOUR + minute * 60 * SECOND)

    def fraction(self, low: int, high: int) -> Count:
        """A count from `low` to `high` hundredths of a contract, or as many whole contracts."""
        drawn = between(self.chance, low, high)
        return Count(max(1, drawn // 100) * 100 if self.whole else drawn)

    def soon(self, at: Instant, low: int, high: int) -> Instant:
        """`low` to `high` seconds after `at`, to an odd microsecond."""
        micros = between(self.chance, low * SECOND, high * SECOND)
        return Instant(at + micros - micros % 1_000 + between(self.chance, 1, 999))

    # -- listings --------------------------------------------------------------------------

    def series(
        self,
        ticker: str,
        title: str,
        *,
        category: str,
        tags: tuple[str, ...] = (),
        fee_type: str = "quadratic",
        multiplier: Ratio = _WHOLE,
    ) -> SeriesTicker:
        """List a series at the very beginning."""
        series = catalog.Series(
            ticker=SeriesTicker(ticker),
            title=title,
            category=category,
            tags=tags,
            fee_type=fee_type,
            fee_multiplier=multiplier,
        )
        self.say(c.ListSeries(at=self.start, series=series))
        return series.ticker

    def series_once(self, ticker: str, title: str, *, category: str) -> SeriesTicker:
        """List a plain series, unless that was done before."""
        if ticker in self._listed:
            return SeriesTicker(ticker)
        self._listed.add(ticker)
        return self.series(ticker, title, category=category)

    def event(
        self,
        series: SeriesTicker,
        ticker: str,
        title: str,
        *,
        at: Instant,
        exclusive: bool = False,
    ) -> EventTicker:
        """List an event at `at`, unless that was done before."""
        event = catalog.Event(
            ticker=EventTicker(ticker),
            series_ticker=series,
            title=title,
            mutually_exclusive=exclusive,
            fee_type_override=None,
            fee_multiplier_override=None,
        )
        if ticker not in self._listed:
            self._listed.add(ticker)
            self.say(c.ListEvent(at=at, event=event))
        return event.ticker

    def market(
        self,
        event: EventTicker,
        suffix: str,
        title: str,
        *,
        opens: Instant,
        closes: Instant,
        shard: Shard = SHARD_ZERO,
        grid: PriceGrid = LINEAR_CENT,
        waiver_until: Instant | None = None,
        timer: int = SETTLEMENT_TIMER,
    ) -> Ticker:
        """List a market of `event` an hour before it opens."""
        market = catalog.Market(
            ticker=Ticker(f"{event}-{suffix}"),
            event_ticker=event,
            title=title,
            open_at=opens,
            close_at=closes,
            expected_expiration_at=Instant(closes + HOUR),
            fee_waiver_until=waiver_until,
            shard=shard,
        )
        self.say(
            c.ListMarket(at=Instant(opens - HOUR), market=market, grid=grid, settlement_timer=timer)
        )
        return market.ticker

    def quote(self, at: Instant, ticker: Ticker, last: Price, *, tick: int = 100) -> None:
        """Let the rest of the world quote around a last price."""
        bid, ask = last.units - tick, last.units + tick
        volume = Count.of_contracts(between(self.chance, 400, 90_000))
        quote = catalog.Quote(
            ticker=ticker,
            yes_bid=Price(bid) if bid > 0 else None,
            yes_ask=Price(ask) if ask < ONE_DOLLAR.units else None,
            last=last,
            volume=volume,
            volume_24h=Count(volume.units // 300 * 100),
            open_interest=Count(volume.units // 200 * 100),
        )
        self.say(c.QuoteMarket(at=at, quote=quote))

    def drift(self, at: Instant, ticker: Ticker, last: Price) -> None:
        """Let the market go on from `last` by a few cents either way."""
        moved = last.units + between(self.chance, -5, 7) * 100
        self.quote(at, ticker, Price(max(200, min(ONE_DOLLAR.units - 200, moved))))

    # -- orders ----------------------------------------------------------------------------

    def place(
        self,
        at: Instant,
        ticker: Ticker,
        side: Side,
        *,
        own: int,
        count: Count,
        prefix: str,
        subaccount: Subaccount = PRIMARY,
    ) -> Placed:
        """Place an order at `own` (the price of its own side, in $0.0001)."""
        price = Price(own) if side is Side.YES else Price(own).complement()
        order_id = OrderId(identifier(self.chance))
        client_order_id = ClientOrderId(f"{prefix}-{identifier(self.chance)}")
        self.say(
            c.PlaceOrder(
                at=at,
                member=self.member,
                subaccount=subaccount,
                order_id=order_id,
                client_order_id=client_order_id,
                ticker=ticker,
                side=side,
                price=price,
                count=count,
            )
        )
        return Placed(order_id, ticker, side, at, price, count)

    def fill(
        self, order: Placed, at: Instant, count: Count, *, own: int | None = None, taker: bool
    ) -> None:
        """Let an order trade, at its own price or at a better `own` one."""
        price = order.price
        if own is not None:
            price = Price(own) if order.side is Side.YES else Price(own).complement()
        self.say(
            c.Trade(
                at=at,
                member=self.member,
                order_id=order.order_id,
                trade_id=TradeId(identifier(self.chance)),
                count=count,
                price=price,
                is_taker=taker,
            )
        )

    def cancel(self, order: Placed, at: Instant) -> None:
        """Take the rest of an order back."""
        self.say(c.CancelOrder(at=at, member=self.member, order_id=order.order_id))

    def sweep(
        self,
        at: Instant,
        ticker: Ticker,
        side: Side,
        *,
        own: int,
        count: Count,
        prefix: str,
        subaccount: Subaccount = PRIMARY,
        tick: int = 100,
    ) -> Placed:
        """Buy `count` on `side` at once, at `own` or in two lots, the first a tick better."""
        order = self.place(
            at, ticker, side, own=own, count=count, prefix=prefix, subaccount=subaccount
        )
        traded_at = self.soon(at, 0, 1)
        first = Count(count.units * between(self.chance, 20, 80) // 100)
        if self.whole:
            first = Count(first.units // 100 * 100)
        if first and own > 2 * tick and happens(self.chance, 45):
            self.fill(order, traded_at, first, own=own - tick, taker=True)
            self.fill(order, Instant(traded_at + 3), count - first, taker=True)
        else:
            self.fill(order, traded_at, count, taker=True)
        return order

    # -- ends ------------------------------------------------------------------------------

    def determine(self, ticker: Ticker, at: Instant, result: MarketResult) -> None:
        """Determine a closed market as YES or NO."""
        self.say(c.DetermineMarket(at=at, ticker=ticker, result=result, value=value_of(result)))

    def determine_scalar(self, ticker: Ticker, at: Instant, value: Price) -> None:
        """Determine a closed market at a fraction of a dollar."""
        self.say(c.DetermineMarket(at=at, ticker=ticker, result=MarketResult.SCALAR, value=value))


def value_of(result: MarketResult) -> Price:
    """What one YES contract pays after a YES or NO result."""
    return ONE_DOLLAR if result is MarketResult.YES else Price(0)


def date_code(at: Instant) -> str:
    """A date as tickers write it: ``26OCT14``."""
    moment = to_datetime(at)
    return f"{moment.year % 100:02}{MONTHS[moment.month - 1]}{moment.day:02}"


def yes_or_no(chance: Chance, percent: int) -> MarketResult:
    """YES in `percent` of 100 cases, else NO."""
    return MarketResult.YES if happens(chance, percent) else MarketResult.NO
