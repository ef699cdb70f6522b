"""The exchange as a machine: commands in, events out, nothing else.

`step(command)` first lets everything happen that was due until the command's
time (markets open, close and settle, orders expire, settlement rows appear),
then carries the command out or refuses it, and returns all events in order.
The machine holds the truth about every account and can be asked for any instant
of the past.

The caller must give commands in time order; the machine raises `CallerError`
for a command of the past.  Whatever cannot be done is a `Refused` event, never
an exception.

Money is conserved.  Each trade proves that both sides together paid $1 for each
new pair of contracts; each step proves that cash changed by exactly the
`CashMoved` events it returned, and that the clearing house holds $1 for each
open pair; now and then `auditing` counts everything anew.
"""

from __future__ import annotations

from typing import assert_never

from trueup.core.errors import CallerError
from trueup.core.ids import TradeId
from trueup.core.instant import DAY, Instant
from trueup.core.market import MarketStatus
from trueup.sim import amending, banking, quoting, steering, trading
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.account import Account
from trueup.sim.auditing import audit
from trueup.sim.books import Books
from trueup.sim.crossing import cancel_all, expire
from trueup.sim.lifecycle import CLOSE_CANCEL_DELAY, ROW_DELAY, Due, DueKind
from trueup.sim.settling import list_rows
from trueup.sim.steering import Delays

_AUDIT_EVERY = 100_000


