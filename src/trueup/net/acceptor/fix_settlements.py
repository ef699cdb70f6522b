"""Settlement reports: what each subscriber's account was paid by one step of the exchange."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from trueup.core.errors import InvariantBroken
from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.instant import eastern_day
from trueup.core.payoff import gross_payout
from trueup.core.settlement import PayoutUnit, SettlementFee, SettlementReported
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count
from trueup.net.acceptor.fix_terms import FixTerms, Subscriber
from trueup.net.acceptor.floor import Floor
from trueup.sim.commands import Member
from trueup.sim.events import Event, SettlementPaid
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.settlement import write_pages

_REPORTS: Final = UUID("7d1c0f52-3a5e-4c7b-9f0e-2b6a4d8e1c35")
"""The name space of report ids."""

EXCHANGE_FEE: Final = "4"


def party_of(member: Member, subaccount: Subaccount) -> str:
    """What the reports call an account: the member, with the subaccount's number behind it."""
    return member if subaccount == PRIMARY else f"{member}/{subaccount}"


@dataclass(frozen=True, slots=True)
class Paid:
    """What one subaccount was paid."""

    member: Member
    subaccount: Subaccount
    reported: SettlementReported


class SettlementReports:
    """Writes the reports of settlements.

    A position of nothing has no entry.  A settlement that is revised later is not reported
    again: nothing is known of such reports.
    """

    def __init__(self, floor: Floor, terms: FixTerms) -> None:
        self._floor = floor
        self._terms = terms
        self._pages = 0

    def paid(self, events: tuple[Event, ...], members: Collection[Member]) -> list[Paid]:
        """What a step paid to these members."""
        return [
            Paid(event.member, event.settled.subaccount, reported)
            for event in events
            if isinstance(event, SettlementPaid)
            and event.member in members
            and event.at == event.settled.at
            and (reported := self._reported(event)) is not None
        ]

    def _reported(self, event: SettlementPaid) -> SettlementReported | None:
        settled, books = event.settled, self._floor.exchange.books
        record = books.accounts[event.member].records[settled.subaccount, settled.ticker]
        value = books.listings.markets[settled.ticker].stage().value
        if value is None:
            raise InvariantBroken(f"{settled.ticker} was settled without a value")
        net = Count(record.settled_net)
        if not net:
            return None
        fee = gross_payout(net, value) - event.payout
        if self._terms.payout_unit is PayoutUnit.CENTS:
            fee = ZERO_MONEY
        return SettlementReported(
            ticker=settled.ticker,
            clearing_date=date.fromisoformat(eastern_day(event.at)),
            party=party_of(event.member, settled.subaccount),
            subaccount=settled.subaccount,
            result=settled.result,
            value=value,
            long=max(net, ZERO_COUNT),
            short=max(-net, ZERO_COUNT),
            payout=event.payout,
            fees=(SettlementFee(EXCHANGE_FEE, fee),),
            report_id="",
        )

    def pages(self, paid: list[Paid], subscriber: Subscriber) -> list[MarketSettlementReport]:
        """The pages that a subscriber gets, market by market."""
        markets: dict[str, list[SettlementReported]] = {}
        for one in paid:
            if subscriber.sees(one.member, one.subaccount):
                markets.setdefault(one.reported.ticker, []).append(one.reported)
        return [page for parties in markets.values() for page in self._write(parties)]

    def _write(self, parties: list[SettlementReported]) -> list[MarketSettlementReport]:
        size = self._terms.page_size
        count = -(-len(parties) // size)
        self._pages += count
        ids = [
            str(uuid5(_REPORTS, f"{parties[0].ticker} {self._pages - number}"))
            for number in reversed(range(count))
        ]
        return write_pages(parties, report_ids=ids, page_size=size, unit=self._terms.payout_unit)
