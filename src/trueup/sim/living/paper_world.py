"""Paper: an exchange at which only own orders are real, around it the world as it is told.

News come into `inbox` from whoever listens to the real exchange; `advance` takes
them in, in their order.  Own orders meet them by the rules of `mirrored_book`.
What concerns the account is handed to `keep` as commands that make it again: the
account is its own log.  An order that took something is kept as one that rests and
what it traded, since the depth it met is not kept; fees and positions are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from trueup.core import catalog
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.grid import PriceGrid
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Shard, Ticker, TradeId
from trueup.core.instant import DAY, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.sim.living.mirror import Mirror
from trueup.sim.living.mirrored_book import Seen
from trueup.sim.living.world import GivenAccount, Listener, nobody

PAPER: Final = c.Member("paper")
_DAYS: Final = 3_650 * DAY
"""A market settles when the real one does, not by a timer of its own."""

_ENDED: Final = frozenset({MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.FINALIZED})

Keep = Callable[[c.Command], None]
"""Makes a command of the account durable before anybody is told that it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTold:
    """What the real exchange says of a market, and how it ended where that is known.

    `volume_24h` and `last` are what was traded before anybody listened here.
    """

    market: catalog.Market
    event: catalog.Event
    series: catalog.Series
    grid: PriceGrid
    status: MarketStatus
    result: MarketResult | None = None
    value: Price | None = None
    volume_24h: Count | None = None
    last: Price | None = None


News = MarketTold | Seen
"""What may be told."""


class PaperWorld:
    """The surroundings of a served exchange.  One thread advances it; any may add to `inbox`."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        keep: Keep,
        precision: Precision = Precision.DIRECT,
    ) -> None:
        self.exchange = exchange
        self.accounts = (GivenAccount(member=PAPER, precision=precision),)
        self.inbox: deque[News] = deque()
        self.held: tuple[Ticker, ...] = ()
        """Where something is held or rests; may be read from any thread."""
        self.told = 0
        self.refused: list[str] = []
        self._keep = keep
        self._listen: Listener = nobody
        self.mirror = Mirror(exchange, self._step)

    @property
    def member(self) -> c.Member:
        """Whose account it is."""
        return self.accounts[0].member

    def begin(
        self, at: Instant, kept: Iterable[c.Command], *, deposit: Money, shards: Sequence[Shard]
    ) -> None:
        """Make the account again from what was kept; or open it, the deposit in equal parts
        on these shards.
        """
        is_new = True
        for command in kept:
            is_new = False
            for event in self.exchange.step(command):
                if isinstance(event, e.Refused):
                    self.refused.append(f"{type(command).__name__}: {event.reason}")
        at = Instant(max(at, self.exchange.now))
        if is_new:
            account = self.accounts[0]
            self._do(c.OpenAccount(at=at, member=account.member, precision=account.precision))
            for command in funding(at, account.member, deposit, shards):
                self._do(command)
        self.mirror.open(at)
        for order in list(self.exchange.account(self.member).resting.values()):
            self.mirror.rejoin(order, at)

    def advance(self, until: Instant, listen: Listener = nobody) -> None:
        """Take in what was told until now, and let time pass."""
        self._listen = listen
        while self.inbox:
            news = self.inbox.popleft()
            self.told += 1
            at = Instant(max(self.exchange.now, until))
            if isinstance(news, MarketTold):
                self._market(at, news)
            else:
                self.mirror.see(news, at)
        if until > self.exchange.now:
            self._step(c.Advance(at=until))
        account = self.exchange.account(self.member)
        held = {place[1] for place, holding in account.holdings.items() if holding.net}
        held |= {order.terms.ticker for order in account.resting.values()}
        self.held = tuple(sorted(held))

    # -- markets ---------------------------------------------------------------------------

    def _market(self, at: Instant, told: MarketTold) -> None:
        ticker = told.market.ticker
        state = self.exchange.books.listings.markets.get(ticker)
        if state is None:
            if told.status is MarketStatus.ACTIVE:
                self._list(at, told)
            return
        closes = told.market.close_at
        if state.status in {MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
            if told.status in _ENDED or told.result is not None:
                self._do(c.CloseMarket(at=at, ticker=ticker))
            elif closes is not None and closes != state.close_at and closes > at:
                self._do(c.ChangeCloseTime(at=at, ticker=ticker, close_at=closes))
            elif told.status is MarketStatus.INACTIVE and state.status is MarketStatus.ACTIVE:
                self._do(c.PauseMarket(at=at, ticker=ticker))
            elif told.status is MarketStatus.ACTIVE and state.status is MarketStatus.INACTIVE:
                self._do(c.ResumeMarket(at=at, ticker=ticker))
                self.mirror.refresh(ticker, at)
        self._decide(at, told)

    def _decide(self, at: Instant, told: MarketTold) -> None:
        ticker = told.market.ticker
        state = self.exchange.books.listings.markets[ticker]
        if told.result is None or told.value is None:
            return
        if state.status is MarketStatus.CLOSED:
            self._do(c.DetermineMarket(at=at, ticker=ticker, result=told.result, value=told.value))
        # What is only determined can still be disputed; it pays when the real market does.
        if told.status is MarketStatus.FINALIZED and state.status is MarketStatus.DETERMINED:
            self._do(c.SettleMarket(at=at, ticker=ticker))

    def _list(self, at: Instant, told: MarketTold) -> None:
        known = self.exchange.books.listings
        if told.series.ticker not in known.series:
            self._do(c.ListSeries(at=at, series=told.series))
        if told.event.ticker not in known.events:
            self._do(c.ListEvent(at=at, event=told.event))
        market = replace(told.market, open_at=at)
        self._do(c.ListMarket(at=at, market=market, grid=told.grid, settlement_timer=_DAYS))
        if told.volume_24h and told.last is not None:
            # What was traded before we listened, as one trade: volume and last price are true.
            self._step(
                c.ReportTrade(
                    at=at,
                    ticker=market.ticker,
                    trade_id=TradeId(f"before-{market.ticker}"),
                    count=told.volume_24h,
                    price=told.last,
                    taker_side=Side.YES,
                )
            )

    # -- the exchange ----------------------------------------------------------------------

    def _do(self, command: c.Command) -> None:
        """A command that is part of the account's log."""
        self._keep(command)
        self._step(command)

    def _step(self, command: c.Command) -> tuple[e.Event, ...]:
        events = self.exchange.step(command)
        if self._listen is nobody:
            self.hear(events)
        else:
            self._listen(events)
        return events

    def hear(self, events: tuple[e.Event, ...]) -> None:
        """Every event of the exchange, whoever caused it; to be registered as a listener."""
        self.mirror.hear(events)
        for command in kept_of(events, self.member):
            self._keep(command)