class Exchange:
    """The truth about markets and accounts.

    `row_delay`, from a settlement to its visible row, and `close_cancel_delay`,
    from the close of a market to the end of its resting orders, are in
    microseconds.  `trade_id_prefix` makes the ids of trades: the first 24
    characters of a UUID.  Every `audit_every` steps the whole truth is proved
    anew.  `keep` is for how many microseconds the past can be asked for; without
    it everything is remembered.
    """

    def __init__(
        self,
        *,
        row_delay: int = ROW_DELAY,
        close_cancel_delay: int = CLOSE_CANCEL_DELAY,
        trade_id_prefix: str = "7adee000-0000-4000-8000-",
        audit_every: int = _AUDIT_EVERY,
        keep: int | None = None,
    ) -> None:
        self._trades = 0
        self._prefix = trade_id_prefix
        self.books = Books(self._next_trade_id)
        self._delays = Delays(row=row_delay, close_cancel=close_cancel_delay)
        self._now = Instant(0)
        self._audit_every = audit_every
        self._until_audit = audit_every
        self._keep = keep
        self._forgets_at = Instant(0)

    def _next_trade_id(self) -> TradeId:
        self._trades += 1
        return TradeId(f"{self._prefix}{self._trades:012x}")

    @property
    def now(self) -> Instant:
        """The time of the last command."""
        return self._now

    def become(self, other: Exchange) -> None:
        """Take over everything that another exchange knows; that one must not be used again."""
        self.__dict__.update(other.__dict__)
        self.books.next_trade_id = self._next_trade_id

    def account(self, member: c.Member) -> Account:
        """The truth about one member.  `KeyError` for a stranger."""
        return self.books.accounts[member]

    def next_due(self) -> Instant | None:
        """When something will happen by itself; `None` when nothing will."""
        return self.books.agenda.next_at()

    def step(self, command: c.Command) -> tuple[e.Event, ...]:
        """Let time pass until the command, then carry it out."""
        at = command.at
        if at < self._now:
            message = f"the exchange is at {self._now}, a command of {at} is too late"
            raise CallerError(message, remedy="Give commands in time order.")
        books = self.books
        before = books.cash
        books.events = []
        if books.agenda.is_due(at):
            self._catch_up(at)
        self._now = at
        # The two that are asked most, without asking what else a command could be.
        if type(command) is c.PlaceOrder:
            denial = trading.place(books, command)
        elif type(command) is c.CancelOrder:
            denial = amending.cancel(books, command)
        else:
            denial = self._carry_out(command)
        if denial is not None:
            books.events.append(
                e.Refused(at=at, command=command, reason=denial.reason, detail=denial.detail)
            )
        if books.touched:
            self._look_at_tops(at)
        books.check_step(before)
        if self._keep is not None and at >= self._forgets_at:
            self._forgets_at = Instant(at + DAY)
            books.forget(Instant(at - self._keep))
        self._until_audit -= 1
        if not self._until_audit:
            self._until_audit = self._audit_every
            audit(books)
        return tuple(books.events)

    def _carry_out(self, command: c.Command) -> e.Denial | None:
        denial: e.Refusal | None
        match command:
            case c.Advance():
                return None
            case c.PlaceOrder():
                return trading.place(self.books, command)
            case c.CancelOrder():
                return amending.cancel(self.books, command)
            case (
                c.AmendOrder()
                | c.DecreaseOrder()
                | c.CancelAllOrders()
                | c.Trade()
                | c.TellOrder()
                | c.CreateOrderGroup()
                | c.LimitOrderGroup()
                | c.ResetOrderGroup()
                | c.TriggerOrderGroup()
                | c.DeleteOrderGroup()
            ):
                return trading.carry_out(self.books, command)
            case (
                c.OpenAccount()
                | c.OpenSubaccount()
                | c.Deposit()
                | c.Withdraw()
                | c.ConcludeBanking()
                | c.TransferSubaccount()
                | c.TransferShard()
                | c.ConcludeTransfer()
                | c.TransferPosition()
                | c.Credit()
            ):
                denial = banking.carry_out(self.books, command)
            case (
                c.CreateRfq()
                | c.DeleteRfq()
                | c.CreateQuote()
                | c.DeleteQuote()
                | c.AcceptQuote()
                | c.ConfirmQuote()
            ):
                return quoting.carry_out(self.books, command)
            case c.ListSeries() | c.ListEvent() | c.ListMarket() | c.ScheduleFeeChange():
                denial = self._list(command)
            case _:
                denial = steering.carry_out(self.books, command, self._delays)
        return e.Denial(denial) if denial is not None else None

    def _look_at_tops(self, at: Instant) -> None:
        books = self.books
        for state in books.touched:
            changed = state.tape.look(at, state.book, state.long)
            if changed is not None:
                books.events.append(changed)
        books.touched.clear()

    def _list(
        self, command: c.ListSeries | c.ListEvent | c.ListMarket | c.ScheduleFeeChange
    ) -> e.Refusal | None:
        listings, at = self.books.listings, command.at
        match command:
            case c.ListSeries():
                if not listings.add_series(at, command.series):
                    return e.Refusal.ALREADY_EXISTS
                self.books.events.append(e.SeriesListed(at=at, series=command.series))
            case c.ListEvent():
                if not listings.add_event(at, command.event):
                    return e.Refusal.ALREADY_EXISTS
                self.books.events.append(e.EventListed(at=at, event=command.event))
            case c.ListMarket():
                if not steering.list_market(self.books, command):
                    return e.Refusal.ALREADY_EXISTS
                self._catch_up(at)
            case c.ScheduleFeeChange():
                if command.change.series_ticker not in listings.series:
                    return e.Refusal.NOT_FOUND
                listings.add_fee_change(command.change)
                self.books.events.append(e.FeeChangeScheduled(at=at, change=command.change))
            case _:
                assert_never(command)
        return None

    # -- what happens by itself ------------------------------------------------------------

    def _catch_up(self, at: Instant) -> None:
        agenda = self.books.agenda
        while (due := agenda.next_until(at)) is not None:
            self._happen(due)
            if self.books.touched:
                self._look_at_tops(due.at)

    def _happen(self, due: Due) -> None:
        books = self.books
        state = books.listings.markets[due.ticker]
        match due.kind:
            case DueKind.EXPIRE:
                expire(books, state, due)
            case DueKind.OPEN:
                steering.open_market(books, state, due.at)
            case DueKind.CLOSE:
                if state.close_at == due.at:
                    steering.close(books, state, due.at, delays=self._delays, silent=True)
            case DueKind.CANCEL_RESTING:
                if state.status not in {MarketStatus.ACTIVE, MarketStatus.INACTIVE}:
                    cancel_all(books, state, due.at, why=e.OrderChange.CLOSE_CANCEL)
            case DueKind.FINALIZE:
                steering.finalize(books, state, due, delays=self._delays)
            case DueKind.LIST_SETTLEMENTS:
                list_rows(books, state, due.at)
            case DueKind.EXPIRE_RFQ | DueKind.EXECUTE_QUOTE:
                quoting.happen(books, state, due)
            case _:
                assert_never(due.kind)
