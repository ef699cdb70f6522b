"""Everything the machine remembers, and the one door through which cash moves."""

from __future__ import annotations

from trueup.core.units import ZERO_MONEY, Money
from trueup.sim.account import Account
from trueup.sim.commands import Member
from trueup.sim.events import CashMoved, Event
from trueup.sim.lifecycle import Agenda
from trueup.sim.listings import Listings


class Books:
    """Listings, accounts and what is due."""

    def __init__(self) -> None:
        self.listings = Listings()
        self.accounts: dict[Member, Account] = {}
        self.agenda = Agenda()
        self.total_cash: Money = ZERO_MONEY

    def move_cash(self, moved: CashMoved, events: list[Event]) -> None:
        """Book a movement and say so.  A movement of nothing is neither."""
        if not moved.amount:
            return
        book = self.accounts[moved.member].book(moved.subaccount, moved.shard)
        before = book.latest()
        book.move(moved.at, moved.amount)
        self.total_cash += book.latest() - before
        events.append(moved)