def funding(
    at: Instant, member: c.Member, deposit: Money, shards: Sequence[Shard]
) -> Iterable[c.Command]:
    """A deposit, and its equal parts in whole cents on the shards where they are wanted.

    As at the exchange: money is on one shard or another, never on two.
    """
    yield c.Deposit(
        at=at,
        member=member,
        banking_id="paper-deposit",
        amount=deposit,
        fee=ZERO_MONEY,
        method="paper",
    )
    yield c.ConcludeBanking(
        at=at, member=member, banking_id="paper-deposit", status=BankingStatus.APPLIED
    )
    share = Money(deposit.units // len(shards)).floor_to(Money.of_cents(1))
    for shard in shards:
        if shard == SHARD_ZERO:
            continue
        name = f"paper-transfer-{shard}"
        yield c.TransferShard(
            at=at,
            member=member,
            transfer_id=name,
            amount=share,
            subaccount=PRIMARY,
            from_shard=SHARD_ZERO,
            to_shard=shard,
        )
        yield c.ConcludeTransfer(at=at, member=member, transfer_id=name)


def kept_of(events: Iterable[e.Event], member: c.Member) -> list[c.Command]:
    """The commands that do to an account again what these events of one step did to it."""
    kept: list[c.Command] = []
    placed: dict[OrderId, int] = {}
    for event in events:
        if isinstance(event, e.FillMade) and event.member == member:
            place = placed.get(event.terms.order_id)
            if place is None:
                kept.append(_traded(event))
            else:
                kept[place] = _with_fill(kept[place], event)
        elif isinstance(event, e.OrderUpdated) and event.member == member:
            place = placed.get(event.terms.order_id)
            if event.why is e.OrderChange.PLACED:
                placed[event.terms.order_id] = len(kept)
                kept.append(_told(event))
            elif place is None:
                kept.extend(_changed(event))
            elif event.status is not OrderStatus.RESTING:
                kept[place] = _ended(kept[place])
    return kept


def _traded(event: e.FillMade) -> c.Command:
    return c.Trade(
        at=event.at,
        member=event.member,
        order_id=event.terms.order_id,
        trade_id=event.trade_id,
        count=Count(event.count_units),
        price=event.price,
        is_taker=event.is_taker,
    )


def _told(event: e.OrderUpdated) -> c.Command:
    return c.TellOrder(
        at=event.at,
        member=event.member,
        # Its group, if it had one, is not kept.
        order=msgspec.structs.replace(event.terms, group_id=None),
        fills=(),
        rests=True,
    )


def _with_fill(command: c.Command, event: e.FillMade) -> c.Command:
    if not isinstance(command, c.TellOrder):
        return command
    fill = c.OutsideFill(trade_id=event.trade_id, count=Count(event.count_units), price=event.price)
    return msgspec.structs.replace(command, fills=(*command.fills, fill))


def _ended(command: c.Command) -> c.Command:
    if not isinstance(command, c.TellOrder):
        return command
    return msgspec.structs.replace(command, rests=False)


def _changed(event: e.OrderUpdated) -> Iterable[c.Command]:
    """What was done to an order that was there before."""
    terms = event.terms
    match event.why:
        case e.OrderChange.AMEND if event.status is OrderStatus.RESTING:
            yield c.AmendOrder(
                at=event.at,
                member=terms.member,
                order_id=terms.order_id,
                ticker=terms.ticker,
                side=terms.side,
                price=terms.price,
                count=Count(event.fill_units + event.remaining_units),
                expires_at=terms.expires_at,
            )
        case e.OrderChange.DECREASE if event.status is OrderStatus.RESTING:
            yield c.DecreaseOrder(
                at=event.at, member=terms.member, order_id=terms.order_id, by=event.reduced_by
            )
        case e.OrderChange.TRADE | e.OrderChange.CLOSE_CANCEL | e.OrderChange.EXPIRY_CANCEL:
            # A trade is told by its fill; what the clock did, it does again.
            pass
        case _ if event.status is OrderStatus.CANCELED:
            yield c.CancelOrder(at=event.at, member=terms.member, order_id=terms.order_id)
        case _:
            pass
