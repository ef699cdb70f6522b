"""The auditor is itself tried: defects that bots really had are planted, and each must be caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from world import Plan, run

from trueup.core import payoff
from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, Subaccount, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.engine import asking, following, halts, placing, portfolio, risk
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.halts import Halts
from trueup.engine.inflight import OwnOrder
from trueup.engine.machine import Machine
from trueup.engine.portfolio import Holding, Portfolio
from trueup.engine.records import HaltLifted, HaltRaised
from trueup.engine.state import Running, State
from trueup.engine.sweeping import Sweeper
from trueup.run.sandbox.simulated import SimulatedVenue

SEEDS_MAX = 8
"""Every planted bug must be caught within this many seeds."""

Plant = Callable[[pytest.MonkeyPatch], None]


def fills_are_not_deduplicated(patch: pytest.MonkeyPatch) -> None:
    def has_seen(self: Portfolio, fill: Filled) -> bool:
        del self, fill
        return False

    patch.setattr(Portfolio, "has_seen", has_seen)


def order_is_sent_again_after_a_503(patch: pytest.MonkeyPatch) -> None:
    original = asking.doubt

    def doubt(state: State, order: OwnOrder, words: str, out: list[f.Effect]) -> None:
        original(state, order, words, out)
        again = replace(order.intent, client_order_id=state.ids(order.intent.strategy))
        out.append(f.Place(intent=again))

    patch.setattr(asking, "doubt", doubt)


def fee_is_booked_twice(patch: pytest.MonkeyPatch) -> None:
    original = Portfolio.book

    def book(
        self: Portfolio, fill: Filled, strategy: str, *, reserved_at: Instant | None = None
    ) -> Holding:
        doubled = fill if fill.fee is None else replace(fill, fee=fill.fee + fill.fee)
        return original(self, doubled, strategy, reserved_at=reserved_at)

    patch.setattr(Portfolio, "book", book)


def cancel_all_is_believed_without_reading(patch: pytest.MonkeyPatch) -> None:
    original = Sweeper.ended

    def ended(self: Sweeper, said: i.SweepEnded, out: list[f.Effect]) -> None:
        original(self, replace(said, done=True), out)
        self.read(i.RestingRead(at=said.at, resting=(), as_of=said.at), out)

    patch.setattr(Sweeper, "ended", ended)


def fill_before_its_answer_stays_a_strangers(patch: pytest.MonkeyPatch) -> None:
    def is_answer_missing(self: following.Follower, ticker: str) -> bool:
        del self, ticker
        return False

    def claim(self: Portfolio, *named: object) -> list[Filled]:
        del self, named
        return []

    patch.setattr(following.Follower, "_is_answer_missing", is_answer_missing)
    patch.setattr(Portfolio, "claim", claim)


def position_limit_forgets_open_orders(patch: pytest.MonkeyPatch) -> None:
    def coming(self: risk.Case, strategy: str | None, side: Side) -> Count:
        del self, strategy, side
        return ZERO_COUNT

    patch.setattr(risk.Case, "coming", coming)


def halts_do_not_survive_a_restart(patch: pytest.MonkeyPatch) -> None:
    def restore(self: Halts, record: HaltRaised | HaltLifted) -> None:
        del self, record

    patch.setattr(halts.Halts, "restore", restore)


def kill_switch_does_not_stop_strategies(patch: pytest.MonkeyPatch) -> None:
    def holding(self: Halts, strategy: str) -> None:
        del self, strategy

    patch.setattr(halts.Halts, "holding", holding)
    patch.setattr("trueup.engine.sweeping.QUIET", 0)


def absence_is_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(asking, "REQUEST_LIFETIME", -10 * SECOND)


def intent_is_not_made_durable(patch: pytest.MonkeyPatch) -> None:
    original = placing._place  # pyright: ignore[reportPrivateUsage]

    def place(state: State, running: Running, case: risk.Case, out: list[f.Effect]) -> None:
        mine: list[f.Effect] = []
        original(state, running, case, mine)
        out.extend(each for each in mine if not isinstance(each, f.Persist))

    patch.setattr(placing, "_place", place)


def lost_messages_are_never_read_again(patch: pytest.MonkeyPatch) -> None:
    def poll(self: SimulatedVenue) -> None:
        del self

    patch.setattr(SimulatedVenue, "_poll", poll)


def settlement_pays_what_was_bought_instead_of_the_net(patch: pytest.MonkeyPatch) -> None:
    original = payoff.gross_payout

    def gross(net: Count, value: Price) -> Money:
        return original(abs(net), value)

    patch.setattr(portfolio, "gross_payout", gross)


def other_subaccounts_are_netted_with_ours(patch: pytest.MonkeyPatch) -> None:
    original = Portfolio.book

    def book(
        self: Portfolio, fill: Filled, strategy: str, *, reserved_at: Instant | None = None
    ) -> Holding:
        return original(self, replace(fill, subaccount=PRIMARY), strategy, reserved_at=reserved_at)

    def subaccounts(self: State) -> set[Subaccount]:
        del self
        return {PRIMARY, Subaccount(1)}

    patch.setattr(Portfolio, "book", book)
    patch.setattr(State, "subaccounts", property(subaccounts, lambda _, __: None), raising=False)


def revised_settlements_are_not_heard(patch: pytest.MonkeyPatch) -> None:
    original = Portfolio.settle

    def settle(self: Portfolio, ticker: Ticker, value: Price, at: Instant) -> bool:
        return False if self.is_settled(ticker) else original(self, ticker, value, at)

    patch.setattr(Portfolio, "settle", settle)


BUGS: list[Plant] = [
    other_subaccounts_are_netted_with_ours,
    revised_settlements_are_not_heard,
    fills_are_not_deduplicated,
    order_is_sent_again_after_a_503,
    fee_is_booked_twice,
    cancel_all_is_believed_without_reading,
    fill_before_its_answer_stays_a_strangers,
    position_limit_forgets_open_orders,
    halts_do_not_survive_a_restart,
    kill_switch_does_not_stop_strategies,
    absence_is_believed_at_once,
    intent_is_not_made_durable,
    lost_messages_are_never_read_again,
    settlement_pays_what_was_bought_instead_of_the_net,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_auditor_catches(bug: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    bug(monkeypatch)

    for seed in range(1, SEEDS_MAX + 1):
        world = run(Plan(seed=seed, hours=1, crashes=2))
        if world.auditor.complaints:
            return

    pytest.fail(f"not caught within {SEEDS_MAX} seeds")


def test_auditor_is_content_with_the_same_worlds_without_bugs() -> None:
    for seed in range(1, 4):
        world = run(Plan(seed=seed, hours=1, crashes=2))
        assert world.auditor.complaints == [], f"seed {seed}"
        assert world.plan.machine is Machine
        assert sum((abs(each) for each in world.auditor.shares()), ZERO_COUNT) > ZERO_COUNT
