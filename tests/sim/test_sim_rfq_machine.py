"""RFQs among other orders, by chance: money is conserved, nothing executes that should not."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from rfq_floor import Refusal, rfq_floor
from small_exchange import RAIN
from trading_floor import ANN, BOB, CAT

from trueup.core.ids import PRIMARY
from trueup.core.orders import Side
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.auditing import audit
from trueup.sim.rfq import QUOTE_TRANSITIONS, QuoteStatus, RfqQuoteUpdated, windows

MEMBERS = (ANN, BOB, CAT)
members = st.sampled_from(MEMBERS)
sides = st.sampled_from(Side)
bids = st.sampled_from(["0", "0.30", "0.44", "0.48", "0.52"])
counts = st.sampled_from(["1", "2.50", "30"])


class Requests(RuleBasedStateMachine):
    """Three members with some money ask, quote, accept, confirm, delete, trade and wait."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = rfq_floor("40")
        self.rfqs: list[str] = []
        self.quotes: list[str] = []

    def told(self, quote_id: str) -> list[RfqQuoteUpdated]:
        return [
            event
            for event in self.floor.events
            if isinstance(event, RfqQuoteUpdated) and event.quote.quote_id == quote_id
        ]

    @rule(
        pair=st.permutations(MEMBERS),
        count=counts,
        is_target=st.booleans(),
        rests=st.booleans(),
        replaces=st.booleans(),
    )
    def request(
        self, pair: list[c.Member], count: str, *, is_target: bool, rests: bool, replaces: bool
    ) -> None:
        """Somebody asks, and somebody answers at once, so that there is something to accept."""
        size, target = (None, count) if is_target else (count, None)
        asks, answers, _ = pair
        try:
            rfq_id = self.floor.ask_for(
                size, target=target, member=asks, rests=rests, replaces=replaces
            )
            self.rfqs.append(rfq_id)
            self.quotes.append(self.floor.answer(rfq_id, member=answers, rests=rests))
        except Refusal:
            return

    @rule(number=st.integers(0, 2), side=sides)
    def agree(self, number: int, side: Side) -> None:
        """Accepted, and confirmed at once."""
        self.accept(number, side, better=False)
        self.confirm(number, other=False)

    @rule(member=members, number=st.integers(0, 5), yes=bids, no=bids, rests=st.booleans())
    def quote(self, member: c.Member, number: int, *, yes: str, no: str, rests: bool) -> None:
        if self.rfqs:
            rfq_id = self.rfqs[-1 - number % len(self.rfqs)]
            try:
                self.quotes.append(self.floor.answer(rfq_id, yes, no, member=member, rests=rests))
            except Refusal:
                return

    @rule(number=st.integers(0, 5), side=sides, better=st.booleans())
    def accept(self, number: int, side: Side, better: bool) -> None:
        if self.quotes:
            quote = self.floor.quote(self.quotes[-1 - number % len(self.quotes)])
            member = self.floor.rfq(quote.rfq_id).member
            try:
                self.floor.accept(quote.quote_id, side, member=member, prefers_better=better)
            except Refusal:
                return

    @rule(number=st.integers(0, 5), other=st.booleans())
    def confirm(self, number: int, other: bool) -> None:
        if self.quotes:
            quote = self.floor.quote(self.quotes[-1 - number % len(self.quotes)])
            member = self.floor.rfq(quote.rfq_id).member if other else quote.member
            try:
                self.floor.confirm(quote.quote_id, member=member)
            except Refusal:
                return

    @rule(number=st.integers(0, 5), is_rfq=st.booleans())
    def delete(self, number: int, is_rfq: bool) -> None:
        if self.quotes:
            quote = self.floor.quote(self.quotes[-1 - number % len(self.quotes)])
            try:
                if is_rfq:
                    self.floor.delete_rfq(quote.rfq_id, member=self.floor.rfq(quote.rfq_id).member)
                else:
                    self.floor.delete_quote(quote.quote_id, member=quote.member)
            except Refusal:
                return

    @rule(member=members, side=sides, count=counts, price=bids.filter(lambda bid: bid != "0"))
    def order(self, member: c.Member, side: Side, count: str, price: str) -> None:
        self.floor.place(member, side, count, price=price)

    @rule(seconds=st.sampled_from([1, 14, 16, 31]))
    def wait(self, seconds: int) -> None:
        self.floor.wait(seconds)

    @rule(pauses=st.booleans())
    def pause(self, pauses: bool) -> None:
        command = c.PauseMarket if pauses else c.ResumeMarket
        self.floor.step(command(at=self.floor.now, ticker=RAIN))

    @invariant()
    def money_and_contracts_are_conserved(self) -> None:
        audit(self.floor.exchange.books)
        nets = [
            self.floor.exchange.account(member).records.get((PRIMARY, RAIN)) for member in MEMBERS
        ]
        assert not sum(record.net for record in nets if record is not None)

    @invariant()
    def nobody_executes_what_was_not_confirmed_in_time(self) -> None:
        for quote_id in self.quotes:
            told = self.told(quote_id)
            statuses = [one.quote.status for one in told]
            assert statuses[0] is QuoteStatus.OPEN
            for before, after in itertools.pairwise(statuses):
                assert after in QUOTE_TRANSITIONS[before]
            quote = told[-1].quote
            if quote.executed_at is not None:
                confirmation, execution = windows(quote.ticker)
                assert quote.accepted_at is not None
                assert quote.confirmed_at is not None
                assert quote.confirmed_at - quote.accepted_at <= confirmation
                assert quote.executed_at - quote.confirmed_at == execution

    @invariant()
    def an_execution_makes_each_order_once(self) -> None:
        placed = [
            event.terms.order_id
            for event in self.floor.events
            if isinstance(event, e.OrderUpdated) and event.why is e.OrderChange.PLACED
        ]
        assert len(placed) == len(set(placed))
        for quote_id in self.quotes:
            quote = self.floor.quote(quote_id)
            is_executed = quote.status is QuoteStatus.EXECUTED
            if quote.rfq_order is not None:
                # A requester's order exists if, and only if, its quote was executed.
                assert (quote.rfq_order.order_id in placed) == is_executed


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_long_run_by_chance_reaches_every_end() -> None:
    """The same members for a long time: what a short run seldom sees happens often enough."""
    chance, machine = Random(7), Requests()  # noqa: S311 - chance, no secret

    def flag() -> bool:
        return chance.randrange(0, 2) == 1

    def recent() -> int:
        return chance.randrange(0, 2)

    def request() -> None:
        pair, count = chance.sample(MEMBERS, 3), chance.choice(("1", "2.50", "30"))
        machine.request(pair, count, is_target=flag(), rests=flag(), replaces=True)

    def order() -> None:
        bid, count = chance.choice(("0.30", "0.48", "0.52")), chance.choice(("1", "30"))
        machine.order(chance.choice(MEMBERS), chance.choice(tuple(Side)), count, bid)

    def quote() -> None:
        bid = chance.choice(("0.44", "0.48", "0.52"))
        machine.quote(chance.choice(MEMBERS), recent(), yes=bid, no="0.48", rests=flag())

    def wait() -> None:
        machine.pause(pauses=False)
        machine.wait(chance.choice((1, 16, 31)))

    deeds: dict[Callable[[], None], int] = {
        request: 8,
        quote: 4,
        order: 4,
        wait: 5,
        lambda: machine.agree(recent(), chance.choice(tuple(Side))): 10,
        lambda: machine.accept(recent(), chance.choice(tuple(Side)), better=flag()): 2,
        lambda: machine.confirm(recent(), other=flag()): 2,
        lambda: machine.delete(recent(), is_rfq=flag()): 2,
        lambda: machine.pause(pauses=True): 1,
    }
    for deed in chance.choices(tuple(deeds), tuple(deeds.values()), k=1_000):
        deed()
        machine.money_and_contracts_are_conserved()
    machine.nobody_executes_what_was_not_confirmed_in_time()
    machine.an_execution_makes_each_order_once()

    ends = Counter(machine.floor.status(quote_id) for quote_id in machine.quotes)
    reasons = {machine.floor.quote(quote_id).reason for quote_id in machine.quotes}
    assert ends["executed"] > 20, ends
    assert {"replaced", "deleted", "rfq_deleted", "rfq_replaced"} <= reasons
