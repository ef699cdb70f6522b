"""A machine on recorded quotes: what it wishes is filled at the recorded price, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from trueup.core import catalog
from trueup.core.facts import Filled
from trueup.core.fees import model_fee
from trueup.core.grid import DECI_CENT
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Ticker,
    TradeId,
)
from trueup.core.instant import DAY, Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Money, Price, Ratio
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.market import Listing, Top
from trueup.engine.signals import Signal
from trueup.engine.state import Settings
from trueup.engine.strategy import Mandate, Strategy

CAPITAL = Money.parse("5000")
TERMS = catalog.FeeTerms("quadratic", Ratio(1), waived=False)
LIMITS = Limits(
    position_max=None,
    exposure_max=CAPITAL,
    slippage_max=10_000,
    order_count_max=Count.of_contracts(10_000),
)


def listing(ticker: Ticker, now: Instant) -> Listing:
    event = EventTicker(ticker.rpartition("-")[0])
    series = SeriesTicker(ticker.partition("-")[0])
    return Listing(
        market=catalog.Market(
            ticker=ticker,
            event_ticker=event,
            title=ticker,
            open_at=None,
            close_at=Instant(now + 365 * DAY),
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        ),
        event=catalog.Event(
            ticker=event,
            series_ticker=series,
            title=event,
            mutually_exclusive=False,
            fee_type_override=None,
            fee_multiplier_override=None,
        ),
        category="Economics",
        grid=DECI_CENT,
        status=MarketStatus.ACTIVE,
        fee_terms=TERMS,
    )


@dataclass
class RecordedFloor:
    """Feeds a machine with one strategy; `sent` and `alerts` are what came of it."""

    strategy: Strategy
    now: Instant
    tickers: tuple[Ticker, ...]
    sent: list[f.Place] = field(default_factory=list[f.Place])
    alerts: list[str] = field(default_factory=list[str])
    refusals: list[str] = field(default_factory=list[str])
    cash: Ratio = field(default_factory=lambda: Ratio(0))
    held: dict[Ticker, Count] = field(default_factory=dict[Ticker, Count])
    tops: dict[Ticker, Top] = field(default_factory=dict[Ticker, Top])

    def __post_init__(self) -> None:
        numbers = count(1)
        self._trades = count(1)
        self.machine = Machine(
            [(self.strategy, Mandate(capital=CAPITAL, limits=LIMITS, order_life=None))],
            Settings(limits=LIMITS),
            lambda name: ClientOrderId(f"{name}-{next(numbers)}"),
        )
        self.give(i.Recovered(at=self.now, records=()))
        self.give(
            i.MarketsListed(
                at=self.now, listings=tuple(listing(each, self.now) for each in self.tickers)
            )
        )
        self.fund()

    def fund(self) -> None:
        stated = BalanceStated(
            low=CAPITAL,
            high=CAPITAL,
            portfolio_value=None,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
            at=self.now,
            observed_at=self.now,
        )
        self.give(i.BalanceRead(at=self.now, balance=stated))

    def quote(self, tops: Iterable[Top]) -> None:
        batch = tuple(tops)
        self.tops |= {each.ticker: each for each in batch}
        self.give(i.MarketsMoved(at=self.now, tops=batch))

    def signal(self, signal: Signal) -> None:
        self.give(i.SignalSeen(at=self.now, signal=signal))

    def settle(self, ticker: Ticker, *, is_yes: bool) -> None:
        net = self.held.pop(ticker, ZERO_COUNT)
        if net:
            won = (net > ZERO_COUNT) is is_yes
            self.cash += Ratio(abs(net.units), 100) if won else 0
        value = ONE_DOLLAR if is_yes else Price(0)
        self.give(i.MarketSettled(at=self.now, ticker=ticker, value=value))

    def give(self, given: i.Input) -> None:
        for effect in self.machine.step(given):
            if isinstance(effect, f.Alert):
                self.alerts.append(effect.words)
            elif isinstance(effect, f.Decision):
                self.refusals += [str(each) for each in effect.refusals]
            elif isinstance(effect, f.Place):
                self._fill(effect)

    def _fill(self, placed: f.Place) -> None:
        """At the recorded price of the other side, with the exact fee of a taker."""
        self.sent.append(placed)
        intent = placed.intent
        price = self.tops[intent.ticker].opposite(intent.side)
        assert price is not None
        assert price <= intent.limit if intent.side is Side.YES else price >= intent.limit
        fee = model_fee(TERMS, intent.count, price, is_taker=True)
        assert fee is not None
        signed = intent.count if intent.side is Side.YES else -intent.count
        before = self.held.get(intent.ticker, ZERO_COUNT)
        self.held[intent.ticker] = before + signed
        self.cash -= fee + _paid(before, signed, price)
        order = OrderId(f"o-{intent.client_order_id}")
        self.give(
            i.SendEnded(
                at=self.now,
                client_order_id=intent.client_order_id,
                outcome=i.Accepted(
                    order_id=order, fill_count=intent.count, remaining_count=ZERO_COUNT
                ),
            )
        )
        self.give(
            i.FillSeen(
                at=self.now,
                fill=Filled(
                    trade_id=TradeId(f"t-{next(self._trades)}"),
                    order_id=order,
                    ticker=intent.ticker,
                    side=intent.side,
                    count=intent.count,
                    price=price,
                    fee=Money(int(fee * 1_000_000)),
                    is_taker=True,
                    at=self.now,
                    subaccount=PRIMARY,
                    shard=SHARD_ZERO,
                ),
            )
        )


def _paid(before: Count, signed: Count, price: Price) -> Ratio:
    """What a trade costs in cash: YES at its price, NO at one dollar less it, pairs pay out."""
    cost = Ratio(price.units, 10_000)

    def tied(net: Count) -> Ratio:
        return Ratio(net.units, 100) if net > ZERO_COUNT else Ratio(0)

    # NO contracts are worth 1 − p: cash + YES value stays the same whichever way it is told.
    after = before + signed
    no_before, no_after = (Ratio(max(0, -each.units), 100) for each in (before, after))
    return (tied(after) - tied(before)) * cost + (no_after - no_before) * (1 - cost)
