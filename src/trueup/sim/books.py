"""Everything the machine remembers, and the one door through which cash moves."""

from __future__ import annotations

from collections.abc import Callable

from trueup.core.catalog import Market
from trueup.core.errors import InvariantBroken
from trueup.core.ids import Shard, Subaccount, TradeId
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.sim.account import Account
from trueup.sim.communications import Communications
from trueup.sim.events import CashMoved, Cause, Event, FillMade, Refusal
from trueup.sim.history import CashBook
from trueup.sim.holding import ONE, HoldingRecord
from trueup.sim.lifecycle import Agenda, MarketState
from trueup.sim.listings import Listings
from trueup.sim.order_commands import Member

CLEARED = frozenset({Cause.SETTLEMENT, Cause.POSITION_TRANSFER, Cause.COLLATERAL_RETURN})
"""Cash that moves between the members and the clearing house without a trade."""


class Books:
    """Listings, accounts and what is due.

    `events` are those of the present step.  `cash` is what all members have
    together, `clearing` what the clearing house holds for the open contracts:
    always $1 for each pair of a YES and a NO contract, less what was returned
    early.  All in `Money` units.
    """

    def __init__(self, trade_ids: Callable[[], TradeId]) -> None:
        self.listings = Listings()
        self.accounts: dict[Member, Account] = {}
        self.agenda = Agenda()
        self.communications = Communications()
        self.events: list[Event] = []
        self.touched: dict[MarketState, None] = {}
        self.next_trade_id = trade_ids
        self.cash = 0
        self.clearing = 0
        self.open_interest = 0
        self.returned = 0
        self.fees = 0
        self.rounding = 0
        self.paused: dict[Shard, Refusal] = {}
        """The shards that take no orders now, and the word for it."""

    def move_cash(
        self,
        account: Account,
        subaccount: Subaccount,
        shard: Shard,
        *,
        units: int,
        cause: Cause,
        at: Instant,
    ) -> None:
        """Book a movement and say so.  A movement of nothing is neither."""
        if units:
            self.move(
                account.book(subaccount, shard),
                CashMoved(
                    at=at,
                    member=account.member,
                    subaccount=subaccount,
                    shard=shard,
                    units=units,
                    cause=cause,
                ),
            )

    def move(self, book: CashBook, moved: CashMoved) -> None:
        """Book a movement in the cash book that it belongs to."""
        units = moved.units
        before = book.units
        book.move(moved.at, units)
        self.cash += book.units - before
        if moved.cause in CLEARED:
            self.clearing -= units
            if moved.cause is Cause.COLLATERAL_RETURN:
                self.returned += units
        self.events.append(moved)

    def record(self, account: Account, subaccount: Subaccount, market: Market) -> HoldingRecord:
        """Where the orders and fills of one subaccount in one market go."""
        found = account.records.get((subaccount, market.ticker))
        if found is None:
            event = self.listings.events[market.event_ticker]
            found = account.record(subaccount, market, exclusive=event.mutually_exclusive)
        return found

    def pay(self, book: CashBook, filled: FillMade) -> None:
        """Book and tell a fill with its money."""
        cash, fee, before = filled.cash_units, filled.fee_units, book.units
        book.move(filled.at, cash - fee)
        self.cash += book.units - before
        self.clearing -= cash
        self.fees += fee
        self.events.append(filled)

    def forget(self, before: Instant) -> None:
        """Drop the past before `before`: it can be asked for no more."""
        for account in self.accounts.values():
            account.forget(before)
        for state in self.listings.markets.values():
            state.forget(before)
        self.communications.forget(before)

    def check_step(self, before: int) -> None:
        """Prove that cash changed by what the events say, and that every pair is paid for."""
        moved = 0
        for event in self.events:
            if type(event) is FillMade:
                moved += event.cash_units - event.fee_units
            elif type(event) is CashMoved:
                moved += event.units
        if self.cash - before != moved:
            message = f"cash changed by {Money(self.cash - before)}, events say {Money(moved)}"
            raise InvariantBroken(message)
        if self.clearing + self.returned != self.open_interest * ONE:
            message = (
                f"the clearing house holds {Money(self.clearing)} and returned "
                f"{Money(self.returned)} for {self.open_interest} open hundredths of contracts"
            )
            raise InvariantBroken(message)
