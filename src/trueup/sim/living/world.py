"""The world around the exchange: it lists, trades, decides and determines, as time advances.

`LivingWorld.advance(until)` lets everything happen that is due: events are
listed when their calendar says so, traders wake up one after the other, hidden
numbers reach their hour, markets are closed early, determined, disputed.  All
of it is commands to the exchange, each with its own time; the events they cause
go to the listener.  Between two calls anybody else may give the exchange
commands, at times not before the world's present.

Whoever steps the exchange from outside tells the world of the events (`hear`), so that
somebody answers requests for quotes.

The world draws from named chances only, so one seed gives one world, as long as
nobody else trades in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Final

from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.chance import Chance
from trueup.sim.exchange import Exchange
from trueup.sim.living.mishaps import Mishaps, ending, mishaps_of
from trueup.sim.living.planned import ChanceSource, PlannedEvent, PlannedMarket, Programme
from trueup.sim.living.quoter import Quoter
from trueup.sim.living.traders import Roster, Trader, View
from trueup.sim.rfq import QuoteStatus, RfqStatus
from trueup.sim.scenario import MEMBER

USER: Final = MEMBER
"""The account that stands beside the traders, for whoever uses the sandbox."""

DEPOSIT: Final = Money.of_cents(1_000_000)
"""What the user's account has on every shard: $10,000."""

HOUSE_MONEY: Final = Money.of_cents(5_000_000_000)
SHARDS: Final = (SHARD_ZERO, Shard(1), Shard(2), Shard(3))
WARM_UP: Final = 6 * HOUR
"""How long a world has traded before anybody sees it."""

DENSITY: Final = 6
"""How often a market is traded in, by default: turns of a trader in an hour."""

_HOURS: Final = (
    60, 45, 40, 35, 35, 35, 40, 45, 55, 70, 85, 100,
    120, 150, 160, 160, 150, 150, 150, 150, 140, 120, 100, 80,
)  # fmt: skip
"""How lively each UTC hour is, in percent: the exchange's members live in America."""

Listener = Callable[[tuple[e.Event, ...]], None]


def nobody(_events: tuple[e.Event, ...]) -> None:
    """A listener that does not care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAccount:
    """An account beside the traders, with a deposit on every shard."""

    member: c.Member = USER
    precision: Precision = Precision.DIRECT
    deposit: Money = DEPOSIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a world begins: its accounts, the user's own first, and how lively it is."""

    start: Instant
    accounts: tuple[GivenAccount, ...] = (GivenAccount(),)
    density: int = DENSITY
    mishap_rate: int = 100
    warm_up: int = WARM_UP


@dataclass(slots=True)
class _Stand:
    """A market that is traded now, with the chance of its own floor."""

    planned: PlannedEvent
    market: PlannedMarket
    chance: Chance
    opened: bool = False


@dataclass(frozen=True, slots=True)
class _Listing:
    programme: Programme


@dataclass(frozen=True, slots=True)
class _Turn:
    ticker: Ticker


@dataclass(frozen=True, slots=True)
class _Decision:
    planned: PlannedEvent
    mishaps: Mishaps
    chance: Chance


@dataclass(frozen=True, slots=True)
class _Inherited:
    """A market that stands in the exchange's past, to be decided an hour after its close."""

    ticker: Ticker


@dataclass(frozen=True, slots=True)
class _Reply:
    """An RFQ to be quoted, or an accepted quote of it to be confirmed."""

    rfq_id: str
    quote_id: str = ""


_Due = _Listing | _Turn | _Decision | _Inherited | _Reply | c.MarketCommand


