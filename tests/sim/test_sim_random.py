"""The machine against the naive exchange: random commands, and commands that shrink."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace
from random_trading import IOC, RandomTrading

from trueup.core.ids import PRIMARY, ClientOrderId, OrderGroupId, OrderId
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import Count, Price
from trueup.sim import commands as c
from trueup.sim.auditing import audit


@pytest.mark.parametrize("seed", range(3))
def test_machine_and_naive_exchange_agree_on_random_commands(seed: int) -> None:
    trading = RandomTrading(seed, audit_every=50)

    trading.play(2_500)

    assert {"Trade", "Amend", "GroupCancel", "SelfTradeCancel"} <= trading.told.keys()


numbers = st.integers(0, 3)
sides = st.sampled_from(Side)
prices = st.integers(44, 56).map(Price.of_cents)
counts = st.integers(1, 1_000).map(Count)


class Trading(RuleBasedStateMachine):
    """Few members, few prices, one thing at a time: what goes wrong is told in few steps."""

    def __init__(self) -> None:
        super().__init__()
        self.trading = RandomTrading(0)
        self.placed: list[tuple[c.Member, OrderId, Side]] = []

    def later(self) -> Instant:
        self.trading.at = Instant(self.trading.at + SECOND)
        return self.trading.at

    @rule(
        number=numbers,
        side=sides,
        price=prices,
        count=counts,
        kind=st.sampled_from(TimeInForce),
        prevention=st.sampled_from(SelfTradePrevention),
        flags=st.sets(st.sampled_from(["post", "reduce", "group", "pause", "cancel"])),
        lives=st.none() | st.integers(1, 5),
    )
    def place(  # noqa: PLR0917 - hypothesis draws each by name
        self,
        number: int,
        side: Side,
        price: Price,
        count: Count,
        kind: TimeInForce,
        prevention: SelfTradePrevention,
        flags: set[str],
        lives: int | None,
    ) -> None:
        at, rests = self.later(), kind is TimeInForce.GOOD_TILL_CANCELED
        member = self.trading.members[number]
        order_id = OrderId(f"order-{len(self.placed)}")
        self.placed.append((member, order_id, side))
        order = c.PlaceOrder(
            at=at,
            member=member,
            subaccount=PRIMARY,
            order_id=order_id,
            client_order_id=ClientOrderId(order_id),
            ticker=self.trading.markets[0],
            side=side,
            price=price,
            count=count,
            time_in_force=kind,
            self_trade_prevention=prevention,
            post_only=rests and "post" in flags,
            reduce_only=kind is IOC and "reduce" in flags,
            cancel_on_pause="pause" in flags,
            canceled_when_impossible="cancel" in flags,
            group_id=OrderGroupId("group") if "group" in flags else None,
        )
        if rests and lives is not None:
            order = replace(order, expires_at=Instant(at + lives * SECOND))
        self.trading.ask(order)

    @rule(which=st.integers(0, 20), price=prices, count=counts)
    def amend(self, which: int, price: Price, count: Count) -> None:
        if which < len(self.placed):
            member, order_id, side = self.placed[which]
            self.trading.ask(
                c.AmendOrder(
                    at=self.later(),
                    member=member,
                    order_id=order_id,
                    ticker=self.trading.markets[0],
                    side=side,
                    price=price,
                    count=count,
                )
            )

    @rule(which=st.integers(0, 20), by=counts)
    def decrease(self, which: int, by: Count) -> None:
        if which < len(self.placed):
            member, order_id, _ = self.placed[which]
            self.trading.ask(
                c.DecreaseOrder(at=self.later(), member=member, order_id=order_id, by=by)
            )

    @rule(which=st.integers(0, 20))
    def cancel(self, which: int) -> None:
        if which < len(self.placed):
            member, order_id, _ = self.placed[which]
            self.trading.ask(c.CancelOrder(at=self.later(), member=member, order_id=order_id))

    @rule()
    def pause_and_resume(self) -> None:
        ticker = self.trading.markets[0]
        self.trading.ask(c.PauseMarket(at=self.later(), ticker=ticker))
        self.trading.ask(c.ResumeMarket(at=self.later(), ticker=ticker))

    @rule(number=numbers)
    def reset_group(self, number: int) -> None:
        self.trading.ask(
            c.ResetOrderGroup(
                at=self.later(),
                member=self.trading.members[number],
                group_id=OrderGroupId("group"),
            )
        )

    @invariant()
    def everything_agrees(self) -> None:
        self.trading.naive.expire(self.trading.exchange.now)
        self.trading.compare()
        audit(self.trading.exchange.books)


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
