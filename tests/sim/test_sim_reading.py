"""What a poll reads of an account: the same, whether ended orders are looked at again or not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from small_exchange import MEMBER, RAIN, SNOW, SmallExchange, small_exchange

from trueup.core.ids import OrderId
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT
from trueup.run.sandbox.simulated_reading import ChangingOrders, positions_read
from trueup.sim import commands as c
from trueup.sim import events as e

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["rest", "trade", "cancel", "wait", "poll"]),
        st.integers(0, 5),
        st.integers(0, 200),
        st.booleans(),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_polls_read_every_order_that_rests_or_changed_and_every_position(
    steps: list[tuple[str, int, int, bool]],
) -> None:
    world = small_exchange()
    changing = ChangingOrders()
    told = 0
    resting: list[OrderId] = []
    polled_to = Instant(0)
    for what, which, seconds, flag in steps:
        if what == "rest":
            own, side = ("0.40", Side.YES) if flag else ("0.50", Side.NO)
            ticker = RAIN if which % 2 else SNOW
            resting.append(world.buy(ticker, side, "3", at=own, filled="0"))
        elif what == "trade":
            world.buy(RAIN, Side.YES if flag else Side.NO, "2", at="0.50")
        elif what == "cancel" and resting:
            name = resting.pop(which % len(resting))
            world.later(SECOND)
            world.step(c.CancelOrder(at=world.now, member=MEMBER, order_id=name))
        elif what == "wait":
            world.later(seconds * SECOND)
        for event in world.events[told:]:
            if isinstance(event, e.OrderUpdated) and event.member == MEMBER:
                changing.note(event.terms.order_id)
        told = len(world.events)
        if what != "poll":
            continue
        account = world.exchange.account(MEMBER)
        since, as_of = Instant(polled_to - MINUTE), Instant(world.now - which * SECOND)
        polled_to = as_of
        expected = [
            state.order
            for each in account.orders.values()
            if (state := each.state_at(as_of)) is not None
            and (state.at >= since or state.status is OrderStatus.RESTING)
        ]
        assert changing.read(account, as_of, since) == expected
        (read,) = positions_read(account, as_of, world.now, at_start=False)
        held = {each.ticker: each.net for each in read.positions}
        for ticker in (RAIN, SNOW):
            position = account.position_at(as_of, read.subaccount, ticker)
            assert held.get(ticker, ZERO_COUNT) == position.net


def test_an_order_that_ended_long_ago_is_let_go_and_a_start_reads_it_again() -> None:
    world: SmallExchange = small_exchange()
    name = world.buy(RAIN, Side.YES, "3", at="0.40", filled="0")
    world.later(SECOND)
    world.step(c.CancelOrder(at=world.now, member=MEMBER, order_id=name))
    account, changing = world.exchange.account(MEMBER), ChangingOrders()
    changing.begin(account)
    late = Instant(world.now + 10 * MINUTE)

    assert changing.read(account, late, Instant(late - MINUTE)) == []
    assert changing.read(account, late, Instant(0)) == []
    changing.begin(account)
    assert [each.order_id for each in changing.read(account, late, Instant(0))] == [name]
