"""A trading floor on which members ask for quotes: short words for long commands."""

from __future__ import annotations

from small_exchange import RAIN
from trading_floor import ANN, BOB, Floor, trading_floor

from trueup.core.facts import BankingStatus
from trueup.core.ids import PRIMARY, ClientOrderId, OrderId, Ticker
from trueup.core.instant import SECOND
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.rfq import Rfq, RfqQuote


class RfqFloor(Floor):
    """Ann asks, Bob quotes, unless somebody else is named.  Each step takes a second."""

    def ask_for(
        self,
        count: str | None = "10",
        *,
        member: c.Member = ANN,
        ticker: Ticker = RAIN,
        target: str | None = None,
        excludes_fees: bool = False,
        rests: bool = False,
        replaces: bool = False,
    ) -> str:
        rfq_id = self._name("rfq")
        self.do(
            c.CreateRfq(
                at=self.now,
                member=member,
                subaccount=PRIMARY,
                rfq_id=rfq_id,
                ticker=ticker,
                count=None if count is None else Count.parse(count),
                target_cost=None if target is None else Money.parse(target),
                target_cost_excludes_fees=excludes_fees,
                rest_remainder=rests,
                replace_existing=replaces,
            )
        )
        return rfq_id

    def answer(
        self,
        rfq_id: str,
        yes: str = "0.48",
        no: str = "0.48",
        *,
        member: c.Member = BOB,
        rests: bool = False,
        post_only: bool = False,
    ) -> str:
        quote_id = self._name("quote")
        self.do(
            c.CreateQuote(
                at=self.now,
                member=member,
                subaccount=PRIMARY,
                quote_id=quote_id,
                rfq_id=rfq_id,
                yes_bid=Price.parse(yes),
                no_bid=Price.parse(no),
                rest_remainder=rests,
                post_only=post_only,
            )
        )
        return quote_id

    def accept(
        self,
        quote_id: str,
        side: Side = Side.YES,
        *,
        member: c.Member = ANN,
        count: str | None = None,
        prefers_better: bool = False,
    ) -> None:
        self._name("accept")
        self.do(
            c.AcceptQuote(
                at=self.now,
                member=member,
                quote_id=quote_id,
                side=side,
                order_id=OrderId(f"{member}-takes-{self.orders}"),
                client_order_id=ClientOrderId(f"takes-{self.orders}"),
                count=None if count is None else Count.parse(count),
                prefers_better=prefers_better,
            )
        )

    def confirm(self, quote_id: str, *, member: c.Member = BOB) -> None:
        self._name("confirm")
        self.do(
            c.ConfirmQuote(
                at=self.now,
                member=member,
                quote_id=quote_id,
                order_id=OrderId(f"{member}-makes-{self.orders}"),
                client_order_id=ClientOrderId(f"makes-{self.orders}"),
            )
        )

    def delete_rfq(self, rfq_id: str, *, member: c.Member = ANN) -> None:
        self.later(SECOND)
        self.do(c.DeleteRfq(at=self.now, member=member, rfq_id=rfq_id))

    def delete_quote(self, quote_id: str, *, member: c.Member = BOB) -> None:
        self.later(SECOND)
        self.do(c.DeleteQuote(at=self.now, member=member, quote_id=quote_id))

    def agree(self, yes: str = "0.48", side: Side = Side.YES) -> str:
        """The whole way up to the moment before the execution."""
        quote_id = self.answer(self.ask_for(), yes)
        self.accept(quote_id, side)
        self.confirm(quote_id)
        return quote_id

    def wait(self, seconds: int) -> None:
        self.later(seconds * SECOND)
        self.advance(self.now)

    def do(self, command: c.Command) -> None:
        """A step that must not be refused."""
        refused = [one for one in self.step(command) if isinstance(one, e.Refused)]
        if refused:
            raise Refusal(refused[0])

    def quote(self, quote_id: str) -> RfqQuote:
        return self.exchange.books.communications.quotes[quote_id]

    def rfq(self, rfq_id: str) -> Rfq:
        return self.exchange.books.communications.rfqs[rfq_id]

    def status(self, quote_id: str) -> str:
        return self.quote(quote_id).status.value

    def _name(self, kind: str) -> str:
        self.later(SECOND)
        self.orders += 1
        return f"{kind}-{self.orders}"


class Refusal(Exception):
    """What the exchange said no with: its word, and perhaps more."""

    def __init__(self, refused: e.Refused) -> None:
        super().__init__(f"{refused.reason.value}: {refused.detail}".removesuffix(": "))


def rfq_floor(dollars: str = "1000") -> RfqFloor:
    floor = trading_floor(dollars)
    return RfqFloor(floor.exchange, floor.now, floor.events)


def with_money(floor: RfqFloor, member: c.Member, dollars: str) -> RfqFloor:
    """Leave a member with so much cash."""
    spare = floor.free(member) - Money.parse(dollars)
    floor.do(
        c.Withdraw(
            at=floor.now,
            member=member,
            banking_id="spare",
            amount=spare,
            fee=Money(0),
            method="ach",
        )
    )
    floor.do(
        c.ConcludeBanking(
            at=floor.now, member=member, banking_id="spare", status=BankingStatus.APPLIED
        )
    )
    return floor
