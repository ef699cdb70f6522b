"""The exchange as a machine: commands in, events out, nothing else.

`step(command)` first lets everything happen that was due until the command's
time (markets open, close and settle, settlement rows appear), then carries the
command out or refuses it, and returns all events in order.  The machine holds
the truth about every account and can be asked for any instant of the past.

The caller must give commands in time order; the machine raises `CallerError`
for a command of the past.  Whatever cannot be done is a `Refused` event, never
an exception.  Money is conserved: each step asserts that the books of the
accounts changed by exactly the `CashMoved` events it returned.
"""

from __future__ import annotations

from typing import assert_never

from trueup.core.errors import CallerError, InvariantBroken
from trueup.core.fees import regime_at
from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import yes_value
from trueup.core.units import ZERO_MONEY, Money, Price
from trueup.sim import banking, trading
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.account import Account, ListedSettlement, settlement_row
from trueup.sim.books import Books
from trueup.sim.lifecycle import (
    ROW_DELAY,
    Due,
    DueKind,
    MarketState,
    Stage,
)


class Exchange:
    """The truth about markets and accounts.

    `row_delay`, from a settlement to its visible row, is in microseconds.
    """

    def __init__(self, *, row_delay: int = ROW_DELAY) -> None:
        self.books = Books()
        self._row_delay = row_delay
        self._now = Instant(0)
        self._events: list[e.Event] = []

    @property
    def now(self) -> Instant:
        """The time of the last command."""
        return self._now

    def account(self, member: c.Member) -> Account:
        """The truth about one member.  `KeyError` for a stranger."""
        return self.books.accounts[member]

    def step(self, command: c.Command) -> tuple[e.Event, ...]:
        """Let time pass until the command, then carry it out."""
        if command.at < self._now:
            message = f"the exchange is at {self._now}, a command of {command.at} is too late"
            raise CallerError(message, remedy="Give commands in time order.")
        before = self.books.total_cash
        self._events = []
        self._catch_up(command.at)
        self._now = command.at
        self._carry_out(command)
        done = tuple(self._events)
        self._check_conservation(before, done)
        return done

    def _check_conservation(self, before: Money, done: tuple[e.Event, ...]) -> None:
        moved = ZERO_MONEY
        for event in done:
            if isinstance(event, e.CashMoved):
                moved += event.amount
        if self.books.total_cash - before != moved:
            message = f"cash changed by {self.books.total_cash - before}, events say {moved}"
            raise InvariantBroken(message)

    def _carry_out(self, command: c.Command) -> None:
        refusal: e.Refusal | None
        match command:
            case c.Advance():
                refusal = None
            case c.PlaceOrder() | c.CancelOrder() | c.Trade():
                refusal = trading.carry_out(self.books, command, self._events)
            case (
                c.OpenAccount()
                | c.OpenSubaccount()
                | c.Deposit()
                | c.Withdraw()
                | c.ConcludeBanking()
                | c.TransferSubaccount()
                | c.TransferShard()
                | c.ConcludeTransfer()
                | c.Credit()
            ):
                refusal = banking.carry_out(self.books, command, self._events)
            case c.ListSeries() | c.ListEvent() | c.ListMarket() | c.ScheduleFeeChange():
                refusal = self._list(command)
            case _:
                refusal = self._steer(command)
        if refusal is not None:
            self._events.append(e.Refused(at=command.at, command=command, reason=refusal))

    # -- listings --------------------------------------------------------------------------

    def _list(
        self, command: c.ListSeries | c.ListEvent | c.ListMarket | c.ScheduleFeeChange
    ) -> e.Refusal | None:
        listings, at = self.books.listings, command.at
        match command:
            case c.ListSeries():
                if not listings.add_series(at, command.series):
                    return e.Refusal.ALREADY_EXISTS
                self._events.append(e.SeriesListed(at=at, series=command.series))
            case c.ListEvent():
                if not listings.add_event(at, command.event):
                    return e.Refusal.ALREADY_EXISTS
                self._events.append(e.EventListed(at=at, event=command.event))
            case c.ListMarket():
                return self._list_market(command)
            case c.ScheduleFeeChange():
                if command.change.series_ticker not in listings.series:
                    return e.Refusal.NOT_FOUND
                listings.add_fee_change(command.change)
                self._events.append(e.FeeChangeScheduled(at=at, change=command.change))
            case _:
                assert_never(command)
        return None

    def _list_market(self, command: c.ListMarket) -> e.Refusal | None:
        market, at = command.market, command.at
        state = MarketState(market, command.grid, command.settlement_timer)
        if not self.books.listings.add_market(at, state):
            return e.Refusal.ALREADY_EXISTS
        state.stages.record(at, Stage(status=MarketStatus.INITIALIZED))
        self._events.append(e.MarketListed(at=at, market=market))
        opens = at if market.open_at is None else Instant(max(market.open_at, at))
        self.books.agenda.note(Due(opens, DueKind.OPEN, market.ticker))
        if market.close_at is not None:
            closes = Instant(max(market.close_at, at))
            self.books.agenda.note(Due(closes, DueKind.CLOSE, market.ticker))
        self._catch_up(at)
        return None

    # -- the life of a market --------------------------------------------------------------

    def _steer(
        self,
        command: c.QuoteMarket
        | c.PauseMarket
        | c.ResumeMarket
        | c.CloseMarket
        | c.DetermineMarket
        | c.DisputeMarket
        | c.AmendMarket,
    ) -> e.Refusal | None:
        ticker = command.quote.ticker if isinstance(command, c.QuoteMarket) else command.ticker
        state = self.books.listings.markets.get(ticker)
        if state is None:
            return e.Refusal.MARKET_NOT_FOUND
        at = command.at
        match command:
            case c.QuoteMarket():
                state.quotes.record(at, command.quote)
                self._events.append(e.QuoteChanged(at=at, quote=command.quote))
                return None
            case c.PauseMarket():
                moved = self._move(state, at, state.with_status(MarketStatus.INACTIVE))
            case c.ResumeMarket():
                moved = self._move(state, at, state.with_status(MarketStatus.ACTIVE))
                if moved:
                    trading.cancel_all(
                        self.books, ticker, at, why=e.OrderChange.HALT_CANCEL, events=self._events
                    )
            case c.CloseMarket():
                moved = self._close(state, at, silent=False)
            case c.DetermineMarket():
                moved = self._determine(state, at, command.result, value=command.value)
            case c.DisputeMarket():
                moved = self._move(state, at, state.with_status(MarketStatus.DISPUTED))
            case c.AmendMarket():
                moved = self._determine(
                    state, at, command.result, value=command.value, amended=True
                )
            case _:
                assert_never(command)
        return None if moved else e.Refusal.WRONG_STATE

    def _move(self, state: MarketState, at: Instant, stage: Stage, *, silent: bool = False) -> bool:
        if not state.move(at, stage):
            return False
        self._events.append(
            e.MarketMoved(
                at=at,
                ticker=state.market.ticker,
                status=stage.status,
                result=stage.result,
                value=stage.value,
                silent=silent,
            )
        )
        return True

    def _close(self, state: MarketState, at: Instant, *, silent: bool) -> bool:
        if not self._move(state, at, state.with_status(MarketStatus.CLOSED), silent=silent):
            return False
        state.close_at = at
        trading.cancel_all(
            self.books,
            state.market.ticker,
            at,
            why=e.OrderChange.CLOSE_CANCEL,
            events=self._events,
        )
        return True

    def _determine(
        self,
        state: MarketState,
        at: Instant,
        result: MarketResult,
        *,
        value: Price,
        amended: bool = False,
    ) -> bool:
        if yes_value(result, value) != value:
            message = f"{state.market.ticker}: a result of {result} does not pay {value}"
            raise CallerError(message)
        stage = state.determined(result, value, amended=amended)
        if not self._move(state, at, stage):
            return False
        due = Instant(at + state.settlement_timer)
        self.books.agenda.note(
            Due(due, DueKind.FINALIZE, state.market.ticker, generation=stage.generation)
        )
        return True

    # -- what happens by itself ------------------------------------------------------------

    def _catch_up(self, at: Instant) -> None:
        while (due := self.books.agenda.next_until(at)) is not None:
            state = self.books.listings.markets[due.ticker]
            match due.kind:
                case DueKind.OPEN:
                    if state.stage().status is MarketStatus.INITIALIZED:
                        self._move(
                            state, due.at, state.with_status(MarketStatus.ACTIVE), silent=True
                        )
                case DueKind.CLOSE:
                    self._close(state, due.at, silent=True)
                case DueKind.FINALIZE:
                    self._finalize(state, due)
                case DueKind.LIST_SETTLEMENTS:
                    self._list_settlements(state, due.at)
                case _:
                    assert_never(due.kind)

    def _finalize(self, state: MarketState, due: Due) -> None:
        stage = state.stage()
        if stage.generation != due.generation or stage.status is MarketStatus.DISPUTED:
            return
        final = Stage(
            status=MarketStatus.FINALIZED,
            result=stage.result,
            value=stage.value,
            settled_at=due.at,
            generation=stage.generation,
        )
        if stage.result is None or stage.value is None or not self._move(state, due.at, final):
            return
        for member, subaccount in state.holders:
            self._pay(state, member, subaccount=subaccount, at=due.at)
        listed = Instant(due.at + self._row_delay)
        self.books.agenda.note(Due(listed, DueKind.LIST_SETTLEMENTS, state.market.ticker))

    def _pay(
        self, state: MarketState, member: c.Member, *, subaccount: Subaccount, at: Instant
    ) -> None:
        account = self.books.accounts[member]
        history = account.holdings[subaccount, state.market.ticker]
        held, stage = history.latest(), state.stage()
        if held is None or stage.result is None or stage.value is None:
            message = f"{state.market.ticker} was settled without a result or a holding"
            raise InvariantBroken(message)
        row = settlement_row(held, stage.result, stage.value, at)
        step = regime_at(at).balance_step(account.precision)
        after = held.settled(stage.value, at, step)
        history.record(at, after)
        account.add_settlement(ListedSettlement(Instant(at + self._row_delay), row))
        self._events.append(
            e.SettlementPaid(at=at, member=member, settled=row, payout=after.payout)
        )
        self.books.move_cash(
            e.CashMoved(
                at=at,
                member=member,
                subaccount=subaccount,
                shard=held.shard,
                amount=after.payout,
                cause=e.Cause.SETTLEMENT,
            ),
            self._events,
        )

    def _list_settlements(self, state: MarketState, at: Instant) -> None:
        ticker = state.market.ticker
        for member, subaccount in state.holders:
            for row in self.books.accounts[member].settlements_of(subaccount, ticker):
                self._events.append(e.SettlementListed(at=at, member=member, settled=row))