class LivingWorld:
    """An exchange with a world around it.  Picklable, so that a moment can be kept."""

    def __init__(
        self,
        exchange: Exchange,
        programmes: Iterable[Programme],
        roster: Roster,
        *,
        chances: ChanceSource,
        opening: Opening,
        script: Iterable[c.MarketCommand] = (),
    ) -> None:
        self.exchange = exchange
        self.opening = opening
        self._roster = roster
        self._quoter = Quoter()
        self._chances = chances
        self._stands: dict[Ticker, _Stand] = {}
        self._heap: list[tuple[Instant, int, _Due]] = []
        self._noted = 0
        # An exchange may have a past already; the world then goes on from there.
        begin = Instant(max(opening.start - opening.warm_up, exchange.now))
        self._begin(begin, tuple(programmes))
        for command in script:
            self._note(command.at, command)
        self.advance(opening.start)

    @property
    def member(self) -> c.Member:
        """Whose account the sandbox shows."""
        return self.opening.accounts[0].member

    @property
    def end(self) -> Instant:
        """The present: nothing later has happened yet."""
        return self.exchange.now

    def become(self, other: LivingWorld) -> None:
        """Go on as another world of the same kind, in the exchange that everybody knows."""
        exchange = self.exchange
        exchange.become(other.exchange)
        self.__dict__.update(other.__dict__)
        self.exchange = exchange

    def next_at(self) -> Instant | None:
        """When something will happen by itself; `None` if never again."""
        return self._heap[0][0] if self._heap else None

    def advance(self, until: Instant, listen: Listener = nobody) -> None:
        """Let everything happen that is due until then."""
        while self._heap and self._heap[0][0] <= until:
            at, _, due = heappop(self._heap)
            # A command from outside may have come first: nobody acts in the past.
            self._happen(Instant(max(at, self.exchange.now)), due, listen)
        if until > self.exchange.now:
            listen(self.exchange.step(c.Advance(at=until)))

    # -- the beginning ---------------------------------------------------------------------

    def _begin(self, at: Instant, programmes: tuple[Programme, ...]) -> None:
        for ticker, state in self.exchange.books.listings.markets.items():
            if state.status in _UNDECIDED:
                closes = at if state.market.close_at is None else state.market.close_at
                self._note(Instant(max(at, closes + HOUR)), _Inherited(ticker))
        for account in self.opening.accounts:
            self._open(at, account)
        traders = [share.trader.member for share in self._roster.shares]
        for member in (*traders, self._quoter.member):
            self._say(
                c.OpenAccount(at=at, member=member, precision=Precision.DIRECT, history=False)
            )
            for shard in SHARDS:
                self._say(
                    c.Credit(
                        at=at,
                        member=member,
                        subaccount=PRIMARY,
                        shard=shard,
                        amount=HOUSE_MONEY,
                        reason="house money",
                    )
                )
        for programme in programmes:
            for series in programme.series:
                self._say(c.ListSeries(at=at, series=series))
            self._note_listing(at, programme)

    def _open(self, at: Instant, account: GivenAccount) -> None:
        if account.member not in self.exchange.books.accounts:
            for command in open_account(at, account):
                self._say(command)

    # -- what is due -----------------------------------------------------------------------

    def _note(self, at: Instant, due: _Due) -> None:
        self._noted += 1
        heappush(self._heap, (at, self._noted, due))

    def _say(self, command: c.Command, listen: Listener = nobody) -> None:
        listen(self.exchange.step(command))

    def _happen(self, at: Instant, due: _Due, listen: Listener) -> None:
        # The exchange's own clockwork comes first: orders expire, markets close.
        by_itself = self.exchange.next_due()
        if by_itself is not None and by_itself <= at:
            listen(self.exchange.step(c.Advance(at=at)))
        match due:
            case _Turn(ticker):
                self._turn(at, ticker, listen)
            case _Listing(programme):
                self._list(at, programme, listen)
            case _Decision():
                self._decide(at, due, listen)
            case _Inherited(ticker):
                self._decide_inherited(at, ticker, listen)
            case _Reply():
                self._reply(at, due, listen)
            case _:
                self._say(due if due.at == at else replace(due, at=at), listen)

    # -- listing ---------------------------------------------------------------------------

    def _list(self, at: Instant, programme: Programme, listen: Listener) -> None:
        for planned in programme.plan_next():
            is_new = planned.event.ticker not in self.exchange.books.listings.events
            if is_new and planned.decided_at > at:
                self._list_event(at, planned, listen)
        self._note_listing(at, programme)

    def _note_listing(self, at: Instant, programme: Programme) -> None:
        next_at = programme.next_at
        if next_at is not None:
            self._note(Instant(max(at, next_at)), _Listing(programme))

    def _list_event(self, at: Instant, planned: PlannedEvent, listen: Listener) -> None:
        chance = self._chances(f"fate of {planned.event.ticker}")
        self._say(c.ListEvent(at=at, event=planned.event), listen)
        for market in planned.markets:
            self._say(
                c.ListMarket(
                    at=at,
                    market=market.market,
                    grid=market.grid,
                    settlement_timer=market.settlement_timer,
                ),
                listen,
            )
            ticker = market.market.ticker
            self._stands[ticker] = _Stand(planned, market, self._chances(f"floor of {ticker}"))
            opens = market.market.open_at or at
            self._note(Instant(max(at, opens) + SECOND), _Turn(ticker))
        mishaps = mishaps_of(planned, chance, self.opening.mishap_rate)
        pause = mishaps.pause
        if pause is not None and pause.at > at:
            self._note(pause.at, c.PauseMarket(at=pause.at, ticker=pause.ticker))
            self._note(pause.until, c.ResumeMarket(at=pause.until, ticker=pause.ticker))
        self._note(planned.decided_at, _Decision(planned, mishaps, chance))

    # -- deciding --------------------------------------------------------------------------

    def _decide(self, at: Instant, due: _Decision, listen: Listener) -> None:
        """The hidden number stands: no more trading, and the determinations are on their way."""
        planned = due.planned
        for market in planned.markets:
            market.question.odds(planned.decided_at)
            ticker = market.market.ticker
            self._stands.pop(ticker, None)
            status = self.exchange.books.listings.markets[ticker].status
            if status in _OPEN:
                self._say(c.CloseMarket(at=at, ticker=ticker), listen)
            for command in ending(planned, market, due.mishaps, due.chance):
                self._note(command.at, command)
        for maker in self._roster.makers:
            for market in planned.markets:
                maker.forget(market.market.ticker)

    def _decide_inherited(self, at: Instant, ticker: Ticker, listen: Listener) -> None:
        """A market of the past is decided by a draw, as likely as it was last paid."""
        state = self.exchange.books.listings.markets[ticker]
        if state.status is not MarketStatus.CLOSED:
            return
        quote = state.quotes.latest()
        last = None if quote is None else quote.last
        likely = ONE_DOLLAR.units // 2 if last is None else last.units
        is_yes = self._chances(f"fate of {ticker}").randrange(0, ONE_DOLLAR.units) < likely
        result = MarketResult.YES if is_yes else MarketResult.NO
        value = ONE_DOLLAR if is_yes else Price(0)
        self._say(c.DetermineMarket(at=at, ticker=ticker, result=result, value=value), listen)

    # -- trading ---------------------------------------------------------------------------

    def _turn(self, at: Instant, ticker: Ticker, listen: Listener) -> None:
        stand = self._stands.get(ticker)
        if stand is None:
            return
        status = self.exchange.books.listings.markets[ticker].status
        if status is MarketStatus.ACTIVE:
            if stand.opened:
                self._trade(at, stand, self._roster.next_trader(stand.chance), listen)
            else:
                stand.opened = True
                for maker in self._roster.makers:
                    self._trade(at, stand, maker, listen)
        elif status not in _OPEN and status is not MarketStatus.INITIALIZED:
            return
        self._note(Instant(at + self._pause(at, stand)), _Turn(ticker))

    def _pause(self, at: Instant, stand: _Stand) -> int:
        """Until the next turn in a market: random, shorter in lively hours and near the end."""
        planned = stand.planned
        lively = self.opening.density * planned.busy * _HOURS[at // HOUR % 24]
        if planned.rush_from is not None and at >= planned.rush_from:
            lively *= _RUSH
        mean = max(SECOND // 5, HOUR * 10_000 // max(1, lively))
        return stand.chance.randrange(mean // 10, 2 * mean - mean // 10)

    def _trade(self, at: Instant, stand: _Stand, trader: Trader, listen: Listener) -> None:
        _ticker, step = stand.market.market.ticker, self.exchange.step
        for command in trader.step(self._view(at, stand, trader.member), stand.chance):
            listen(step(command))

    # -- requests for quotes ---------------------------------------------------------------

    def hear(self, events: tuple[e.Event, ...]) -> None:
        """Take note of RFQs to be quoted, and of quotes to be confirmed, a moment later."""
        for event in events:
            match event:
                case e.RfqUpdated(rfq=rfq) if rfq.status is RfqStatus.OPEN:
                    self._note_reply(event.at, _Reply(rfq.rfq_id))
                case e.RfqQuoteUpdated(quote=quote) if (
                    quote.member == self._quoter.member and quote.status is QuoteStatus.ACCEPTED
                ):
                    self._note_reply(event.at, _Reply(quote.rfq_id, quote.quote_id))
                case _:
                    pass

    def _note_reply(self, at: Instant, reply: _Reply) -> None:
        self._note(Instant(at + self._quoter.pause(self._chance_of(reply))), reply)

    def _chance_of(self, reply: _Reply) -> Chance:
        return self._chances(f"quotes for {reply.rfq_id} {reply.quote_id}")

    def _reply(self, at: Instant, due: _Reply, listen: Listener) -> None:
        """Quote or confirm, where there still is something to it."""
        communications, chance = self.exchange.books.communications, self._chance_of(due)
        rfq = communications.rfqs.get(due.rfq_id)
        stand = None if rfq is None else self._stands.get(rfq.ticker)
        if rfq is None or stand is None or rfq.status is not RfqStatus.OPEN:
            return
        view = self._view(at, stand, self._quoter.member)
        if not due.quote_id:
            self._say(self._quoter.quote(view, rfq, chance), listen)
            return
        confirmed = self._quoter.confirm(view, communications.quotes[due.quote_id], chance)
        if confirmed is not None:
            self._say(confirmed, listen)

    def _view(self, at: Instant, stand: _Stand, member: c.Member) -> View:
        state = self.exchange.books.listings.markets[stand.market.market.ticker]
        book = state.book
        bid, ask = book.best_bid(), book.best_ask()
        record = state.holders.get((member, PRIMARY))
        return View(
            at=at,
            ticker=state.ticker,
            grid=state.grid,
            bid=None if bid is None else bid.price,
            ask=None if ask is None else ask.price,
            odds=stand.market.question.odds(at),
            net=0 if record is None else record.net,
            member=member,
            book=book,
        )


_OPEN: Final = frozenset({MarketStatus.ACTIVE, MarketStatus.INACTIVE})
_UNDECIDED: Final = _OPEN | {MarketStatus.INITIALIZED, MarketStatus.CLOSED}
_RUSH: Final = 4


def open_account(at: Instant, account: GivenAccount) -> tuple[c.Command, ...]:
    """An account with a deposit, and transfers that spread it over the shards."""
    member, amount = account.member, account.deposit
    opened = c.OpenAccount(at=at, member=member, precision=account.precision)
    if not amount:
        return (opened,)
    commands: list[c.Command] = [
        opened,
        c.Deposit(
            at=at,
            member=member,
            banking_id="sandbox-deposit",
            amount=Money(amount.units * len(SHARDS)),
            fee=ZERO_MONEY,
            method="ach",
        ),
        c.ConcludeBanking(
            at=at, member=member, banking_id="sandbox-deposit", status=BankingStatus.APPLIED
        ),
    ]
    for shard in SHARDS[1:]:
        transfer_id = f"sandbox-shard-{shard}"
        commands += [
            c.TransferShard(
                at=at,
                member=member,
                transfer_id=transfer_id,
                amount=amount,
                subaccount=PRIMARY,
                from_shard=SHARD_ZERO,
                to_shard=shard,
            ),
            c.ConcludeTransfer(at=at, member=member, transfer_id=transfer_id),
        ]
    return tuple(commands)
