"""A small exchange with two members and a market between them, over real sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from trueup.core import catalog
from trueup.core.fees import Precision
from trueup.core.grid import LINEAR_CENT, PriceGrid
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Ticker,
)
from trueup.core.instant import DAY, HOUR, SECOND, Instant, parse_instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.sim.scenario import World

OPENED = parse_instant("2026-10-14T12:00:00Z")
NOW = Instant(OPENED + 3 * HOUR)
US = c.Member("f50604b8-d25a-4b0c-b3c9-ce5b48ffcad0")
MAKER = c.Member("3a4e8f60-0a3f-4f57-9d1c-0a5d5e0c2b11")
SERIES = SeriesTicker("KXWTAMATCH")
EVENT = EventTicker("KXWTAMATCH-26OCT14JIMLEP")
TICKER = Ticker("KXWTAMATCH-26OCT14JIMLEP-LEP")
OTHER = Ticker("KXWTAMATCH-26OCT14JIMLEP-JIM")


@dataclass
class ServedFloor:
    """An exchange on which the maker quotes and we are asked nothing yet."""

    cash: str = "100"
    grid: PriceGrid = LINEAR_CENT
    shard: Shard = SHARD_ZERO
    opened: Instant = OPENED
    names: tuple[Ticker, ...] = (TICKER, OTHER)
    event: str = EVENT
    us: c.Member = US
    settlement_timer: int = HOUR
    exchange: Exchange = field(default_factory=Exchange)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.now = self.opened
        series = catalog.Series(
            ticker=SERIES,
            title="Tennis",
            category="Sports",
            tags=("Tennis",),
            fee_type="quadratic",
            fee_multiplier=Ratio(1),
        )
        self.step(c.ListSeries(at=self.now, series=series))
        event = catalog.Event(
            ticker=EventTicker(self.event),
            series_ticker=SERIES,
            title="Jimenez against Lepchenko",
            mutually_exclusive=len(self.names) > 1,
            fee_type_override=None,
            fee_multiplier_override=None,
        )
        self.step(c.ListEvent(at=self.now, event=event))
        for ticker, title in zip(self.names, ("Lepchenko wins", "Jimenez wins"), strict=False):
            market = catalog.Market(
                ticker=ticker,
                event_ticker=EventTicker(self.event),
                title=title,
                open_at=self.now,
                close_at=Instant(self.now + 10 * DAY),
                expected_expiration_at=Instant(self.now + DAY),
                fee_waiver_until=None,
                shard=self.shard,
            )
            self.step(
                c.ListMarket(
                    at=self.now,
                    market=market,
                    grid=self.grid,
                    settlement_timer=self.settlement_timer,
                )
            )
        for member, money in ((US, self.cash), (MAKER, "100000")):
            self.step(c.OpenAccount(at=self.now, member=member, precision=Precision.DIRECT))
            self.give(member, money, self.shard)

    def give(self, member: c.Member, money: str, shard: Shard = SHARD_ZERO) -> None:
        self.step(
            c.Credit(
                at=self.now,
                member=member,
                subaccount=PRIMARY,
                shard=shard,
                amount=Money.parse(money),
                reason="deposit",
            )
        )

    def step(self, command: c.Command) -> tuple[e.Event, ...]:
        events = self.exchange.step(command)
        assert not any(isinstance(one, e.Refused) for one in events), events
        return events

    def order(
        self, member: c.Member, side: Side, size: str, price: str, *, ticker: Ticker | None = None
    ) -> OrderId:
        """Place a resting order at a YES price, a second after whatever was before."""
        self.now = Instant(self.now + SECOND)
        number = next(self._numbers)
        order_id = OrderId(f"00000000-0000-4000-8000-{number:012d}")
        self.step(
            c.PlaceOrder(
                at=self.now,
                member=member,
                subaccount=PRIMARY,
                order_id=order_id,
                client_order_id=ClientOrderId(f"seeded-{number}"),
                ticker=ticker or self.names[0],
                side=side,
                price=Price.parse(price),
                count=Count.parse(size),
            )
        )
        return order_id

    def quote(self, bid: str, ask: str, size: str = "3") -> None:
        """Let the maker quote both sides."""
        self.order(MAKER, Side.YES, size, bid)
        self.order(MAKER, Side.NO, size, ask)

    def world(self) -> World:
        """The exchange as something to serve."""
        return World(
            exchange=self.exchange, member=US, end=self.now, down=(), commands=(), events=()
        )


class RunningClock:
    """Goes on by a millisecond at every look."""

    def __init__(self, start: Instant) -> None:
        self._now = int(start)

    def __call__(self) -> Instant:
        self._now += 1_000
        return Instant(self._now)

    def skip(self, microseconds: int) -> None:
        self._now += microseconds
