"""Every operation's answer from the simulated exchange."""

from __future__ import annotations

from collections.abc import Callable

from trueup.core.ids import OrderId
from trueup.net.acceptor import replies
from trueup.net.acceptor.account_answers import AccountAnswers
from trueup.net.acceptor.billing import Meters
from trueup.net.acceptor.cash_answers import CashAnswers
from trueup.net.acceptor.data_answers import DataAnswers
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.forms import FORMS, Personality, Words
from trueup.net.acceptor.group_answers import GroupAnswers
from trueup.net.acceptor.house_answers import HouseAnswers
from trueup.net.acceptor.market_answers import MarketAnswers
from trueup.net.acceptor.old_order_entry import OldOrderEntry
from trueup.net.acceptor.order_entry import OrderEntry
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.quiet_answers import QuietAnswers
from trueup.net.acceptor.refusals import refuser
from trueup.net.acceptor.replies import Content, Reply
from trueup.net.acceptor.rfq_answers import RfqAnswers
from trueup.sim.commands import Member
from trueup.sim.market_surface import MarketSurface
from trueup.sim.tiers import Tiers


class WorldAnswers:
    """Answers from an exchange machine, to each member about its own account."""

    def __init__(
        self,
        floor: Floor,
        house: HouseAnswers,
        *,
        tiers: Tiers,
        personality: Personality,
        new_id: Callable[[], str],
        meters: Meters,
    ) -> None:
        self._floor = floor
        self._tiers = tiers
        self._forms = FORMS[personality]
        self._words: dict[OrderId, Words] = {}
        self._accounts: dict[Member, dict[str, Answer]] = {}
        exchange, forms = floor.exchange, self._forms
        refuse = refuser(exchange, names_service=forms.names_service)
        orders = OrderEntry(floor, new_id, refuse, names_canceled=forms.names_canceled)
        old = OldOrderEntry(
            floor,
            orders,
            refuse,
            forms=forms,
            words=self._words,
            in_cents=personality is Personality.OLD,
        )
        self._common: dict[str, Answer] = (
            house.table()
            | MarketAnswers(exchange, tiers, forms=forms).table()
            | DataAnswers(exchange, tiers, personality).table()
            | QuietAnswers(exchange, MarketSurface(exchange, tiers)).table()
            | orders.table()
            | GroupAnswers(floor, new_id, refuse).table()
            | CashAnswers(floor, new_id, refuse, meters=meters).table()
            | RfqAnswers(floor, new_id, refuse).table()
            | old.table()
        )

    def answer(self, question: Question) -> Content | Reply:
        """The answer at the question's time; the exchange catches up with it first."""
        self._floor.catch_up(question.at)
        answer = self._common.get(question.operation)
        if answer is None:
            answer = self._of_account(question.caller.member).get(question.operation)
        return replies.NOT_FOUND if answer is None else answer(question)

    def _of_account(self, member: Member) -> dict[str, Answer]:
        table = self._accounts.get(member)
        if table is None:
            if member not in self._floor.exchange.books.accounts:
                return {}
            answers = AccountAnswers(
                self._floor.exchange,
                member,
                self._tiers,
                forms=self._forms,
                words=self._words,
            )
            table = self._accounts[member] = answers.table()
        return table
